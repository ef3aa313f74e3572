import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { PassThrough, Readable, Writable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { carry, startDelayProxy } from "../../bench/servers/delay-proxy";
import { VirtualTime } from "../support/virtual-time";

const ROUND_TRIP_MS = 150;
const HALF_MS = 75;

/** One direction of a connection that was opened at time 0. */
function open({ windowBytes = 1024, openAtMs = 0 } = {}) {
  const time = new VirtualTime(0);
  const from = new Readable({ read: () => undefined });
  const arrived: string[] = [];
  const to = new Writable({
    write(piece: Buffer, _encoding, done) {
      arrived.push(piece.toString());
      done();
    },
  });
  const link = { roundTripMs: ROUND_TRIP_MS, windowBytes, openMs: openAtMs };
  carry(from, to, link, { nowMs: time.now, after: (ms, action) => void time.sleep(ms).then(action) });
  const pass = async (ms: number) => {
    await setImmediate();
    time.advance(ms);
    await setImmediate();
  };
  const send = async (text: string) => {
    from.push(text);
    await setImmediate();
  };
  return { from, to, arrived, pass, send };
}

test("a piece arrives half a round trip after it was sent, and not before", async () => {
  const { arrived, pass, send } = open();
  await send("a");
  await pass(HALF_MS - 1);
  expect(arrived).toEqual([]);
  await pass(1);
  expect(arrived).toEqual(["a"]);
});

test("pieces keep their order and their distance", async () => {
  const { arrived, pass, send } = open();
  await send("a");
  await pass(10);
  await send("b");
  await pass(HALF_MS - 10);
  expect(arrived).toEqual(["a"]);
  await pass(10);
  expect(arrived).toEqual(["a", "b"]);
});

test("the first piece waits for the handshake, which takes a round trip", async () => {
  const { arrived, pass, send } = open({ openAtMs: ROUND_TRIP_MS });
  await send("hello");
  await pass(ROUND_TRIP_MS + HALF_MS - 1);
  expect(arrived).toEqual([]);
  await pass(1);
  expect(arrived).toEqual(["hello"]);
});

test("a connection has at most its window under way, until the acknowledgement is back", async () => {
  const { from, arrived, pass, send } = open({ windowBytes: 8 });
  await send("1234");
  expect(from.isPaused()).toBe(false);
  await send("5678");
  expect(from.isPaused()).toBe(true);
  await send("more");
  await pass(HALF_MS);
  expect(arrived).toEqual(["1234", "5678"]);
  expect(from.isPaused()).toBe(true);
  await pass(HALF_MS - 1);
  expect(from.isPaused()).toBe(true);
  await pass(1);
  expect(from.isPaused()).toBe(false);
  await pass(HALF_MS);
  expect(arrived).toEqual(["1234", "5678", "more"]);
});

test("a receiver that takes nothing is sent no more than the window", async () => {
  const time = new VirtualTime(0);
  const from = new Readable({ read: () => undefined });
  let take: () => void = () => undefined;
  const to = new Writable({
    write(_piece, _encoding, done) {
      take = done;
    },
  });
  const link = { roundTripMs: 2, windowBytes: 4, openMs: 0 };
  carry(from, to, link, { nowMs: time.now, after: (ms, action) => void time.sleep(ms).then(action) });
  from.push("1234");
  await setImmediate();
  for (let turn = 0; turn < 5; turn++) {
    time.advance(1_000);
    await setImmediate();
  }
  expect(from.isPaused()).toBe(true);
  take();
  await setImmediate();
  time.advance(1);
  await setImmediate();
  expect(from.isPaused()).toBe(false);
});

test("the end follows the last piece", async () => {
  const { from, to, arrived, pass, send } = open();
  await send("last");
  from.push(null);
  await pass(HALF_MS - 1);
  expect(to.writableEnded).toBe(false);
  await pass(1);
  expect(arrived).toEqual(["last"]);
  expect(to.writableEnded).toBe(true);
});

test("an error of one end ends the other", async () => {
  const from = new PassThrough();
  const to = new PassThrough();
  carry(from, to, { roundTripMs: 1, windowBytes: 1, openMs: 0 });
  from.destroy(new Error("reset"));
  await once(to, "close");
  expect(to.destroyed).toBe(true);
});

/** Reads to the end. An async iterator would close the socket with the end of its reading side. */
async function allOf(socket: Socket): Promise<Buffer> {
  const pieces: Buffer[] = [];
  socket.on("data", (piece: Buffer) => pieces.push(piece));
  await once(socket, "end");
  return Buffer.concat(pieces);
}

test("carries a connection through, in both directions, each with its own end", async () => {
  const server = createServer({ allowHalfOpen: true }, async (socket) => socket.end((await allOf(socket)).reverse()));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const proxy = await startDelayProxy((server.address() as AddressInfo).port, { roundTripMs: 0, windowBytes: 1024 });
  try {
    const sent = Buffer.from(Array.from({ length: 100_000 }, (_, index) => index % 251));
    const socket = connect({ port: proxy.port, host: "127.0.0.1", allowHalfOpen: true });
    socket.end(sent);
    expect((await allOf(socket)).equals(Buffer.from(sent).reverse())).toBe(true);
  } finally {
    await proxy.close();
    server.close();
  }
});
