/** Counts what the roles do, and lets it take time: requests to stores, calls of queues, invocations, and the seconds that functions run. */
import { Readable } from "node:stream";
import type { Clock, Deadline } from "../../../runtime/protocol/ports";
import { isBridgeError } from "../../../runtime/stores/errors";
import type { VirtualTime } from "../../support/virtual-time";

/** The two buckets, and the bucket that keeps records for a store without conditional writes. */
export type Place = "source" | "destination" | "records";

/** The calls of a store. `Missing` is added where the store has no such object, because not every vendor bills that. */
export type Counts = Record<string, number>;

export class Meter {
  readonly requests: Record<Place, Counts> = { source: {}, destination: {}, records: {} };
  /** Calls of queues, invocations of functions, requests to the endpoint, steps of workflows. */
  readonly calls: Counts = {};
  readonly logBytes: Counts = {};
  readonly busyMs: Counts = {};
  /** Warnings and errors that the roles logged; a path without faults has none. */
  readonly problems: unknown[] = [];

  request(place: Place, name: string): void {
    this.requests[place][name] = (this.requests[place][name] ?? 0) + 1;
  }

  call(name: string, count = 1): void {
    this.calls[name] = (this.calls[name] ?? 0) + count;
  }

  /** A logger that counts the bytes of the lines at level info and above. */
  logger(role: string) {
    const write = (message: string, fields: Record<string, unknown> = {}) => {
      const line = JSON.stringify({
        level: "info",
        time: "2026-03-01T00:00:00.000Z",
        role,
        bridge: "bridge",
        ...fields,
        message,
      });
      this.logBytes[role] = (this.logBytes[role] ?? 0) + line.length;
    };
    const problem = (message: string, fields?: Record<string, unknown>) => {
      this.problems.push(fields?.error ?? message);
      write(message, fields);
    };
    return { debug: () => undefined, info: write, warn: problem, error: problem };
  }
}

/** The processor of one instance: work is done one after the other. */
export class Processor {
  private freeAtMs = 0;

  constructor(
    private readonly time: VirtualTime,
    private readonly vcpus: number,
  ) {}

  async use(cpuMs: number): Promise<void> {
    const startMs = Math.max(this.time.now(), this.freeAtMs);
    this.freeAtMs = startMs + cpuMs / this.vcpus;
    await this.time.sleep(Math.round(this.freeAtMs) - this.time.now());
  }
}

/** What one instance can move, in all its connections together. */
export class Link {
  private freeAtMs = 0;

  constructor(
    private readonly time: VirtualTime,
    private readonly bytesPerSecond: { instance: number; connection: number },
  ) {}

  async move(bytes: number): Promise<void> {
    const { instance, connection } = this.bytesPerSecond;
    const startMs = Math.max(this.time.now(), this.freeAtMs);
    this.freeAtMs = startMs + (bytes / instance) * 1000;
    const endMs = Math.max(this.freeAtMs, this.time.now() + (bytes / connection) * 1000);
    await this.time.sleep(Math.round(endMs) - this.time.now());
  }
}

/** How the calls of one instance to one store are counted and delayed. */
export interface Reach {
  meter: Meter;
  time: VirtualTime;
  place: Place;
  processor: Processor;
  /** From the request until the first byte of the answer. */
  latencyMs(call: string): number;
  /** For the bytes of objects. */
  link?: Link | undefined;
  cpuMsPerRequest: number;
}

const OPERATIONS = new Set([
  ...["head", "getTags", "putTags", "get", "put", "delete", "touch", "list"],
  ...["createUpload", "uploadPart", "listParts", "completeUpload", "abortUpload", "append", "readTail"],
]);

/** The same store, through this reach. */
export function reached<T extends object>(store: T, reach: Reach): T {
  const { meter, place } = reach;
  const through =
    (name: string, method: (...args: unknown[]) => Promise<unknown>) =>
    async (...args: unknown[]) => {
      await reach.processor.use(reach.cpuMsPerRequest);
      await reach.time.sleep(reach.latencyMs(name));
      try {
        const result = await method.apply(store, args);
        meter.request(place, result === undefined && (name === "head" || name === "readTail") ? `${name}Missing` : name);
        return name === "get" ? slowly(result as { body: Readable }, args[1] as { range?: Range } | undefined, reach) : result;
      } catch (error) {
        meter.request(place, isBridgeError(error, "NotFound") ? `${name}Missing` : name);
        throw error;
      }
    };
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      if (!OPERATIONS.has(String(name))) return member.bind(target);
      return through(String(name), member as (...args: unknown[]) => Promise<unknown>);
    },
  });
}

interface Range {
  start: number;
  end: number;
}

/** The body arrives at the rate of the link. */
function slowly<T extends { body: Readable }>(answer: T, _options: { range?: Range } | undefined, { link }: Reach): T {
  if (link === undefined) return answer;
  const { body } = answer;
  const arriving = async function* () {
    for await (const chunk of body) {
      await link.move((chunk as Buffer).length);
      yield chunk;
    }
  };
  const slow = Readable.from(arriving());
  slow.once("close", () => body.destroy());
  return { ...answer, body: slow };
}

/** Runs an invocation and adds its time to the meter. */
export async function invoked<T>(
  { meter, time }: { meter: Meter; time: Clock },
  role: string,
  seconds: number,
  run: (deadline: Deadline) => Promise<T>,
): Promise<T> {
  meter.call(`${role} invoked`);
  const startMs = time.now();
  try {
    return await run({ remainingMs: () => startMs + seconds * 1000 - time.now() });
  } finally {
    meter.busyMs[role] = (meter.busyMs[role] ?? 0) + time.now() - startMs;
  }
}
