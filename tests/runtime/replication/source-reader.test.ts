import { spawn } from "node:child_process";
import type { LookupAddress } from "node:dns";
import type { ServerResponse } from "node:http";
import { resolve } from "node:path";
import { gzipSync } from "node:zlib";
import type { ClosableSourceReader, SourceReaderOptions } from "../../../runtime/replication/source-reader";
import { createSourceReader } from "../../../runtime/replication/source-reader";
import { BridgeError, type BridgeErrorKind } from "../../../runtime/stores/errors";
import { readAll } from "../../../runtime/stores/read-all";
import { type SeenRequest, startHttps, type TestServer } from "../support/https-server";

const ETAG = "5d41402abc4b2a76b9719d911017c592";
const QUERY = "?X-Amz-Signature=never-shown";

let server: TestServer;
let reader: ClosableSourceReader;
let answer: (request: SeenRequest, response: ServerResponse) => void;

beforeAll(async () => {
  server = await startHttps((request, response) => answer(request, response));
});
afterAll(() => server.close());
beforeEach(() => {
  server.seen.length = 0;
  reader = makeReader();
});
afterEach(() => reader.close());

function makeReader(options: Partial<SourceReaderOptions> = {}): ClosableSourceReader {
  return createSourceReader({ allowedSources: [{ origin: server.origin, pathPrefix: "/bucket/" }], ca: server.ca, ...options });
}

function url(path = "/bucket/key"): string {
  return `${server.origin}${path}${QUERY}`;
}

/** A store that holds one object and answers as S3 does. */
function store(content: Buffer, { etag = ETAG, headers = {} }: { etag?: string; headers?: Record<string, string> } = {}) {
  return (request: SeenRequest, response: ServerResponse) => {
    if (request.headers["if-match"] !== undefined && request.headers["if-match"] !== `"${etag}"`) {
      return errorDocument(response, 412, "PreconditionFailed");
    }
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
    if (range === null) {
      response.writeHead(200, { etag: `"${etag}"`, "content-length": content.length, ...headers });
      return response.end(content);
    }
    const [start, end] = [Number(range[1]), Math.min(Number(range[2]), content.length - 1)];
    if (start >= content.length) return errorDocument(response, 416, "InvalidRange");
    const part = content.subarray(start, end + 1);
    response.writeHead(206, {
      etag: `"${etag}"`,
      "content-length": part.length,
      "content-range": `bytes ${start}-${end}/${content.length}`,
      ...headers,
    });
    return response.end(part);
  };
}

