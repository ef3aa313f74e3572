import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { Socket } from "node:net";
import { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import type { Dispatcher } from "undici";
import { createAgent, type HttpAgent } from "../../../runtime/http/agent";
import { systemClock } from "../../../runtime/protocol/ports";
import { type Answer, startHttps, type TestServer } from "../support/https-server";
import { type SocketServer, startSocketServer } from "../support/socket-server";

const LARGE = randomBytes(5 * 1024 ** 2 + 17);

let agent: HttpAgent;
afterEach(() => agent.destroy());

function get(origin: string, options: Partial<Dispatcher.RequestOptions> = {}) {
  return agent.request({ origin, path: "/key", method: "GET", ...options });
}

async function bytesOf(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe("from a server over TLS", () => {
  let server: TestServer;
  let answer: Answer;
  beforeAll(async () => {
    server = await startHttps((seen, response) => answer(seen, response));
  });
  afterAll(() => server.close());
  beforeEach(() => {
    server.seen.length = 0;
    agent = createAgent({ ca: server.ca });
    answer = (_seen, response) => {
      response.writeHead(200, { "content-length": LARGE.length, "x-amz-meta-note": "caf\u00e9" });
      response.end(LARGE);
    };
  });

  test("answers arrive whole, one after the other on one connection", async () => {
    const before = server.connections();
    for (let time = 0; time < 3; time++) {
      const { statusCode, headers, body } = await get(server.origin, { headers: { range: "bytes=0-9" } });
      expect([statusCode, headers["x-amz-meta-note"]]).toEqual([200, "caf\u00e9"]);
      expect((await bytesOf(body)).equals(LARGE)).toBe(true);
    }
    expect(server.connections() - before).toBe(1);
    expect(server.seen.map(({ method, url, headers }) => [method, url, headers.range, headers.host])).toEqual(
      Array(3).fill(["GET", "/key", "bytes=0-9", `127.0.0.1:${server.port}`]),
    );
  });

  test("a connection is read again where the end of a body arrived while its reader paused", async () => {
    answer = (seen, response) => {
      const size = Number(seen.url.slice(1));
      response.writeHead(200, { "content-length": size }).end(LARGE.subarray(0, size));
    };
    const before = server.connections();
    // With some of these sizes the last record was decrypted already when the reader paused.
    for (let size = 64 * 1024; size < 84 * 1024; size += 1024) {
      let received = 0;
      await new Promise<void>((resolve, reject) => {
        const onData = (piece: Buffer) => {
          received += piece.length;
          return false;
        };
        const handler = {
          onConnect: () => undefined,
          onHeaders: () => true,
          onData,
          onComplete: () => resolve(),
          onError: reject,
        };
        agent.dispatch({ origin: server.origin, path: `/${size}`, method: "GET", headersTimeout: 1_000 }, handler);
      });
      expect(received).toBe(size);
    }
    expect(server.connections() - before).toBe(1);
  });

  test("answers at the same time have connections of their own", async () => {
    const before = server.connections();
    const bodies = await Promise.all([1, 2, 3].map(async () => bytesOf((await get(server.origin)).body)));
    expect(bodies.every((body) => body.equals(LARGE))).toBe(true);
    expect(server.connections() - before).toBe(3);
  });

  test("a reader that pauses gets every byte, and is not taken for a server that is silent", async () => {
    await agent.destroy();
    agent = createAgent({ ca: server.ca, bodyIdleMs: 20 });
    const { body } = await get(server.origin);
    // The reader waits for longer than the limit.
    await new Promise((resolve) => setTimeout(resolve, 100));
    const chunks: Buffer[] = [];
    for await (const chunk of body) {
      chunks.push(chunk);
      await setImmediate();
    }
    expect(Buffer.concat(chunks).equals(LARGE)).toBe(true);
  });

  test.each(["HEAD", "GET", "PUT", "POST", "DELETE"] as const)("a %s without a body is one request", async (method) => {
    answer = (_seen, response) => {
      response.writeHead(method === "DELETE" ? 204 : 200, method === "HEAD" ? { "content-length": 5 } : {});
      response.end(method === "GET" ? "hello" : undefined);
    };
    const before = server.connections();
    for (let time = 0; time < 2; time++) {
      const { body } = await get(server.origin, { method });
      expect(await body.text()).toBe(method === "GET" ? "hello" : "");
    }
    expect(server.seen.map(({ method, headers }) => [method, headers["content-length"]])).toEqual(
      Array(2).fill([method, ["PUT", "POST"].includes(method) ? "0" : undefined]),
    );
    expect(server.connections() - before).toBe(1);
  });

  test.each([1, 64 * 1024, 64 * 1024 + 1, LARGE.length])("a body of %d bytes arrives as it is", async (size) => {
    answer = (_seen, response) => response.end("ok");
    const body = LARGE.subarray(0, size);
    for (const given of [body, Readable.from([body.subarray(0, 1), body.subarray(1)].filter(({ length }) => length > 0))]) {
      const headers = given instanceof Readable ? { "content-length": `${size}` } : {};
      await (await get(server.origin, { method: "PUT", body: given, headers })).body.text();
    }
    expect(server.seen.map((seen) => seen.body.equals(body))).toEqual([true, true]);
    expect(server.seen.map(({ headers }) => headers["content-length"])).toEqual([`${size}`, `${size}`]);
  });

  test("a header without a value is not sent", async () => {
    await bytesOf((await get(server.origin, { headers: { range: undefined, "x-here": "" } as never })).body);
    expect(server.seen.map(({ headers }) => [headers.range, headers["x-here"]])).toEqual([[undefined, ""]]);
  });

  test("a body of text is sent as UTF-8", async () => {
    answer = (_seen, response) => response.end("ok");
    await (await get(server.origin, { method: "POST", body: "\u6587\u4ef6" })).body.text();
    expect(server.seen.map(({ body, headers }) => [`${body}`, headers["content-length"]])).toEqual([["\u6587\u4ef6", "6"]]);
  });

  test("bytes that are no ASCII leave and arrive as they are", async () => {
    answer = (seen, response) => {
      response.writeHead(200, { "x-amz-meta-back": seen.headers["x-amz-meta-note"] as string });
      response.end();
    };
    const utf8 = Buffer.from("\u6587\u4ef6").toString("latin1");
    const { headers } = await get(server.origin, { headers: { "x-amz-meta-note": utf8 } });
    expect(headers["x-amz-meta-back"]).toBe(utf8);
  });

  test.each([
    ["shorter", 3, "the body has 2 bytes"],
    ["longer", 1, "the body has 2 bytes"],
  ])("a stream that is %s than promised ends its request", async (_name, promised, message) => {
    answer = (_seen, response) => response.end("ok");
    const body = Readable.from([Buffer.from("ab")]);
    await expect(get(server.origin, { method: "PUT", body, headers: { "content-length": `${promised}` } })).rejects.toThrow(
      message,
    );
    expect(server.seen).toHaveLength(0);
  });

  test("a stream that breaks ends its request with its error", async () => {
    const body = Readable.from(
      (async function* () {
        yield Buffer.from("ab");
        throw new Error("the source broke");
      })(),
    );
    await expect(get(server.origin, { method: "PUT", body, headers: { "content-length": "9" } })).rejects.toThrow(
      "the source broke",
    );
  });

  test("no more connections are open than allowed, and the others wait their turn", async () => {
    await agent.destroy();
    agent = createAgent({ ca: server.ca, connections: 2 });
    answer = (seen, response) => void response.end(seen.url);
    await (await get(server.origin)).body.text();
    const before = server.connections();
    const texts = await Promise.all(
      Array.from({ length: 20 }, async (_none, at) => (await get(server.origin, { path: `/${at}` })).body.text()),
    );
    expect(texts).toEqual(Array.from({ length: 20 }, (_none, at) => `/${at}`));
    expect(server.connections() - before).toBe(1);
  });

  test("an answer in chunks is put together", async () => {
    answer = (_seen, response) => {
      response.writeHead(503, { "content-type": "application/xml" });
      response.write("<Error>");
      response.end("</Error>");
    };
    const { statusCode, body } = await get(server.origin);
    expect([statusCode, await body.text()]).toEqual([503, "<Error></Error>"]);
    expect(server.seen).toHaveLength(1);
  });

  test("a connection that the server closes in a pause is not used again", async () => {
    await bytesOf((await get(server.origin)).body);
    await server.closeIdle();
    await setImmediate();
    expect((await bytesOf((await get(server.origin)).body)).equals(LARGE)).toBe(true);
  });

  test("the next connection resumes the session", async () => {
    const before = server.resumed();
    await bytesOf((await get(server.origin)).body);
    await server.closeIdle();
    await setImmediate();
    await bytesOf((await get(server.origin)).body);
    expect(server.resumed() - before).toBe(1);
  });

  test("a server whose certificate is not trusted gets no request", async () => {
    await agent.destroy();
    agent = createAgent();
    await expect(get(server.origin)).rejects.toMatchObject({ code: "DEPTH_ZERO_SELF_SIGNED_CERT" });
    expect(server.seen).toHaveLength(0);
  });

  test("close waits for the answer in flight", async () => {
    const { body } = await get(server.origin);
    const closed = agent.close();
    expect((await bytesOf(body)).equals(LARGE)).toBe(true);
    await closed;
  });

  test("a line break in a header or a path sends nothing", async () => {
    await expect(get(server.origin, { headers: { range: "bytes=0-1\r\nx: y" } })).rejects.toThrow("cannot be sent");
    await expect(get(server.origin, { path: "/a\nb" })).rejects.toThrow('cannot have the path "/a\\nb"');
    expect(server.seen).toHaveLength(0);
    // The connection is as good as before.
    await bytesOf((await get(server.origin)).body);
  });
});

describe("from a server that answers with the bytes of the test", () => {
  let server: SocketServer;
  let origin: string;
  let sockets: Socket[];
  let onRequest: (socket: Socket) => void;
  beforeEach(async () => {
    server = await startSocketServer((socket) => onRequest(socket));
    ({ origin, sockets } = server);
    agent = createAgent({ answerTimeoutMs: 200, bodyIdleMs: 200 });
  });
  afterEach(() => server.close());

  const HEAD = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n";

  test("bytes that arrive alone are passed on at once, whatever way the answer is cut", async () => {
    onRequest = async (socket) => {
      for (const byte of HEAD) {
        socket.write(byte);
        await setImmediate();
      }
      socket.write("01234");
    };
    const { body } = await get(origin);
    const [first] = (await once(body, "data")) as [Buffer];
    expect(first.toString()).toBe("01234");
    sockets[0]?.write("56789");
    expect((await bytesOf(body)).toString()).toBe("56789");
  });

  test("a body that ends early is an error", async () => {
    onRequest = (socket) => socket.end(`${HEAD}01234`);
    const { body } = await get(origin);
    await expect(bytesOf(body)).rejects.toMatchObject({ code: "UND_ERR_SOCKET" });
  });

  test("an end without an answer is an error", async () => {
    onRequest = (socket) => socket.end();
    await expect(get(origin)).rejects.toMatchObject({ code: "UND_ERR_SOCKET" });
  });

  test.each([
    ["that is longer than promised", `${HEAD}0123456789more`],
    ["after which the server closes", `HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 10\r\n\r\n0123456789`],
    [
      "after which the server waits for 1 second",
      `HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 10\r\n\r\n0123456789`,
    ],
  ])("a body %s leaves no connection for the next request", async (_name, text) => {
    onRequest = (socket) => socket.write(text);
    for (let time = 0; time < 2; time++) expect((await bytesOf((await get(origin)).body)).toString()).toBe("0123456789");
    expect(sockets).toHaveLength(2);
  });

  test("a server that sends what nobody asked for loses its connection", async () => {
    onRequest = (socket) => socket.write(`${HEAD}0123456789`);
    await bytesOf((await get(origin)).body);
    const [socket] = sockets as [Socket];
    socket.write(`${HEAD}abcdefghij`);
    await once(socket, "close");
    expect((await bytesOf((await get(origin)).body)).toString()).toBe("0123456789");
  });

  test("a connection that the server closed while the process was frozen is not used", async () => {
    onRequest = (socket) => socket.write(`${HEAD}0123456789`);
    await bytesOf((await get(origin)).body);
    const now = jest.spyOn(systemClock, "now").mockReturnValue(Date.now() + 60_000);
    try {
      // The client cannot have heard of it before its next request.
      sockets[0]?.destroy();
      expect((await bytesOf((await get(origin)).body)).toString()).toBe("0123456789");
    } finally {
      now.mockRestore();
    }
    expect(sockets).toHaveLength(2);
  });

  test("a silent server ends in an error with the code of undici", async () => {
    onRequest = () => undefined;
    await expect(get(origin)).rejects.toMatchObject({ code: "UND_ERR_HEADERS_TIMEOUT" });
    onRequest = (socket) => socket.write(`${HEAD}01`);
    const { body } = await get(origin);
    await expect(bytesOf(body)).rejects.toMatchObject({ code: "UND_ERR_BODY_TIMEOUT" });
  });

  test("a request is ended by its signal, before its answer and during it", async () => {
    onRequest = () => aborting.abort(new Error("no longer"));
    let aborting = new AbortController();
    await expect(get(origin, { signal: aborting.signal })).rejects.toThrow("no longer");
    aborting = new AbortController();
    onRequest = (socket) => socket.write(`${HEAD}01`);
    const { body } = await get(origin, { signal: aborting.signal });
    aborting.abort(new Error("no longer"));
    await expect(bytesOf(body)).rejects.toThrow("no longer");
    await Promise.all(sockets.map((socket) => socket.destroyed || once(socket, "close")));
  });

  test("a head without an end is not kept", async () => {
    onRequest = (socket) => socket.write(`HTTP/1.1 200 OK\r\nx: ${"x".repeat(64 * 1024)}`);
    await expect(get(origin)).rejects.toMatchObject({ code: "UND_ERR_HEADERS_OVERFLOW" });
  });

  test("a notice before the answer is passed over", async () => {
    onRequest = (socket) =>
      socket.write(`HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n${HEAD}0123456789`);
    expect((await bytesOf((await get(origin)).body)).toString()).toBe("0123456789");
  });

  test("a body without a length lasts until the connection ends", async () => {
    onRequest = (socket) => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n01234");
      setTimeout(() => socket.end("56789"), 10);
    };
    for (let time = 0; time < 2; time++) expect((await bytesOf((await get(origin)).body)).toString()).toBe("0123456789");
    expect(sockets).toHaveLength(2);
  });

  test("an answer before the end of a stream ends the stream", async () => {
    onRequest = (socket) => socket.write("HTTP/1.1 412 Precondition Failed\r\nContent-Length: 0\r\n\r\n");
    const body = new Readable({ read: () => undefined });
    body.push("ab");
    const { statusCode } = await get(origin, { method: "PUT", body, headers: { "content-length": "9" } });
    expect(statusCode).toBe(412);
    expect(body.destroyed).toBe(true);
    const [socket] = sockets as [Socket];
    if (!socket.destroyed) await once(socket, "close");
  });

  test("destroy breaks the answer in flight", async () => {
    onRequest = (socket) => socket.write(`${HEAD}01`);
    const { body } = await get(origin);
    const broken = expect(bytesOf(body)).rejects.toThrow("closed");
    await agent.destroy();
    await broken;
  });
});
