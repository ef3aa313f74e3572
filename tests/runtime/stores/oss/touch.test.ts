import { checksumOf } from "../../../../runtime/stores/checksums";
import { expectKind, textBytes } from "../../../conformance/object-store/context";
import { FakeS3, HEAD, refusal, type SeenRequest, status } from "../s3/fake-s3";
import { crcHeader, ossStore } from "./fake-oss";

let oss: FakeS3;
beforeAll(async () => {
  oss = await FakeS3.start();
});
afterAll(() => oss.stop());

type Answer = Parameters<FakeS3["answer"]>[number];
const GIB = 1024 ** 3;
const query = ({ url }: SeenRequest) => Object.fromEntries(new URL(url, "http://h").searchParams);
const looked = (headers: Record<string, string> = {}) => status(200, { ...HEAD, "x-oss-object-type": "Normal", ...headers });

function copied(headers: Record<string, string> = {}, etag = "e1"): Answer {
  return status(200, headers, `<CopyObjectResult><ETag>"${etag}"</ETag></CopyObjectResult>`);
}

describe("an object that one call copies", () => {
  test("gets back all that it had, held to its etag", async () => {
    const kept = {
      "content-type": "text/plain",
      expires: "0",
      "x-oss-meta-a": "1",
      "x-oss-meta-encoded-x-2ey": "=?UTF-8?B?5paH5Lu2?=",
      "x-oss-storage-class": "IA",
      "x-oss-server-side-encryption": "KMS",
      "x-oss-server-side-encryption-key-id": "key-0",
      "x-oss-server-side-data-encryption": "SM4",
    };
    oss.answer(
      looked({ ...kept, "x-oss-version-id": "v1" }),
      copied({ "x-oss-version-id": "v2", "x-oss-copy-source-version-id": "v1" }),
    );
    const store = ossStore(oss, { storageClass: "Standard" });
    expect(await store.touch("a b+c/文?versionId=x")).toEqual({ etag: "e1", versionId: "v2" });
    expect(oss.seen.map(({ method }) => method)).toEqual(["HEAD", "PUT"]);
    expect(oss.seen[1]?.headers).toMatchObject({
      ...kept,
      "x-oss-copy-source": "/bucket/a%20b%2Bc/%E6%96%87%3FversionId%3Dx",
      "x-oss-copy-source-if-match": '"e1"',
      "x-oss-metadata-directive": "REPLACE",
      "x-oss-tagging-directive": "Copy",
    });
    expect(oss.seen[1]?.headers["x-oss-tagging"]).toBeUndefined();
  });

  test("the adapter's key encrypts it, whatever it was encrypted with", async () => {
    oss.answer(looked({ "x-oss-server-side-encryption": "AES256" }), copied());
    await ossStore(oss, { kmsKeyId: "own" }).touch("k");
    expect(oss.seen[1]?.headers).toMatchObject({
      "x-oss-server-side-encryption": "KMS",
      "x-oss-server-side-encryption-key-id": "own",
    });
  });

  test("equal bytes that were written in between give it their headers", async () => {
    const versions = (copy: string, source: string) => ({ "x-oss-version-id": copy, "x-oss-copy-source-version-id": source });
    oss.answer(
      looked({ "x-oss-version-id": "v1", "x-oss-meta-a": "old" }),
      copied(versions("v3", "v2")),
      looked({ "x-oss-version-id": "v2", "x-oss-meta-a": "new" }),
      copied(versions("v4", "v3")),
    );
    expect(await ossStore(oss).touch("k")).toEqual({ etag: "e1", versionId: "v4" });
    expect(oss.seen[2] && query(oss.seen[2])).toEqual({ versionId: "v2" });
    expect(oss.seen[3]?.headers).toMatchObject({ "x-oss-meta-a": "new", "x-oss-copy-source": "/bucket/k" });
  });

  test.each(["Appendable", "Symlink"])("one of type %s would become another, so it is left alone", async (type) => {
    oss.answer(looked({ "x-oss-object-type": type }));
    await expectKind(ossStore(oss).touch("k"), "Unsupported");
    expect(oss.seen).toHaveLength(1);
  });

  test("is refused when it changed, or when its archive must be restored first", async () => {
    oss.answer(looked(), refusal(412, "PreconditionFailed"));
    await expectKind(ossStore(oss).touch("k"), "PreconditionFailed");
    oss.answer(looked(), refusal(403, "InvalidObjectState"));
    await expectKind(ossStore(oss).touch("k"), "Unsupported");
    oss.answer(looked());
    await expectKind(ossStore(oss).touch("k", { ifMatch: "other" }), "PreconditionFailed");
    expect(oss.seen).toHaveLength(1);
  });

  test("a copy with another CRC-64 than the object's is taken back", async () => {
    oss.answer(
      looked(crcHeader(textBytes("right"))),
      copied({ ...crcHeader(textBytes("wrong")), "x-oss-version-id": "v2" }),
      status(204),
    );
    await expectKind(ossStore(oss, { maxAttempts: 1 }).touch("k"), "Corrupted");
    expect(oss.seen[2]).toMatchObject({ method: "DELETE", url: "/bucket/k?versionId=v2" });
  });
});

