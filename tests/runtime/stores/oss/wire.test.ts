import { createHash } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";
import { checksumOf } from "../../../../runtime/stores/checksums";
import type { ObjectAttributes } from "../../../../runtime/stores/object-store";
import { createOssDispatcher } from "../../../../runtime/stores/oss/client";
import { readAll } from "../../../../runtime/stores/read-all";
import { collect, expectKind, NO_ATTRIBUTES, streamOf, textBytes } from "../../../conformance/object-store/context";
import { type Answer, crcHeader, fakeServer, HEAD, ossStore, refusal, status } from "../fake-server";

const oss = fakeServer();

const BYTES = textBytes("hello");
const md5 = (bytes: Uint8Array) => createHash("md5").update(bytes).digest("base64");
const MIB = 1024 ** 2;
const accepted = (bytes: Uint8Array, headers: Record<string, string> = {}) =>
  status(200, { ...HEAD, ...crcHeader(bytes), ...headers });
const initiated = status(200, {}, "<InitiateMultipartUploadResult><UploadId>U1</UploadId></InitiateMultipartUploadResult>");
const completed = (bytes: Uint8Array) =>
  status(200, crcHeader(bytes), '<CompleteMultipartUploadResult><ETag>"E-2"</ETag></CompleteMultipartUploadResult>');

async function putHeaders(attributes: ObjectAttributes, options: Parameters<typeof ossStore>[1] = {}) {
  oss.answer(accepted(BYTES));
  await ossStore(oss, options).put("k", BYTES, { attributes, sizeBytes: BYTES.length });
  return oss.seen[0]?.headers ?? {};
}

describe("put", () => {
  test("attributes, placement and tags go in the one request", async () => {
    const headers = await putHeaders(
      {
        headers: {
          contentType: "text/plain",
          contentDisposition: Buffer.from('attachment; filename="文.txt"').toString("latin1"),
          expires: "0",
        },
        metadata: { "some-name": "b1", "x.y": "文件" },
        tags: { "a b": "c=d+e/f" },
      },
      { storageClass: "IA", kmsKeyId: "key-1" },
    );
    expect(headers).toMatchObject({
      "content-type": "text/plain",
      "content-disposition": Buffer.from('attachment; filename="文.txt"').toString("latin1"),
      expires: "0",
      "x-oss-meta-some-name": "b1",
      "x-oss-meta-encoded-x-2ey": "=?UTF-8?B?5paH5Lu2?=",
      "x-oss-tagging": "a%20b=c%3Dd%2Be%2Ff",
      "x-oss-storage-class": "IA",
      "x-oss-server-side-encryption": "KMS",
      "x-oss-server-side-encryption-key-id": "key-1",
      "content-md5": md5(BYTES),
      "content-length": "5",
    });
  });

  test("only requested headers are sent", async () => {
    const names = Object.keys(await putHeaders(NO_ATTRIBUTES));
    expect(
      names.filter((name) =>
        /^(x-oss-(meta|tagging|storage|server|forbid|security)|if-|expires|expect|content-(type|enc))/.test(name),
      ),
    ).toEqual([]);
  });

  test("ifAbsent forbids overwriting; where the bucket keeps versions it is Unsupported before anything is sent", async () => {
    oss.answer(accepted(BYTES));
    const options = { attributes: NO_ATTRIBUTES, sizeBytes: BYTES.length, condition: { ifAbsent: true } } as const;
    await ossStore(oss).put("k", BYTES, options);
    expect(oss.seen[0]?.headers["x-oss-forbid-overwrite"]).toBe("true");
    oss.answer();
    await expectKind(ossStore(oss, { versioned: true }).put("k", BYTES, options), "Unsupported");
    expect(oss.seen).toEqual([]);
  });

  test("a long stream becomes one part, which waits for no MD5, and a completion", async () => {
    const bytes = Buffer.alloc(9 * MIB, 7);
    bytes.write("begin");
    oss.answer(initiated, accepted(bytes, { etag: '"P1"' }), completed(bytes));
    const attributes = { headers: { contentType: "text/plain" }, metadata: { a: "1" }, tags: { t: "1" } };
    const checksum = checksumOf("CRC64XZ", bytes);
    const condition = { ifAbsent: true } as const;
    expect(await ossStore(oss).put("k", streamOf(bytes), { attributes, sizeBytes: bytes.length, checksum, condition })).toEqual({
      etag: "E-2",
      checksums: [checksum],
    });
    const [create, part, complete] = oss.seen;
    expect(create).toMatchObject({
      method: "POST",
      url: "/bucket/k?uploads",
      headers: { "content-type": "text/plain", "x-oss-meta-a": "1", "x-oss-tagging": "t=1", "x-oss-forbid-overwrite": "true" },
    });
    expect(part).toMatchObject({ method: "PUT", url: "/bucket/k?partNumber=1&uploadId=U1" });
    expect(part?.headers["content-length"]).toBe(`${bytes.length}`);
    expect(part?.headers["content-md5"]).toBeUndefined();
    expect(part?.body.equals(bytes)).toBe(true);
    expect(complete).toMatchObject({
      method: "POST",
      url: "/bucket/k?uploadId=U1",
      headers: { "x-oss-forbid-overwrite": "true" },
    });
    expect(complete?.body.toString()).toContain("<Part><PartNumber>1</PartNumber><ETag>&#34;P1&#34;</ETag></Part>");
  });

  test("a long stream whose part arrives with another CRC-64 completes nothing", async () => {
    oss.answer(initiated, accepted(Buffer.from("other"), { etag: '"P1"' }), status(204));
    const body = streamOf(Buffer.alloc(9 * MIB));
    await expectKind(ossStore(oss).put("k", body, { attributes: NO_ATTRIBUTES, sizeBytes: 9 * MIB }), "Corrupted");
    expect(oss.seen.map(({ method }) => method)).toEqual(["POST", "PUT", "DELETE"]);
  });

  test.each([
    ["shorter", 9 * MIB - 1],
    ["longer", 9 * MIB + 1],
  ])("a stream that is %s than promised takes its upload back and completes nothing", async (_, length) => {
    const any: Answer = (request, response) => accepted(request.body)(request, response);
    oss.answer(initiated, any, any, status(204), status(204), status(204));
    const body = streamOf(Buffer.alloc(length));
    await expectKind(ossStore(oss).put("k", body, { attributes: NO_ATTRIBUTES, sizeBytes: 9 * MIB }), "Corrupted");
    expect(body.destroyed).toBe(true);
    expect(oss.seen.at(-1)).toMatchObject({ method: "DELETE", url: "/bucket/k?uploadId=U1" });
    expect(oss.seen.filter(({ method }) => method === "POST")).toHaveLength(1);
  });

  test("a key that OSS cannot hold is Invalid with the reason, for every operation", async () => {
    oss.answer();
    const store = ossStore(oss);
    for (const key of ["/a", "\\a"]) {
      await expect(store.head(key)).rejects.toThrow(/holds no key that begins with/);
      await expectKind(store.get(key), "Invalid");
      await expectKind(store.put(key, BYTES, { attributes: NO_ATTRIBUTES, sizeBytes: 5 }), "Invalid");
      await expectKind(store.delete(key), "Invalid");
      await expectKind(store.createUpload(key, { attributes: NO_ATTRIBUTES }), "Invalid");
      await expectKind(store.presignGet(key, { expiresInSeconds: 60 }), "Invalid");
      await expectKind(store.append(key, 0, BYTES), "Invalid");
    }
    expect(oss.seen).toEqual([]);
  });
});

