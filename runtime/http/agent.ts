/** Connections to the hosts of one process. They are kept open between requests, because a new one costs up to three round trips. */
import type { LookupFunction } from "node:net";
import { Agent, buildConnector } from "undici";

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
  /** Opens the connections. @default one made of these options */
  connector?: buildConnector.connector | undefined;
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
export function createAgent(options: ConnectionOptions = {}): Agent {
  const { connections = MOST_CONNECTIONS, keepAliveMs = KEEP_ALIVE_MS, connector = createConnector(options) } = options;
  return new Agent({
    connections,
    pipelining: 1,
    headersTimeout: options.answerTimeoutMs ?? 15_000,
    bodyTimeout: options.bodyIdleMs ?? 15_000,
    keepAliveTimeout: keepAliveMs,
    keepAliveMaxTimeout: keepAliveMs,
    connect: connector,
  });
}

/** Opens connections. The next one to the same host resumes the TLS session, which saves a round trip with TLS 1.2. */
export function createConnector({ ca, lookup, connectTimeoutMs = 5_000 }: ConnectionOptions): buildConnector.connector {
  const open = buildConnector({
    timeout: connectTimeoutMs,
    rejectUnauthorized: true,
    ...(ca !== undefined && { ca }),
    ...(lookup !== undefined && { lookup }),
  });
  const sessions = new Map<string, Buffer>();
  return (target, callback) =>
    open(target, (...result) => {
      // undici remembers sessions by weak references only, so the next garbage collection would drop them.
      result[1]?.on("session", (session: Buffer) => sessions.set(target.host ?? target.hostname, session));
      callback(...result);
    });
}
