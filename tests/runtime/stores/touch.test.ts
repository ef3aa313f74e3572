/** Touch, deletion of versions and replication status, as requests of S3 and of OSS. */
import { checksumOf } from "../../../runtime/stores/checksums";
import type { ObjectStore } from "../../../runtime/stores/object-store";
import { expectKind, textBytes } from "../../conformance/object-store/context";
import { type Answer, crcHeader, fakeServer, HEAD, ossStore, queryOf, refusal, s3Store, status } from "./fake-server";

const server = fakeServer();
const GIB = 1024 ** 3;
const TAGS = "<Tagging><TagSet><Tag><Key>a b</Key><Value>c=d</Value></Tag></TagSet></Tagging>";
const CREATED = "<InitiateMultipartUploadResult><UploadId>U1</UploadId></InitiateMultipartUploadResult>";
const COMPLETED = "<CompleteMultipartUploadResult><ETag>&quot;e-n&quot;</ETag></CompleteMultipartUploadResult>";

interface Vendor {
  name: string;
  prefix: "x-amz" | "x-oss";
  /** Opens a store. `own` holds the storage class and the key of the adapter. */
  store(own?: { storageClass?: string; key?: string }): ObjectStore;
  copySource: string;
  tagDirective: string;
  /** The headers of an object that its copy must keep. */
  kept: Record<string, string>;
  encryption: (key: string) => Record<string, string>;
  /** The largest size of one copy, and the part size of larger objects. */
  maxCopyBytes: number;
  partSizeBytes: number;
}

const VENDORS: Vendor[] = [
  {
    name: "S3",
    prefix: "x-amz",
    store: ({ storageClass, key } = {}) => s3Store(server, { storageClass, kmsKeyArn: key }),
    copySource: "bucket/",
    tagDirective: "COPY",
    kept: {
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
    },
    encryption: (key) => ({
      "x-amz-server-side-encryption": "aws:kms",
      "x-amz-server-side-encryption-aws-kms-key-id": key,
    }),
    maxCopyBytes: 5 * GIB,
    partSizeBytes: GIB / 2,
  },
  {
    name: "OSS",
    prefix: "x-oss",
    store: ({ storageClass, key } = {}) => ossStore(server, { storageClass, kmsKeyId: key }),
    copySource: "/bucket/",
    tagDirective: "Copy",
    kept: {
      "content-type": "text/plain",
      "cache-control": "no-cache",
      expires: "0",
      "x-oss-meta-a": "1",
      "x-oss-meta-encoded-x-2ey": "=?UTF-8?B?5paH5Lu2?=",
      "x-oss-storage-class": "IA",
      "x-oss-server-side-encryption": "KMS",
      "x-oss-server-side-encryption-key-id": "key-0",
      "x-oss-server-side-data-encryption": "SM4",
    },
    encryption: (key) => ({ "x-oss-server-side-encryption": "KMS", "x-oss-server-side-encryption-key-id": key }),
    maxCopyBytes: GIB,
    partSizeBytes: GIB / 8,
  },
];

const present = (headers: Record<string, string> = {}) => status(200, { ...HEAD, ...headers });

function copied(headers: Record<string, string> = {}, etag = "e1"): Answer {
  return status(200, headers, `<CopyObjectResult><ETag>"${etag}"</ETag></CopyObjectResult>`);
}

