/** Checks that read no bytes, and the addresses that a reader connects to. */
import { spawn } from "node:child_process";
import type { LookupAddress } from "node:dns";
import type { ServerResponse } from "node:http";
import { resolve } from "node:path";
import { createSourceReader } from "../../../runtime/replication/source-reader";
import type { BridgeErrorKind } from "../../../runtime/stores/errors";
import { readAll } from "../../../runtime/stores/read-all";
import type { SeenRequest } from "../support/https-server";

import {
  bound,
  ETAG,
  errorDocument,
  makeReader,
  PIN,
  peer,
  rejection,
  STATE,
  store,
  url,
  useSource,
} from "./source-reader-fixture";

useSource();

describe("isCurrent", () => {
  test("moves one byte at most", async () => {
    peer.answer = store(Buffer.from("hello"));
    expect(await bound().isCurrent({ pin: PIN })).toBe(true);
    expect(peer.server.seen).toMatchObject([{ headers: { range: "bytes=0-0", "if-match": `"${ETAG}"` } }]);
  });

  test("repeated checks use the same connections", async () => {
    peer.answer = store(Buffer.from("hello"));
    const before = peer.server.connections();
    for (let ask = 0; ask < 5; ask++) {
      expect(await bound().isCurrent({ pin: PIN })).toBe(true);
      expect(await bound().isCurrent({ pin: { ...PIN, etag: "old" } })).toBe(false);
    }
    // The next request may begin while the last byte of the previous answer is in flight.
    expect(peer.server.connections() - before).toBeLessThanOrEqual(2);
  });

  test("an object that is gone or replaced is not current", async () => {
    peer.answer = store(Buffer.from("new"), { etag: "other" });
    expect(await bound().isCurrent({ pin: PIN })).toBe(false);
    peer.answer = (_request, response) => errorDocument(response, 404, "NoSuchKey");
    expect(await bound().isCurrent({ pin: PIN })).toBe(false);
  });

  test("an empty object that is current, and one that is not", async () => {
    peer.answer = store(Buffer.alloc(0));
    expect(await bound().isCurrent({ pin: PIN })).toBe(true);
    peer.answer = store(Buffer.alloc(0), { etag: "other" });
    expect(await bound().isCurrent({ pin: PIN })).toBe(false);
  });

  test("a store that checks the range before the condition does not make an old empty object current", async () => {
    peer.answer = (request, response) => {
      if (request.headers.range !== undefined) errorDocument(response, 416, "InvalidRange");
      else store(Buffer.alloc(0), { etag: "other" })(request, response);
    };
    expect(await bound().isCurrent({ pin: PIN })).toBe(false);
  });

  test("a server that ignores the range is answered without reading the object", async () => {
    peer.answer = (_request, response) => {
      response.writeHead(200, { ...STATE, "content-length": 10_000_000 });
      response.write(Buffer.alloc(1000));
    };
    expect(await bound().isCurrent({ pin: PIN })).toBe(true);
  });

  test("a server that ignores If-Match is not believed", async () => {
    peer.answer = (request, response) =>
      store(Buffer.from("new"), { etag: "other" })({ ...request, headers: { range: "bytes=0-0" } }, response);
    expect(await bound().isCurrent({ pin: PIN })).toBe(false);
  });

  test("anything else is an error, not an answer", async () => {
    peer.answer = (_request, response) => errorDocument(response, 403, "AccessDenied");
    expect((await rejection(bound().isCurrent({ pin: PIN }))).kind).toBe("PermissionDenied");
    peer.answer = (_request, response) => errorDocument(response, 404, "NoSuchBucket");
    expect((await rejection(bound().isCurrent({ pin: PIN }))).kind).toBe("NoSuchBucket");
  });
});

