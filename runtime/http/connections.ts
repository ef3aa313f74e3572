/**
 * Connections that outlive a pause. A request on a connection that the server has closed in the meantime is sent again, and a connection can be
 * opened before there is a request for it.
 */
import type { Socket } from "node:net";
import type { Agent, buildConnector, Dispatcher } from "undici";
import { type Clock, systemClock } from "../protocol/ports";
import { type ConnectionOptions, createAgent, createConnector, KEEP_ALIVE_MS, MOST_CONNECTIONS } from "./agent";

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
  /** Rejects with the error of undici. */
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
  const connector = new WarmConnector(options);
  const open = () => {
    const agent = createAgent({ ...options, connector: connector.connect });
    agent.on("connect", () => {
      opened += 1;
    });
    return agent;
  };
  let opened = 0;
  let agent = open();
  let usedAtMs = clock.now();

  /** Requests that are in flight end normally. The others go to new connections: what broke one has broken its neighbours too. */
  const replace = (broken: Agent) => {
    if (broken !== agent) return;
    agent = open();
    // It waits for the requests in flight. An error of theirs is theirs.
    void broken.close();
  };
  /** A function is frozen between its invocations: no timer closes a connection that is too old. */
  const current = () => {
    if (clock.now() - usedAtMs > keepAliveMs) {
      replace(agent);
      connector.close();
    }
    usedAtMs = clock.now();
    return agent;
  };

  return {
    async request(request, repeat) {
      const [used, openedBefore] = [current(), opened];
      try {
        return { answer: await used.request(request), repeated: false };
      } catch (error) {
        if (!isBroken(error) || (repeat === "reused" && opened !== openedBefore)) throw error;
        replace(used);
        return { answer: await current().request(request), repeated: true };
      }
    },
    warm(origin, count) {
      const stats = current().stats[origin];
      const { free = 0, connected = 0 } = stats !== undefined && "free" in stats ? stats : {};
      connector.warm(origin, count - free, (options.connections ?? MOST_CONNECTIONS) - connected);
    },
    async close() {
      connector.close();
      await agent.destroy();
    },
  };
}

/** The connection ended. undici looks for a closed one before it sends, so mostly this is one that was closed at the same moment, or silently. */
const BROKEN_CODES: ReadonlySet<unknown> = new Set(["UND_ERR_SOCKET", "ECONNRESET", "ECONNABORTED", "EPIPE"]);

/** Whether the connection broke before the headers of an answer. */
export function isBroken(error: unknown): boolean {
  const { code, syscall } = error as { code?: unknown; syscall?: unknown };
  return BROKEN_CODES.has(code) && syscall !== "connect";
}

/** A connection without a request. */
interface WarmConnection {
  opened: Promise<Socket>;
  isOpen: boolean;
}

class WarmConnector {
  readonly #open: buildConnector.connector;
  readonly #warm = new Map<string, Set<WarmConnection>>();

  constructor(options: ConnectionOptions) {
    this.#open = createConnector(options);
  }

  readonly connect: buildConnector.connector = (target, callback) => {
    const [warm] = this.#of(`${target.protocol}//${target.host ?? target.hostname}`);
    if (warm === undefined) return this.#open(target, callback);
    this.#forget(warm);
    warm.opened.then(
      // One turn of the event loop takes in that the server has closed it, as undici does before it uses an idle connection.
      (socket) => setImmediate(() => (socket.destroyed ? this.#open(target, callback) : callback(null, socket.ref()))),
      (error: Error) => callback(error, null),
    );
  };

  /** @param most connections that may be opened or being opened */
  warm(origin: string, count: number, most: number): void {
    const { protocol, host, hostname, port } = new URL(origin);
    const warmed = this.#of(origin);
    const open = [...warmed].filter(({ isOpen }) => isOpen).length;
    for (let missing = Math.min(count - open, most - warmed.size); missing > 0; missing--) {
      const warm: WarmConnection = {
        isOpen: false,
        opened: new Promise((resolve, reject) => {
          this.#open({ protocol, host, hostname, port }, (error, socket) => {
            if (error !== null) return reject(error);
            // It keeps no process alive as long as no request uses it.
            socket.unref();
            socket.once("close", () => this.#forget(warm));
            warm.isOpen = true;
            resolve(socket);
          });
        }),
      };
      warmed.add(warm);
      // A later request opens a connection of its own, and shows the error.
      warm.opened.catch(() => this.#forget(warm));
    }
  }

  close(): void {
    for (const { opened } of [...this.#warm.values()].flatMap((ones) => [...ones]))
      opened.then(
        (socket) => socket.destroy(),
        () => undefined,
      );
    this.#warm.clear();
  }

  #of(origin: string): Set<WarmConnection> {
    const known = this.#warm.get(origin) ?? new Set();
    this.#warm.set(origin, known);
    return known;
  }

  #forget(warm: WarmConnection): void {
    for (const ones of this.#warm.values()) ones.delete(warm);
  }
}