describe.each(VENDORS)("$name, an object that one call copies", ({ prefix, store, ...vendor }) => {
  test("keeps its attributes, and is copied only if it has the same etag", async () => {
    const copy = { [`${prefix}-version-id`]: "v2", [`${prefix}-copy-source-version-id`]: "v1" };
    server.answer(present({ ...vendor.kept, [`${prefix}-version-id`]: "v1" }), copied(copy));
    expect(await store({ storageClass: "STANDARD_IA" }).touch("a b+c/文?versionId=x")).toEqual({ etag: "e1", versionId: "v2" });
    expect(server.seen.map(({ method }) => method)).toEqual(["HEAD", "PUT"]);
    expect(server.seen[1]?.headers).toMatchObject({
      ...vendor.kept,
      [`${prefix}-copy-source`]: `${vendor.copySource}a%20b%2Bc/%E6%96%87%3FversionId%3Dx`,
      [`${prefix}-copy-source-if-match`]: '"e1"',
      [`${prefix}-metadata-directive`]: "REPLACE",
      [`${prefix}-tagging-directive`]: vendor.tagDirective,
      ...(prefix === "x-amz" && { "if-match": '"e1"' }),
    });
  });

  test("gets no class, redirect, tags or checksum that it did not have", async () => {
    server.answer(present(), copied());
    await store().touch("k");
    const names = Object.keys(server.seen[1]?.headers ?? {});
    const unwanted =
      /^x-(amz|oss)-(storage|website|server|tagging$|checksum|sdk-checksum|meta-)|^(expires|content-(type|enc)|cache)/;
    expect(names.filter((name) => unwanted.test(name))).toEqual([]);
  });

  test("is encrypted with the adapter's key, whatever it was encrypted with", async () => {
    server.answer(present({ [`${prefix}-server-side-encryption`]: "AES256" }), copied());
    await store({ key: "arn:own" }).touch("k");
    expect(server.seen[1]?.headers).toMatchObject(vendor.encryption("arn:own"));
  });

  test("gets the headers of equal bytes that were written in between", async () => {
    const versions = (copy: string, source: string) => ({
      [`${prefix}-version-id`]: copy,
      [`${prefix}-copy-source-version-id`]: source,
    });
    server.answer(
      present({ [`${prefix}-version-id`]: "v1", [`${prefix}-meta-a`]: "old" }),
      copied(versions("v3", "v2"), "e3"),
      present({ [`${prefix}-version-id`]: "v2", [`${prefix}-meta-a`]: "new" }),
      copied(versions("v4", "v3"), "e3"),
    );
    expect(await store().touch("k")).toEqual({ etag: "e3", versionId: "v4" });
    expect(server.seen[2] && queryOf(server.seen[2])).toEqual({ versionId: "v2" });
    expect(server.seen[3]?.headers).toMatchObject({
      [`${prefix}-meta-a`]: "new",
      [`${prefix}-copy-source`]: `${vendor.copySource}k`,
      [`${prefix}-copy-source-if-match`]: '"e3"',
      ...(prefix === "x-amz" && { "if-match": '"e3"' }),
    });
  });

  test.each([
    ["it changed", [present(), refusal(412, "PreconditionFailed")], {}, "PreconditionFailed"],
    ["its archive must be restored first", [present(), refusal(403, "InvalidObjectState")], {}, "Unsupported"],
    ["it has another etag than the caller saw", [present()], { ifMatch: "other" }, "PreconditionFailed"],
  ] as const)("is refused when %s", async (_, answers, options, kind) => {
    server.answer(...answers);
    await expectKind(store().touch("k", options), kind);
    expect(server.seen).toHaveLength(answers.length);
  });
});