describe("an object of more than 1 GiB", () => {
  const PART = 128 * 1024 ** 2;
  const sizeBytes = GIB + 7;
  const LARGE = {
    "content-length": `${sizeBytes}`,
    "content-type": "video/mp4",
    "x-oss-meta-a": "1",
    "x-oss-storage-class": "IA",
  };
  const TAGS = "<Tagging><TagSet><Tag><Key>a b</Key><Value>c=d</Value></Tag></TagSet></Tagging>";
  const CREATED = "<InitiateMultipartUploadResult><UploadId>U1</UploadId></InitiateMultipartUploadResult>";

  function serve(change: { head?: Record<string, string>; tags?: string; part?: Answer } = {}): Answer[] {
    const looks = { head: 0, tagging: 0 };
    const answer: Answer = (request, response) => {
      const { uploadId, partNumber } = query(request);
      const of = (): Answer => {
        if (request.method === "HEAD") return looked(looks.head++ > 0 ? { ...LARGE, ...change.head } : LARGE);
        if ("tagging" in query(request)) return status(200, {}, (looks.tagging++ > 0 ? change.tags : undefined) ?? TAGS);
        if (request.method === "DELETE") return status(204);
        if (partNumber !== undefined) {
          const body = `<CopyPartResult><ETag>"p${partNumber}"</ETag></CopyPartResult>`;
          return (partNumber === "4" ? change.part : undefined) ?? status(200, {}, body);
        }
        if (request.method === "GET") return status(200, {}, "<ListPartsResult></ListPartsResult>");
        if (uploadId === undefined) return status(200, {}, CREATED);
        return status(200, {}, "<CompleteMultipartUploadResult><ETag>e-9</ETag></CompleteMultipartUploadResult>");
      };
      of()(request, response);
    };
    return Array.from({ length: 40 }, () => answer);
  }
  const posts = () => oss.seen.filter(({ method }) => method === "POST");

  test("is copied in parts and made like the one that it was", async () => {
    oss.answer(...serve());
    expect(await ossStore(oss).touch("k", { ifMatch: "e1" })).toEqual({ etag: "e-9" });
    expect(posts()[0]?.headers).toMatchObject({
      "content-type": "video/mp4",
      "x-oss-meta-a": "1",
      "x-oss-storage-class": "IA",
      "x-oss-tagging": "a%20b=c%3Dd",
    });
    const parts = oss.seen.filter(({ url }) => url.includes("partNumber="));
    expect(new Set(parts.map(({ headers }) => headers["x-oss-copy-source-if-match"]))).toEqual(new Set(['"e1"']));
    const ranges = parts.map((part) => [Number(query(part).partNumber), part.headers["x-oss-copy-source-range"]] as const);
    expect(ranges.sort(([a], [b]) => a - b).map(([, range]) => range)).toEqual([
      ...Array.from({ length: 8 }, (_, index) => `bytes=${index * PART}-${(index + 1) * PART - 1}`),
      `bytes=${GIB}-${sizeBytes - 1}`,
    ]);
    expect(
      posts()[1]
        ?.body.toString()
        .match(/<PartNumber>\d+<\/PartNumber>/g),
    ).toHaveLength(9);
  });

  test.each([
    ["its bytes", { head: { etag: '"e2"' } }],
    ["its headers on equal bytes", { head: { "x-oss-meta-a": "2" } }],
    ["its tags", { tags: "<Tagging><TagSet/></Tagging>" }],
    ["its bytes, as a part tells", { part: refusal(412, "PreconditionFailed") }],
  ])("that changes meanwhile, in %s, is not written, and its upload is taken back", async (_, change) => {
    oss.answer(...serve(change));
    await expectKind(ossStore(oss).touch("k"), "PreconditionFailed");
    expect(posts()).toHaveLength(1);
    expect(oss.seen.at(-1)).toMatchObject({ method: "DELETE", url: "/bucket/k?uploadId=U1" });
  });
});

describe("delete of a version", () => {
  test("names it, and one that is gone is deleted", async () => {
    oss.answer(status(204), refusal(404, "NoSuchVersion"));
    await ossStore(oss, { versioned: true }).delete("k", { versionId: "v/1+2" });
    expect(oss.seen[0]).toMatchObject({ method: "DELETE" });
    expect(oss.seen[0] && query(oss.seen[0])).toEqual({ versionId: "v/1+2" });
    await ossStore(oss, { versioned: true }).delete("k", { versionId: "v1" });
  });

  test("a bucket that is not there is no version that is gone", async () => {
    oss.answer(refusal(404, "NoSuchBucket"));
    await expectKind(ossStore(oss, { versioned: true }).delete("k", { versionId: "v1" }), "NotFound");
  });
});

test("OSS tells no replication of one object", async () => {
  oss.answer(looked(crcHeader(textBytes("x"))));
  const head = await ossStore(oss).head("k");
  expect(head).not.toHaveProperty("replication");
  expect(head?.checksums).toEqual([checksumOf("CRC64XZ", textBytes("x"))]);
});
