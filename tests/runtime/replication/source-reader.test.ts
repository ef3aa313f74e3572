import { gzipSync } from "node:zlib";
import type { SourcePin } from "../../../runtime/replication/source";
import { createSourceReader } from "../../../runtime/replication/source-reader";
import type { BridgeErrorKind } from "../../../runtime/stores/errors";
import { readAll } from "../../../runtime/stores/read-all";
import { startDroppingProxy } from "../support/dropping-proxy";
import { startHttps } from "../support/https-server";

import {
  bound,
  ETAG,
  errorDocument,
  MODIFIED,
  makeReader,
  PIN,
  peer,
  QUERY,
  rejection,
  STATE,
  store,
  url,
  useSource,
} from "./source-reader-fixture";

useSource();

describe("open", () => {
  test("the whole object, pinned by its etag", async () => {
    peer.answer = store(Buffer.from("hello"));
    const source = await bound().open({ pin: PIN });
    expect(source).toMatchObject({ sizeBytes: 5, etag: ETAG });
    expect(String(await readAll(source.body, 100))).toBe("hello");
    expect(peer.server.seen).toMatchObject([{ method: "GET", url: `/bucket/key${QUERY}`, headers: { "if-match": `"${ETAG}"` } }]);
    expect(peer.server.seen[0]?.headers.range).toBeUndefined();
  });

  test("a range: the size is the object's, the body is the range's", async () => {
    peer.answer = store(Buffer.from("hello world"));
    const source = await bound().open({ pin: PIN, range: { start: 6, end: 8 } });
    expect(source.sizeBytes).toBe(11);
    expect(String(await readAll(source.body, 100))).toBe("wor");
    expect(peer.server.seen[0]?.headers.range).toBe("bytes=6-8");
  });

  test("a range that reaches beyond the end gets what there is", async () => {
    peer.answer = store(Buffer.from("hello"));
    const source = await bound().open({ pin: PIN, range: { start: 3, end: 99 } });
    expect(String(await readAll(source.body, 100))).toBe("lo");
  });

  test("an empty object", async () => {
    peer.answer = store(Buffer.alloc(0));
    const source = await bound().open({ pin: PIN });
    expect(await readAll(source.body, 0)).toHaveLength(0);
  });

  test.each(["/bucket/a//b", "/bucket/a/./b", "/bucket/a/x/../b", "/bucket/%E4%B8%AD%20%2B%25", "/bucket/a/.."])(
    "the path %s goes over the wire to the letter",
    async (path) => {
      peer.answer = store(Buffer.from("x"));
      await readAll((await bound(path).open({ pin: PIN })).body, 10);
      expect(peer.server.seen[0]?.url).toBe(path + QUERY);
    },
  );

  test("stored bytes arrive as they are stored, with any Content-Encoding", async () => {
    const zipped = gzipSync("hello hello hello");
    peer.answer = store(zipped, { headers: { "content-encoding": "gzip" } });
    const source = await bound().open({ pin: PIN });
    expect(source.sizeBytes).toBe(zipped.length);
    expect((await readAll(source.body, 1000)).equals(zipped)).toBe(true);
    expect(peer.server.seen[0]?.headers["accept-encoding"]).toBe("identity");
  });

  test("many bytes arrive whole under back pressure", async () => {
    const content = Buffer.alloc(4 * 1024 * 1024, "0123456789");
    peer.answer = store(content);
    const { body } = await bound().open({ pin: PIN });
    const received: Buffer[] = [];
    for await (const chunk of body) {
      received.push(chunk as Buffer);
      await new Promise(setImmediate);
    }
    expect(Buffer.concat(received).equals(content)).toBe(true);
  });

  test("the object moved on", async () => {
    peer.answer = store(Buffer.from("new"), { etag: "other" });
    expect((await rejection(bound().open({ pin: PIN }))).kind).toBe("PreconditionFailed");
  });

  test.each<[string, Record<string, string>, SourcePin]>([
    ["written again later", { "last-modified": "Sun, 29 Nov 2026 10:00:01 GMT" }, PIN],
    ["written again before", { "last-modified": "Sun, 29 Nov 2026 09:59:59 GMT" }, PIN],
    ["another version of S3", { "x-amz-version-id": "v2" }, { ...PIN, versionId: "v1" }],
    ["another version of OSS", { "x-oss-version-id": "v2" }, { ...PIN, versionId: "v1" }],
    ["a version where there was none", { "x-amz-version-id": "v1" }, PIN],
    ["no version where there was one", {}, { ...PIN, versionId: "v1" }],
  ])("equal bytes, but %s: superseded", async (_name, headers, pin) => {
    peer.answer = store(Buffer.from("hello"), { headers });
    expect((await rejection(bound().open({ pin }))).kind).toBe("PreconditionFailed");
    expect(await bound().isCurrent({ pin })).toBe(false);
  });

  test.each(["x-amz-version-id", "x-oss-version-id"])("the version in %s is the one of the snapshot", async (name) => {
    const pin = { ...PIN, versionId: "v1", lastModified: "2026-11-29T10:00:00.900Z" };
    peer.answer = store(Buffer.from("hello"), { headers: { [name]: "v1" } });
    expect(String(await readAll((await bound().open({ pin })).body, 10))).toBe("hello");
    expect(await bound().isCurrent({ pin })).toBe(true);
  });

  test("a server that ignores If-Match is not believed", async () => {
    peer.answer = (_request, response) =>
      store(Buffer.from("new"), { etag: "other" })({ method: "GET", url: "/", headers: {}, body: Buffer.alloc(0) }, response);
    expect((await rejection(bound().open({ pin: PIN }))).kind).toBe("PreconditionFailed");
  });

  const table: [number, string, BridgeErrorKind, RegExp, boolean?][] = [
    [304, "", "PreconditionFailed", /not the one of the snapshot/],
    [412, "PreconditionFailed", "PreconditionFailed", /not the one of the snapshot/],
    [404, "NoSuchKey", "NotFound", /does not exist/],
    [400, "NoSuchKey", "Invalid", /malformed/],
    [403, "NoSuchKey", "PermissionDenied", /refused the presigned URL/],
    [409, "NoSuchKey", "Unexpected", /refused the request/],
    [410, "NoSuchKey", "Unexpected", /refused the request/],
    [404, "NoSuchBucket", "NoSuchBucket", /bucket does not exist/],
    [
      400,
      "PublicEndpointForbidden",
      "HostRefused",
      /^this account cannot use the public host of a mainland region .*: set source\.customDomain .* \(400\)$/,
    ],
    [
      400,
      "ApkDownloadForbidden",
      "HostRefused",
      /^OSS serves \.apk and \.ipa files by URL only through a custom domain: set source\.customDomain .* \(400\)$/,
    ],
    [404, "NoSuchCname", "HostRefused", /^the custom domain is not bound to the bucket/],
    [404, "SomethingElse", "Unexpected", /yet not that the key/],
    [403, "AccessDenied", "PermissionDenied", /refused the presigned URL/],
    [403, "InvalidObjectState", "Unsupported", /^the source object is archived: restore it at the source/],
    [404, "SymlinkTargetNotExist", "Invalid", /target of the symbolic link does not exist/],
    [400, "InvalidTargetType", "Invalid", /leads to another symbolic link/],
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
    const error = await rejection(bound().open({ pin: PIN }));
    expect(error.kind).toBe(kind);
    expect(error.message).toMatch(reason);
  });

  test("an expired URL says so", async () => {
    peer.answer = (_request, response) => errorDocument(response, 403, "AccessDenied", "Request has expired");
    expect(await rejection(bound().open({ pin: PIN }))).toMatchObject({
      kind: "PermissionDenied",
      message: "the presigned URL has expired (403)",
    });
  });

  test.each([301, 302, 303, 307, 308])("a %i is refused and not followed", async (status) => {
    peer.answer = (_request, response) => {
      response.writeHead(status, { location: `${peer.server.origin}/bucket/elsewhere`, "content-length": 0 });
      response.end();
    };
    const error = await rejection(bound().open({ pin: PIN }));
    expect(error).toMatchObject({ kind: "Invalid" });
    expect(error.message).toMatch(/redirect/);
    expect(peer.server.seen).toHaveLength(1);
  });

  test.each<[string, Record<string, string | number>, number, boolean, RegExp]>([
    ["no ETag", { "last-modified": MODIFIED, "content-length": 5 }, 200, false, /no ETag/],
    ["no Last-Modified", { etag: `"${ETAG}"`, "content-length": 5 }, 200, false, /no Last-Modified/],
    [
      "a Last-Modified that is no date",
      { ...STATE, "last-modified": "yesterday", "content-length": 5 },
      200,
      false,
      /no Last-Mod/,
    ],
    ["no Content-Length", { ...STATE }, 200, false, /no Content-Length/],
    ["206 without a range", { ...STATE, "content-length": 5, "content-range": "bytes 0-4/5" }, 206, false, /without a range/],
    ["200 to a range", { ...STATE, "content-length": 5 }, 200, true, /a 200 to a request for a range/],
    ["no Content-Range", { ...STATE, "content-length": 5 }, 206, true, /no Content-Range/],
    ["another range", { ...STATE, "content-length": 5, "content-range": "bytes 1-5/9" }, 206, true, /another range/],
    ["a shorter range", { ...STATE, "content-length": 5, "content-range": "bytes 0-4/9" }, 206, true, /another range/],
    ["a range of unknown size", { ...STATE, "content-length": 5, "content-range": "bytes 0-4/*" }, 206, true, /no Content-Range/],
  ])("%s", async (_name, headers, status, ranged, reason) => {
    peer.answer = (_request, response) => {
      response.writeHead(status, headers);
      response.end("hello");
    };
    const range = ranged ? { range: { start: 0, end: 7 } } : {};
    const error = await rejection(bound().open({ pin: PIN, ...range }));
    expect(error.kind).toBe("Unexpected");
    expect(error.message).toMatch(reason);
  });

  test("a body that ends early is an error, never a shorter object", async () => {
    peer.answer = (_request, response) => {
      response.writeHead(200, { ...STATE, "content-length": 10 });
      response.write("hello", () => response.destroy());
    };
    const { body } = await bound().open({ pin: PIN });
    expect(await rejection(readAll(body, 100))).toMatchObject({ kind: "Unavailable" });
  });

  test("a body that stalls is an error", async () => {
    await peer.reader.close();
    peer.reader = makeReader({ timeouts: { bodyIdleMs: 300 } });
    peer.answer = (_request, response) => {
      response.writeHead(200, { ...STATE, "content-length": 10 });
      response.write("hello");
    };
    const { body } = await bound().open({ pin: PIN });
    expect(await rejection(readAll(body, 100))).toMatchObject({ kind: "Unavailable" });
  });

  test("headers that never come are an error", async () => {
    await peer.reader.close();
    peer.reader = makeReader({ timeouts: { headersMs: 300 } });
    peer.answer = () => undefined;
    expect(await rejection(bound().open({ pin: PIN }))).toMatchObject({ kind: "Unavailable" });
  });

  test("destroying the body ends the transfer", async () => {
    let closed: Promise<void> | undefined;
    peer.answer = (_request, response) => {
      closed = new Promise((resolve) => response.on("close", () => resolve()));
      response.writeHead(200, { ...STATE, "content-length": 10_000_000 });
      response.write(Buffer.alloc(1000));
    };
    const { body } = await bound().open({ pin: PIN });
    body.destroy();
    await closed;
    expect(body.destroyed).toBe(true);
  });

  test("aborting rejects the call, and breaks a body under way", async () => {
    const abort = new AbortController();
    peer.answer = () => abort.abort();
    expect(await rejection(bound().open({ pin: PIN, signal: abort.signal }))).toMatchObject({
      kind: "Unavailable",
      message: "the read was aborted",
    });

    const later = new AbortController();
    peer.answer = (_request, response) => {
      response.writeHead(200, { ...STATE, "content-length": 10 });
      response.write("hello");
    };
    const { body } = await bound().open({ pin: PIN, signal: later.signal });
    later.abort();
    expect(await rejection(readAll(body, 100))).toMatchObject({ kind: "Unavailable" });
  });

  test("a closed port is an error", async () => {
    const gone = await startHttps(() => undefined);
    await gone.close();
    const local = createSourceReader({ allowedSources: [{ origin: gone.origin, pathPrefix: "/" }], ca: gone.ca });
    expect(await rejection(local.bind(`${gone.origin}/a`, "a").open({ pin: PIN }))).toMatchObject({ kind: "Unavailable" });
    await local.close();
  });
});