describe.each(VENDORS)("$name, an object that is too large for one copy", ({ prefix, store, ...vendor }) => {
  const { maxCopyBytes, partSizeBytes } = vendor;
  const sizeBytes = maxCopyBytes + 7;
  const large = {
    "content-length": `${sizeBytes}`,
    "content-type": "video/mp4",
    expires: "never",
    [`${prefix}-meta-a`]: "1",
    [`${prefix}-storage-class`]: "IA",
    ...(prefix === "x-amz" && { "x-amz-checksum-crc64nvme": "wholeAAAAAA=", "x-amz-checksum-type": "FULL_OBJECT" }),
  };
  const parts = Math.ceil(sizeBytes / partSizeBytes);

  /** Serves the object. `change` replaces the answer to the second HEAD, to the second GET of tags, or to the fourth part. */
  function serve(
    change: { head?: Record<string, string>; tags?: string; part?: Answer } = {},
    object: Record<string, string> = large,
  ): void {
    const reads = { head: 0, tags: 0 };
    const answer: Answer = (request, response) => {
      const { uploadId, partNumber, tagging } = queryOf(request);
      const choose = (): Answer => {
        if (request.method === "HEAD") return present(reads.head++ > 0 ? { ...object, ...change.head } : object);
        if (tagging !== undefined) return status(200, {}, (reads.tags++ > 0 ? change.tags : undefined) ?? TAGS);
        if (request.method === "DELETE") return status(204);
        if (partNumber !== undefined) {
          const crc = prefix === "x-amz" ? `<ChecksumCRC64NVME>part${partNumber}</ChecksumCRC64NVME>` : "";
          const body = `<CopyPartResult><ETag>"p${partNumber}"</ETag>${crc}</CopyPartResult>`;
          return (partNumber === "4" ? change.part : undefined) ?? status(200, {}, body);
        }
        if (request.method === "GET") return status(200, {}, "<ListPartsResult></ListPartsResult>");
        if (uploadId === undefined) return status(200, { "x-amz-checksum-type": "FULL_OBJECT" }, CREATED);
        return status(200, { [`${prefix}-version-id`]: "v2" }, COMPLETED);
      };
      choose()(request, response);
    };
    server.answer(...Array.from({ length: 40 }, () => answer));
  }
  const posts = () => server.seen.filter(({ method }) => method === "POST");

  test("is copied in parts, with its attributes", async () => {
    serve();
    expect(await store().touch("k", { ifMatch: "e1" })).toEqual({ etag: "e-n", versionId: "v2" });
    const [create, complete] = posts();
    expect(create?.headers).toMatchObject({
      "content-type": "video/mp4",
      expires: "never",
      [`${prefix}-meta-a`]: "1",
      [`${prefix}-storage-class`]: "IA",
      [`${prefix}-tagging`]: "a%20b=c%3Dd",
    });
    const copies = server.seen.filter(({ url }) => url.includes("partNumber="));
    expect(new Set(copies.map(({ headers }) => headers[`${prefix}-copy-source-if-match`]))).toEqual(new Set(['"e1"']));
    const ranges = copies.map((copy) => [Number(queryOf(copy).partNumber), copy.headers[`${prefix}-copy-source-range`]] as const);
    expect(ranges.sort(([a], [b]) => a - b).map(([, range]) => range)).toEqual([
      ...Array.from({ length: parts - 1 }, (_, index) => `bytes=${index * partSizeBytes}-${(index + 1) * partSizeBytes - 1}`),
      `bytes=${maxCopyBytes}-${sizeBytes - 1}`,
    ]);
    expect(complete?.body.toString().match(/<PartNumber>\d+<\/PartNumber>/g)).toHaveLength(parts);
    if (prefix !== "x-amz") return;
    const declared = { "x-amz-checksum-algorithm": "CRC64NVME", "x-amz-checksum-type": "FULL_OBJECT" };
    expect(create?.headers).toMatchObject(declared);
    const verified = { "x-amz-checksum-crc64nvme": "wholeAAAAAA=", "x-amz-checksum-type": "FULL_OBJECT" };
    expect(complete?.headers).toMatchObject({ ...verified, "if-match": '"e1"' });
    expect(complete?.body.toString()).toContain(`<ChecksumCRC64NVME>part${parts}</ChecksumCRC64NVME>`);
  });

  test.each([
    ["its bytes", { head: { etag: '"e2"' } }],
    ["its headers on equal bytes", { head: { [`${prefix}-meta-a`]: "2", [`${prefix}-version-id`]: "v9" } }],
    ["its metadata on equal bytes", { head: { [`${prefix}-meta-a`]: "2" } }],
    ["its tags", { tags: "<Tagging><TagSet/></Tagging>" }],
    ["its bytes, as the copy of a part shows", { part: refusal(412, "PreconditionFailed") }],
  ])("is not written when it changes meanwhile in %s, and its upload is aborted", async (_, change) => {
    serve(change);
    await expectKind(store().touch("k"), "PreconditionFailed");
    expect(posts()).toHaveLength(1);
    expect(server.seen.at(-1)).toMatchObject({ method: "DELETE" });
    expect(server.seen.at(-1)?.url).toContain("uploadId=U1");
  });

  if (prefix === "x-amz")
    test("keeps the kind of a checksum over its parts, which completion cannot verify", async () => {
      const { "x-amz-checksum-crc64nvme": _, ...others } = large as Record<string, string>;
      serve({}, { ...others, "x-amz-checksum-sha256": "YWJj-11", "x-amz-checksum-type": "COMPOSITE" });
      await store().touch("k");
      const [create, complete] = posts();
      expect(create?.headers).toMatchObject({ "x-amz-checksum-algorithm": "SHA256", "x-amz-checksum-type": "COMPOSITE" });
      expect(Object.keys(complete?.headers ?? {}).filter((name) => name.startsWith("x-amz-checksum"))).toEqual([]);
    });
});

