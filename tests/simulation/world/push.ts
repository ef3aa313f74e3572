/**
 * Push mode: the source's events, a dispatcher, a workflow and a pusher inside one cloud, and the queues of keys that wait. Like OSS, the
 * stores have no conditional writes, and leases are logs.
 */
import type { DecodedLook } from "../../../runtime/protocol/events";
import type { Look, Metrics, OutageQueue, WorkQueue } from "../../../runtime/protocol/ports";
import { type PushCall, type PushState, Unfinished } from "../../../runtime/protocol/push";
import { decodeLook, encodeLook } from "../../../runtime/protocol/queue-messages";
import { Breaker } from "../../../runtime/replication/breaker";
import { KeptAttributes } from "../../../runtime/replication/kept-attributes";
import { createAppendLeaseStore } from "../../../runtime/replication/lease";
import { createAppendSlots } from "../../../runtime/replication/slots";
import { Dispatcher, type DispatcherDeps } from "../../../runtime/roles/dispatcher/dispatcher";
import { Pusher, type PusherDeps } from "../../../runtime/roles/pusher/pusher";
import { BridgeError } from "../../../runtime/stores/errors";
import { MemoryAppendStore } from "../../../runtime/stores/memory/store";
import { MemoryOutageQueue } from "../../runtime/support/outage-queue";
import { bridgeIdOf, dispatcherConfig, LIMITS, pusherConfig } from "./config";
import { Delivery, type Message } from "./delivery";
import { Flow, InvocationFailed } from "./flow";
import { effect, never, overNetwork } from "./network";
import { type Attempt, WorldTime } from "./time";
import { NAMES, type Notice, openStore, type SharedParts, World, type WorldOptions } from "./world";

/** Changes that break push mode on purpose. */
export interface PushSabotage {
  event?(look: DecodedLook): DecodedLook;
  dispatcher?(deps: DispatcherDeps): DispatcherDeps;
  pusher?(deps: PusherDeps): PusherDeps;
  /** Time between two tries of one call; ms. */
  repeatMs?: number;
}

export interface PushOptions extends WorldOptions {
  /** False: objects have no checksums, like objects that were written long ago. */
  checksums: boolean;
  sabotage?: PushSabotage | undefined;
}

/** An event of the source, or a key that the tick hands over. */
interface DispatcherEvent extends DecodedLook {
  id: string;
}

const TICK_MS = 60_000;

/** The bridge's default configuration lets Function Compute try again eight times. */
const INVOCATION = { kind: "invocation", tries: 9, retryMs: () => 20_000 } as const;

export class PushWorld extends World {
  readonly control = new MemoryAppendStore();
  readonly delivery: Delivery<DispatcherEvent>;
  readonly flow: Flow;
  /** Results of the pusher's calls, as text. */
  readonly steps: string[] = [];
  private readonly sabotage: PushSabotage;
  private readonly metrics: Metrics = { add: () => undefined };
  /** Keys in the work queue. */
  private readonly waiting: { look: Look; dueMs: number }[] = [];
  private readonly outage: MemoryOutageQueue;
  /** One instance of the pusher answers all calls. */
  private readonly breaker: Breaker;
  private readonly kept = new KeptAttributes();
  private tickIsPlanned = false;

  constructor(options: PushOptions) {
    super(options, openShared(options), { forgetsGivenUp: true });
    this.sabotage = options.sabotage ?? {};
    this.outage = new MemoryOutageQueue(this.time);
    this.breaker = new Breaker({ outage: this.outage, clock: this.time });
    this.delivery = new Delivery({
      trigger: INVOCATION,
      time: this.time,
      steps: options.scheduler,
      deliver: ([message]) => this.startDispatcher(message as Message<DispatcherEvent>),
      park: ({ key }, reason) => this.parked.push({ look: { key, failures: 0, firstSeenMs: 0 }, reason }),
    });
    this.flow = new Flow({
      network: this.network,
      repeatMs: this.sabotage.repeatMs ?? LIMITS.repeatMs,
      invoke: (call, execution) => this.invokePusher(call, execution),
    });
  }

