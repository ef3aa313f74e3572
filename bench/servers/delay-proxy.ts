/**
 * A long link: a TCP proxy that holds every byte back for half a round trip, and lets one connection have only so many bytes under way in one
 * direction. The link has no limit of its own, so a connection reaches window / round trip, and many connections reach many times that.
 */
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import type { Readable, Writable } from "node:stream";

export interface Link {
  roundTripMs: number;
  /** Bytes of one direction of one connection that are sent and not acknowledged. */
  windowBytes: number;
}

export interface DelayProxy {
  /** Of 127.0.0.1. */
  port: number;
  /** Ends every connection. */
  close(): Promise<void>;
}

/** @param targetPort of 127.0.0.1 */
export async function startDelayProxy(targetPort: number, link: Link): Promise<DelayProxy> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.once("close", () => sockets.delete(socket));
  };
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ port: targetPort, host: "127.0.0.1", allowHalfOpen: true });
    keep(near);
    keep(far);
    // The client takes its connection for open at once. Over the link the handshake takes a round trip, and only then it could send.
    const openMs = performance.now() + link.roundTripMs;
    carry(near, far, { ...link, openMs });
    carry(far, near, { ...link, openMs });
  });
  await listening(server);
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function listening(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
}

/** One direction of a connection: `from` is read, `to` is written. */
export function carry(
  from: Readable,
  to: Writable,
  { roundTripMs, windowBytes, openMs }: Link & { openMs: number },
  time: LinkTime = REAL_TIME,
): void {
  const there = new DelayLine(time);
  const back = new DelayLine(time);
  const halfMs = roundTripMs / 2;
  let underWayBytes = 0;
  const acknowledge = (bytes: number) => {
    underWayBytes -= bytes;
    if (underWayBytes < windowBytes) from.resume();
  };
  const arrivesMs = () => Math.max(time.nowMs(), openMs) + halfMs;
  from.on("data", (piece: Buffer) => {
    underWayBytes += piece.length;
    if (underWayBytes >= windowBytes) from.pause();
    there.add(arrivesMs(), () => {
      // The receiver acknowledges what it has taken, and the acknowledgement travels back.
      to.write(piece, () => back.add(time.nowMs() + halfMs, () => acknowledge(piece.length)));
    });
  });
  from.once("end", () => there.add(arrivesMs(), () => to.end()));
  // A connection that breaks is broken for both ends.
  from.on("error", () => to.destroy());
}

/** Replaced in tests. */
export interface LinkTime {
  nowMs(): number;
  after(ms: number, action: () => void): void;
}

const REAL_TIME: LinkTime = {
  nowMs: () => performance.now(),
  after: (ms, action) => void setTimeout(action, ms),
};

/** Runs actions at their times, which must not decrease. One timer serves all: thousands of pieces are under way. */
class DelayLine {
  readonly #time: LinkTime;
  #entries: { atMs: number; action: () => void }[] = [];
  #isSet = false;

  constructor(time: LinkTime) {
    this.#time = time;
  }

  add(atMs: number, action: () => void): void {
    this.#entries.push({ atMs, action });
    this.#set();
  }

  #set(): void {
    const [first] = this.#entries;
    if (this.#isSet || first === undefined) return;
    this.#isSet = true;
    this.#time.after(Math.max(0, first.atMs - this.#time.nowMs()), () => this.#run());
  }

  #run(): void {
    this.#isSet = false;
    const nowMs = this.#time.nowMs();
    const later = this.#entries.findIndex(({ atMs }) => atMs > nowMs);
    const due = this.#entries.splice(0, later < 0 ? this.#entries.length : later);
    for (const { action } of due) action();
    this.#set();
  }
}
