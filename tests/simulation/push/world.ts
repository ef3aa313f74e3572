/**
 * Two stores of one cloud, their events, a workflow service and the functions in memory, under a fake clock and a scheduler. The roles are
 * the real ones. Like OSS, the stores write unconditionally and the leases are logs.
 */
import type { Clock, Logger, Look, Metrics } from "../../../runtime/protocol/ports";
import type { PushState } from "../../../runtime/protocol/push";
import { createAppendLeaseStore } from "../../../runtime/replication/append-lease-store";
import { Dispatcher } from "../../../runtime/roles/dispatcher/dispatcher";
import { Pusher } from "../../../runtime/roles/pusher/pusher";
import { BridgeError } from "../../../runtime/stores/errors";
import { MemoryAppendStore, MemoryStore } from "../../../runtime/stores/memory/store";
import { effect, type Network } from "../world/effects";
import { type Fault, Faults } from "../world/faults";
import type { Steps } from "../world/steps";
import { type Attempt, VirtualTime } from "../world/virtual-time";
import { Watch } from "../world/watch";
import { Events, type SourceEvent } from "./events";
import { Flow, InvocationFailed } from "./flow";
import { reach } from "./reach";
import { type Mutation, SABOTAGES, type Sabotage } from "./sabotage";
import { dispatcherConfig, LIMITS, pusherConfig, type Settings } from "./settings";

export interface PushWorldOptions extends Partial<Settings> {
  scheduler: Steps;
  versionedSource: boolean;
  /** Objects that were written long ago have none. */
  checksums: boolean;
  faults: readonly Fault[];
  mutation?: Mutation | undefined;
}

const quiet: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

export class PushWorld {
  readonly time = new VirtualTime();
  readonly source: MemoryStore;
  readonly destination: MemoryStore;
  readonly control = new MemoryAppendStore();
  readonly parked: { look: Look; reason: string }[] = [];
  readonly counted: Partial<Record<Parameters<Metrics["add"]>[0], number>> = {};
  /** Steps as they were answered, in words; for tests of single stories. */
  readonly steps: string[] = [];
  /** Errors that no simulated failure explains. */
  readonly defects: unknown[] = [];
  readonly watch: Watch;
  readonly events: Events;
  readonly flow: Flow;
  readonly settings: Settings;
  private readonly network: Network;
  private readonly sabotage: Sabotage;
  private readonly metrics: Metrics = {
    add: (name, value) => {
      this.counted[name] = (this.counted[name] ?? 0) + value;
    },
  };
  private ids = 0;

  constructor(options: PushWorldOptions) {
    const { scheduler, versionedSource, checksums, faults, mutation } = options;
    this.settings = {
      deletes: options.deletes ?? "replicate",
      statusTags: options.statusTags ?? false,
      maxAttempts: options.maxAttempts ?? 1000,
    };
    this.sabotage = mutation === undefined ? {} : SABOTAGES[mutation];
    this.network = { steps: scheduler, time: this.time, faults: new Faults(faults) };
    this.source = this.open("source", versionedSource, checksums);
    this.destination = this.open("destination", true, checksums);
    this.watch = new Watch(this.source, this.destination);
    this.events = new Events({
      time: this.time,
      steps: scheduler,
      dispatch: (event, done) => this.startDispatcher(event, done),
      park: ({ key }, reason) => this.parked.push({ look: { key, attempt: 0, firstSeenMs: 0 }, reason }),
    });
    this.flow = new Flow({
      network: this.network,
      repeatMs: this.sabotage.repeatMs ?? LIMITS.repeatMs,
      invoke: (state, execution) => this.invokePusher(state, execution),
    });
  }

  /** One event of the source, delivered `copies` times. */
  notify(key: string, { removal = false, copies = 1, copiesLaterMs = 0 } = {}): void {
    const eventId = `e${++this.ids}`;
    const event = { bucket: this.source.name, key, attempt: 0, eventId, ...(removal ? { removal: true as const } : {}) };
    for (let copy = 0; copy < copies; copy++) this.events.send(event, copy * copiesLaterMs);
  }

  /** From here on nothing breaks any more. */
  endFaults(): void {
    this.network.faults.end();
  }

  /** Whether anything is still to be done. */
  get idle(): boolean {
    return this.events.deliveries.length === 0 && this.flow.idle;
  }

