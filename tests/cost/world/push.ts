/** Push mode with the real roles and the deployed workflow: every request and every step is counted and takes the time that the model assumes. */

import { flowDefinition } from "../../../components/alicloud/flow-definition";
import { INLINE_LIMIT_BYTES } from "../../../cost/requests";
import { ASSUMED, type FunctionRole, functionSize } from "../../../cost/times";
import type { Look } from "../../../runtime/protocol/ports";
import { type PushCall, type PushState, parsePushState, Unfinished } from "../../../runtime/protocol/push";
import { KeptAttributes } from "../../../runtime/replication/kept-attributes";
import { createAppendLeaseStore } from "../../../runtime/replication/lease";
import { createAppendSlots } from "../../../runtime/replication/slots";
import { Dispatcher } from "../../../runtime/roles/dispatcher/dispatcher";
import { Pusher } from "../../../runtime/roles/pusher/pusher";
import { MemoryAppendStore, MemoryStore } from "../../../runtime/stores/memory/store";
import type { ObjectStore } from "../../../runtime/stores/object-store";
import { MemoryOutageQueue } from "../../runtime/support/outage-queue";
import { bridgeIdOf, dispatcherConfig, pusherConfig, type Settings } from "../../simulation/world/config";
import { VirtualTime } from "../../support/virtual-time";
import { invoked, Link, Meter, Processor, type Reach, reached } from "./meter";
import { noAttributes, storeCapabilities } from "./pull";

const SECONDS = { dispatcher: 60, pusher: 900, inline: 29 } as const;

export interface PushPathOptions {
  deletes?: "ignore" | "replicate";
  inlineLimitBytes?: number;
  partSizeBytes?: number;
  /** Objects are this much smaller than the ones that they stand for, and links slower. @default 1 */
  scale?: number;
}

export interface PushLimits {
  /** Instances of the dispatcher, and of the pusher. @default one dispatcher, as many pushers as there are executions */
  instances?: number;
  /** Steps that the account may enter. @default unlimited */
  stepsPerSecond?: number;
}

interface FlowState {
  Name: string;
  Type: string;
  Next?: string;
  End?: boolean;
  Parameters?: { body: { why: PushCall["why"] } };
  Catch?: { Next: string }[];
  Branches?: { Condition: string; Next: string }[];
  Default?: string;
}

export class PushPath {
  readonly time = new VirtualTime();
  readonly meter = new Meter();
  readonly source = this.open("source");
  readonly destination = this.open("destination");
  readonly parked: string[] = [];
  private readonly control = new MemoryAppendStore();
  /** Every instance is warm, so each knows what the first one has learned. */
  private readonly kept = new KeptAttributes();
  private readonly outage = new MemoryOutageQueue(this.time);
  private readonly executions: Promise<void>[] = [];
  private readonly settings: Settings;
  private readonly states: Map<string, FlowState>;
  private readonly startAt: string;
  /** Instances that have nothing to do. */
  private readonly idleDispatchers: Dispatcher[] = [];
  private readonly idlePushers: Pusher[] = [];
  private pushersBusy = 0;
  private limits: PushLimits = {};
  /** When the quota allows the next step. */
  private nextStepMs = 0;
  private ids = 0;

  constructor(private readonly options: PushPathOptions = {}) {
    this.settings = {
      source: "source",
      destination: "destination",
      deletes: options.deletes ?? "ignore",
      statusTags: false,
      maxAttempts: 20,
      giveUpAfterSeconds: 561_600,
      urlExpiresInSeconds: 1200,
      partBytes: options.partSizeBytes ?? 16 * 1024 ** 2,
    };
    const definition = flowDefinition({ name: "flow", functionArn: "acs:fc:r:1:functions/pusher", inlineHardEndSeconds: 39 });
    const { StartAt, States } = JSON.parse(definition) as { StartAt: string; States: FlowState[] };
    this.startAt = StartAt;
    this.states = new Map(States.map((state) => [state.Name, state]));
  }