describe("get", () => {
  test("If-Match is a quoted etag, a range follows the standard, and nothing is compressed on the way", async () => {
    oss.answer(status(206, { ...HEAD, "content-length": "3", "content-range": "bytes 1-3/5" }, "ell"));
    const { head, body } = await ossStore(oss).get("k", { ifMatch: "E1", range: { start: 1, end: 3 } });
    expect((await readAll(body, 10)).toString()).toBe("ell");
    expect(head.sizeBytes).toBe(5);
    expect(oss.seen[0]?.headers).toMatchObject({ "if-match": '"E1"', range: "bytes=1-3", "x-oss-range-behavior": "standard" });
    expect(oss.seen[0]?.headers["accept-encoding"]).toBeUndefined();
  });

  test("an answer that ignores the range is Invalid", async () => {
    oss.answer(status(200, { ...HEAD, "content-length": "5" }, "hello"));
    await expectKind(ossStore(oss).get("k", { range: { start: 9, end: 10 } }), "Invalid");
  });

  test("a body whose bytes are not the object's ends with Corrupted, one that is cut with Unavailable", async () => {
    oss.answer(status(200, { ...HEAD, ...crcHeader(textBytes("HELLO")), "content-length": "5" }, "hello"));
    const { body } = await ossStore(oss).get("k");
    await expectKind(body.toArray(), "Corrupted");

    oss.answer((_request, response) => {
      response.writeHead(200, { ...HEAD, "content-length": "100" });
      response.write("half");
      setImmediate(() => response.destroy());
    });
    const cut = await ossStore(oss).get("k");
    await expectKind(cut.body.toArray(), "Unavailable");
  });

  test("a body with a Content-Encoding is returned as it is stored", async () => {
    const zipped = gzipSync("hello");
    oss.answer((_request, response) => {
      response.writeHead(200, { ...HEAD, ...crcHeader(zipped), "content-encoding": "gzip", "content-length": zipped.length });
      response.end(zipped);
    });
    const { head, body } = await ossStore(oss).get("k");
    expect(gunzipSync(await readAll(body, 1000)).toString()).toBe("hello");
    expect(head.headers.contentEncoding).toBe("gzip");
  });
});

