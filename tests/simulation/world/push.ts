/**
 * Push mode: the source's events, a dispatcher, a workflow and a pusher inside one cloud. Like OSS, the stores have no conditional writes,
 * and leases are logs.
 */
import type { DecodedLook } from "../../../runtime/protocol/events";
import type { Metrics } from "../../../runtime/protocol/ports";
import type { PushState } from "../../../runtime/protocol/push";
import { createAppendLeaseStore } from "../../../runtime/replication/lease";
import { createAppendSlots } from "../../../runtime/replication/slots";
import { Dispatcher, type DispatcherDeps } from "../../../runtime/roles/dispatcher/dispatcher";
import { Pusher, type PusherDeps } from "../../../runtime/roles/pusher/pusher";
import { BridgeError } from "../../../runtime/stores/errors";
import { MemoryAppendStore } from "../../../runtime/stores/memory/store";
import { bridgeIdOf, dispatcherConfig, LIMITS, pusherConfig } from "./config";
import { Delivery, type Message } from "./delivery";
import { Flow, InvocationFailed } from "./flow";
import { never, overNetwork } from "./network";
import { type Attempt, WorldTime } from "./time";
import { NAMES, type Notice, openStore, type SharedParts, World, type WorldOptions } from "./world";

/** Changes that break push mode on purpose. */
export interface PushSabotage {
  event?(look: DecodedLook): DecodedLook;
  dispatcher?(deps: DispatcherDeps): DispatcherDeps;
  pusher?(deps: PusherDeps): PusherDeps;
  /** Runs a step instead of the pusher. If it returns undefined, the pusher runs it. */
  step?(state: PushState): Promise<PushState> | undefined;
  /** Time between two tries of one step; ms. */
  repeatMs?: number;
}

export interface PushOptions extends WorldOptions {
  /** False: objects have no checksums, like objects that were written long ago. */
  checksums: boolean;
  sabotage?: PushSabotage | undefined;
}

interface SourceEvent extends DecodedLook {
  eventId: string;
}

/** The bridge's default configuration lets Function Compute try again eight times. */
const INVOCATION = { kind: "invocation", tries: 9, retryMs: () => 20_000 } as const;

export class PushWorld extends World {
  readonly control = new MemoryAppendStore();
  readonly delivery: Delivery<SourceEvent>;
  readonly flow: Flow;
  /** Results of the steps, as text. */
  readonly steps: string[] = [];
  private readonly sabotage: PushSabotage;
  private readonly metrics: Metrics = { add: () => undefined };

  constructor(options: PushOptions) {
    super(options, openShared(options), { forgetsGivenUp: true });
    this.sabotage = options.sabotage ?? {};
    this.delivery = new Delivery({
      trigger: INVOCATION,
      time: this.time,
      steps: options.scheduler,
      deliver: ([message]) => this.startDispatcher(message as Message<SourceEvent>),
      park: ({ key }, reason) => this.parked.push({ look: { key, failures: 0, firstSeenMs: 0 }, reason }),
    });
    this.flow = new Flow({
      network: this.network,
      repeatMs: this.sabotage.repeatMs ?? LIMITS.repeatMs,
      invoke: (state, execution) => this.invokePusher(state, execution),
    });
  }

  notify(key: string, { removal = false, copies = 1, copiesLaterMs = 0 }: Notice = {}): void {
    const eventId = this.newId("e");
    const event = { bucket: this.source.name, key, failures: 0, eventId, ...(removal ? { removal: true as const } : {}) };
    for (let copy = 0; copy < copies; copy++) this.delivery.add(event, copy * copiesLaterMs);
  }

  override get idle(): boolean {
    return super.idle && this.flow.idle;
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

  private startDispatcher(message: Message<SourceEvent>): Attempt {
    const attempt = this.begin(`dispatcher ${message.content.eventId}`, LIMITS.dispatcherMs);
    // It begins after the caller has attached `whenDead`: it may crash at its first call.
    void Promise.resolve().then(() => this.runDispatcher(attempt, message));
    return attempt;
  }

  private runDispatcher(attempt: Attempt, message: Message<SourceEvent>): void {
    const event = message.content;
    const deps = {
      ...this.surroundings(attempt),
      config: dispatcherConfig(this.settings),
      flow: this.flow.starterFor(attempt),
    };
    const dispatcher = new Dispatcher(this.sabotage.dispatcher?.(deps) ?? deps);
    const look = this.sabotage.event?.(event) ?? event;
    dispatcher.handle([{ messageId: event.eventId, looks: [look] }], attempt).then(
      ({ failures }) => {
        if (attempt.dead) return;
        if (failures.length === 0) this.delivery.remove(message);
        attempt.die();
      },
      (error) => this.defects.push(error),
    );
  }

  private async invokePusher(state: PushState, execution: string): Promise<PushState> {
    const { steps, faults } = this.network;
    const { kind: fault } = faults.next("invoke") ?? {};
    const attempt = this.begin(`pusher ${execution.slice(0, 4)} ${state.next} ${this.newId()}`, LIMITS.pusherMs);
    const control = overNetwork(this.network, attempt, "control", this.control);
    const bridgeId = bridgeIdOf(this.settings);
    const deps = {
      ...this.surroundings(attempt),
      config: pusherConfig(this.settings),
      destination: this.destinationFor(attempt),
      leases: createAppendLeaseStore(control, bridgeId, attempt.name),
      slots: createAppendSlots(control, { bridgeId, clock: this.time }, attempt.name),
    };
    const pusher = new Pusher(this.sabotage.pusher?.(deps) ?? deps);
    let over = false;
    const end = () => {
      over = true;
      attempt.die();
    };
    // Attached before the step begins: a function may crash at its first call.
    const crash = new Promise<never>((_resolve, reject) => {
      attempt.whenDead(() => over || reject(new InvocationFailed("the function ended")));
    });
    const begun = this.sabotage.step?.(state) ?? pusher.step(state, attempt);
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
    // The function goes on, but the workflow does not get its result.
    const lost =
      fault === "lose-answer"
        ? steps.schedule(Promise.resolve(), `${attempt.name}: connection lost`).then(() => {
            throw new InvocationFailed("the connection was lost");
          })
        : never<never>();
    for (const promise of [answer, crash, lost]) promise.catch(() => undefined);
    const next = await Promise.race([answer, crash, lost]);
    await steps.schedule(Promise.resolve(), `${attempt.name}: answered`);
    return next;
  }
}

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
