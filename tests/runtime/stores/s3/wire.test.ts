import { Readable } from "node:stream";
import { checksumOf } from "../../../../runtime/stores/checksums";
import type { ObjectAttributes } from "../../../../runtime/stores/object-store";
import { createS3Store } from "../../../../runtime/stores/s3/store";
import { collect, expectKind, NO_ATTRIBUTES, streamOf, textBytes } from "../../../conformance/object-store/context";
import { fakeServer, HEAD, refusal, s3Store, status } from "../fake-server";

const s3 = fakeServer();

/** The UTF-8 bytes of the text, one character a byte. */
const headerBytes = (text: string): string => Buffer.from(text, "utf8").toString("latin1");

const BYTES = textBytes("hello");
const LARGE = Buffer.alloc(3 * 1024 ** 2, 1);

async function putHeaders(attributes: ObjectAttributes, options: Parameters<typeof s3Store>[1] = {}) {
  s3.answer(status(200, HEAD));
  await s3Store(s3, options).put("k", BYTES, { attributes, sizeBytes: BYTES.length });
  return s3.seen[0]?.headers ?? {};
}

describe("requests", () => {
  test("attributes, placement and tags of a put go in the one request", async () => {
    const headers = await putHeaders(
      {
        headers: {
          contentType: "text/plain",
          contentDisposition: headerBytes('attachment; filename="文.txt"'),
          expires: "0",
          websiteRedirectLocation: "/new.html",
        },
        metadata: { plain: "=?UTF-8?Q?caf=C3=A9?=", text: "文件" },
        tags: { "a b": "c&d=e+f", 中: "文" },
      },
      { storageClass: "STANDARD_IA", kmsKeyArn: "key-1" },
    );
    expect(headers).toMatchObject({
      "content-type": "text/plain",
      "content-disposition": headerBytes('attachment; filename="文.txt"'),
      "x-amz-website-redirect-location": "/new.html",
      expires: "0",
      "x-amz-meta-plain": "=?UTF-8?Q?caf=C3=A9?=",
      "x-amz-meta-text": "=?UTF-8?B?5paH5Lu2?=",
      "x-amz-tagging": "a%20b=c%26d%3De%2Bf&%E4%B8%AD=%E6%96%87",
      "x-amz-storage-class": "STANDARD_IA",
      "x-amz-server-side-encryption": "aws:kms",
      "x-amz-server-side-encryption-aws-kms-key-id": "key-1",
    });
  });

  describe("a header that is no ASCII", () => {
    const disposition = headerBytes('attachment; filename="报告 (2024).pdf"');
    const attributes = { ...NO_ATTRIBUTES, headers: { contentDisposition: disposition } };
    const ascii = "attachment; filename=\"__ (2024).pdf\"; filename*=UTF-8''%E6%8A%A5%E5%91%8A%20%282024%29.pdf";
    const sent = () => s3.seen.map(({ headers }) => headers["content-disposition"]);

    test("is sent as it is, and is not signed", async () => {
      s3.answer(status(200, HEAD));
      await s3Store(s3).put("k", BYTES, { attributes, sizeBytes: BYTES.length });
      expect(sent()).toEqual([disposition]);
      expect(s3.seen[0]?.headers.authorization).not.toContain("content-disposition");
    });

    test("is sent in its ASCII form where the store refuses it, and from then on", async () => {
      s3.answer(refusal(400, "InvalidRequest"), status(200, HEAD), status(200, HEAD));
      const store = s3Store(s3);
      for (let write = 0; write < 2; write++) await store.put("k", BYTES, { attributes, sizeBytes: BYTES.length });
      expect(sent()).toEqual([disposition, ascii, ascii]);
    });

    test("is sent as it is after a refusal that had another reason", async () => {
      s3.answer(refusal(400, "InvalidRequest"), refusal(400, "InvalidRequest"), status(200, HEAD));
      const store = s3Store(s3);
      await expectKind(store.put("k", BYTES, { attributes, sizeBytes: BYTES.length }), "Invalid");
      await store.put("k", BYTES, { attributes, sizeBytes: BYTES.length });
      expect(sent()).toEqual([disposition, ascii, disposition]);
    });

    test("of a stream that the store refuses is sent in its ASCII form by the next try", async () => {
      s3.answer(refusal(400, "InvalidRequest"), status(200, HEAD));
      const store = s3Store(s3);
      const put = () => store.put("k", streamOf(LARGE), { attributes, sizeBytes: LARGE.length });
      await expectKind(put(), "Unexpected");
      await put();
      expect(sent()).toEqual([disposition, ascii]);
    });
  });

  test("a refused tag is named with its value", async () => {
    s3.answer(refusal(400, "InvalidTag"));
    const attributes = { ...NO_ATTRIBUTES, tags: { team: "red", "aws:x": "1" } };
    const put = s3Store(s3).put("k", BYTES, { attributes, sizeBytes: BYTES.length });
    await expectKind(put, "Invalid");
    await expect(put).rejects.toThrow('"aws:x"="1"; change it');
  });

  test("only requested headers are sent", async () => {
    const headers = await putHeaders(NO_ATTRIBUTES);
    const names = Object.keys(headers).filter((name) =>
      /^(x-amz-(meta|tagging|storage|server)|if-|expires|expect|content-enc)/.test(name),
    );
    expect(names).toEqual([]);
  });

  test("a given checksum is what the store verifies, and no other is computed", async () => {
    s3.answer(status(200, HEAD), status(200, HEAD));
    for (const body of [LARGE, streamOf(LARGE)]) {
      const checksum = checksumOf("SHA256", LARGE);
      await s3Store(s3).put("k", body, { attributes: NO_ATTRIBUTES, sizeBytes: LARGE.length, checksum });
    }
    for (const { headers, body } of s3.seen) {
      expect(headers["x-amz-checksum-sha256"]).toBe(checksumOf("SHA256", LARGE).value);
      expect(Object.keys(headers).filter((name) => name.startsWith("x-amz-checksum-"))).toHaveLength(1);
      expect(headers["content-length"]).toBe(`${LARGE.length}`);
      expect(body.equals(LARGE)).toBe(true);
    }
  });

  test("conditions are quoted etags and a star", async () => {
    s3.answer(status(200, HEAD), status(200, HEAD), status(204));
    const store = s3Store(s3);
    const options = { attributes: NO_ATTRIBUTES, sizeBytes: BYTES.length };
    await store.put("k", BYTES, { ...options, condition: { ifMatch: "e1" } });
    await store.put("k", BYTES, { ...options, condition: { ifAbsent: true } });
    await store.delete("k", { condition: { ifMatch: "e1" } });
    expect(s3.seen.map(({ headers }) => [headers["if-match"], headers["if-none-match"]])).toEqual([
      ['"e1"', undefined],
      [undefined, "*"],
      ['"e1"', undefined],
    ]);
  });

  test("an upload declares a checksum over the whole object, and completion carries it", async () => {
    const created = "<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>";
    const completed = '<CompleteMultipartUploadResult><ETag>"e-1"</ETag></CompleteMultipartUploadResult>';
    s3.answer(
      status(200, { "x-amz-checksum-type": "FULL_OBJECT" }, created),
      status(200, { etag: '"p1"' }),
      status(200, {}, completed),
    );
    const store = s3Store(s3);
    const checksum = checksumOf("CRC64NVME", BYTES);
    const { uploadId } = await store.createUpload("k", { attributes: NO_ATTRIBUTES, checksumAlgorithm: "CRC64NVME" });
    const part = await store.uploadPart("k", { uploadId, partNumber: 1 }, BYTES, { checksum });
    expect(await store.completeUpload("k", uploadId, [part], { checksum, condition: { ifAbsent: true } })).toEqual({
      etag: "e-1",
    });
    const [create, upload, complete] = s3.seen;
    expect(create?.headers).toMatchObject({ "x-amz-checksum-algorithm": "CRC64NVME", "x-amz-checksum-type": "FULL_OBJECT" });
    expect(upload?.headers["x-amz-checksum-crc64nvme"]).toBe(checksum.value);
    expect(complete?.headers).toMatchObject({
      "x-amz-checksum-crc64nvme": checksum.value,
      "x-amz-checksum-type": "FULL_OBJECT",
      "if-none-match": "*",
    });
    expect(complete?.body.toString()).toContain(`<ChecksumCRC64NVME>${checksum.value}</ChecksumCRC64NVME>`);
  });

  test.each([
    ["answers it to the part", { "x-amz-checksum-crc64nvme": "cGFydA==" }, false],
    ["has it in the list of parts only", {}, true],
  ])(
    "a part is sent without a checksum, and the completion names the one that the server computed: it %s",
    async (_how, headers, isListed) => {
      const listed =
        '<ListPartsResult><Part><PartNumber>1</PartNumber><Size>3</Size><ETag>"p1"</ETag><ChecksumCRC64NVME>cGFydA==</ChecksumCRC64NVME></Part></ListPartsResult>';
      const completed = '<CompleteMultipartUploadResult><ETag>"e-1"</ETag></CompleteMultipartUploadResult>';
      s3.answer(
        status(200, { etag: '"p1"', ...headers }),
        ...(isListed ? [status(200, {}, listed)] : []),
        status(200, {}, completed),
      );
      const store = s3Store(s3);
      const part = await store.uploadPart("k", { uploadId: "u1", partNumber: 1 }, Readable.from([BYTES]), {
        sizeBytes: BYTES.length,
      });
      await store.completeUpload("k", "u1", [part], { checksum: checksumOf("CRC64NVME", BYTES) });
      const [upload, ...rest] = s3.seen;
      expect(Object.keys(upload?.headers ?? {}).filter((name) => name.startsWith("x-amz-checksum"))).toEqual([]);
      expect(rest).toHaveLength(isListed ? 2 : 1);
      expect(rest.at(-1)?.body.toString()).toContain("<ChecksumCRC64NVME>cGFydA==</ChecksumCRC64NVME>");
    },
  );

  test("where the server knows no such checksum, the upload is made again without declaring one", async () => {
    const created = (id: string) => `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`;
    s3.answer(status(200, { "x-amz-checksum-type": "COMPOSITE" }, created("u1")), status(204), status(200, {}, created("u2")));
    const upload = await s3Store(s3).createUpload("k", { attributes: NO_ATTRIBUTES, checksumAlgorithm: "CRC32" });
    expect(upload).toEqual({ uploadId: "u2" });
    expect(s3.seen.map(({ method, url }) => `${method} ${url}`)).toEqual([
      "POST /bucket/k?uploads=",
      "DELETE /bucket/k?uploadId=u1",
      "POST /bucket/k?uploads=",
    ]);
    expect(s3.seen[2]?.headers["x-amz-checksum-algorithm"]).toBeUndefined();
  });
});