describe("tags", () => {
  const document = (tags: string) => (_request: SeenRequest, response: ServerResponse) => {
    const body = `<?xml version="1.0"?><Tagging xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><TagSet>${tags}</TagSet></Tagging>`;
    response.writeHead(200, { "content-type": "application/xml", "content-length": Buffer.byteLength(body) });
    response.end(body);
  };
  const tagsUrl = () => url().replace("?", "?tagging=&");
  const tags = () => peer.reader.bind(url(), "key", tagsUrl()).tags();

  test("as the source has them now, without the status tags of bridges", async () => {
    peer.answer = document(
      "<Tag><Key>a&amp;b</Key><Value>\u4e2d</Value></Tag><Tag><Key>empty</Key><Value></Value></Tag>" +
        "<Tag><Key>crossborderbridge-status-x</Key><Value>PENDING</Value></Tag>",
    );
    expect(await tags()).toEqual({ "a&b": "\u4e2d", empty: "" });
    expect(peer.server.seen).toMatchObject([{ method: "GET", url: "/bucket/key?tagging=&X-Amz-Signature=never-shown" }]);
    peer.answer = document("");
    expect(await tags()).toEqual({});
  });

  test.each<[string, number, string, BridgeErrorKind]>([
    ["a page of a proxy", 200, "<html>hello</html>", "Unexpected"],
    ["no set", 200, "<Tagging></Tagging>", "Unexpected"],
    ["a missing object", 404, "<Error><Code>NoSuchKey</Code></Error>", "NotFound"],
    ["a refusal", 403, "<Error><Code>AccessDenied</Code></Error>", "PermissionDenied"],
  ])("%s is an error, not an object without tags", async (_name, status, body, kind) => {
    peer.answer = (_request, response) => {
      response.writeHead(status, { "content-length": body.length });
      response.end(body);
    };
    expect((await rejection(tags())).kind).toBe(kind);
  });

  test("a URL of other tags, and one that reads no tags, are refused", async () => {
    expect(() => peer.reader.bind(url(), "key", tagsUrl().replace("/key", "/other"))).toThrow(/another key/);
    expect(() => peer.reader.bind(url(), "key", url())).toThrow(/does not read the object's tags/);
    expect(() => peer.reader.bind(url(), "key", tagsUrl().replace("tagging=", "tagging=&tagging="))).toThrow(/does not read/);
    expect(() => peer.reader.bind(url(), "key", tagsUrl().replace("tagging=", "tagging=&versionId=1"))).toThrow(/a parameter/);
    expect(() => peer.reader.bind(tagsUrl(), "key")).toThrow(/a parameter/);
    expect((await rejection(bound().tags())).kind).toBe("Unsupported");
  });
});

describe("isAbsent", () => {
  test("only when the store itself says so", async () => {
    peer.answer = (_request, response) => errorDocument(response, 404, "NoSuchKey");
    expect(await bound().isAbsent()).toBe(true);
    expect(peer.server.seen[0]?.headers).not.toHaveProperty("if-match");
  });

  test("a present object is not absent, even an empty one", async () => {
    peer.answer = store(Buffer.from("hello"));
    expect(await bound().isAbsent()).toBe(false);
    peer.answer = store(Buffer.alloc(0));
    expect(await bound().isAbsent()).toBe(false);
  });

  test.each<[number, string, BridgeErrorKind]>([
    [403, "AccessDenied", "PermissionDenied"],
    [404, "NoSuchBucket", "NoSuchBucket"],
    [400, "NoSuchKey", "Invalid"],
    [403, "NoSuchKey", "PermissionDenied"],
    [410, "NoSuchKey", "Unexpected"],
    [404, "", "Unexpected"],
    [500, "NoSuchKey", "Unavailable"],
    [503, "SlowDown", "RateLimited"],
    [302, "", "Invalid"],
  ])("%i %s is an error, so that nothing is deleted on it", async (status, code, kind) => {
    peer.answer = (_request, response) => errorDocument(response, status, code);
    expect((await rejection(bound().isAbsent())).kind).toBe(kind);
  });
});

describe("the addresses that are connected to", () => {
  const PUBLIC_LOOKING = "bucket.example.com";
  const named = (addresses: LookupAddress[]) =>
    makeReader({
      allowedSources: [{ origin: `https://${PUBLIC_LOOKING}:${peer.server.port}`, pathPrefix: "/" }],
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
    peer.answer = store(Buffer.from("x"));
    const error = await rejection(local.bind(`https://${PUBLIC_LOOKING}:${peer.server.port}/a`, "a").open({ pin: PIN }));
    expect(error).toMatchObject({ kind: "Invalid" });
    expect(error.message).toMatch(/private address/);
    expect(peer.server.seen).toHaveLength(0);
    await local.close();
  });

  test("localhost by name is refused, the literal the operator wrote is not", async () => {
    const local = makeReader({ allowedSources: [{ origin: `https://localhost:${peer.server.port}`, pathPrefix: "/" }] });
    peer.answer = store(Buffer.from("x"));
    expect((await rejection(local.bind(`https://localhost:${peer.server.port}/a`, "a").open({ pin: PIN }))).kind).toBe("Invalid");
    await local.close();
    await readAll((await bound().open({ pin: PIN })).body, 10);
    expect(peer.server.seen).toHaveLength(1);
  });

  test("a certificate that is not trusted is refused", async () => {
    const local = createSourceReader({ allowedSources: [{ origin: peer.server.origin, pathPrefix: "/" }] });
    expect((await rejection(local.bind(url(), "bucket/key").open({ pin: PIN }))).kind).toBe("Unavailable");
    expect(peer.server.seen).toHaveLength(0);
    await local.close();
  });

  test("a certificate is checked even where the environment disables the check", async () => {
    // A process of its own: Node reads this variable from the real environment, which jest keeps from its tests.
    const script = `
      const { createSourceReader } = require(process.argv[1]);
      const reader = createSourceReader({ allowedSources: [{ origin: process.argv[2], pathPrefix: "/" }] });
      reader.bind(process.argv[2] + "/a", "a").open({ pin: { etag: "e", lastModified: "2026-11-29T10:00:00.000Z" } })
        .then(() => "read", (error) => error.kind + " " + error.cause.code)
        .then((outcome) => process.stdout.write(outcome, () => process.exit(0)));`;
    const module = resolve(__dirname, "../../../runtime/replication/source-reader.ts");
    const child = spawn(process.execPath, ["--import", "tsx", "-e", script, module, peer.server.origin], {
      env: { ...process.env, NODE_TLS_REJECT_UNAUTHORIZED: "0" },
    });
    peer.answer = store(Buffer.from("x"));
    let outcome = "";
    child.stdout.on("data", (chunk) => {
      outcome += String(chunk);
    });
    await new Promise((done) => child.on("close", done));
    expect(outcome).toBe("Unavailable DEPTH_ZERO_SELF_SIGNED_CERT");
    expect(peer.server.seen).toHaveLength(0);
  });

  test("a name that does not resolve is temporary", async () => {
    const local = makeReader({
      allowedSources: [{ origin: `https://${PUBLIC_LOOKING}`, pathPrefix: "/" }],
      lookup: (_hostname, _options, callback) => callback(Object.assign(new Error("no such name"), { code: "ENOTFOUND" }), []),
    });
    expect((await rejection(local.bind(`https://${PUBLIC_LOOKING}/a`, "a").open({ pin: PIN }))).kind).toBe("Unavailable");
    await local.close();
  });

  test("a URL that is not allowed is not bound, and binding connects to nothing", () => {
    const before = peer.server.connections();
    expect(() => peer.reader.bind("https://evil.example.com/a", "a")).toThrow(
      expect.objectContaining({ kind: "HostRefused", message: expect.stringMatching(/host and port/) }),
    );
    expect(() => bound()).not.toThrow();
    expect(peer.server.connections()).toBe(before);
  });
});

function _emptyRequest(): SeenRequest {
  return { method: "GET", url: "/", headers: {}, body: Buffer.alloc(0) };
}
