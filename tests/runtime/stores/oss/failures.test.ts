import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { Readable } from "node:stream";
import { checksumOf, createHasher } from "../../../../runtime/stores/checksums";
import { expectKind, NO_ATTRIBUTES, streamOf, textBytes } from "../../../conformance/object-store/context";
import { crcHeader, fakeServer, HEAD, ossStore, refusal, status } from "../fake-server";

const oss = fakeServer();

const MIB = 1024 ** 2;
const BYTES = textBytes("hello");
const SMALL = { attributes: NO_ATTRIBUTES, sizeBytes: BYTES.length };
const accepted = status(200, { ...HEAD, ...crcHeader(BYTES) });

test("a temporary failure is sent again with a new signature, a refusal is not", async () => {
  oss.answer(refusal(503, "QpsLimitExceeded"), refusal(400, "InvalidDigest"), accepted);
  await ossStore(oss).put("k", streamOf(BYTES), SMALL);
  expect(oss.seen.map(({ body }) => body.toString())).toEqual(["hello", "hello", "hello"]);
  for (const [code, http, kind] of [
    ["AccessDenied", 403, "PermissionDenied"],
    ["InvalidArgument", 400, "Invalid"],
    ["NoSuchBucket", 404, "NoSuchBucket"],
  ] as const) {
    oss.answer(refusal(http, code));
    await expectKind(ossStore(oss).put("k", BYTES, SMALL), kind);
    expect(oss.seen).toHaveLength(1);
  }
});

test("credentials that ended are renewed by their provider for the next request", async () => {
  const secrets = ["old", "new"];
  const credentials = async () => ({ accessKeyId: secrets.shift() ?? "none", accessKeySecret: "s" });
  oss.answer(refusal(500, "InternalError"), accepted);
  await ossStore(oss, { credentials }).put("k", BYTES, SMALL);
  expect(oss.seen.map(({ headers }) => /Credential=(\w+)/.exec(String(headers.authorization))?.[1])).toEqual(["old", "new"]);
});

test("the number of tries is limited, and the last error is reported", async () => {
  oss.answer(refusal(503, "SlowDown"), refusal(503, "SlowDown"), refusal(500, "InternalError"), accepted);
  await expectKind(ossStore(oss).head("k"), "Unavailable");
  expect(oss.seen).toHaveLength(3);
});

test("a refusal of a retry is Unavailable: the first request may have landed", async () => {
  const ifAbsent = { ...SMALL, condition: { ifAbsent: true } } as const;
  oss.answer(refusal(500, "InternalError"), refusal(409, "FileAlreadyExists"));
  await expectKind(ossStore(oss).put("k", BYTES, ifAbsent), "Unavailable");
  oss.answer(refusal(409, "FileAlreadyExists"));
  await expectKind(ossStore(oss).put("k", BYTES, ifAbsent), "PreconditionFailed");
  const parts = [{ partNumber: 1, sizeBytes: 5, etag: "e", checksum: checksumOf("CRC64XZ", BYTES) }];
  oss.answer(refusal(500, "InternalError"), refusal(404, "NoSuchUpload"));
  await expectKind(ossStore(oss).completeUpload("k", "u", parts), "Unavailable");
  oss.answer(refusal(404, "NoSuchUpload"));
  await expectKind(ossStore(oss).completeUpload("k", "u", parts), "NotFound");
});

test("a refusal of a retry is Unavailable for the completion of a put, too", async () => {
  const bytes = Buffer.alloc(5 * MIB);
  const initiated = status(200, {}, "<InitiateMultipartUploadResult><UploadId>U1</UploadId></InitiateMultipartUploadResult>");
  const part = status(200, { etag: '"P"', ...crcHeader(bytes) });
  const completions = [refusal(500, "InternalError"), refusal(404, "NoSuchUpload")];
  oss.answer(initiated, part, ...completions, status(204));
  const { attributes } = SMALL;
  const put = ossStore(oss, { maxAttempts: 2 }).put("k", streamOf(bytes), { attributes, sizeBytes: bytes.length });
  await expectKind(put, "Unavailable");
});