describe("answers", () => {
  test("metadata becomes text: raw UTF-8 and our own words decoded, the rest to the letter; headers stay bytes", async () => {
    const headers = {
      ...HEAD,
      "x-amz-meta-raw": Buffer.from("文件").toString("latin1"),
      "x-amz-meta-latin1": "caf\xe9",
      "x-amz-meta-ours": "=?UTF-8?B?5paH5Lu2?=",
      "x-amz-meta-q": "=?UTF-8?Q?caf=C3=A9?=",
      "content-disposition": Buffer.from('attachment; filename="文"').toString("latin1"),
      expires: "0",
    };
    s3.answer(status(200, headers));
    expect(await s3Store(s3).head("k")).toMatchObject({
      metadata: { raw: "文件", latin1: "café", ours: "文件", q: "=?UTF-8?Q?caf=C3=A9?=" },
      headers: { contentDisposition: headerBytes('attachment; filename="文"'), expires: "0" },
    });
  });

  test("only checksums over the whole object are returned", async () => {
    const composite = { ...HEAD, "x-amz-checksum-sha256": "YWJj-2", "x-amz-checksum-type": "COMPOSITE" };
    const untyped = { ...HEAD, "x-amz-checksum-crc32": "y/Q5Jg==" };
    const full = { ...untyped, "x-amz-checksum-type": "FULL_OBJECT" };
    s3.answer(status(200, composite), status(200, untyped), status(200, full));
    const store = s3Store(s3);
    expect((await store.head("k"))?.checksums).toEqual([]);
    expect((await store.head("k"))?.checksums).toEqual([]);
    expect((await store.head("k"))?.checksums).toEqual([{ algorithm: "CRC32", value: "y/Q5Jg==" }]);
  });

  test.each<[string, Record<string, string>, unknown]>([
    ["an ordinary object", {}, undefined],
    ["a class that is read at once", { "x-amz-storage-class": "GLACIER_IR" }, undefined],
    ["archived", { "x-amz-storage-class": "GLACIER" }, { storageClass: "GLACIER", restore: "none" }],
    [
      "a restore runs",
      { "x-amz-storage-class": "DEEP_ARCHIVE", "x-amz-restore": 'ongoing-request="true"' },
      { storageClass: "DEEP_ARCHIVE", restore: "ongoing" },
    ],
    [
      "restored",
      {
        "x-amz-storage-class": "GLACIER",
        "x-amz-restore": 'ongoing-request="false", expiry-date="Fri, 21 Dec 2012 00:00:00 GMT"',
      },
      { storageClass: "GLACIER", restore: "done" },
    ],
    ["intelligent tiering, in a tier that is read at once", { "x-amz-storage-class": "INTELLIGENT_TIERING" }, undefined],
    [
      "intelligent tiering, in an archive tier",
      { "x-amz-storage-class": "INTELLIGENT_TIERING", "x-amz-archive-status": "DEEP_ARCHIVE_ACCESS" },
      { storageClass: "INTELLIGENT_TIERING DEEP_ARCHIVE_ACCESS", restore: "none" },
    ],
    [
      "intelligent tiering, on its way back",
      {
        "x-amz-storage-class": "INTELLIGENT_TIERING",
        "x-amz-archive-status": "ARCHIVE_ACCESS",
        "x-amz-restore": 'ongoing-request="true"',
      },
      { storageClass: "INTELLIGENT_TIERING ARCHIVE_ACCESS", restore: "ongoing" },
    ],
  ])("head of an archive: %s", async (_name, headers, archive) => {
    s3.answer(status(200, { ...HEAD, ...headers }));
    expect((await s3Store(s3).head("k"))?.archive).toEqual(archive);
  });

  test("a listing decodes keys that come encoded, leaves others alone, and follows its pages", async () => {
    const page = (keys: string[], encoded: boolean, next?: string) =>
      status(
        200,
        {},
        `<ListBucketResult>${encoded ? "<EncodingType>url</EncodingType>" : ""}${keys
          .map(
            (key) =>
              `<Contents><Key>${key}</Key><Size>1</Size><ETag>"e"</ETag><LastModified>2026-01-01T00:00:00Z</LastModified></Contents>`,
          )
          .join(
            "",
          )}${next === undefined ? "<IsTruncated>false</IsTruncated>" : `<IsTruncated>true</IsTruncated><NextContinuationToken>${next}</NextContinuationToken>`}</ListBucketResult>`,
      );
    s3.answer(page(["a+b%2Bc%01", "%E6%96%87"], true, "t1"), page(["plain+%20"], false));
    const keys = (await collect(s3Store(s3).list("", { startAfter: "a" }))).map(({ key }) => key);
    expect(keys).toEqual(["a b+c\u0001", "文", "plain+%20"]);
    expect(s3.seen.map(({ url }) => new URL(url, "http://h").searchParams.toString())).toEqual([
      "encoding-type=url&list-type=2&prefix=&start-after=a",
      "continuation-token=t1&encoding-type=url&list-type=2&prefix=",
    ]);
  });

  test("a listing that does not say where it goes on is an error, and not the end", async () => {
    const object =
      '<Contents><Key>a</Key><Size>1</Size><ETag>"e"</ETag><LastModified>2026-01-01T00:00:00Z</LastModified></Contents>';
    s3.answer(status(200, {}, `<ListBucketResult><IsTruncated>true</IsTruncated>${object}</ListBucketResult>`));
    await expect(collect(s3Store(s3).list(""))).rejects.toMatchObject({
      kind: "Unexpected",
      message: expect.stringMatching(/the answer to list has more pages and no NextContinuationToken/),
    });
  });

  test("listParts follows its pages", async () => {
    const part = (n: number) => `<Part><PartNumber>${n}</PartNumber><ETag>"e${n}"</ETag><Size>5</Size></Part>`;
    s3.answer(
      status(
        200,
        {},
        `<ListPartsResult><IsTruncated>true</IsTruncated><NextPartNumberMarker>1</NextPartNumberMarker>${part(1)}</ListPartsResult>`,
      ),
      status(200, {}, `<ListPartsResult><IsTruncated>false</IsTruncated>${part(2)}</ListPartsResult>`),
    );
    expect(await s3Store(s3).listParts("k", "u")).toEqual([
      { partNumber: 1, sizeBytes: 5, etag: "e1" },
      { partNumber: 2, sizeBytes: 5, etag: "e2" },
    ]);
    expect(s3.seen[1]?.url).toContain("part-number-marker=1");
  });

  test("a completion that answers 200 with an error document is a failure", async () => {
    s3.answer(refusal(200, "InternalError"), refusal(200, "InternalError"), refusal(200, "InternalError"));
    await expectKind(s3Store(s3).completeUpload("k", "u", [{ partNumber: 1, sizeBytes: 1, etag: "e" }]), "Unavailable");
  });

  test("an endpoint that is no S3 is Unexpected, not a half-empty head", async () => {
    s3.answer(status(200, { "content-length": "0" }));
    await expectKind(s3Store(s3).head("k"), "Unexpected");
  });
});