describe("connections", () => {
  const turn = () => new Promise(setImmediate);
  const read = async (source = bound()) => {
    const text = String(await readAll((await source.open({ pin: PIN })).body, 100));
    await turn();
    return text;
  };

  test("a connection that was dropped silently costs one more handshake, and no failure", async () => {
    peer.answer = store(Buffer.from("hello"));
    const proxy = await startDroppingProxy(peer.server.port);
    const origin = `https://127.0.0.1:${proxy.port}`;
    const reader = makeReader({ allowedSources: [{ origin, pathPrefix: "/bucket/" }] });
    try {
      const source = reader.bind(`${origin}/bucket/key${QUERY}`, "key");
      await read(source);
      proxy.drop();
      expect(await read(source)).toBe("hello");
      expect([peer.server.seen.length, proxy.connections()]).toEqual([2, 2]);
    } finally {
      await reader.close();
      await proxy.close();
    }
  });

  test("opened ahead: no request is sent, and the first read needs no handshake", async () => {
    peer.answer = store(Buffer.from("hello"));
    const before = peer.server.connections();
    peer.reader.warm?.([url(), url()]);
    while (peer.server.connections() < before + 2) await turn();
    expect(peer.server.seen).toHaveLength(0);
    expect(await Promise.all([read(), read()])).toEqual(["hello", "hello"]);
    expect(peer.server.connections() - before).toBe(2);
  });

  test.each([
    "https://evil.example.com/bucket/key",
    "http://127.0.0.1/bucket/key",
    "https://127.0.0.1.evil.example.com/bucket/key",
  ])("no connection is opened ahead to %s", (evil) => {
    const resolved: string[] = [];
    const reader = makeReader({
      lookup: (hostname, _options, callback) => {
        resolved.push(hostname);
        callback(null, []);
      },
    });
    const before = peer.server.connections();
    reader.warm?.([evil]);
    expect([resolved, peer.server.connections()]).toEqual([[], before]);
  });
});
