/** Connections to the hosts of one process. They are kept open between requests, because a new one costs up to three round trips. */
import type { LookupFunction } from "node:net";
import { buildConnector, Dispatcher } from "undici";
import { type Connect, ConnectionPool } from "./connection-pool";

export interface ConnectionOptions {
  /** Trusted instead of the built-in roots; `NODE_EXTRA_CA_CERTS` adds to those by itself. */
  ca?: string | Buffer | (string | Buffer)[] | undefined;
  /** Resolves names. Node calls it for names only, not for addresses. @default the system's resolver */
  lookup?: ConnectorLookup | undefined;
  /** Sockets per origin. @default 100, as many as one request of a sender holds keys */
  connections?: number | undefined;
  /** Until TLS is up. @default 5_000 */
  connectTimeoutMs?: number | undefined;
  /** From the request to the headers of the answer, where the request names no limit of its own. @default 15_000 */
  answerTimeoutMs?: number | undefined;
  /** Between two pieces of the body of an answer, where the request names no limit of its own. @default 15_000 */
  bodyIdleMs?: number | undefined;
  /**
   * How long an idle connection stays open at this side. A server that names a shorter time in `Keep-Alive`, or that closes the connection, wins.
   * @default 90_000
   */
  keepAliveMs?: number | undefined;
}

/** The form of Node's `lookup`. */
export type ConnectorLookup = LookupFunction;

/**
 * An idle connection outlives the pause of a minute between two events of a quiet bucket. A server that closes it earlier is noticed at once, or by
 * a request that fails: the caller sends that one again.
 */
export const KEEP_ALIVE_MS = 90_000;
/** One for each key of the largest request, so that no key waits for another: `LIMITS.notices`, without loading the schemas of messages. */
export const MOST_CONNECTIONS = 100;

/** All requests of a process to the same kind of host should share one. Its creator closes it. */
export function createAgent(options: ConnectionOptions = {}): HttpAgent {
  return new HttpAgent(options);
}

/** Sends requests as the Agent of undici does, on connections of its own: see docs/adr/0043-an-http-client-of-our-own.md. */
export class HttpAgent extends Dispatcher {
  private readonly pool: ConnectionPool;

  constructor(options: ConnectionOptions = {}) {
    super();
    const {
      connections = MOST_CONNECTIONS,
      keepAliveMs = KEEP_ALIVE_MS,
      answerTimeoutMs = 15_000,
      bodyIdleMs = 15_000,
    } = options;
    this.pool = new ConnectionPool({ connect: createConnect(options), connections, keepAliveMs, answerTimeoutMs, bodyIdleMs });
  }

  /** Connections that were opened so far. */
  get opened(): number {
    return this.pool.opened;
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    this.pool.dispatch(options, handler);
    return true;
  }

  /**
   * Opens as many connections as are missing for so many requests. Sends nothing on them, and does not wait. A failure shows in the request that
   * needs one.
   */
  warm(origin: string, count: number): void {
    this.pool.warm(origin, count);
  }

  override async close(): Promise<void> {
    await this.pool.close();
  }

  override async destroy(): Promise<void> {
    this.pool.destroy();
  }
}

/** By host. Agents that follow each other with the same options share them. undici keeps weak references only, which a garbage collection drops. */
const sessionsByOptions = new WeakMap<ConnectionOptions, Map<string, Buffer>>();

function sessionsOf(options: ConnectionOptions): Map<string, Buffer> {
  const sessions = sessionsByOptions.get(options) ?? new Map();
  sessionsByOptions.set(options, sessions);
  return sessions;
}

/** More than one read of the system brings. */
const READ_BYTES = 64 * 1024;

/** Opens connections. The next one to the same host resumes the TLS session, which saves a round trip with TLS 1.2. */
function createConnect(options: ConnectionOptions): Connect {
  const { ca, lookup, connectTimeoutMs = 5_000 } = options;
  const sessions = sessionsOf(options);
  return (target, onRead, callback) => {
    const session = sessions.get(target.host);
    const open = buildConnector({
      timeout: connectTimeoutMs,
      rejectUnauthorized: true,
      maxCachedSessions: 0,
      // Bytes that go through the stream of a socket become several objects for each TLS record.
      onread: {
        buffer: Buffer.allocUnsafeSlow(READ_BYTES),
        callback: (length, bytes) => onRead((bytes as Buffer).subarray(0, length)),
      },
      ...(ca !== undefined && { ca }),
      ...(lookup !== undefined && { lookup }),
      ...(session !== undefined && { session }),
    });
    open(target, (...[error, socket]) => {
      socket?.on("session", (fresh: Buffer) => sessions.set(target.host, fresh));
      callback(error, socket);
    });
  };
}