describe("presigned URLs", () => {
  test("sign the host alone, carry no version, and use the endpoint for readers", async () => {
    const credentials = () => ({ accessKeyId: "AK", secretAccessKey: "s", sessionToken: "t" });
    const presignEndpoint = "https://s3.cn-north-1.amazonaws.com.cn";
    const store = createS3Store({ bucket: "bucket", region: "cn-north-1", credentials, endpoint: s3.endpoint, presignEndpoint });
    const url = new URL(await store.presignGet("a b/文", { expiresInSeconds: 900 }));
    expect(url.host).toBe("bucket.s3.cn-north-1.amazonaws.com.cn");
    expect(url.pathname).toBe("/a%20b/%E6%96%87");
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      "X-Amz-SignedHeaders": "host",
      "X-Amz-Expires": "900",
      "X-Amz-Security-Token": "t",
    });
    expect([...url.searchParams.keys()].filter((name) => /version|checksum/i.test(name))).toEqual([]);
  });
});

test("a body in memory of zero bytes is sent as such", async () => {
  s3.answer(status(200, HEAD));
  await s3Store(s3).put("k", Readable.from([]), { attributes: NO_ATTRIBUTES, sizeBytes: 0 });
  expect(s3.seen[0]?.headers["content-length"]).toBe("0");
  expect(s3.seen[0]?.headers["transfer-encoding"]).toBeUndefined();
});