test("a part that arrives with another CRC-64 is sent again", async () => {
  oss.answer(status(200, { etag: '"P1"', ...crcHeader(textBytes("HELLO")) }), status(200, { etag: '"P1"', ...crcHeader(BYTES) }));
  expect(await ossStore(oss).uploadPart("k", { uploadId: "u", partNumber: 1 }, BYTES)).toMatchObject({
    etag: "P1",
    sizeBytes: 5,
  });
  expect(oss.seen).toHaveLength(2);
});

test("no connection, no answer and a cut connection are Unavailable", async () => {
  const unused = createServer();
  unused.listen(0, "127.0.0.1");
  await once(unused, "listening");
  const refused = `http://127.0.0.1:${(unused.address() as AddressInfo).port}`;
  unused.close();
  await once(unused, "close");
  await expectKind(ossStore(oss, { endpoint: refused, maxAttempts: 1 }).head("k"), "Unavailable");

  oss.answer(() => undefined);
  await expectKind(ossStore(oss, { maxAttempts: 1, answerTimeoutMs: 100 }).head("k"), "Unavailable");
  oss.answer((_request, response) => response.destroy());
  await expectKind(ossStore(oss, { maxAttempts: 1 }).get("k"), "Unavailable");
  oss.answer((_request, response) => {
    response.writeHead(200, { ...HEAD, "content-length": "100" });
    response.write("half");
  });
  const { body } = await ossStore(oss, { bodyIdleMs: 100 }).get("k");
  await expectKind(body.toArray(), "Unavailable");
});

test("an aborted call ends at once, between two tries as well", async () => {
  const controller = new AbortController();
  oss.answer((_request, response) => {
    response.writeHead(503);
    response.end();
    controller.abort();
  });
  await expectKind(ossStore(oss).head("k", { signal: controller.signal }), "Unavailable");
  expect(oss.seen).toHaveLength(1);
});

test("a failing part ends the whole put, destroys its body and aborts the upload", async () => {
  oss.answer(status(200, {}, "<R><UploadId>U1</UploadId></R>"), status(204));
  // The server refuses before it has read the whole part.
  oss.refuseEarly(refusal(403, "AccessDenied"), ({ url }) => url?.includes("partNumber") === true);
  let produced = 0;
  const endless = new Readable({
    read() {
      produced += 64 * 1024;
      this.push(Buffer.alloc(64 * 1024));
    },
  });
  await expectKind(ossStore(oss).put("k", endless, { attributes: NO_ATTRIBUTES, sizeBytes: 4096 * MIB }), "PermissionDenied");
  expect(endless.destroyed).toBe(true);
  expect(produced).toBeLessThan(64 * MIB);
  expect(oss.seen.at(-1)).toMatchObject({ method: "DELETE", url: "/bucket/k?uploadId=U1" });
});

test("a stream of 200 MiB is never held in memory", async () => {
  const sizeBytes = 200 * MIB;
  let produced = 0;
  let received = 0;
  let mostAhead = 0;
  const whole = createHasher("CRC64XZ");
  const crcOf = (base64: string) => ({
    "x-oss-hash-crc64ecma": Buffer.from(base64, "base64").readBigUInt64BE().toString(),
  });
  const server = createHttpServer((request, response) => {
    const crc = createHasher("CRC64XZ");
    request.on("data", (chunk: Buffer) => {
      crc.update(chunk);
      if (request.method === "PUT") received += chunk.length;
      mostAhead = Math.max(mostAhead, produced - received);
    });
    request.on("end", () => {
      const path = request.url ?? "";
      if (path.endsWith("?uploads")) response.end("<R><UploadId>U1</UploadId></R>");
      else if (request.method === "PUT") response.writeHead(200, { etag: '"P"', ...crcOf(crc.value()) }).end();
      else response.writeHead(200, crcOf(whole.value())).end('<R><ETag>"E"</ETag></R>');
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const chunk = Buffer.alloc(64 * 1024, 7);
  const body = new Readable({
    read() {
      produced += chunk.length;
      whole.update(chunk);
      this.push(chunk);
      if (produced === sizeBytes) this.push(null);
    },
  });
  const store = ossStore(oss, { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  expect(await store.put("k", body, { attributes: NO_ATTRIBUTES, sizeBytes })).toMatchObject({ etag: "E" });
  expect(received).toBe(sizeBytes);
  // The buffers of the streams, of the HTTP layer and of the kernel.
  expect(mostAhead).toBeLessThan(14 * MIB);
  server.closeAllConnections();
  server.close();
}, 60_000);
