import type { DispatcherConfig, PusherConfig } from "../../../runtime/protocol/env";
import type { DecodedLook, DecodedRecord } from "../../../runtime/protocol/events";
import type { FlowStarter, Look, MetricName, WorkQueue } from "../../../runtime/protocol/ports";
import { type PushCall, type PushState, parsePushState, Unfinished } from "../../../runtime/protocol/push";
import { decodeLook } from "../../../runtime/protocol/queue-messages";
import { createAppendLeaseStore } from "../../../runtime/replication/lease";
import { createAppendSlots } from "../../../runtime/replication/slots";
import { Dispatcher } from "../../../runtime/roles/dispatcher/dispatcher";
import { Pusher } from "../../../runtime/roles/pusher/pusher";
import { MemoryAppendStore, MemoryStore } from "../../../runtime/stores/memory/store";
import type { ObjectAttributes, ObjectStore } from "../../../runtime/stores/object-store";
import { VirtualTime } from "../../support/virtual-time";
import { MemoryOutageQueue } from "../support/outage-queue";
import { recordingLogger } from "../support/recording-logger";

export const plain: ObjectAttributes = { headers: {}, metadata: {}, tags: {} };

const identity = {
  bridgeId: "bridge",
  sourceId: "alicloud:source",
  destinationId: "alicloud:destination",
  logLevel: "error" as const,
  source: { kind: "oss" as const, bucket: "source", region: "cn-shanghai", versioned: true, network: "internal" as const },
  scope: { prefixes: [], suffixes: [".txt"], tags: {}, minSizeBytes: 0 },
  deletes: "replicate" as const,
  queueUrl: "https://3333333333333333.mns.cn-shanghai.aliyuncs.com/queues/queue",
  giveUpAfterSeconds: 561_600,
  deadLetterUrl: "https://3333333333333333.mns.cn-shanghai.aliyuncs.com/queues/dead-letters",
};

const pusherConfig: PusherConfig = {
  ...identity,
  destination: { kind: "oss", bucket: "destination", region: "us-west-1", versioned: true, network: "accelerate" },
  destinationPrefix: "to/",
  controlBucket: "control",
  statusTags: false,
  inlineLimitBytes: 8,
  inlineTimeoutSeconds: 20,
  timeoutSeconds: 600,
  partSizeBytes: 4,
  partsAtOnce: 2,
  maxAttempts: 3,
  copiesAtOnce: 10,
  outageQueueUrl: "https://3333333333333333.mns.cn-shanghai.aliyuncs.com/queues/outage",
  dispatcherFunctionName: "dispatcher",
};

const OSS_LIKE = {
  conditionalWrites: false,
  conditionalCreate: false,
  checksums: ["CRC64XZ" as const],
  multipartChecksums: ["CRC64XZ" as const],
  minPartSizeBytes: 1,
};

