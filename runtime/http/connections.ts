/**
 * Connections that outlive a pause. A request on a connection that the server has closed in the meantime is sent again, and a connection can be
 * opened before there is a request for it.
 */
import type { Dispatcher } from "undici";
import { type Clock, systemClock } from "../protocol/ports";
import { type ConnectionOptions, createAgent, type HttpAgent, KEEP_ALIVE_MS } from "./agent";

export interface Sent {
  answer: Dispatcher.ResponseData;
  /** The request was sent before, on a connection that then broke without an answer. The server may have begun with it. */
  repeated: boolean;
}

/**
 * When a request is sent again after its connection broke before any answer, once and at once.
 * - `always`: it reads, so a server may carry it out twice.
 * - `reused`: only if no connection was opened since the request was made. Then it had an idle one, which servers close at any time.
 */
export type Repeat = "always" | "reused";

export interface Connections {
  /** Rejects with the error of the connection. */
  request(options: Dispatcher.RequestOptions, repeat: Repeat): Promise<Sent>;
  /**
   * Opens as many connections as are missing for so many requests. Those that are being opened belong to earlier calls. Sends nothing on them,
   * and does not wait. A failure shows in the request that needs one.
   */
  warm(origin: string, count: number): void;
  /** Ends every connection; open bodies break. */
  close(): Promise<void>;
}

export interface KeptConnectionOptions extends ConnectionOptions {
  /** @default the system's */
  clock?: Pick<Clock, "now"> | undefined;
}

export function openConnections(options: KeptConnectionOptions = {}): Connections {
  const { clock = systemClock, keepAliveMs = KEEP_ALIVE_MS } = options;
  let agent = createAgent(options);
  let usedAtMs = clock.now();

  /** Requests that are in flight end normally. The others go to new connections: what broke one has broken its neighbours too. */
  const replace = (broken: HttpAgent) => {
    if (broken !== agent) return;
    agent = createAgent(options);
    // It waits for the requests in flight. An error of theirs is theirs.
    void broken.close();
  };
  /** A function is frozen between its invocations: no timer closes a connection that is too old. */
  const current = () => {
    if (clock.now() - usedAtMs > keepAliveMs) replace(agent);
    usedAtMs = clock.now();
    return agent;
  };

  return {
    async request(request, repeat) {
      const used = current();
      const openedBefore = used.opened;
      try {
        return { answer: await used.request(request), repeated: false };
      } catch (error) {
        if (!isBroken(error) || (repeat === "reused" && used.opened !== openedBefore)) throw error;
        replace(used);
        return { answer: await current().request(request), repeated: true };
      }
    },
    warm: (origin, count) => current().warm(origin, count),
    async close() {
      await agent.destroy();
    },
  };
}

/** The connection ended. The pool looks for a closed one before it sends, so mostly this is one that was closed at the same moment, or silently. */
const BROKEN_CODES: ReadonlySet<unknown> = new Set(["UND_ERR_SOCKET", "ECONNRESET", "ECONNABORTED", "EPIPE"]);

/** Whether the connection broke before the headers of an answer. */
export function isBroken(error: unknown): boolean {
  const { code, syscall } = error as { code?: unknown; syscall?: unknown };
  return BROKEN_CODES.has(code) && syscall !== "connect";
}
