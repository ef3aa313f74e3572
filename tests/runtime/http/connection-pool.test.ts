import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import { createServer as createTlsServer } from "node:tls";
import type { Dispatcher } from "undici";
import { type ConnectionOptions, createAgent, type HttpAgent } from "../../../runtime/http/agent";
import { openConnections } from "../../../runtime/http/connections";
import { systemClock } from "../../../runtime/protocol/ports";
import { testCertificate } from "../support/https-server";

let server: Server;
let origin: string;
let sockets: Socket[];
let requests: string[];
let onRequest: (socket: Socket, path: string) => void;
let agent: HttpAgent;

beforeEach(() => listen(createServer(), "127.0.0.1"));
afterEach(async () => {
  await agent.destroy();
  for (const socket of sockets) socket.destroy();
  server.close();
  await once(server, "close");
});

async function listen(made: Server, address: string): Promise<void> {
  sockets = [];
  requests = [];
  server = made;
  server.on("setSecureContext" in server ? "secureConnection" : "connection", (socket: Socket) => {
    sockets.push(socket);
    socket.on("error", () => undefined);
    socket.on("data", (bytes: Buffer) => {
      for (const [, path = ""] of bytes.toString("latin1").matchAll(/^[A-Z]+ (\S+) HTTP/gm)) {
        requests.push(path);
        onRequest(socket, path);
      }
    });
  });
  server.listen(0, address);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  origin = `http://${address.includes(":") ? `[${address}]` : address}:${port}`;
  open();
}

function open(options: ConnectionOptions = {}): void {
  agent = createAgent({ answerTimeoutMs: 2_000, bodyIdleMs: 2_000, ...options });
}

const get = (path = "/", options: Partial<Dispatcher.RequestOptions> = {}) =>
  agent.request({ origin, path, method: "GET", ...options });
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/** The events of one request, by a handler. */
function dispatch(path: string, handler: Partial<Dispatcher.DispatchHandler> = {}) {
  return new Promise<string>((resolve) => {
    agent.dispatch(
      { origin, path, method: "GET" },
      {
        onConnect: () => undefined,
        onHeaders: () => true,
        onData: () => true,
        onComplete: () => resolve("complete"),
        onError: (error) => resolve(`${(error as { code?: string }).code ?? error.message}`),
        ...handler,
      },
    );
  });
}

test("a request that is given up after its answer leaves the connection to the next one", async () => {
  onRequest = (socket, path) => (path === "/first" ? socket.write(OK) : undefined);
  let abort: (error?: Error) => void = () => undefined;
  await dispatch("/first", {
    onConnect: (given) => {
      abort = given;
    },
  });
  const second = get("/second");
  while (requests.length < 2) await setImmediate();
  abort(new Error("too late"));
  sockets[0]?.write(OK);
  expect(await (await second).body.text()).toBe("ok");
  expect(sockets).toHaveLength(1);
});

test("a body that is destroyed unread after it arrived leaves the connection to the next request", async () => {
  onRequest = (socket, path) => (path === "/first" ? socket.write(OK) : undefined);
  const { body } = await get("/first");
  await setImmediate();
  const second = get("/second");
  while (requests.length < 2) await setImmediate();
  body.on("error", () => undefined).destroy();
  sockets[0]?.write(OK);
  expect(await (await second).body.text()).toBe("ok");
});

test("an address of IPv6 is connected to", async () => {
  server.close();
  await once(server, "close");
  await listen(createServer(), "::1");
  onRequest = (socket) => socket.write(OK);
  expect(await (await get()).body.text()).toBe("ok");
});

test("a server that closes right after its answer gets the next request on another connection", async () => {
  server.close();
  await once(server, "close");
  const { private: key, cert } = await testCertificate();
  await listen(createTlsServer({ key, cert }) as Server, "127.0.0.1");
  origin = origin.replace("http:", "https:");
  open({ ca: cert, connections: 1 });
  onRequest = (socket) => {
    // The answer and the end of TLS arrive in one read.
    socket.cork();
    socket.end(OK);
    process.nextTick(() => socket.uncork());
  };
  const texts = await Promise.all(["/1", "/2", "/3"].map(async (path) => (await get(path)).body.text()));
  expect(texts).toEqual(["ok", "ok", "ok"]);
  expect(requests).toEqual(["/1", "/2", "/3"]);
});