  async put(key: string, sizeBytes: number, tags: Record<string, string> = {}): Promise<void> {
    await this.source.put(key, Buffer.alloc(sizeBytes, 7), { sizeBytes, attributes: { ...noAttributes, tags } });
  }

  /** Delivers one event for each key, and runs the executions to their end. */
  async deliver(keys: readonly string[], limits: PushLimits = {}): Promise<void> {
    this.limits = limits;
    await this.time.during(this.run(keys));
    if (this.meter.problems.length > 0) throw this.meter.problems[0];
    if (this.parked.length > 0) throw new Error(`parked: ${this.parked.join("; ")}`);
  }

  private async run(keys: readonly string[]): Promise<void> {
    const waiting = [...keys];
    const loop = async () => {
      for (let key = waiting.shift(); key !== undefined; key = waiting.shift()) await this.dispatch(key);
    };
    await Promise.all(Array.from({ length: this.limits.instances ?? 1 }, loop));
    await Promise.all(this.executions);
  }

  private async dispatch(key: string): Promise<void> {
    const dispatcher = this.idleDispatchers.pop() ?? this.createDispatcher();
    const look = { key, failures: 0, firstSeenMs: this.time.now(), eventId: `e${++this.ids}` };
    const records = [{ messageId: "m", looks: [look] }];
    const { failures } = await invoked(this, "dispatcher", SECONDS.dispatcher, (deadline) =>
      dispatcher.handle(records, deadline),
    );
    if (failures.length > 0) throw new Error(failures.map(({ reason }) => reason).join("; "));
    this.idleDispatchers.push(dispatcher);
  }

  /** Walks through the deployed definition. */
  private async execute(input: PushState): Promise<void> {
    let name: string | undefined = this.startAt;
    let current = input;
    let detail: string | undefined;
    while (name !== undefined) {
      const state = this.states.get(name);
      if (state === undefined) throw new Error(`the workflow has no state ${name}`);
      await this.enter();
      if (state.Type === "Fail") throw new Error(`the execution ended in ${name}`);
      if (state.Type === "Wait") await this.time.sleep((current.waitSeconds ?? 0) * 1000);
      const answer = state.Parameters && (await this.call({ why: state.Parameters.body.why, state: current, detail }));
      if (answer instanceof Unfinished) {
        detail = answer.message;
        name = state.Catch?.[0]?.Next;
        continue;
      }
      current = answer ?? current;
      name = state.Type === "Choice" ? chosen(state, current) : state.End === true ? undefined : state.Next;
    }
  }

  /** A step counts against the quota when it is entered. */
  private async enter(): Promise<void> {
    this.meter.call("workflow steps");
    const { stepsPerSecond } = this.limits;
    if (stepsPerSecond === undefined) return;
    this.nextStepMs = Math.max(this.time.now(), this.nextStepMs + 1000 / stepsPerSecond);
    await this.time.sleep(Math.round(this.nextStepMs) - this.time.now());
  }

  /** Above the number of instances the workflow tries again: after one second, and then a little later each time. */
  private async call(call: PushCall): Promise<PushState | Unfinished> {
    await this.time.sleep(ASSUMED.controlMs);
    for (let waitMs = 1_000; this.pushersBusy >= (this.limits.instances ?? Number.POSITIVE_INFINITY); waitMs *= 1.05) {
      this.meter.call("pusher throttled");
      await this.time.sleep(Math.round(waitMs));
    }
    this.pushersBusy += 1;
    const pusher = this.idlePushers.pop() ?? this.createPusher();
    const next = await invoked(this, "pusher", SECONDS.pusher, (deadline) =>
      pusher.answer(call, deadline).catch((error: unknown) => {
        if (error instanceof Unfinished) return error;
        throw error;
      }),
    );
    this.idlePushers.push(pusher);
    this.pushersBusy -= 1;
    return next instanceof Unfinished ? next : parsePushState(JSON.parse(JSON.stringify(next)));
  }

