import { gzipSync } from "node:zlib";
import { createSourceReader } from "../../../runtime/replication/source-reader";
import type { BridgeErrorKind } from "../../../runtime/stores/errors";
import { readAll } from "../../../runtime/stores/read-all";
import { startHttps } from "../support/https-server";

import { ETAG, errorDocument, makeReader, peer, QUERY, rejection, store, url, useSource } from "./source-reader-fixture";

useSource();

describe("open", () => {
  test("the whole object, pinned by its etag", async () => {
    peer.answer = store(Buffer.from("hello"));
    const source = await peer.reader.bind(url()).open({ etag: ETAG });
    expect(source).toMatchObject({ sizeBytes: 5, etag: ETAG });
    expect(String(await readAll(source.body, 100))).toBe("hello");
    expect(peer.server.seen).toMatchObject([{ method: "GET", url: `/bucket/key${QUERY}`, headers: { "if-match": `"${ETAG}"` } }]);
    expect(peer.server.seen[0]?.headers.range).toBeUndefined();
  });

  test("a range: the size is the object's, the body is the range's", async () => {
    peer.answer = store(Buffer.from("hello world"));
    const source = await peer.reader.bind(url()).open({ etag: ETAG, range: { start: 6, end: 8 } });
    expect(source.sizeBytes).toBe(11);
    expect(String(await readAll(source.body, 100))).toBe("wor");
    expect(peer.server.seen[0]?.headers.range).toBe("bytes=6-8");
  });

  test("a range that reaches beyond the end gets what there is", async () => {
    peer.answer = store(Buffer.from("hello"));
    const source = await peer.reader.bind(url()).open({ etag: ETAG, range: { start: 3, end: 99 } });
    expect(String(await readAll(source.body, 100))).toBe("lo");
  });

  test("an empty object", async () => {
    peer.answer = store(Buffer.alloc(0));
    const source = await peer.reader.bind(url()).open({ etag: ETAG });
    expect(await readAll(source.body, 0)).toHaveLength(0);
  });

  test.each(["/bucket/a//b", "/bucket/a/./b", "/bucket/a/x/../b", "/bucket/%E4%B8%AD%20%2B%25", "/bucket/a+b/"])(
    "the path %s goes over the wire to the letter",
    async (path) => {
      peer.answer = store(Buffer.from("x"));
      await readAll((await peer.reader.bind(url(path)).open({ etag: ETAG })).body, 10);
      expect(peer.server.seen[0]?.url).toBe(path + QUERY);
    },
  );

  test("stored bytes arrive as they are stored, with any Content-Encoding", async () => {
    const zipped = gzipSync("hello hello hello");
    peer.answer = store(zipped, { headers: { "content-encoding": "gzip" } });
    const source = await peer.reader.bind(url()).open({ etag: ETAG });
    expect(source.sizeBytes).toBe(zipped.length);
    expect((await readAll(source.body, 1000)).equals(zipped)).toBe(true);
    expect(peer.server.seen[0]?.headers["accept-encoding"]).toBe("identity");
  });

  test("many bytes arrive whole under back pressure", async () => {
    const content = Buffer.alloc(4 * 1024 * 1024, "0123456789");
    peer.answer = store(content);
    const { body } = await peer.reader.bind(url()).open({ etag: ETAG });
    const received: Buffer[] = [];
    for await (const chunk of body) {
      received.push(chunk as Buffer);
      await new Promise(setImmediate);
    }
    expect(Buffer.concat(received).equals(content)).toBe(true);
  });

  test("the object moved on", async () => {
    peer.answer = store(Buffer.from("new"), { etag: "other" });
    expect((await rejection(peer.reader.bind(url()).open({ etag: ETAG }))).kind).toBe("PreconditionFailed");
  });

  test("a server that ignores If-Match is not believed", async () => {
    peer.answer = (_request, response) =>
      store(Buffer.from("new"), { etag: "other" })({ method: "GET", url: "/", headers: {}, body: Buffer.alloc(0) }, response);
    expect((await rejection(peer.reader.bind(url()).open({ etag: ETAG }))).kind).toBe("PreconditionFailed");
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
    peer.answer = (_request, response) => errorDocument(response, status, code);
    const error = await rejection(peer.reader.bind(url()).open({ etag: ETAG }));
    expect(error.kind).toBe(kind);
    expect(error.message).toMatch(reason);
  });

  test("an expired URL says so", async () => {
    peer.answer = (_request, response) => errorDocument(response, 403, "AccessDenied", "Request has expired");
    expect(await rejection(peer.reader.bind(url()).open({ etag: ETAG }))).toMatchObject({
      kind: "PermissionDenied",
      message: "the presigned URL has expired (403)",
    });
  });

  test.each([301, 302, 303, 307, 308])("a %i is refused and not followed", async (status) => {
    peer.answer = (_request, response) => {
      response.writeHead(status, { location: `${peer.server.origin}/bucket/elsewhere`, "content-length": 0 });
      response.end();
    };
    const error = await rejection(peer.reader.bind(url()).open({ etag: ETAG }));
    expect(error).toMatchObject({ kind: "Invalid" });
    expect(error.message).toMatch(/redirect/);
    expect(peer.server.seen).toHaveLength(1);
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
    peer.answer = (_request, response) => {
      response.writeHead(status, headers);
      response.end("hello");
    };
    const range = ranged ? { range: { start: 0, end: 7 } } : {};
    const error = await rejection(peer.reader.bind(url()).open({ etag: ETAG, ...range }));
    expect(error.kind).toBe("Unexpected");
    expect(error.message).toMatch(reason);
  });

  test("a body that ends early is an error, never a shorter object", async () => {
    peer.answer = (_request, response) => {
      response.writeHead(200, { etag: `"${ETAG}"`, "content-length": 10 });
      response.write("hello", () => response.destroy());
    };
    const { body } = await peer.reader.bind(url()).open({ etag: ETAG });
    expect(await rejection(readAll(body, 100))).toMatchObject({ kind: "Unavailable" });
  });

  test("a body that stalls is an error", async () => {
    await peer.reader.close();
    peer.reader = makeReader({ timeouts: { bodyIdleMs: 300 } });
    peer.answer = (_request, response) => {
      response.writeHead(200, { etag: `"${ETAG}"`, "content-length": 10 });
      response.write("hello");
    };
    const { body } = await peer.reader.bind(url()).open({ etag: ETAG });
    expect(await rejection(readAll(body, 100))).toMatchObject({ kind: "Unavailable" });
  });

  test("headers that never come are an error", async () => {
    await peer.reader.close();
    peer.reader = makeReader({ timeouts: { headersMs: 300 } });
    peer.answer = () => undefined;
    expect(await rejection(peer.reader.bind(url()).open({ etag: ETAG }))).toMatchObject({ kind: "Unavailable" });
  });

  test("destroying the body ends the transfer", async () => {
    let closed: Promise<void> | undefined;
    peer.answer = (_request, response) => {
      closed = new Promise((resolve) => response.on("close", () => resolve()));
      response.writeHead(200, { etag: `"${ETAG}"`, "content-length": 10_000_000 });
      response.write(Buffer.alloc(1000));
    };
    const { body } = await peer.reader.bind(url()).open({ etag: ETAG });
    body.destroy();
    await closed;
    expect(body.destroyed).toBe(true);
  });

  test("aborting rejects the call, and breaks a body under way", async () => {
    const abort = new AbortController();
    peer.answer = () => abort.abort();
    expect(await rejection(peer.reader.bind(url()).open({ etag: ETAG, signal: abort.signal }))).toMatchObject({
      kind: "Unavailable",
      message: "the read was aborted",
    });

    const later = new AbortController();
    peer.answer = (_request, response) => {
      response.writeHead(200, { etag: `"${ETAG}"`, "content-length": 10 });
      response.write("hello");
    };
    const { body } = await peer.reader.bind(url()).open({ etag: ETAG, signal: later.signal });
    later.abort();
    expect(await rejection(readAll(body, 100))).toMatchObject({ kind: "Unavailable" });
  });

  test("a closed port is an error", async () => {
    const gone = await startHttps(() => undefined);
    await gone.close();
    const local = createSourceReader({ allowedSources: [{ origin: gone.origin, pathPrefix: "/" }], ca: gone.ca });
    expect(await rejection(local.bind(`${gone.origin}/a`).open({ etag: ETAG }))).toMatchObject({ kind: "Unavailable" });
    await local.close();
  });
});