/** The same store with some methods replaced. */
export function instead(store: ObjectStore, methods: Partial<ObjectStore>): ObjectStore {
  return new Proxy(store, {
    get: (target, name) => {
      const member: unknown = Reflect.get(methods, name) ?? Reflect.get(target, name);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}

function counted(store: MemoryAppendStore, count: () => void): MemoryAppendStore {
  return new Proxy(store, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      return (...args: unknown[]): unknown => {
        count();
        return Reflect.apply(member, target, args);
      };
    },
  });
}

function world() {
  const clock = new VirtualTime();
  const source = new MemoryStore({ clock, name: "source", versioned: true, capabilities: OSS_LIKE });
  const parked: { look: Look; reason: string; original: string | undefined }[] = [];
  const counted: Partial<Record<MetricName, number>> = {};
  /** Keys in the work queue, with their delays. */
  const queued: { look: Look; delaySeconds: number }[] = [];
  const logger = recordingLogger();
  let ids = 0;
  const surroundings = {
    source: source as ObjectStore,
    deadLetters: {
      park: async (look: Look, reason: string, original?: string) => void parked.push({ look, reason, original }),
    },
    queue: {
      enqueue: async (look: Look, delaySeconds: number) => void queued.push({ look, delaySeconds }),
      enqueueAll: async (looks: readonly Look[]) => void queued.push(...looks.map((look) => ({ look, delaySeconds: 0 }))),
    } satisfies WorkQueue as WorkQueue,
    clock,
    logger,
    metrics: {
      add: (name: MetricName, value: number) => {
        counted[name] = (counted[name] ?? 0) + value;
      },
    },
    newId: () => `x${++ids}`,
    random: () => 0.5,
    sleep: async (ms: number) => clock.advance(ms),
  };
  const put = (text: string, attributes: Partial<ObjectAttributes> = {}, key = "a.txt") =>
    source.put(key, Buffer.from(text), { sizeBytes: text.length, attributes: { ...plain, ...attributes } });
  return { clock, source, parked, queued, counted, logger, surroundings, put };
}

export function openPusher({
  config = {},
  ...changes
}: {
  config?: Partial<PusherConfig>;
  source?: Partial<ObjectStore>;
  destination?: Partial<ObjectStore>;
  queue?: Partial<WorkQueue>;
} = {}) {
  const { surroundings, ...rest } = world();
  const { clock, source } = rest;
  const outage = new MemoryOutageQueue(clock);
  const started: Look[] = [];
  const start = async (messages: readonly string[]) => {
    started.push(...messages.map((text) => decodeLook(text) as Look));
  };
  const destination = new MemoryStore({ clock, name: "destination", versioned: true, capabilities: OSS_LIKE });
  const requests = { control: 0 };
  const control = counted(new MemoryAppendStore(), () => (requests.control += 1));
  const leases = createAppendLeaseStore(control, "bridge", "pusher");
  /** Requests to all stores so far. */
  const requestsMade = () =>
    [source, destination].flatMap(({ calls }) => Object.values(calls)).reduce((sum, count) => sum + count, requests.control);
  const pusher = new Pusher({
    ...surroundings,
    config: { ...pusherConfig, ...config },
    source: instead(source, changes.source ?? {}),
    destination: instead(destination, changes.destination ?? {}),
    leases,
    slots: createAppendSlots(control, { bridgeId: "bridge", clock }, "pusher"),
    queue: { ...surroundings.queue, ...changes.queue },
    outage,
    starter: { start },
  });
  const tick = (remainingMs = () => 600_000) => pusher.tick({ remainingMs });
  const stateAt = (next: PushState["next"], changed: Partial<PushState> = {}): PushState => ({
    version: 1,
    next,
    key: "a.txt",
    execution: "k1",
    firstSeenMs: clock.now(),
    attempt: 0,
    rounds: 0,
    bytesMoved: 0,
    ...changed,
  });
  const answer = async (call: PushCall, remainingMs = () => 600_000) =>
    parsePushState(JSON.parse(JSON.stringify(await pusher.answer(call, { remainingMs }))));
  const again = (state: PushState, remainingMs?: () => number) => answer({ why: "again", state }, remainingMs);
  /** The first call of an execution: what the workflow gets as its answer, or as the state of its `Unfinished`. */
  const first = async (state: PushState, remainingMs?: () => number) => {
    try {
      return await answer({ why: "first", state }, remainingMs);
    } catch (error) {
      if (!(error instanceof Unfinished)) throw error;
      return await answer({ why: "resume", state, detail: JSON.stringify({ errorMessage: error.message }) }, remainingMs);
    }
  };
  /** Calls the pusher as the workflow does. Returns what it did, and the last state. */
  const run = async (state = stateAt("inspect")) => {
    const steps: string[] = ["first"];
    let now = await first(state);
    while (now.next !== "done") {
      steps.push(now.next);
      if (steps.length > 100) throw new Error(`no end: ${steps.join(" ")}`);
      if (now.next === "wait") clock.advance((now.waitSeconds ?? 0) * 1000);
      now = await again(now);
    }
    return { steps, state: now };
  };
  return { ...rest, destination, leases, outage, started, stateAt, answer, first, again, run, tick, requestsMade };
}

export function openDispatcher({
  config = {},
  ...changes
}: {
  config?: Partial<DispatcherConfig>;
  flow?: (flow: FlowStarter) => Partial<FlowStarter>;
  queue?: Partial<WorkQueue>;
} = {}) {
  const { surroundings, ...rest } = world();
  const executions = new Map<string, { status: string; input: string }>();
  const flow: FlowStarter = {
    start: async (name, input) => {
      const text = JSON.stringify(parsePushState(input));
      const known = executions.get(name);
      if (known === undefined) executions.set(name, { status: "Running", input: text });
      else if (known.status !== "Running") return "finished";
      else if (known.input !== text) return "running";
      return "started";
    },
    describe: async (name) => executions.get(name),
  };
  const dispatcher = new Dispatcher({
    ...surroundings,
    config: { ...identity, flowName: "flow", ...config },
    flow: { ...flow, ...changes.flow?.(flow) },
    queue: { ...surroundings.queue, ...changes.queue },
  });
  const inputs = () => [...executions.values()].map(({ input }) => parsePushState(JSON.parse(input)));
  const end = (status: string) => {
    for (const execution of executions.values()) execution.status = status;
  };
  const dispatch = (records: readonly DecodedRecord[], remainingMs = 60_000) => {
    const endMs = rest.clock.now() + remainingMs;
    return dispatcher.handle(records, { remainingMs: () => endMs - rest.clock.now() });
  };
  const deliver = (eventId?: string, look: Partial<DecodedLook> = {}) =>
    dispatch([
      { messageId: "m", looks: [{ key: "a.txt", failures: 0, ...(eventId === undefined ? {} : { eventId }), ...look }] },
    ]);
  return { ...rest, executions, inputs, end, dispatch, deliver };
}