test("every call reuses the connection of the one before: across a border a handshake costs as much as a call", async () => {
  const dispatcher = createOssDispatcher({ connections: 1 });
  const store = ossStore(oss, { dispatcher });
  let connections = 0;
  const count = () => connections++;
  oss.server.on("connection", count);
  oss.answer(status(200, { ...HEAD, ...crcHeader(BYTES) }), status(404, { "x-oss-err": "" }), accepted(BYTES));
  await store.head("k");
  await store.head("k");
  await store.put("k", BYTES, { attributes: NO_ATTRIBUTES, sizeBytes: BYTES.length });
  oss.server.off("connection", count);
  await dispatcher.close();
  expect(connections).toBe(1);
});

describe("tags", () => {
  test("are replaced by a document, on the named version if there is one; an empty set deletes them", async () => {
    oss.answer(status(200), status(204));
    const store = ossStore(oss);
    await store.putTags("k", { "a b": "1:2" }, { versionId: "V1" });
    await store.putTags("k", {});
    expect(oss.seen).toMatchObject([
      { method: "PUT", url: "/bucket/k?tagging&versionId=V1" },
      { method: "DELETE", url: "/bucket/k?tagging" },
    ]);
    expect(oss.seen[0]?.body.toString()).toContain("<Tag><Key>a b</Key><Value>1:2</Value></Tag>");
  });

  test("a tag that OSS cannot hold is Invalid and named, before anything is sent", async () => {
    oss.answer();
    const tags = { 项目: "x".repeat(257) };
    const options = { attributes: { ...NO_ATTRIBUTES, tags }, sizeBytes: 5 };
    await expect(ossStore(oss).put("k", BYTES, options)).rejects.toThrow(/"项目"/);
    await expectKind(ossStore(oss).createUpload("k", options), "Invalid");
    await expectKind(ossStore(oss).putTags("k", tags), "Invalid");
    expect(oss.seen).toEqual([]);
  });
});

test("a listing asks page by page, and decodes its keys", async () => {
  const page = (keys: string[], token?: string) => {
    const contents = keys.map(
      (key) =>
        `<Contents><Key>${key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>"E"</ETag><Size>5</Size></Contents>`,
    );
    const next = token === undefined ? "" : `<NextContinuationToken>${token}</NextContinuationToken>`;
    return status(
      200,
      {},
      `<ListBucketResult><IsTruncated>${token !== undefined}</IsTruncated>${next}${contents.join("")}</ListBucketResult>`,
    );
  };
  oss.answer(page(["a%20b", "a%2Bb%25"], "T&amp;1"), page(["%E6%96%87"]));
  const listed = await collect(ossStore(oss).list("a b", { startAfter: "a" }));
  expect(listed.map(({ key }) => key)).toEqual(["a b", "a+b%", "文"]);
  expect(listed[0]).toEqual({ key: "a b", sizeBytes: 5, etag: "E", lastModified: new Date("2026-01-01T00:00:00Z") });
  expect(oss.seen.map(({ url }) => url)).toEqual([
    "/bucket/?list-type=2&encoding-type=url&max-keys=1000&prefix=a%20b&start-after=a",
    "/bucket/?list-type=2&encoding-type=url&max-keys=1000&prefix=a%20b&continuation-token=T%261",
  ]);
});