  notify(key: string, { copies = 1, copiesLaterMs = 0 }: Notice = {}): void {
    const eventId = this.newId("e");
    const looked = { bucket: this.source.name, key, failures: 0, eventId };
    const event = { id: eventId, ...looked };
    for (let copy = 0; copy < copies; copy++) this.delivery.add(event, copy * copiesLaterMs);
  }

  override get idle(): boolean {
    return super.idle && this.flow.idle && this.waiting.length === 0 && this.outage.messages.length === 0;
  }

  /** Dependencies of the dispatcher and the pusher. */
  protected override surroundings(attempt: Attempt) {
    return {
      ...super.surroundings(attempt),
      source: this.sourceFor(attempt),
      deadLetters: this.deadLettersFor(attempt),
      metrics: this.metrics,
      newId: () => this.newId("x"),
    };
  }

  private startDispatcher(message: Message<DispatcherEvent>): Attempt {
    const attempt = this.begin(`dispatcher ${message.content.id}`, LIMITS.dispatcherMs);
    // It begins after the caller has attached `whenDead`: it may crash at its first call.
    void Promise.resolve().then(() => this.runDispatcher(attempt, message));
    return attempt;
  }

  private runDispatcher(attempt: Attempt, message: Message<DispatcherEvent>): void {
    const event = message.content;
    const deps = {
      ...this.surroundings(attempt),
      config: dispatcherConfig(this.settings),
      flow: this.flow.starterFor(attempt),
      queue: this.queueFor(attempt),
    };
    const dispatcher = new Dispatcher(this.sabotage.dispatcher?.(deps) ?? deps);
    const look = this.sabotage.event?.(event) ?? event;
    dispatcher.handle([{ messageId: event.id, looks: [look] }], attempt).then(
      ({ failures }) => {
        if (attempt.dead) return;
        if (failures.length === 0) this.delivery.remove(message);
        attempt.die();
      },
      (error) => this.defects.push(error),
    );
  }

  private openPusher(attempt: Attempt): Pusher {
    const control = overNetwork(this.network, attempt, "control", this.control);
    const bridgeId = bridgeIdOf(this.settings);
    const deps = {
      ...this.surroundings(attempt),
      config: pusherConfig(this.settings),
      destination: this.destinationFor(attempt),
      leases: createAppendLeaseStore(control, bridgeId, attempt.name),
      slots: createAppendSlots(control, { bridgeId, clock: this.time }, attempt.name),
      queue: this.queueFor(attempt),
      outage: this.outageFor(attempt),
      starter: { start: (messages: readonly string[]) => this.handOver(attempt, messages) },
      breaker: this.breaker,
      kept: this.kept,
    };
    return new Pusher(this.sabotage.pusher?.(deps) ?? deps);
  }

  private queueFor(attempt: Attempt): WorkQueue {
    const enqueue = (looks: readonly Look[], delaySeconds: number) =>
      effect(this.network, attempt, "enqueue", async () => {
        const dueMs = this.time.now() + delaySeconds * 1000;
        for (const look of looks) this.waiting.push({ look: stored(look), dueMs });
        this.planTick();
      });
    return { enqueue: (look, delaySeconds) => enqueue([look], delaySeconds), enqueueAll: (looks) => enqueue(looks, 0) };
  }

  private outageFor(attempt: Attempt): OutageQueue {
    const call = <T>(label: string, run: () => Promise<T>) => effect(this.network, attempt, `outage ${label}`, run);
    return {
      isEmpty: () => call("isEmpty", () => this.outage.isEmpty()),
      receive: () => call("receive", () => this.outage.receive()),
      remove: (messages) => call("remove", () => this.outage.remove(messages)),
      add: (looks) =>
        call("add", async () => {
          await this.outage.add(looks.map(stored));
          this.planTick();
        }),
    };
  }

