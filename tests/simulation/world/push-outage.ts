/**
 * Push mode over a day, for many keys: the real dispatcher and pusher, with instances that live on, a workflow, the queues and the timer. Time is
 * virtual. There is no scheduler: it is about figures, not about orders.
 */
import { type DecodedLook, decodeText } from "../../../runtime/protocol/events";
import type { Look, LookStarter, OutageQueue, WorkQueue } from "../../../runtime/protocol/ports";
import { type PushCall, type PushState, parsePushState, Unfinished } from "../../../runtime/protocol/push";
import { decodeLook, encodeLook, encodeLooks } from "../../../runtime/protocol/queue-messages";
import { createAppendLeaseStore } from "../../../runtime/replication/lease";
import { createAppendSlots } from "../../../runtime/replication/slots";
import { Dispatcher } from "../../../runtime/roles/dispatcher/dispatcher";
import { Pusher } from "../../../runtime/roles/pusher/pusher";
import { BridgeError } from "../../../runtime/stores/errors";
import { MemoryAppendStore, MemoryStore } from "../../../runtime/stores/memory/store";
import { MemoryOutageQueue } from "../../runtime/support/outage-queue";
import { VirtualTime } from "../../support/virtual-time";
import { dispatcherConfig, pusherConfig } from "./config";

/** Instances of each function. */
const INSTANCES = 5;
/** How long one invocation takes. */
const INVOCATION_MS = 60;
const FUNCTION_MS = 600_000;
const TICK_MS = 60_000;
const BATCH = 16;
const CAPABILITIES = { conditionalWrites: false, conditionalCreate: false, checksums: ["CRC64XZ" as const] };

/** Changes that break the handling of an outage on purpose. */
export interface OutageSabotage {
  pusher?(deps: ConstructorParameters<typeof Pusher>[0]): ConstructorParameters<typeof Pusher>[0];
  /** Changes the state that a call returns. */
  after?(state: PushState): PushState;
}

/** A function with a limit of instances. The oldest invocation gets the next free one. */
class Pool<T> {
  private readonly free: T[];
  private readonly waiting: (() => void)[] = [];

  constructor(open: () => T) {
    this.free = Array.from({ length: INSTANCES }, open);
  }

  async use<R>(work: (instance: T) => Promise<R>): Promise<R> {
    while (this.free.length === 0) await new Promise<void>((resolve) => this.waiting.push(resolve));
    const instance = this.free.pop() as T;
    try {
      return await work(instance);
    } finally {
      this.free.push(instance);
      this.waiting.shift()?.();
    }
  }
}

export class PushOutage {
  readonly time = new VirtualTime();
  readonly source = new MemoryStore({ clock: this.time, name: "source", versioned: false, capabilities: CAPABILITIES });
  readonly destination = new MemoryStore({ clock: this.time, name: "destination", versioned: false, capabilities: CAPABILITIES });
  readonly outage = new MemoryOutageQueue(this.time);
  readonly waiting: { look: Look; dueMs: number }[] = [];
  readonly letters: { key: string; reason: string }[] = [];
  readonly executions = new Map<string, { status: "Running" | "Succeeded" | "Failed"; input: string }>();
  /** Calls of the destination, and those that came while it was down. */
  readonly requests = { all: 0, whileDown: 0 };
  /** Whether the destination, or the workflow service, does not answer. */
  readonly down = { destination: false, flow: false };
  /** Whether the destination asks for fewer requests. */
  isThrottling = false;
  private ids = 0;
  private readonly dispatchers: Pool<Dispatcher>;
  private readonly pushers: Pool<Pusher>;

  constructor(private readonly sabotage: OutageSabotage = {}) {
    const settings = {
      ...({ source: "source", destination: "destination", deletes: "ignore", statusTags: false } as const),
      ...{ maxAttempts: 20, urlExpiresInSeconds: 3600, partBytes: 4, giveUpAfterSeconds: 156 * 3600 },
    };
    const surroundings = {
      source: this.source,
      queue: this.queue(),
      deadLetters: { park: async ({ key }: Look, reason: string) => void this.letters.push({ key, reason }) },
      clock: this.time,
      logger: { debug() {}, info() {}, warn() {}, error() {} },
      metrics: { add: () => undefined },
      newId: () => `x${++this.ids}`,
      random: () => 0.5,
      sleep: (ms: number) => this.time.sleep(ms),
    };
    const control = new MemoryAppendStore();
    const leases = createAppendLeaseStore(control, "bridge", "pusher");
    const slots = createAppendSlots(control, { bridgeId: "bridge", clock: this.time }, "pusher");
    this.dispatchers = new Pool(
      () => new Dispatcher({ ...surroundings, config: dispatcherConfig(settings), flow: this.starter() }),
    );
    this.pushers = new Pool(() => {
      const deps = {
        ...surroundings,
        config: pusherConfig(settings),
        destination: this.destinationStore(),
        leases,
        slots,
        outage: this.outage as OutageQueue,
        starter: this.lookStarter(),
      };
      return new Pusher(sabotage.pusher?.(deps) ?? deps);
    });
  }