  private open(name: string, versioned: boolean, checksums: boolean): MemoryStore {
    return new MemoryStore({
      clock: this.time,
      name,
      versioned,
      capabilities: {
        minPartSizeBytes: 1,
        conditionalWrites: false,
        conditionalCreate: !versioned,
        checksums: checksums ? ["CRC64XZ"] : [],
        multipartChecksums: checksums ? ["CRC64XZ"] : [],
      },
    });
  }

  private begin(name: string, limitMs: number): Attempt {
    const attempt = this.time.begin(name, limitMs);
    this.watch.begins(attempt);
    return attempt;
  }

  /** What both functions have around them. */
  private surroundings(attempt: Attempt) {
    return {
      source: reach(this.network, attempt, "source", this.source, (op, key) => {
        // Changed tags are an event too.
        if (op === "putTags") this.notify(key);
      }),
      deadLetters: {
        park: (look: Look, reason: string) =>
          effect(this.network, attempt, "park", async () => void this.parked.push({ look, reason })),
      },
      clock: this.time as Clock,
      logger: quiet,
      metrics: this.metrics,
      newId: () => `x${++this.ids}`,
      random: () => 0.5,
      sleep: async (ms: number) => {
        await this.time.sleep(ms);
        if (attempt.dead) await new Promise(() => undefined);
      },
    };
  }

  private startDispatcher(event: SourceEvent, done: () => void): Attempt {
    const attempt = this.begin(`dispatcher ${event.eventId}`, LIMITS.dispatcherMs);
    // Begun when its starter listens: it may crash at its first call.
    void Promise.resolve().then(() => this.runDispatcher(attempt, event, done));
    return attempt;
  }

  private runDispatcher(attempt: Attempt, event: SourceEvent, done: () => void): void {
    const deps = {
      ...this.surroundings(attempt),
      config: dispatcherConfig(this.settings),
      flow: this.flow.starterFor(attempt),
    };
    const dispatcher = new Dispatcher(this.sabotage.dispatcher?.(deps) ?? deps);
    const look = this.sabotage.event?.(event) ?? event;
    dispatcher
      .handle([{ messageId: event.eventId, looks: [look] }], { remainingMs: () => attempt.deadlineMs - this.time.now() })
      .then(
        ({ failures }) => {
          if (attempt.dead) return;
          if (failures.length === 0) done();
          attempt.die();
        },
        (error) => this.defects.push(error),
      );
  }

  private async invokePusher(state: PushState, execution: string): Promise<PushState> {
    const { steps, faults } = this.network;
    const { kind: fault } = faults.next("invoke") ?? {};
    const attempt = this.begin(`pusher ${execution.slice(0, 4)} ${state.next} ${++this.ids}`, LIMITS.pusherMs);
    const deps = {
      ...this.surroundings(attempt),
      config: pusherConfig(this.settings),
      destination: reach(this.network, attempt, "destination", this.destination, (op, key) =>
        this.watch.landed(attempt, op, key),
      ),
      leases: createAppendLeaseStore(reach(this.network, attempt, "control", this.control), "bridge", attempt.name),
    };
    const pusher = new Pusher(this.sabotage.pusher?.(deps) ?? deps);
    let over = false;
    const end = () => {
      over = true;
      attempt.die();
    };
    // Heard before anything begins: a function may crash at its first call.
    const crash = new Promise<never>((_resolve, reject) => {
      attempt.whenDead(() => over || reject(new InvocationFailed("the function ended")));
    });
    const begun = this.sabotage.step?.(state) ?? pusher.step(state, { remainingMs: () => attempt.deadlineMs - this.time.now() });
    const answer = begun.then(
      (next) => {
        this.steps.push(`${state.key} ${state.next} -> ${[next.next, next.result, next.reason].filter(Boolean).join(" ")}`);
        end();
        return next;
      },
      (error) => {
        end();
        if (!(error instanceof BridgeError)) this.defects.push(error);
        throw new InvocationFailed("the function failed", { cause: error });
      },
    );
    // The function runs on; the workflow hears no more of it.
    const lost =
      fault === "lose-answer"
        ? steps.schedule(Promise.resolve(), `${attempt.name}: connection lost`).then(() => {
            throw new InvocationFailed("the connection was lost");
          })
        : new Promise<never>(() => undefined);
    for (const promise of [answer, crash, lost]) promise.catch(() => undefined);
    const next = await Promise.race([answer, crash, lost]);
    await steps.schedule(Promise.resolve(), `${attempt.name}: answered`);
    return next;
  }
}
