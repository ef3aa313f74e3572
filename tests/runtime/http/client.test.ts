/** The request layer by itself, with errors of its own. */
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { Readable } from "node:stream";
import { type Call, type CallErrors, HttpClient } from "../../../runtime/http/client";
import { RenewingAgent } from "../../../runtime/http/renewing-agent";
import { SentBody } from "../../../runtime/stores/sent-body";

class Refused extends Error {
  constructor(
    readonly status: number,
    readonly mayHaveLanded: boolean,
    readonly retryAfterSeconds?: number,
  ) {
    super(`refused with ${status}`);
  }
}
class Broken extends Error {}
class Aborted extends Error {}

const errors: CallErrors = {
  refused: (_op, { status, headers }, mayHaveLanded) =>
    new Refused(status, mayHaveLanded, headers["retry-after"] === undefined ? undefined : Number(headers["retry-after"])),
  broken: (_op, cause) => (cause instanceof Refused ? cause : new Broken("broken", { cause })),
  aborted: (_op, cause) => new Aborted("aborted", { cause }),
  isTransient: (error) => error instanceof Broken || (error instanceof Refused && error.status >= 500),
};

const EMPTY = "content-length: 0\r\n\r\n";
const OK = `HTTP/1.1 200 OK\r\n${EMPTY}`;

/** Each connection in order, and the requests of it so far, as text. */
class Sockets {
  readonly sockets: Socket[] = [];
  readonly requests: string[] = [];
  readonly server = createServer((socket) => {
    this.sockets.push(socket);
    socket.on("error", () => undefined);
    socket.on("data", (chunk) => this.onData(socket, chunk.toString("latin1")));
  });
  /** Answers a piece of a request. */
  onData: (socket: Socket, text: string) => void = (socket, text) => {
    this.requests.push(text);
    socket.write(OK);
  };
}

let server: Sockets;
let agent: RenewingAgent;
let nowMs = 0;
const signedAt: number[] = [];

beforeEach(async () => {
  server = new Sockets();
  server.server.listen(0, "127.0.0.1");
  await once(server.server, "listening");
  agent = new RenewingAgent({}, { now: () => nowMs });
  nowMs = Date.UTC(2026, 0, 1);
  signedAt.length = 0;
});
afterEach(async () => {
  await agent.destroy();
  for (const socket of server.sockets) socket.destroy();
  server.server.close();
});

function client(options: { answerTimeoutMs?: number } = {}): HttpClient<Call> {
  const origin = `http://127.0.0.1:${(server.server.address() as AddressInfo).port}`;
  return new HttpClient<Call>({
    dispatcher: agent,
    errors,
    now: () => nowMs,
    random: () => 0,
    ...options,
    sign: (call, at) => {
      signedAt.push(at);
      return { origin, path: "/k", headers: { ...call.headers } };
    },
  });
}

const get = (extra: Partial<Call> = {}): Call => ({ op: "get", method: "GET", ...extra });
const statusOf = ({ status }: { status: number }) => status;

test("calls one after another use one connection, HEAD included", async () => {
  const http = client();
  for (const method of ["HEAD", "GET", "HEAD", "DELETE"] as const) await http.send(get({ method }), statusOf);
  expect(server.sockets).toHaveLength(1);
});

test("header values lose the white space around them, repeated ones are joined, and every byte is one character", async () => {
  server.onData = (socket) =>
    socket.write(Buffer.from(`HTTP/1.1 200 OK\r\nX-A: \t caf\xe9 b \t\r\nx-a: c\r\n__proto__: d\r\n${EMPTY}`, "latin1"));
  const headers = await client().send(get(), (answer) => answer.headers);
  expect(headers["x-a"]).toBe("caf\xe9 b, c");
  expect(Object.entries(headers)).toContainEqual(["__proto__", "d"]);
});

test("an interim answer is not the answer", async () => {
  server.onData = (socket) => socket.write(`HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 201 Created\r\n${EMPTY}`);
  expect(await client().send(get(), statusOf)).toBe(201);
});

test("a document is bounded", async () => {
  server.onData = (socket) => {
    socket.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
    const piece = `100000\r\n${"x".repeat(0x100000)}\r\n`;
    for (let count = 0; count < 17; count++) socket.write(piece);
  };
  await expect(client().send(get({ maxAttempts: 1 }), statusOf)).rejects.toMatchObject({
    cause: { message: expect.stringMatching(/longer than 16777216 bytes/) },
  });
});

test("a clock that is off is learnt from any refusal that names the time, once", async () => {
  const date = new Date(nowMs + 3_600_000).toUTCString();
  server.onData = (socket) => socket.write(`HTTP/1.1 403 Forbidden\r\ndate: ${date}\r\n${EMPTY}`);
  await expect(client().send(get({ method: "HEAD" }), statusOf)).rejects.toMatchObject({ status: 403 });
  expect(signedAt).toEqual([nowMs, nowMs + 3_600_000]);
});

test("a short Retry-After is waited for, a long one is left to the caller", async () => {
  let requests = 0;
  server.onData = (socket) => socket.write(++requests === 1 ? `HTTP/1.1 503 X\r\nretry-after: 1\r\n${EMPTY}` : OK);
  const before = performance.now();
  expect(await client().send(get(), statusOf)).toBe(200);
  expect(performance.now() - before).toBeGreaterThanOrEqual(990);
  server.onData = (socket) => socket.write(`HTTP/1.1 503 X\r\nretry-after: 60\r\n${EMPTY}`);
  requests = 0;
  await expect(client().send(get(), statusOf)).rejects.toMatchObject({ status: 503, retryAfterSeconds: 60 });
});

