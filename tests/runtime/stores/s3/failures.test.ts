import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer, type Socket } from "node:net";
import { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { checksumOf } from "../../../../runtime/stores/checksums";
import { mayStillLand } from "../../../../runtime/stores/errors";
import { expectKind, NO_ATTRIBUTES, streamOf, textBytes } from "../../../conformance/object-store/context";
import { type Answer, fakeServer, HEAD, refusal, s3Store, status } from "../fake-server";

const s3 = fakeServer();

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** Starts a TCP server and closes it after the test. Resolves to its endpoint. */
async function listen(onSocket: (socket: Socket) => void): Promise<string> {
  const server = createServer((socket) => {
    cleanups.push(() => socket.destroy());
    socket.on("error", () => undefined);
    onSocket(socket);
  });
  cleanups.push(() => server.close());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const MIB = 1024 ** 2;
const BYTES = textBytes("hello");
const SMALL = { attributes: NO_ATTRIBUTES, sizeBytes: BYTES.length };
const LARGE = { attributes: NO_ATTRIBUTES, sizeBytes: 3 * MIB };
const large = () => streamOf(Buffer.alloc(LARGE.sizeBytes, 1));

test("a body in memory is sent again after a temporary failure, a stream never is", async () => {
  s3.answer(refusal(503, "SlowDown"), status(200, HEAD));
  await s3Store(s3).put("k", BYTES, SMALL);
  expect(s3.seen.map(({ body }) => body.toString())).toEqual(["hello", "hello"]);

  for (const [httpStatus, code, kind] of [
    [503, "SlowDown", "RateLimited"],
    [500, "InternalError", "Unavailable"],
  ] as const) {
    s3.answer(refusal(httpStatus, code), status(200, HEAD));
    const body = large();
    await expectKind(s3Store(s3).put("k", body, LARGE), kind);
    expect(s3.seen).toHaveLength(1);
    expect(body.destroyed).toBe(true);
  }
});

test.each<[string, Answer]>([
  ["no header", status(200)],
  ["an empty ETag", status(200, { etag: '""' })],
  ["a page of a proxy", status(200, { "content-type": "text/html" }, "<html>fine</html>")],
])("a write is not taken for done by 200 with %s, and may have landed", async (_, answer) => {
  const parts = [{ partNumber: 1, sizeBytes: 5, etag: "e" }];
  const store = s3Store(s3);
  for (const write of [
    () => store.put("k", BYTES, SMALL),
    () => store.put("k", large(), LARGE),
    () => store.uploadPart("k", { uploadId: "u", partNumber: 1 }, BYTES),
    () => store.completeUpload("k", "u", parts),
  ]) {
    s3.answer(answer);
    const error: unknown = await write().catch((caught: unknown) => caught);
    expect(error).toMatchObject({ kind: "Unexpected", message: expect.stringContaining("this is no S3 endpoint") });
    expect(mayStillLand(error)).toBe(true);
  }
});

test("a refusal of a retry is Unavailable: the first request may have landed", async () => {
  const precondition = { ...SMALL, condition: { ifAbsent: true } } as const;
  s3.answer(refusal(500, "InternalError"), refusal(412, "PreconditionFailed"));
  await expectKind(s3Store(s3).put("k", BYTES, precondition), "Unavailable");
  s3.answer(refusal(412, "PreconditionFailed"));
  await expectKind(s3Store(s3).put("k", BYTES, precondition), "PreconditionFailed");

  const parts = [{ partNumber: 1, sizeBytes: 1, etag: "e" }];
  s3.answer(refusal(500, "InternalError"), refusal(404, "NoSuchUpload"));
  await expectKind(s3Store(s3).completeUpload("k", "u", parts), "Unavailable");
  s3.answer(refusal(404, "NoSuchUpload"));
  await expectKind(s3Store(s3).completeUpload("k", "u", parts, { condition: { ifMatch: "e" } }), "NotFound");
});

test("ifMatch on a missing key, and a conflict of two writers, are PreconditionFailed", async () => {
  const options = { ...SMALL, condition: { ifMatch: "e" } };
  s3.answer(refusal(404, "NoSuchKey"));
  await expectKind(s3Store(s3).put("k", BYTES, options), "PreconditionFailed");
  s3.answer(refusal(409, "ConditionalRequestConflict"));
  await expectKind(s3Store(s3).put("k", BYTES, options), "PreconditionFailed");
  s3.answer(refusal(404, "NoSuchBucket"));
  await expectKind(s3Store(s3).put("k", BYTES, options), "NoSuchBucket");
});

test("the status alone gives the kind of a refused HEAD, whose answer has no body", async () => {
  const store = s3Store(s3, { maxAttempts: 1 });
  s3.answer(status(404));
  expect(await store.head("k")).toBeUndefined();
  for (const [code, kind] of [
    [403, "PermissionDenied"],
    [400, "Invalid"],
    [412, "PreconditionFailed"],
    [301, "ConfigInvalid"],
    [503, "Unavailable"],
    [500, "Unavailable"],
    [418, "Unexpected"],
  ] as const) {
    s3.answer(status(code));
    await expectKind(store.head("k"), kind);
  }
});

test("a refusal before the body was sent wins, and leaves no connection waiting for the rest", async () => {
  let closed: Promise<unknown> = Promise.reject(new Error("no connection yet"));
  closed.catch(() => undefined);
  const endpoint = await listen((socket) => {
    closed = once(socket, "close");
    socket.once("data", () => {
      const body = "<Error><Code>PreconditionFailed</Code></Error>";
      socket.write(`HTTP/1.1 412 Precondition Failed\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
    });
  });
  const store = s3Store(s3, { endpoint });
  const endless = new Readable({
    read() {
      this.push(Buffer.alloc(64 * 1024));
    },
  });
  const options = { attributes: NO_ATTRIBUTES, sizeBytes: 4 * 1024 * MIB, condition: { ifAbsent: true } } as const;
  await expectKind(store.put("k", endless, options), "PreconditionFailed");
  await closed;
  expect(endless.destroyed).toBe(true);
});

describe("a server that answers 412 and closes while a large body is still being written", () => {
  const document = "<Error><Code>PreconditionFailed</Code></Error>";
  const answer = `HTTP/1.1 412 Precondition Failed\r\ncontent-type: application/xml\r\ncontent-length: ${document.length}\r\nconnection: close\r\n\r\n${document}`;
  const size = 16 * MIB;
  const put = { attributes: NO_ATTRIBUTES, sizeBytes: size, condition: { ifAbsent: true } } as const;

  test.each([
    ["in memory", () => Buffer.alloc(size, 1)],
    ["as a stream", () => streamOf(Buffer.alloc(size, 1))],
    [
      "as a stream of small pieces",
      () =>
        Readable.from(
          Array.from({ length: size / 65_536 }, () => Buffer.alloc(65_536, 1)),
          { objectMode: false },
        ),
    ],
  ])("with a body %s, it is PreconditionFailed every time", async (_what, body) => {
    let requests = 0;
    const endpoint = await listen((socket) =>
      socket.once("data", () => {
        requests += 1;
        // The rest of the body is not read: the system resets the connection.
        socket.pause();
        socket.write(answer, () => socket.destroy());
      }),
    );
    for (let time = 0; time < 20; time++) await expectKind(s3Store(s3, { endpoint }).put("k", body(), put), "PreconditionFailed");
    expect(requests).toBe(20);
  });

  test("without an answer, the first try fails like any broken connection", async () => {
    const endpoint = await listen((socket) =>
      socket.once("data", () => {
        socket.pause();
        socket.resetAndDestroy();
      }),
    );
    await expectKind(s3Store(s3, { endpoint }).put("k", streamOf(Buffer.alloc(size, 1)), put), "Unavailable");
  });
});

test("the last block waits for the end of the body, so one byte too many leaves the request incomplete", async () => {
  const sizeBytes = 3 * MIB;
  const bytes = Buffer.alloc(sizeBytes, 1);
  let received = 0;
  let almost = () => {};
  const almostAll = new Promise<void>((resolve) => {
    almost = resolve;
  });
  const endpoint = await listen((socket) => {
    socket.on("data", (chunk) => {
      received += chunk.length;
      if (received > sizeBytes - MIB) almost();
    });
  });
  const body = Readable.from(
    (async function* () {
      for (let at = 0; at < sizeBytes; at += 64 * 1024) yield bytes.subarray(at, at + 64 * 1024);
      await almostAll;
      for (let turn = 0; turn < 100; turn++) await setImmediate();
      yield Buffer.from("!");
    })(),
    { objectMode: false },
  );
  const options = { attributes: NO_ATTRIBUTES, sizeBytes, checksum: checksumOf("CRC32", bytes) };
  await expectKind(s3Store(s3, { endpoint }).put("k", body, options), "Corrupted");
  expect(received).toBeLessThan(sizeBytes);
});

test("no connection, no name, no answer and a cut connection are Unavailable", async () => {
  const unused = createServer();
  unused.listen(0, "127.0.0.1");
  await once(unused, "listening");
  const refused = `http://127.0.0.1:${(unused.address() as AddressInfo).port}`;
  unused.close();
  await once(unused, "close");
  await expectKind(s3Store(s3, { endpoint: refused, maxAttempts: 1 }).head("k"), "Unavailable");

  s3.answer(() => undefined);
  await expectKind(s3Store(s3, { maxAttempts: 1, answerTimeoutMs: 100 }).get("k"), "Unavailable");
  s3.answer(() => undefined);
  await expectKind(s3Store(s3, { answerTimeoutMs: 100 }).put("k", large(), LARGE), "Unavailable");
  s3.answer((_request, response) => response.destroy());
  await expectKind(s3Store(s3, { maxAttempts: 1 }).get("k"), "Unavailable");
});

test("a connection cut in the middle of a body is an error of its stream", async () => {
  s3.answer((_request, response) => {
    response.writeHead(200, { ...HEAD, "content-length": "100" });
    response.write("half");
    response.socket?.destroySoon();
  });
  const { body } = await s3Store(s3).get("k");
  await expect(body.toArray()).rejects.toThrow();
});

test("a message names the operation, the code and advice, but no URL, key or credential", async () => {
  s3.answer(
    status(
      403,
      { "x-amz-request-id": "R1" },
      "<Error><Code>AccessDenied</Code><Message>user AKIDEXAMPLE on s3://bucket/private</Message></Error>",
    ),
  );
  const error = await s3Store(s3)
    .get("private")
    .catch((caught: Error) => caught);
  expect((error as Error).message).toBe(
    "bucket: S3 answered get with AccessDenied (HTTP 403, request R1): check the credentials and the policies of the role, the bucket and its KMS key",
  );
});

test.each([["computed while it streams", undefined] as const, ["given", { algorithm: "CRC32", value: "AAAAAA==" }] as const])(
  "a stream of 200 MiB is never held in memory, its checksum %s",
  async (_name, checksum) => {
    const sizeBytes = 200 * MIB;
    let produced = 0;
    let received = 0;
    let mostAhead = 0;
    const endpoint = await listen((socket) => {
      socket.on("data", (chunk) => {
        received += chunk.length;
        mostAhead = Math.max(mostAhead, produced - received);
        if (received < sizeBytes || (checksum === undefined && !chunk.includes("x-amz-checksum-crc32:"))) return;
        socket.end('HTTP/1.1 200 OK\r\netag: "e"\r\ncontent-length: 0\r\n\r\n');
      });
    });
    const chunk = Buffer.alloc(64 * 1024, 7);
    const body = new Readable({
      read() {
        produced += chunk.length;
        this.push(chunk);
        if (produced === sizeBytes) this.push(null);
      },
    });
    const store = s3Store(s3, { endpoint });
    const options = { attributes: NO_ATTRIBUTES, sizeBytes, ...(checksum !== undefined && { checksum }) };
    expect(await store.put("k", body, options)).toEqual({ etag: "e" });
    expect(produced).toBe(sizeBytes);
    // The buffers of the kernel and of the HTTP layer.
    expect(mostAhead).toBeLessThan(24 * MIB);
  },
  60_000,
);