test("bytes after an answer are never the answer to the next request", async () => {
  await agent.destroy();
  open({ connections: 1 });
  onRequest = (socket, path) => {
    socket.write(OK);
    if (path === "/1") socket.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong");
  };
  const texts = await Promise.all(["/1", "/2"].map(async (path) => (await get(path)).body.text()));
  expect(texts).toEqual(["ok", "ok"]);
});

test("a request that was made before `close` ends normally, also after a pause", async () => {
  onRequest = (socket) => socket.write(OK);
  await (await get()).body.text();
  await setImmediate();
  const now = jest.spyOn(systemClock, "now").mockReturnValue(Date.now() + 60_000);
  const late = get();
  const closed = agent.close();
  now.mockRestore();
  expect(await (await late).body.text()).toBe("ok");
  await closed;
  await agent.close();
  await expect(get()).rejects.toMatchObject({ code: "UND_ERR_DESTROYED" });
});

test("a request that is open when the connections are closed is not sent again", async () => {
  const connections = openConnections();
  onRequest = () => undefined;
  const waiting = connections.request({ origin, path: "/", method: "GET" }, "always");
  const failed = expect(waiting).rejects.toMatchObject({ code: "UND_ERR_DESTROYED" });
  while (requests.length < 1) await setImmediate();
  await connections.close();
  await failed;
  expect(requests).toHaveLength(1);
});

test.each<[string, Partial<Dispatcher.DispatchHandler>]>([
  ["onData", { onData: () => fail() }],
  ["onComplete", { onComplete: () => fail() }],
  ["onHeaders", { onHeaders: () => fail() }],
])("an error of a handler in %s ends its request only", async (_name, handler) => {
  onRequest = (socket) => {
    socket.write(OK.slice(0, -1));
    setTimeout(() => socket.write("k"), 5);
  };
  expect(await dispatch("/", handler)).toBe("the handler failed");
});

function fail(): never {
  throw new Error("the handler failed");
}

test.each<[string, Partial<Dispatcher.RequestOptions>]>([
  ["a path with a space", { path: "/a b" }],
  ["a name that is no name", { headers: { "a: b": "c" } }],
  ["a length without a body", { headers: { "content-length": "3" } }],
  ["a length that is not that of the body", { method: "PUT", body: "ab", headers: { "content-length": "3" } }],
])("%s is a mistake of the caller, and nothing is sent", async (_name, options) => {
  onRequest = (socket) => socket.write(OK);
  await expect(get("/", options)).rejects.toMatchObject({ code: "UND_ERR_INVALID_ARG" });
  expect(requests).toEqual([]);
});

test("a request takes the newest connection that is being opened", async () => {
  onRequest = (socket) => socket.write(OK);
  const asked: string[] = [];
  await agent.destroy();
  open({
    lookup: (name, _options, done) => {
      asked.push(name);
      // The first one never hears of its address, as after a freeze.
      if (asked.length > 1) done(null, [{ address: "127.0.0.1", family: 4 }] as never);
    },
  });
  origin = origin.replace("127.0.0.1", "store.example");
  agent.warm(origin, 1);
  agent.warm(origin, 1);
  expect(await (await get()).body.text()).toBe("ok");
});

test("hundreds of requests that are given up while they wait leave room for the others", async () => {
  await agent.destroy();
  open({ connections: 1 });
  onRequest = (socket) => setTimeout(() => socket.write(OK), 5);
  const first = get("/first");
  const giveUp = new AbortController();
  const given = Array.from({ length: 3_000 }, () => get("/", { signal: giveUp.signal }).catch((error: Error) => error.name));
  const last = get("/last");
  giveUp.abort();
  await (await first).body.text();
  expect(new Set(await Promise.all(given))).toEqual(new Set(["AbortError"]));
  expect(await (await last).body.text()).toBe("ok");
  expect(requests).toEqual(["/first", "/last"]);
});