  /** One asynchronous invocation of the dispatcher for each key. The real one takes several. */
  private handOver(attempt: Attempt, messages: readonly string[]): Promise<void> {
    return effect(this.network, attempt, "start looks", async () => {
      for (const message of messages) this.delivery.add({ ...decodeLook(message), id: this.newId("l") });
    });
  }

  /** The timer. It ticks only while keys wait, because a world without work must come to rest. */
  private planTick(): void {
    if (this.tickIsPlanned) return;
    this.tickIsPlanned = true;
    void this.time.sleep(TICK_MS).then(() => this.tick());
  }

  private async tick(): Promise<void> {
    this.tickIsPlanned = false;
    const attempt = this.begin(`pusher tick ${this.newId()}`, LIMITS.pusherMs);
    const end = () => {
      if (this.waiting.length > 0 || this.outage.messages.length > 0) this.planTick();
    };
    attempt.whenDead(end);
    try {
      await this.openPusher(attempt).tick(attempt);
      await this.drain(attempt);
    } catch (error) {
      if (!(error instanceof BridgeError)) this.defects.push(error);
    }
    attempt.die();
  }

  /** As the platform does it: a message is removed only after its start was stored. */
  private async drain(attempt: Attempt): Promise<void> {
    for (const message of this.waiting.filter(({ dueMs }) => dueMs <= this.time.now())) {
      await this.handOver(attempt, [encodeLook(message.look)]);
      await effect(this.network, attempt, "queue remove", async () => {
        this.waiting.splice(this.waiting.indexOf(message), 1);
      });
    }
  }

  private async invokePusher(call: PushCall, execution: string): Promise<PushState> {
    const { steps, faults } = this.network;
    const { kind: fault } = faults.next("invoke") ?? {};
    const attempt = this.begin(`pusher ${execution.slice(0, 4)} ${call.why} ${this.newId()}`, LIMITS.pusherMs);
    const pusher = this.openPusher(attempt);
    let over = false;
    const end = () => {
      over = true;
      attempt.die();
    };
    // Attached before the call begins: a function may crash at its first call.
    const crash = new Promise<never>((_resolve, reject) => {
      attempt.whenDead(() => over || reject(new InvocationFailed("the function ended")));
    });
    const told = ({ next, result, reason }: Partial<PushState>) => [next, result, reason].filter(Boolean).join(" ");
    const answer = pusher.answer(call, attempt).then(
      (next) => {
        this.steps.push(`${call.state.key} ${call.why} -> ${told(next)}`);
        end();
        return next;
      },
      (error) => {
        end();
        if (error instanceof Unfinished) {
          this.steps.push(`${call.state.key} ${call.why} -> ${error.message.replace(/^state:\S+ /, "")}`);
          throw error;
        }
        if (!(error instanceof BridgeError)) this.defects.push(error);
        throw new InvocationFailed("the function failed", { cause: error });
      },
    );
    // The function goes on, but the workflow does not get its result.
    const lost =
      fault === "lose-answer"
        ? steps.schedule(Promise.resolve(), `${attempt.name}: connection lost`).then(() => {
            throw new InvocationFailed("the connection was lost");
          })
        : never<never>();
    for (const promise of [answer, crash, lost]) promise.catch(() => undefined);
    try {
      return await Promise.race([answer, crash, lost]);
    } finally {
      await steps.schedule(Promise.resolve(), `${attempt.name}: answered`);
    }
  }
}

/** A look as it is read from a queue. */
const stored = (look: Look): Look => ({ ...decodeLook(encodeLook(look)), firstSeenMs: look.firstSeenMs });

function openShared({ versionedSource, checksums, names = NAMES }: PushOptions): SharedParts {
  const time = new WorldTime();
  const open = (name: string, versioned: boolean) =>
    openStore(time, name, versioned, {
      conditionalWrites: false,
      conditionalCreate: !versioned,
      checksums: checksums ? ["CRC64XZ"] : [],
      multipartChecksums: checksums ? ["CRC64XZ"] : [],
    });
  return { time, source: open(names.source, versionedSource), destination: open(names.destination, true) };
}