  private createDispatcher(): Dispatcher {
    const { time, meter } = this;
    const processor = this.processor("dispatcher");
    return new Dispatcher({
      config: dispatcherConfig(this.settings),
      flow: {
        start: async (_name, input) => {
          await processor.use(ASSUMED.cpuMsPerRequest);
          await time.sleep(ASSUMED.controlMs);
          meter.call("executions started");
          this.executions.push(this.execute(parsePushState(JSON.parse(JSON.stringify(input)))));
          return "started";
        },
        describe: async () => {
          meter.call("executions described");
          return undefined;
        },
      },
      ...this.surroundings("dispatcher"),
    });
  }

  private createPusher(): Pusher {
    const { time, control } = this;
    const processor = this.processor("pusher");
    const bridgeId = bridgeIdOf(this.settings);
    const records = reached(control, this.reachOf("pusher", processor, "records"));
    const pusher = new Pusher({
      config: {
        ...pusherConfig(this.settings),
        inlineLimitBytes: this.options.inlineLimitBytes ?? INLINE_LIMIT_BYTES,
        inlineTimeoutSeconds: SECONDS.inline,
        timeoutSeconds: SECONDS.pusher,
        partsAtOnce: 8,
      },
      source: this.reach("pusher", processor, "source"),
      destination: this.reach("pusher", processor, "destination"),
      leases: createAppendLeaseStore(records, bridgeId, "pusher"),
      slots: createAppendSlots(records, { bridgeId, clock: time }, "pusher"),
      outage: this.outage,
      starter: {
        start: async () => {
          throw new Error("nothing waits here");
        },
      },
      sleep: (ms) => time.sleep(ms),
      kept: this.kept,
      ...this.surroundings("pusher"),
    });
    return pusher;
  }

  private surroundings(role: FunctionRole) {
    const put = async (looks: readonly Look[]) => {
      throw new Error(`${looks.length} keys were put back`);
    };
    return {
      queue: { enqueue: async (look: Look) => await put([look]), enqueueAll: put },
      deadLetters: { park: async ({ key }: Look, reason: string) => void this.parked.push(`${key}: ${reason}`) },
      clock: this.time,
      logger: this.meter.logger(role),
      metrics: { add: () => undefined },
      newId: () => `x${++this.ids}`,
      random: () => 0.5,
    };
  }

  private open(name: "source" | "destination"): MemoryStore {
    return new MemoryStore({ clock: this.time, name, versioned: true, capabilities: storeCapabilities("alicloud") });
  }

  private reach(role: FunctionRole, processor: Processor, place: "source" | "destination"): ObjectStore {
    return reached<ObjectStore>(this[place], this.reachOf(role, processor, place));
  }

  /** The functions run at the source; the destination is far. */
  private reachOf(role: FunctionRole, processor: Processor, place: Reach["place"]): Reach {
    const { time, meter } = this;
    const scale = this.options.scale ?? 1;
    const link =
      role === "pusher" && place === "source"
        ? new Link(time, {
            instance: ASSUMED.instanceBytesPerSecond / scale,
            connection: ASSUMED.connectionBytesPerSecond / scale,
          })
        : undefined;
    const latencyMs = () => ASSUMED.storeMs + (place === "destination" ? ASSUMED.borderMs : 0);
    return { meter, time, place, processor, latencyMs, link, cpuMsPerRequest: ASSUMED.cpuMsPerRequest };
  }

  private processor(role: FunctionRole): Processor {
    return new Processor(this.time, functionSize("alicloud", role).vcpus);
  }
}

/** The branch of a choice between the steps that the pusher names. */
function chosen({ Name, Branches = [], Default }: FlowState, { next }: PushState): string {
  const taken = Branches.find(({ Condition }) => Condition.includes(`.next == "${next}"`))?.Next ?? Default;
  if (taken === undefined) throw new Error(`${Name} has no branch for ${next}`);
  return taken;
}