function errorDocument(response: ServerResponse, status: number, code: string, message = "secret-host-id"): void {
  const body = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`;
  response.writeHead(status, { "content-type": "application/xml", "content-length": body.length });
  response.end(body);
}

async function rejection(promise: Promise<unknown>): Promise<BridgeError> {
  const error = await promise.then(
    () => new Error("it did not reject"),
    (caught: unknown) => caught,
  );
  if (!(error instanceof BridgeError)) throw error;
  expect(error.message).not.toMatch(/never-shown|secret-host-id|127\.0\.0\.1|bucket\/key/);
  return error;
}

describe("open", () => {
  test("the whole object, pinned by its etag", async () => {
    answer = store(Buffer.from("hello"));
    const source = await reader.open(url(), { etag: ETAG });
    expect(source).toMatchObject({ sizeBytes: 5, etag: ETAG });
    expect(String(await readAll(source.body, 100))).toBe("hello");
    expect(server.seen).toMatchObject([{ method: "GET", url: `/bucket/key${QUERY}`, headers: { "if-match": `"${ETAG}"` } }]);
    expect(server.seen[0]?.headers.range).toBeUndefined();
  });

  test("a range: the size is the object's, the body is the range's", async () => {
    answer = store(Buffer.from("hello world"));
    const source = await reader.open(url(), { etag: ETAG, range: { start: 6, end: 8 } });
    expect(source.sizeBytes).toBe(11);
    expect(String(await readAll(source.body, 100))).toBe("wor");
    expect(server.seen[0]?.headers.range).toBe("bytes=6-8");
  });

  test("a range that reaches beyond the end gets what there is", async () => {
    answer = store(Buffer.from("hello"));
    const source = await reader.open(url(), { etag: ETAG, range: { start: 3, end: 99 } });
    expect(String(await readAll(source.body, 100))).toBe("lo");
  });

  test("an empty object", async () => {
    answer = store(Buffer.alloc(0));
    const source = await reader.open(url(), { etag: ETAG });
    expect(await readAll(source.body, 0)).toHaveLength(0);
  });

  test.each(["/bucket/a//b", "/bucket/a/./b", "/bucket/a/x/../b", "/bucket/%E4%B8%AD%20%2B%25", "/bucket/a+b/"])(
    "the path %s goes over the wire to the letter",
    async (path) => {
      answer = store(Buffer.from("x"));
      await readAll((await reader.open(url(path), { etag: ETAG })).body, 10);
      expect(server.seen[0]?.url).toBe(path + QUERY);
    },
  );

  test("stored bytes arrive as stored, whatever Content-Encoding says", async () => {
    const zipped = gzipSync("hello hello hello");
    answer = store(zipped, { headers: { "content-encoding": "gzip" } });
    const source = await reader.open(url(), { etag: ETAG });
    expect(source.sizeBytes).toBe(zipped.length);
    expect((await readAll(source.body, 1000)).equals(zipped)).toBe(true);
    expect(server.seen[0]?.headers["accept-encoding"]).toBe("identity");
  });

  test("many bytes arrive whole under back pressure", async () => {
    const content = Buffer.alloc(4 * 1024 * 1024, "0123456789");
    answer = store(content);
    const { body } = await reader.open(url(), { etag: ETAG });
    const received: Buffer[] = [];
    for await (const chunk of body) {
      received.push(chunk as Buffer);
      await new Promise(setImmediate);
    }
    expect(Buffer.concat(received).equals(content)).toBe(true);
  });

  test("the object moved on", async () => {
    answer = store(Buffer.from("new"), { etag: "other" });
    expect((await rejection(reader.open(url(), { etag: ETAG }))).kind).toBe("PreconditionFailed");
  });

  test("a server that ignores If-Match is not believed", async () => {
    answer = (_request, response) => store(Buffer.from("new"), { etag: "other" })({ ...emptyRequest(), headers: {} }, response);
    expect((await rejection(reader.open(url(), { etag: ETAG }))).kind).toBe("PreconditionFailed");
  });

  const table: [number, string, BridgeErrorKind, RegExp, boolean?][] = [
    [304, "", "PreconditionFailed", /not the one of the snapshot/],
    [412, "PreconditionFailed", "PreconditionFailed", /not the one of the snapshot/],
    [404, "NoSuchKey", "NotFound", /does not exist/],
    [404, "NoSuchBucket", "Unexpected", /bucket does not exist/],
    [404, "SomethingElse", "Unexpected", /yet not that the key/],
    [403, "AccessDenied", "PermissionDenied", /refused the presigned URL/],
    [403, "SignatureDoesNotMatch", "PermissionDenied", /signature does not match/],
    [403, "InvalidAccessKeyId", "PermissionDenied", /not valid/],
    [403, "SecurityTokenExpired", "PermissionDenied", /credentials that signed .* expired/],
    [400, "ExpiredToken", "PermissionDenied", /credentials that signed .* expired/],
    [400, "RequestTimeout", "Unavailable", /gave up waiting/],
    [400, "InvalidArgument", "Invalid", /malformed/],
    [401, "", "PermissionDenied", /refused/],
    [416, "InvalidRange", "Invalid", /range/],
    [418, "", "Unexpected", /refused the request \(418\)/],
    [429, "", "RateLimited", /slow down/],
    [500, "InternalError", "Unavailable", /failed \(500\)/],
    [502, "", "Unavailable", /failed/],
    [503, "SlowDown", "RateLimited", /slow down/],
    [504, "", "Unavailable", /failed/],
  ];
  test.each(table)("%i %s is %s", async (status, code, kind, reason) => {
    answer = (_request, response) => errorDocument(response, status, code);
    const error = await rejection(reader.open(url(), { etag: ETAG }));
    expect(error.kind).toBe(kind);
    expect(error.message).toMatch(reason);
  });

  test("an expired URL says so", async () => {
    answer = (_request, response) => errorDocument(response, 403, "AccessDenied", "Request has expired");
    expect(await rejection(reader.open(url(), { etag: ETAG }))).toMatchObject({
      kind: "PermissionDenied",
      message: "the presigned URL has expired (403)",
    });
  });

  test.each([301, 302, 303, 307, 308])("a %i is refused and not followed", async (status) => {
    answer = (_request, response) => {
      response.writeHead(status, { location: `${server.origin}/bucket/elsewhere`, "content-length": 0 });
      response.end();
    };
    const error = await rejection(reader.open(url(), { etag: ETAG }));
    expect(error).toMatchObject({ kind: "Invalid" });
    expect(error.message).toMatch(/redirect/);
    expect(server.seen).toHaveLength(1);
  });

  test.each<[string, Record<string, string | number>, number, boolean, RegExp]>([
    ["no ETag", { "content-length": 5 }, 200, false, /no ETag/],
    ["no Content-Length", { etag: `"${ETAG}"` }, 200, false, /no Content-Length/],
    [
      "206 without a range",
      { etag: `"${ETAG}"`, "content-length": 5, "content-range": "bytes 0-4/5" },
      206,
      false,
      /without a range/,
    ],
    ["200 to a range", { etag: `"${ETAG}"`, "content-length": 5 }, 200, true, /a 200 to a request for a range/],
    ["no Content-Range", { etag: `"${ETAG}"`, "content-length": 5 }, 206, true, /no Content-Range/],
    ["another range", { etag: `"${ETAG}"`, "content-length": 5, "content-range": "bytes 1-5/9" }, 206, true, /another range/],
    ["a shorter range", { etag: `"${ETAG}"`, "content-length": 5, "content-range": "bytes 0-4/9" }, 206, true, /another range/],
    [
      "a range of unknown size",
      { etag: `"${ETAG}"`, "content-length": 5, "content-range": "bytes 0-4/*" },
      206,
      true,
      /no Content-Range/,
    ],
  ])("%s", async (_name, headers, status, ranged, reason) => {
    answer = (_request, response) => {
      response.writeHead(status, headers);
      response.end("hello");
    };
    const range = ranged ? { range: { start: 0, end: 7 } } : {};
    const error = await rejection(reader.open(url(), { etag: ETAG, ...range }));
    expect(error.kind).toBe("Unexpected");
    expect(error.message).toMatch(reason);
  });

  test("a body that ends early is an error, never a shorter object", async () => {
    answer = (_request, response) => {
      response.writeHead(200, { etag: `"${ETAG}"`, "content-length": 10 });
      response.write("hello", () => response.destroy());
    };
    const { body } = await reader.open(url(), { etag: ETAG });
    expect(await rejection(readAll(body, 100))).toMatchObject({ kind: "Unavailable" });
  });

  test("a body that stalls is an error", async () => {
    await reader.close();
    reader = makeReader({ timeouts: { bodyIdleMs: 300 } });
    answer = (_request, response) => {
      response.writeHead(200, { etag: `"${ETAG}"`, "content-length": 10 });
      response.write("hello");
    };
    const { body } = await reader.open(url(), { etag: ETAG });
    expect(await rejection(readAll(body, 100))).toMatchObject({ kind: "Unavailable" });
  });

  test("headers that never come are an error", async () => {
    await reader.close();
    reader = makeReader({ timeouts: { headersMs: 300 } });
    answer = () => undefined;
    expect(await rejection(reader.open(url(), { etag: ETAG }))).toMatchObject({ kind: "Unavailable" });
  });

  test("destroying the body ends the transfer", async () => {
    let closed: Promise<void> | undefined;
    answer = (_request, response) => {
      closed = new Promise((resolve) => response.on("close", () => resolve()));
      response.writeHead(200, { etag: `"${ETAG}"`, "content-length": 10_000_000 });
      response.write(Buffer.alloc(1000));
    };
    const { body } = await reader.open(url(), { etag: ETAG });
    body.destroy();
    await closed;
    expect(body.destroyed).toBe(true);
  });

  test("aborting rejects the call, and breaks a body under way", async () => {
    const abort = new AbortController();
    answer = () => abort.abort();
    expect(await rejection(reader.open(url(), { etag: ETAG, signal: abort.signal }))).toMatchObject({
      kind: "Unavailable",
      message: "the read was aborted",
    });

    const later = new AbortController();
    answer = (_request, response) => {
      response.writeHead(200, { etag: `"${ETAG}"`, "content-length": 10 });
      response.write("hello");
    };
    const { body } = await reader.open(url(), { etag: ETAG, signal: later.signal });
    later.abort();
    expect(await rejection(readAll(body, 100))).toMatchObject({ kind: "Unavailable" });
  });

  test("nobody listening is an error", async () => {
    const gone = await startHttps(() => undefined);
    await gone.close();
    const local = createSourceReader({ allowedSources: [{ origin: gone.origin, pathPrefix: "/" }], ca: gone.ca });
    expect(await rejection(local.open(`${gone.origin}/a`, { etag: ETAG }))).toMatchObject({ kind: "Unavailable" });
    await local.close();
  });
});

describe("isCurrent", () => {
  test("moves one byte at most", async () => {
    answer = store(Buffer.from("hello"));
    expect(await reader.isCurrent(url(), { etag: ETAG })).toBe(true);
    expect(server.seen).toMatchObject([{ headers: { range: "bytes=0-0", "if-match": `"${ETAG}"` } }]);
  });

  test("asking again and again uses the same connections", async () => {
    answer = store(Buffer.from("hello"));
    const before = server.connections();
    for (let ask = 0; ask < 5; ask++) {
      expect(await reader.isCurrent(url(), { etag: ETAG })).toBe(true);
      expect(await reader.isCurrent(url(), { etag: "old" })).toBe(false);
    }
    // The next ask may begin while the last byte of the one before is still on its way.
    expect(server.connections() - before).toBeLessThanOrEqual(2);
  });

  test("gone or replaced is not current", async () => {
    answer = store(Buffer.from("new"), { etag: "other" });
    expect(await reader.isCurrent(url(), { etag: ETAG })).toBe(false);
    answer = (_request, response) => errorDocument(response, 404, "NoSuchKey");
    expect(await reader.isCurrent(url(), { etag: ETAG })).toBe(false);
  });

  test("an empty object that is current, and one that is not", async () => {
    answer = store(Buffer.alloc(0));
    expect(await reader.isCurrent(url(), { etag: ETAG })).toBe(true);
    answer = store(Buffer.alloc(0), { etag: "other" });
    expect(await reader.isCurrent(url(), { etag: ETAG })).toBe(false);
  });

  test("a store that looks at the range before the condition does not make an old empty object current", async () => {
    answer = (request, response) => {
      if (request.headers.range !== undefined) errorDocument(response, 416, "InvalidRange");
      else store(Buffer.alloc(0), { etag: "other" })(request, response);
    };
    expect(await reader.isCurrent(url(), { etag: ETAG })).toBe(false);
  });

  test("a server that ignores the range is answered without reading the object", async () => {
    answer = (_request, response) => {
      response.writeHead(200, { etag: `"${ETAG}"`, "content-length": 10_000_000 });
      response.write(Buffer.alloc(1000));
    };
    expect(await reader.isCurrent(url(), { etag: ETAG })).toBe(true);
  });

  test("a server that ignores If-Match is not believed", async () => {
    answer = (request, response) =>
      store(Buffer.from("new"), { etag: "other" })({ ...request, headers: { range: "bytes=0-0" } }, response);
    expect(await reader.isCurrent(url(), { etag: ETAG })).toBe(false);
  });

  test("anything else is an error, not an answer", async () => {
    answer = (_request, response) => errorDocument(response, 403, "AccessDenied");
    expect((await rejection(reader.isCurrent(url(), { etag: ETAG }))).kind).toBe("PermissionDenied");
    answer = (_request, response) => errorDocument(response, 404, "NoSuchBucket");
    expect((await rejection(reader.isCurrent(url(), { etag: ETAG }))).kind).toBe("Unexpected");
  });
});

describe("isAbsent", () => {
  test("only on the store's own word", async () => {
    answer = (_request, response) => errorDocument(response, 404, "NoSuchKey");
    expect(await reader.isAbsent(url())).toBe(true);
    expect(server.seen[0]?.headers).not.toHaveProperty("if-match");
  });

  test("an object is not absent, an empty one neither", async () => {
    answer = store(Buffer.from("hello"));
    expect(await reader.isAbsent(url())).toBe(false);
    answer = store(Buffer.alloc(0));
    expect(await reader.isAbsent(url())).toBe(false);
  });

  test.each<[number, string, BridgeErrorKind]>([
    [403, "AccessDenied", "PermissionDenied"],
    [404, "NoSuchBucket", "Unexpected"],
    [404, "", "Unexpected"],
    [500, "NoSuchKey", "Unavailable"],
    [503, "SlowDown", "RateLimited"],
    [302, "", "Invalid"],
  ])("%i %s is an error, so that nothing is deleted on it", async (status, code, kind) => {
    answer = (_request, response) => errorDocument(response, status, code);
    expect((await rejection(reader.isAbsent(url()))).kind).toBe(kind);
  });
});

describe("who is connected to", () => {
  const PUBLIC_LOOKING = "bucket.example.com";
  const named = (addresses: LookupAddress[]) =>
    makeReader({
      allowedSources: [{ origin: `https://${PUBLIC_LOOKING}:${server.port}`, pathPrefix: "/" }],
      lookup: (_hostname, _options, callback) => callback(null, addresses),
    });

  test.each([
    ["loopback", [{ address: "127.0.0.1", family: 4 }]],
    ["metadata", [{ address: "169.254.169.254", family: 4 }]],
    [
      "private among public ones",
      [
        { address: "52.216.1.1", family: 4 },
        { address: "127.0.0.1", family: 4 },
      ],
    ],
    ["IPv6 loopback", [{ address: "::1", family: 6 }]],
  ])("a name that leads to %s is refused before anything is sent", async (_name, addresses) => {
    const local = named(addresses);
    answer = store(Buffer.from("x"));
    const error = await rejection(local.open(`https://${PUBLIC_LOOKING}:${server.port}/a`, { etag: ETAG }));
    expect(error).toMatchObject({ kind: "Invalid" });
    expect(error.message).toMatch(/private address/);
    expect(server.seen).toHaveLength(0);
    await local.close();
  });

  test("localhost by name is refused, the literal the operator wrote is not", async () => {
    const local = makeReader({ allowedSources: [{ origin: `https://localhost:${server.port}`, pathPrefix: "/" }] });
    answer = store(Buffer.from("x"));
    expect((await rejection(local.open(`https://localhost:${server.port}/a`, { etag: ETAG }))).kind).toBe("Invalid");
    await local.close();
    await readAll((await reader.open(url(), { etag: ETAG })).body, 10);
    expect(server.seen).toHaveLength(1);
  });

  test("a certificate that is not trusted is refused", async () => {
    const local = createSourceReader({ allowedSources: [{ origin: server.origin, pathPrefix: "/" }] });
    expect((await rejection(local.open(url(), { etag: ETAG }))).kind).toBe("Unavailable");
    expect(server.seen).toHaveLength(0);
    await local.close();
  });

  test("even where the environment says otherwise", async () => {
    // A process of its own: Node reads this variable from the real environment, which jest keeps from its tests.
    const script = `
      const { createSourceReader } = require(process.argv[1]);
      const reader = createSourceReader({ allowedSources: [{ origin: process.argv[2], pathPrefix: "/" }] });
      reader.open(process.argv[2] + "/a", { etag: "e" })
        .then(() => "read", (error) => error.kind + " " + error.cause.code)
        .then((outcome) => process.stdout.write(outcome, () => process.exit(0)));`;
    const module = resolve(__dirname, "../../../runtime/replication/source-reader.ts");
    const child = spawn(process.execPath, ["--import", "tsx", "-e", script, module, server.origin], {
      env: { ...process.env, NODE_TLS_REJECT_UNAUTHORIZED: "0" },
    });
    answer = store(Buffer.from("x"));
    let outcome = "";
    child.stdout.on("data", (chunk) => {
      outcome += String(chunk);
    });
    await new Promise((done) => child.on("close", done));
    expect(outcome).toBe("Unavailable DEPTH_ZERO_SELF_SIGNED_CERT");
    expect(server.seen).toHaveLength(0);
  });

  test("a name that does not resolve is temporary", async () => {
    const local = makeReader({
      allowedSources: [{ origin: `https://${PUBLIC_LOOKING}`, pathPrefix: "/" }],
      lookup: (_hostname, _options, callback) => callback(Object.assign(new Error("no such name"), { code: "ENOTFOUND" }), []),
    });
    expect((await rejection(local.open(`https://${PUBLIC_LOOKING}/a`, { etag: ETAG }))).kind).toBe("Unavailable");
    await local.close();
  });

  test("every call refuses a URL that is not allowed, without any I/O", async () => {
    const bad = "https://evil.example.com/a";
    expect(() => reader.assertAllowed(bad)).toThrow(/host and port/);
    expect(() => reader.assertAllowed(url())).not.toThrow();
    expect((await rejection(reader.open(bad, { etag: ETAG }))).kind).toBe("Invalid");
    expect((await rejection(reader.isCurrent(bad, { etag: ETAG }))).kind).toBe("Invalid");
    expect((await rejection(reader.isAbsent(bad))).kind).toBe("Invalid");
  });
});

function emptyRequest(): SeenRequest {
  return { method: "GET", url: "/", headers: {}, body: Buffer.alloc(0) };
}