  async write(key: string): Promise<void> {
    const attributes = { headers: {}, metadata: {}, tags: {} };
    await this.source.put(key, Buffer.from("small"), { sizeBytes: 5, attributes });
    this.invokeDispatcher([{ bucket: "source", key, failures: 0, eventId: `e${++this.ids}` }]);
  }

  /** Keys whose destination is not equal yet. */
  unproven(): string[] {
    return this.source.keys().filter((key) => this.destination.snapshotOf(key) === undefined);
  }

  /** Lets time pass until then, with a tick in every minute. */
  async runUntil(untilMs: number): Promise<void> {
    for (;;) {
      await this.settle();
      if (this.time.now() >= untilMs) return;
      const nextTickMs = (Math.floor(this.time.now() / TICK_MS) + 1) * TICK_MS;
      const nextMs = Math.min(this.time.nextWakeMs() ?? Number.POSITIVE_INFINITY, nextTickMs);
      this.time.advance(nextMs - this.time.now());
      if (nextMs === nextTickMs) this.background(this.tick());
    }
  }

  /** Runs everything that waits for no time. */
  private async settle(): Promise<void> {
    for (let quiet = 0; quiet < 2; quiet++) await new Promise(setImmediate);
  }

  /** A failure here ends the test: no role may fail. */
  private background(work: Promise<unknown>): void {
    void work;
  }

  private invokeDispatcher(looks: readonly DecodedLook[]): void {
    const work = this.dispatchers.use(async (dispatcher) => {
      await this.time.sleep(INVOCATION_MS);
      const { failures } = await dispatcher.handle([{ messageId: "m", looks: [...looks] }], this.deadline());
      if (failures.length > 0) throw new Error(`the platform would retry: ${failures[0]?.reason}`);
    });
    this.background(work);
  }

  private async tick(): Promise<void> {
    await this.pushers.use(async (pusher) => {
      await this.time.sleep(INVOCATION_MS);
      await pusher.tick(this.deadline());
    });
    const due = this.waiting.filter(({ dueMs }) => dueMs <= this.time.now());
    for (let from = 0; from < due.length; from += BATCH)
      await this.lookStarter().start(due.slice(from, from + BATCH).map(({ look }) => encodeLook(look)));
    for (const message of due) this.waiting.splice(this.waiting.indexOf(message), 1);
  }

  private lookStarter(): LookStarter {
    return { start: async (messages) => this.invokeDispatcher(decodeText(encodeLooks(messages)).flatMap(({ looks }) => looks)) };
  }

  private queue(): WorkQueue {
    const add = (looks: readonly Look[], delaySeconds: number) => {
      for (const look of looks) {
        const stored = decodeLook(encodeLook(look)) as Look;
        this.waiting.push({ look: stored, dueMs: this.time.now() + delaySeconds * 1000 });
      }
    };
    return { enqueue: async (look, delaySeconds) => add([look], delaySeconds), enqueueAll: async (looks) => add(looks, 0) };
  }

  private starter() {
    return {
      start: async (name: string, input: PushState) => {
        if (this.down.flow) throw new BridgeError("Unavailable", "startExecution", "the workflow service does not answer");
        const known = this.executions.get(name);
        if (known !== undefined) return known.status === "Running" ? ("running" as const) : ("finished" as const);
        this.executions.set(name, { status: "Running", input: JSON.stringify(input) });
        this.background(this.execute(name, parsePushState(JSON.parse(JSON.stringify(input)))));
        return "started" as const;
      },
      describe: async (name: string) => this.executions.get(name),
    };
  }

  private async execute(name: string, begin: PushState): Promise<void> {
    let call: PushCall = { why: "first", state: begin };
    let state = begin;
    while (state.next !== "done") {
      if (state.next === "wait") await this.time.sleep((state.waitSeconds ?? 1) * 1000);
      const given = call;
      const returned = await this.pushers.use(async (pusher) => {
        await this.time.sleep(INVOCATION_MS);
        return await pusher.answer(given, this.deadline()).catch((error: unknown) => {
          if (error instanceof Unfinished) return error;
          throw error;
        });
      });
      if (returned instanceof Unfinished) {
        call = { why: "resume", state: begin, detail: returned.message };
        continue;
      }
      state = parsePushState(JSON.parse(JSON.stringify(this.sabotage.after?.(returned) ?? returned)));
      call = { why: "again", state };
    }
    const execution = this.executions.get(name);
    if (execution) execution.status = state.result === "parked" ? "Failed" : "Succeeded";
  }

  /** The destination over a network: counted, and without an answer while it is down. */
  private destinationStore(): MemoryStore {
    return new Proxy(this.destination, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== "function") return member;
        return async (...args: unknown[]) => {
          this.requests.all += 1;
          if (this.isThrottling) throw new BridgeError("RateLimited", String(name), "the destination asks for fewer requests");
          if (this.down.destination) {
            this.requests.whileDown += 1;
            throw new BridgeError("Unavailable", String(name), "the destination does not answer");
          }
          return await Reflect.apply(member, target, args);
        };
      },
    });
  }

  private deadline() {
    const endMs = this.time.now() + FUNCTION_MS;
    return { remainingMs: () => endMs - this.time.now() };
  }
}
