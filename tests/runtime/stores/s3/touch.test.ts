import { expectKind } from "../../../conformance/object-store/context";
import { FakeS3, HEAD, refusal, type SeenRequest, status } from "./fake-s3";

let s3: FakeS3;
beforeAll(async () => {
  s3 = await FakeS3.start();
});
afterAll(() => s3.stop());

type Answer = Parameters<FakeS3["answer"]>[number];
const GIB = 1024 ** 3;
const query = ({ url }: SeenRequest) => Object.fromEntries(new URL(url, "http://h").searchParams);

function copied(headers: Record<string, string> = {}, etag = "e1"): Answer {
  return status(200, headers, `<CopyObjectResult><ETag>"${etag}"</ETag></CopyObjectResult>`);
}

describe("an object that one call copies", () => {
  test("gets back all that it had, held to its etag", async () => {
    const headers = {
      ...HEAD,
      "content-type": "text/plain",
      "cache-control": "no-cache",
      expires: "0",
      "x-amz-meta-a": "1",
      "x-amz-meta-name": "=?UTF-8?B?5paH5Lu2?=",
      "x-amz-storage-class": "GLACIER_IR",
      "x-amz-website-redirect-location": "/other",
      "x-amz-server-side-encryption": "aws:kms",
      "x-amz-server-side-encryption-aws-kms-key-id": "arn:key",
      "x-amz-server-side-encryption-bucket-key-enabled": "true",
      "x-amz-version-id": "v1",
    };
    s3.answer(status(200, headers), copied({ "x-amz-version-id": "v2", "x-amz-copy-source-version-id": "v1" }));
    expect(await s3.store({ storageClass: "STANDARD_IA" }).touch("a b+c/文?versionId=x")).toEqual({
      etag: "e1",
      versionId: "v2",
    });
    expect(s3.seen.map(({ method }) => method)).toEqual(["HEAD", "PUT"]);
    expect(s3.seen[1]?.headers).toMatchObject({
      "x-amz-copy-source": "bucket/a%20b%2Bc/%E6%96%87%3FversionId%3Dx",
      "x-amz-copy-source-if-match": '"e1"',
      "if-match": '"e1"',
      "x-amz-metadata-directive": "REPLACE",
      "x-amz-tagging-directive": "COPY",
      "content-type": "text/plain",
      "cache-control": "no-cache",
      expires: "0",
      "x-amz-meta-a": "1",
      "x-amz-meta-name": "=?UTF-8?B?5paH5Lu2?=",
      "x-amz-storage-class": "GLACIER_IR",
      "x-amz-website-redirect-location": "/other",
      "x-amz-server-side-encryption": "aws:kms",
      "x-amz-server-side-encryption-aws-kms-key-id": "arn:key",
      "x-amz-server-side-encryption-bucket-key-enabled": "true",
    });
  });

  test("nothing is sent that the object has not: no class, no redirect, no tags, no checksum", async () => {
    s3.answer(status(200, HEAD), copied());
    await s3.store().touch("k");
    const names = Object.keys(s3.seen[1]?.headers ?? {});
    const unwanted = /^(x-amz-(storage|website|server|tagging$|checksum|sdk-checksum|meta-)|expires|content-(type|enc)|cache)/;
    expect(names.filter((name) => unwanted.test(name))).toEqual([]);
  });

  test("the adapter's key encrypts it, whatever it was encrypted with", async () => {
    s3.answer(status(200, { ...HEAD, "x-amz-server-side-encryption": "AES256" }), copied());
    await s3.store({ kmsKeyArn: "arn:own" }).touch("k");
    expect(s3.seen[1]?.headers).toMatchObject({
      "x-amz-server-side-encryption": "aws:kms",
      "x-amz-server-side-encryption-aws-kms-key-id": "arn:own",
    });
  });

  test("equal bytes that were written in between give it their headers", async () => {
    const versions = (copy: string, source: string) => ({ "x-amz-version-id": copy, "x-amz-copy-source-version-id": source });
    s3.answer(
      status(200, { ...HEAD, "x-amz-version-id": "v1", "x-amz-meta-a": "old" }),
      copied(versions("v3", "v2"), "e3"),
      status(200, { ...HEAD, "x-amz-version-id": "v2", "x-amz-meta-a": "new" }),
      copied(versions("v4", "v3"), "e3"),
    );
    expect(await s3.store().touch("k")).toEqual({ etag: "e3", versionId: "v4" });
    expect(s3.seen[2] && query(s3.seen[2])).toEqual({ versionId: "v2" });
    expect(s3.seen[3]?.headers).toMatchObject({
      "x-amz-meta-a": "new",
      "x-amz-copy-source-if-match": '"e3"',
      "if-match": '"e3"',
    });
    expect(s3.seen[3]?.headers["x-amz-copy-source"]).toBe("bucket/k");
  });

  test("is refused when it changed, when its archive must be restored first, or when S3 does not tell all of it", async () => {
    s3.answer(status(200, HEAD), refusal(412, "PreconditionFailed"));
    await expectKind(s3.store().touch("k"), "PreconditionFailed");
    s3.answer(status(200, HEAD), refusal(403, "InvalidObjectState"));
    await expectKind(s3.store().touch("k"), "Unsupported");
    s3.answer(status(200, { ...HEAD, "x-amz-missing-meta": "2" }));
    await expectKind(s3.store().touch("k"), "Unsupported");
    s3.answer(status(200, HEAD));
    await expectKind(s3.store().touch("k", { ifMatch: "other" }), "PreconditionFailed");
    expect(s3.seen).toHaveLength(1);
  });

  test("a copy that answers 200 and then an error failed", async () => {
    s3.answer(status(200, HEAD), refusal(200, "InternalError"));
    await expectKind(s3.store({ maxAttempts: 1 }).touch("k"), "Unavailable");
  });
});