test("a refusal of a second try may be because of the first one", async () => {
  let requests = 0;
  server.onData = (socket) => socket.write(`HTTP/1.1 ${++requests === 1 ? 500 : 412} X\r\n${EMPTY}`);
  await expect(client().send(get(), statusOf)).rejects.toMatchObject({ status: 412, mayHaveLanded: true });
});

test("an aborted call ends at once, before it has a connection as well", async () => {
  const controller = new AbortController();
  server.onData = () => controller.abort();
  await expect(client().send(get({ signal: controller.signal }), statusOf)).rejects.toBeInstanceOf(Aborted);
  await expect(client().send(get({ signal: controller.signal }), statusOf)).rejects.toBeInstanceOf(Aborted);
  expect(server.sockets).toHaveLength(1);
});

describe("after a pause in which no timer ran", () => {
  /** Leaves so many idle connections. */
  async function leaveIdle(http: HttpClient<Call>, count: number): Promise<void> {
    const waiting: Socket[] = [];
    server.onData = (socket) => {
      waiting.push(socket);
      if (waiting.length === count) for (const one of waiting) one.write(OK);
    };
    await Promise.all(Array.from({ length: count }, () => http.send(get(), statusOf)));
    expect(server.sockets).toHaveLength(count);
  }

  test("a call on a broken connection is sent again on a new one, and the others are given up", async () => {
    const http = client();
    await leaveIdle(http, 8);
    const old = new Set(server.sockets);
    const ended = Promise.all(server.sockets.map((socket) => once(socket, "close")));
    server.onData = (socket) => {
      if (old.has(socket)) socket.resetAndDestroy();
      else socket.write(OK);
    };
    expect(await http.send(get(), statusOf)).toBe(200);
    expect(server.sockets).toHaveLength(9);
    await ended;
  });

  test("a long one ends every connection, so that none of them is tried", async () => {
    const http = client();
    await leaveIdle(http, 2);
    const old = new Set(server.sockets);
    const used: boolean[] = [];
    server.onData = (socket) => {
      used.push(old.has(socket));
      socket.write(OK);
    };
    nowMs += 91_000;
    await http.send(get(), statusOf);
    expect(used).toEqual([false]);
  });
});

const MIB = 1024 ** 2;

/** Answers a request once all of its body is there. Resolves to the bytes. */
function wholeBody(sizeBytes: number, answer: string): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    server.onData = (socket, piece) => {
      text += piece;
      const start = text.indexOf("\r\n\r\n") + 4;
      if (text.length - start < sizeBytes) return;
      socket.write(answer);
      resolve(text.slice(start));
    };
  });
}

test("a stream is sent again when a kept connection was closed meanwhile", async () => {
  const http = client();
  await http.send(get(), statusOf);
  // The server closes the connection when the next request arrives, as one that has been idle for too long.
  const closed = new Promise<{ whole: Promise<string> }>((resolve) => {
    server.onData = (socket) => {
      socket.resetAndDestroy();
      const whole = wholeBody(2 * MIB, OK);
      socket.once("close", () => resolve({ whole }));
    };
  });
  const chunks = Array.from({ length: 32 }, (_, index) => Buffer.alloc(64 * 1024, 65 + index));
  async function* arriving() {
    yield* chunks.slice(0, 4);
    await closed;
    yield* chunks.slice(4);
  }
  const body = new SentBody("put", Readable.from(arriving(), { objectMode: false }), 2 * MIB);
  expect(await http.send(get({ method: "PUT", body }), statusOf)).toBe(200);
  expect((await (await closed).whole) === Buffer.concat(chunks).toString("latin1")).toBe(true);
  expect(server.sockets).toHaveLength(2);
});

test("a stream whose first bytes are gone is not sent again", async () => {
  const whole = wholeBody(3 * MIB, `HTTP/1.1 503 X\r\n${EMPTY}`);
  const source = Readable.from([Buffer.alloc(2 * MIB), Buffer.alloc(MIB)], { objectMode: false });
  const body = new SentBody("put", source, 3 * MIB);
  await expect(client().send(get({ method: "PUT", body }), statusOf)).rejects.toMatchObject({ status: 503 });
  await whole;
  expect(server.sockets).toHaveLength(1);
});

test("a stream may be sent for longer than an answer takes, and a store that takes no byte is given up", async () => {
  const chunks = async function* () {
    for (let index = 0; index < 8; index++) {
      // Longer in all than the limit below, shorter each.
      await new Promise((resolve) => setTimeout(resolve, 60));
      yield Buffer.alloc(1024);
    }
  };
  const whole = wholeBody(8 * 1024, OK);
  const slow = new SentBody("put", Readable.from(chunks(), { objectMode: false }), 8 * 1024);
  expect(await client({ answerTimeoutMs: 300 }).send(get({ method: "PUT", body: slow, maxAttempts: 1 }), statusOf)).toBe(200);
  await whole;

  server.onData = (socket) => void socket.pause();
  const endless = new Readable({
    read() {
      this.push(Buffer.alloc(64 * 1024));
    },
  });
  const stuck = new SentBody("put", endless, 1024 * MIB);
  const call = get({ method: "PUT", body: stuck, maxAttempts: 1 });
  await expect(client({ answerTimeoutMs: 300 }).send(call, statusOf)).rejects.toMatchObject({
    cause: { code: "UND_ERR_HEADERS_TIMEOUT" },
  });
  stuck.close();
  endless.destroy();
});
