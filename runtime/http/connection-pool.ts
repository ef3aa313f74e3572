/** Kept connections to any number of servers, and the requests that wait for one. */
import type { Socket } from "node:net";
import type { Dispatcher } from "undici";
import { closedError, type Task, Wire } from "./wire";

export interface Target {
  protocol: string;
  host: string;
  hostname: string;
  port: string;
}

/** Opens a connection whose bytes go to `onRead` instead of its stream. `onRead` returns false where no more bytes are wanted until `resume`. */
export type Connect = (
  target: Target,
  onRead: (bytes: Buffer) => boolean,
  callback: (error: Error | null, socket: Socket | null) => void,
) => void;

export interface PoolOptions {
  connect: Connect;
  /** Connections to one server. */
  connections: number;
  /** How long an idle connection stays open at this side. A server that names a shorter time wins. */
  keepAliveMs: number;
  /** From the request to the headers of the answer, where the request names no limit of its own. */
  answerTimeoutMs: number;
  /** Between two pieces of the body of the answer, where the request names no limit of its own. */
  bodyIdleMs: number;
}

/** The connections to one server. */
interface Server {
  target: Target;
  all: Set<Wire>;
  /** Without a request, the one that was used last at the end. */
  idle: Wire[];
  /** Without a request, and not yet connected. */
  opening: Wire[];
  waiting: Task[];
}

export class ConnectionPool {
  /** Connections that were opened so far. */
  opened = 0;
  private readonly servers = new Map<string, Server>();
  /** No request is taken any more. Those that were taken before end normally. */
  private isClosed = false;
  private isDestroyed = false;
  /** Requests that wait for a turn of the event loop. */
  private deferred = 0;
  private closing: Promise<void> | undefined;
  private whenEmpty: () => void = () => undefined;

  constructor(private readonly options: PoolOptions) {}

  dispatch(request: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void {
    if (this.isClosed) {
      handler.onError?.(closedError());
      return;
    }
    const { answerTimeoutMs, bodyIdleMs } = this.options;
    const task: Task = {
      request,
      handler,
      answerTimeoutMs: request.headersTimeout ?? answerTimeoutMs,
      bodyIdleMs: request.bodyTimeout ?? bodyIdleMs,
    };
    const server = this.serverOf(`${request.origin ?? ""}`);
    // A function is frozen between its invocations. A whole turn of the event loop takes in that a server has closed a connection meanwhile.
    if (server.idle.at(-1)?.hasRested() !== true) {
      this.assign(server, task);
      return;
    }
    this.deferred += 1;
    const assign = () => {
      this.deferred -= 1;
      this.assign(server, task);
    };
    setImmediate(() => setImmediate(assign));
  }

  /** Opens as many connections as are missing for so many requests. Those that are being opened belong to earlier calls. Sends nothing on them. */
  warm(origin: string, count: number): void {
    if (this.isClosed) return;
    const server = this.serverOf(origin);
    const room = this.options.connections - server.all.size;
    for (let missing = Math.min(count - server.idle.length, room); missing > 0; missing--) this.open(server, undefined);
  }

  /** Resolves when the requests in flight have ended. */
  close(): Promise<void> {
    this.closing ??= new Promise<void>((resolve) => {
      this.whenEmpty = resolve;
    });
    this.isClosed = true;
    for (const { idle, opening } of this.servers.values()) for (const wire of [...idle, ...opening]) wire.destroy();
    this.endIfEmpty();
    return this.closing;
  }

  /** Ends every connection; open bodies break. */
  destroy(): void {
    this.isClosed = true;
    this.isDestroyed = true;
    const cause = closedError();
    for (const { all, waiting } of this.servers.values()) {
      for (const { handler } of waiting.splice(0)) handler.onError?.(cause);
      for (const wire of [...all]) wire.destroy(cause);
    }
  }

  private assign(server: Server, task: Task): void {
    if (this.isDestroyed) {
      task.handler.onError?.(closedError());
      return;
    }
    // The newest one that is being opened: an older one may be of the time before the function was frozen.
    const wire = server.idle.pop() ?? server.opening.pop();
    if (wire !== undefined) wire.begin(task);
    else if (server.all.size < this.options.connections) this.open(server, task);
    else server.waiting.push(task);
  }

  private serverOf(origin: string): Server {
    const known = this.servers.get(origin);
    if (known !== undefined) return known;
    const { protocol, host, hostname, port } = new URL(origin);
    // An address of IPv6 has brackets in a URL only.
    const target = { protocol, host, hostname: hostname.replace(/^\[|\]$/g, ""), port };
    const server: Server = { target, all: new Set(), idle: [], opening: [], waiting: [] };
    this.servers.set(origin, server);
    return server;
  }

  private open(server: Server, task: Task | undefined): void {
    const wire: Wire = new Wire(server.target.host, this.options.keepAliveMs, {
      idle: () => this.rest(server, wire),
      closed: () => this.forget(server, wire),
    });
    server.all.add(wire);
    if (task === undefined) server.opening.push(wire);
    else wire.begin(task);
    try {
      this.options.connect(
        server.target,
        (bytes) => wire.take(bytes),
        (error, socket) => this.connected(server, wire, error ?? socket),
      );
    } catch (error) {
      wire.destroy(error as Error);
    }
  }

  private connected(server: Server, wire: Wire, outcome: Error | Socket | null): void {
    if (outcome === null || outcome instanceof Error) {
      wire.destroy(outcome ?? undefined);
      return;
    }
    this.opened += 1;
    remove(server.opening, wire);
    wire.connected(outcome);
  }

  private rest(server: Server, wire: Wire): void {
    const next = server.waiting.shift();
    if (next !== undefined) wire.begin(next);
    else if (this.isClosed) wire.destroy();
    else server.idle.push(wire);
  }

  private forget(server: Server, wire: Wire): void {
    server.all.delete(wire);
    remove(server.idle, wire);
    remove(server.opening, wire);
    const next = server.waiting.shift();
    if (next !== undefined) this.open(server, next);
    else this.endIfEmpty();
  }

  private endIfEmpty(): void {
    if (this.deferred === 0 && [...this.servers.values()].every(({ all }) => all.size === 0)) this.whenEmpty();
  }
}

function remove<T>(list: T[], value: T): void {
  const at = list.indexOf(value);
  if (at >= 0) list.splice(at, 1);
}