describe("an object of more than 5 GiB", () => {
  const sizeBytes = 5 * GIB + 7;
  const LARGE = {
    ...HEAD,
    "content-length": `${sizeBytes}`,
    "content-type": "video/mp4",
    expires: "never",
    "x-amz-meta-a": "1",
    "x-amz-storage-class": "STANDARD_IA",
    "x-amz-server-side-encryption": "AES256",
    "x-amz-version-id": "v1",
    "x-amz-checksum-crc64nvme": "wholeAAAAAA=",
    "x-amz-checksum-type": "FULL_OBJECT",
  };
  const TAGS = "<Tagging><TagSet><Tag><Key>a b</Key><Value>c&amp;d</Value></Tag></TagSet></Tagging>";
  const CREATED = "<InitiateMultipartUploadResult><UploadId>U1</UploadId></InitiateMultipartUploadResult>";

  /** A server that has the object, until `change` says otherwise for the second look. */
  function serve(change: { head?: Record<string, string>; tags?: string; part?: Answer } = {}): Answer[] {
    const looks = { HEAD: 0, tagging: 0 };
    const answer: Answer = (request, response) => {
      const { uploadId, partNumber } = query(request);
      const of = (): Answer => {
        if (request.method === "HEAD") return status(200, looks.HEAD++ > 0 ? { ...LARGE, ...change.head } : LARGE);
        if ("tagging" in query(request)) return status(200, {}, (looks.tagging++ > 0 ? change.tags : undefined) ?? TAGS);
        if (request.method === "DELETE") return status(204);
        if (partNumber !== undefined) {
          const crc = `<ChecksumCRC64NVME>part${partNumber}</ChecksumCRC64NVME>`;
          const body = `<CopyPartResult><ETag>"p${partNumber}"</ETag>${crc}</CopyPartResult>`;
          return (partNumber === "4" ? change.part : undefined) ?? status(200, {}, body);
        }
        if (uploadId === undefined) return status(200, { "x-amz-checksum-type": "FULL_OBJECT" }, CREATED);
        const etag = "<CompleteMultipartUploadResult><ETag>&quot;e-11&quot;</ETag></CompleteMultipartUploadResult>";
        return status(200, { "x-amz-version-id": "v2" }, etag);
      };
      of()(request, response);
    };
    return Array.from({ length: 40 }, () => answer);
  }
  const posts = () => s3.seen.filter(({ method }) => method === "POST");

  test("is copied in parts, made like the one that it was, and verified whole", async () => {
    s3.answer(...serve());
    expect(await s3.store().touch("k", { ifMatch: "e1" })).toEqual({ etag: "e-11", versionId: "v2" });
    const [create, complete] = posts();
    expect(create?.headers).toMatchObject({
      "content-type": "video/mp4",
      expires: "never",
      "x-amz-meta-a": "1",
      "x-amz-storage-class": "STANDARD_IA",
      "x-amz-server-side-encryption": "AES256",
      "x-amz-tagging": "a%20b=c%26d",
      "x-amz-checksum-algorithm": "CRC64NVME",
      "x-amz-checksum-type": "FULL_OBJECT",
    });
    const parts = s3.seen.filter(({ url }) => url.includes("partNumber="));
    expect(new Set(parts.map(({ headers }) => headers["x-amz-copy-source-if-match"]))).toEqual(new Set(['"e1"']));
    const ranges = parts.map((part) => [Number(query(part).partNumber), part.headers["x-amz-copy-source-range"]] as const);
    expect(ranges.sort(([a], [b]) => a - b).map(([, range]) => range)).toEqual([
      ...Array.from({ length: 10 }, (_, index) => `bytes=${(index * GIB) / 2}-${((index + 1) * GIB) / 2 - 1}`),
      `bytes=${5 * GIB}-${sizeBytes - 1}`,
    ]);
    expect(complete?.headers).toMatchObject({
      "if-match": '"e1"',
      "x-amz-checksum-crc64nvme": "wholeAAAAAA=",
      "x-amz-checksum-type": "FULL_OBJECT",
    });
    expect(complete?.body.toString().match(/<PartNumber>\d+<\/PartNumber>/g)).toHaveLength(11);
    expect(complete?.body.toString()).toContain("<ChecksumCRC64NVME>part11</ChecksumCRC64NVME>");
  });

  test.each([
    ["its bytes", { head: { etag: '"e2"' } }],
    ["its headers on equal bytes", { head: { "x-amz-meta-a": "2", "x-amz-version-id": "v9" } }],
    ["its tags", { tags: "<Tagging><TagSet/></Tagging>" }],
    ["its bytes, as a part tells", { part: refusal(412, "PreconditionFailed") }],
  ])("that changes meanwhile, in %s, is not written, and its upload is taken back", async (_, change) => {
    s3.answer(...serve(change));
    await expectKind(s3.store().touch("k"), "PreconditionFailed");
    expect(posts()).toHaveLength(1);
    expect(s3.seen.at(-1)).toMatchObject({ method: "DELETE" });
    expect(s3.seen.at(-1)?.url).toContain("uploadId=U1");
  });

  test("with a checksum over its parts keeps the kind of it, which no completion can be held to", async () => {
    const { "x-amz-checksum-crc64nvme": _, ...others } = LARGE;
    const composite = status(200, { ...others, "x-amz-checksum-sha256": "YWJj-11", "x-amz-checksum-type": "COMPOSITE" });
    const served = serve().map(
      (answer): Answer =>
        (request, response) =>
          (request.method === "HEAD" ? composite : answer)(request, response),
    );
    s3.answer(...served);
    await s3.store().touch("k");
    const [create, complete] = posts();
    expect(create?.headers).toMatchObject({ "x-amz-checksum-algorithm": "SHA256", "x-amz-checksum-type": "COMPOSITE" });
    expect(Object.keys(complete?.headers ?? {}).filter((name) => name.startsWith("x-amz-checksum"))).toEqual([]);
  });
});

describe("delete of a version", () => {
  test("names it, and one that is gone is deleted", async () => {
    s3.answer(status(204), refusal(404, "NoSuchVersion"));
    await s3.store().delete("k", { versionId: "v/1+2" });
    expect(s3.seen[0] && query(s3.seen[0])).toMatchObject({ versionId: "v/1+2" });
    await s3.store().delete("k", { versionId: "v1" });
  });

  test("a bucket that is not there is no version that is gone", async () => {
    s3.answer(refusal(404, "NoSuchBucket"));
    await expectKind(s3.store().delete("k", { versionId: "v1" }), "NotFound");
  });
});

test.each([
  ["COMPLETE", "COMPLETED"],
  ["COMPLETED", "COMPLETED"],
  ["PENDING", "PENDING"],
  ["FAILED", "FAILED"],
  ["REPLICA", "REPLICA"],
  ["SOMETHING-NEW", undefined],
  [undefined, undefined],
])("a replication status of %s is told as %s", async (header, told) => {
  s3.answer(status(200, { ...HEAD, ...(header !== undefined && { "x-amz-replication-status": header }) }));
  const head = await s3.store().head("k");
  expect(head?.replication).toBe(told);
  expect(head !== undefined && "replication" in head).toBe(told !== undefined);
});