describe("uploads", () => {
  const PART = { partNumber: 1, sizeBytes: 5, etag: "P1" };

  test("parts come in pages, each with its CRC-64", async () => {
    const part = (number: number) =>
      `<Part><PartNumber>${number}</PartNumber><ETag>"P${number}"</ETag><HashCrc64ecma>${crcHeader(BYTES)["x-oss-hash-crc64ecma"]}</HashCrc64ecma><Size>5</Size></Part>`;
    oss.answer(
      status(200, {}, `<R><NextPartNumberMarker>1</NextPartNumberMarker><IsTruncated>true</IsTruncated>${part(1)}</R>`),
      status(200, {}, `<R><IsTruncated>false</IsTruncated>${part(2)}</R>`),
    );
    const checksum = checksumOf("CRC64XZ", BYTES);
    expect(await ossStore(oss).listParts("k", "U1")).toEqual([
      { ...PART, checksum },
      { partNumber: 2, sizeBytes: 5, etag: "P2", checksum },
    ]);
    expect(oss.seen[1]?.url).toBe("/bucket/k?uploadId=U1&max-parts=1000&part-number-marker=1");
  });

  test("a part that a later run may resume carries its Content-MD5; an answer without CRC-64 is Unexpected", async () => {
    oss.answer(accepted(BYTES), status(200, HEAD));
    await ossStore(oss).uploadPart("k", { uploadId: "U1", partNumber: 1 }, BYTES);
    expect(oss.seen[0]?.headers["content-md5"]).toBe(md5(BYTES));
    await expectKind(ossStore(oss).uploadPart("k", { uploadId: "U1", partNumber: 1 }, BYTES), "Unexpected");
  });

  test("a wrong checksum of the whole is found before OSS is asked to complete", async () => {
    oss.answer();
    const parts = [{ ...PART, checksum: checksumOf("CRC64XZ", BYTES) }];
    await expectKind(
      ossStore(oss).completeUpload("k", "U1", parts, { checksum: checksumOf("CRC64XZ", textBytes("other")) }),
      "Corrupted",
    );
    expect(oss.seen).toEqual([]);
  });

  test("checksums of parts that the caller does not have are listed", async () => {
    const listed = `<R><Part><PartNumber>1</PartNumber><ETag>"P1"</ETag><HashCrc64ecma>${crcHeader(BYTES)["x-oss-hash-crc64ecma"]}</HashCrc64ecma><Size>5</Size></Part></R>`;
    oss.answer(status(200, {}, listed), completed(BYTES));
    await ossStore(oss).completeUpload("k", "U1", [PART], { checksum: checksumOf("CRC64XZ", BYTES) });
    expect(oss.seen.map(({ method }) => method)).toEqual(["GET", "POST"]);
  });
});

describe("an object with another CRC-64 than was sent is deleted", () => {
  const wrong = textBytes("other");
  const options = { attributes: NO_ATTRIBUTES, sizeBytes: BYTES.length };

  test("in a bucket with versions exactly that version is deleted", async () => {
    oss.answer(accepted(wrong, { "x-oss-version-id": "V2" }), status(204));
    await expectKind(ossStore(oss, { versioned: true }).put("k", BYTES, options), "Corrupted");
    expect(oss.seen.map(({ method, url }) => `${method} ${url}`)).toEqual(["PUT /bucket/k", "DELETE /bucket/k?versionId=V2"]);
  });

  test("in a bucket without versions the object is deleted, unless another write has replaced it", async () => {
    oss.answer(accepted(wrong), status(200, HEAD), status(204));
    await expectKind(ossStore(oss).put("k", BYTES, options), "Corrupted");
    expect(oss.seen.map(({ method }) => method)).toEqual(["PUT", "HEAD", "DELETE"]);
    oss.answer(accepted(wrong), status(200, { ...HEAD, etag: '"E2"' }));
    await expectKind(ossStore(oss).put("k", BYTES, options), "Corrupted");
    expect(oss.seen.map(({ method }) => method)).toEqual(["PUT", "HEAD"]);
  });
});

describe("append", () => {
  test("adds at a position, once, and returns the new length", async () => {
    oss.answer(
      status(200, { ...crcHeader(BYTES), "x-oss-next-append-position": "5" }),
      refusal(409, "PositionNotEqualToLength"),
      refusal(500, "InternalError"),
    );
    const store = ossStore(oss);
    expect(await store.append("log", 0, BYTES)).toEqual({ sizeBytes: 5 });
    await expectKind(store.append("log", 0, BYTES), "PreconditionFailed");
    await expectKind(store.append("log", 5, BYTES), "Unavailable");
    expect(oss.seen.map(({ method, url }) => `${method} ${url}`)).toEqual([
      "POST /bucket/log?append&position=0",
      "POST /bucket/log?append&position=0",
      "POST /bucket/log?append&position=5",
    ]);
  });

  test("the end of an object is read with its length in one answer", async () => {
    oss.answer(
      status(206, { ...HEAD, "content-length": "3", "content-range": "bytes 2-4/5" }, "llo"),
      status(200, { ...HEAD, ...crcHeader(BYTES), "content-length": "5" }, "hello"),
      refusal(404, "NoSuchKey"),
      status(200, { ...HEAD, ...crcHeader(textBytes("HELLO")), "content-length": "5" }, "hello"),
    );
    const store = ossStore(oss, { maxAttempts: 1 });
    expect(await store.readTail("log", 3)).toEqual({ bytes: Buffer.from("llo"), sizeBytes: 5 });
    expect(await store.readTail("log", 9)).toEqual({ bytes: Buffer.from("hello"), sizeBytes: 5 });
    expect(await store.readTail("log", 9)).toBeUndefined();
    await expectKind(store.readTail("log", 9), "Corrupted");
    expect(oss.seen[0]?.headers.range).toBe("bytes=-3");
  });
});