test("S3: an object whose metadata S3 does not return as a whole is left alone", async () => {
  server.answer(present({ "x-amz-missing-meta": "2" }));
  await expectKind(s3Store(server).touch("k"), "Unsupported");
  expect(server.seen).toHaveLength(1);
});

test("S3: a copy that answers 200 with an error document is a failure", async () => {
  server.answer(present(), refusal(200, "InternalError"));
  await expectKind(s3Store(server, { maxAttempts: 1 }).touch("k"), "Unavailable");
});

test.each(["Appendable", "Symlink"])(
  "OSS: an object of type %s is left alone, because a copy would change its type",
  async (type) => {
    server.answer(present({ "x-oss-object-type": type }));
    await expectKind(ossStore(server).touch("k"), "Unsupported");
    expect(server.seen).toHaveLength(1);
  },
);

test("OSS: an object whose Content-Disposition is hidden by a forced download is left alone, because a copy would lose it", async () => {
  server.answer(present({ "x-oss-force-download": "true", "content-disposition": "attachment" }));
  await expect(ossStore(server).touch("k")).rejects.toMatchObject({
    kind: "Unsupported",
    message: expect.stringMatching(/hides the object's Content-Disposition.*: set customDomain of this side$/),
  });
  expect(server.seen).toHaveLength(1);
});

test("OSS: a copy with another CRC-64 than the object's is deleted again", async () => {
  const copy = copied({ ...crcHeader(textBytes("wrong")), "x-oss-version-id": "v2" });
  server.answer(present(crcHeader(textBytes("right"))), copy, status(204));
  await expectKind(ossStore(server, { maxAttempts: 1 }).touch("k"), "Corrupted");
  expect(server.seen[2]).toMatchObject({ method: "DELETE", url: "/bucket/k?versionId=v2" });
});

describe.each(VENDORS)("$name, delete of a version", ({ store }) => {
  test("names the version, and succeeds where it is gone", async () => {
    server.answer(status(204), refusal(404, "NoSuchVersion"));
    await store().delete("k", { versionId: "v/1+2" });
    expect(server.seen[0]).toMatchObject({ method: "DELETE" });
    expect(server.seen[0] && queryOf(server.seen[0])).toMatchObject({ versionId: "v/1+2" });
    await store().delete("k", { versionId: "v1" });
  });

  test("fails where the bucket is gone", async () => {
    server.answer(refusal(404, "NoSuchBucket"));
    await expectKind(store().delete("k", { versionId: "v1" }), "NoSuchBucket");
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
])("S3: the replication status %s is reported as %s", async (header, reported) => {
  server.answer(present(header === undefined ? {} : { "x-amz-replication-status": header }));
  const head = await s3Store(server).head("k");
  expect(head?.replication).toBe(reported);
  expect(head !== undefined && "replication" in head).toBe(reported !== undefined);
});

test("OSS reports no replication of one object", async () => {
  server.answer(present(crcHeader(textBytes("x"))));
  const head = await ossStore(server).head("k");
  expect(head).not.toHaveProperty("replication");
  expect(head?.checksums).toEqual([checksumOf("CRC64XZ", textBytes("x"))]);
});
