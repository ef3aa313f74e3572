/** Pull mode: a queue or asynchronous invocations, senders, receivers and copiers between two clouds. */
import type { DecodedLook } from "../../../runtime/protocol/events";
import type { ReplicationRequest, ReplicationResponse } from "../../../runtime/protocol/messages";
import {
  type Clock,
  type CopyJob,
  type Look,
  type Metrics,
  type OutageQueue,
  ReceiverUnreachable,
} from "../../../runtime/protocol/ports";
import type { CopyResult } from "../../../runtime/replication/copy-under-lease";
import { KeptAttributes } from "../../../runtime/replication/kept-attributes";
import { createAppendLeaseStore, createLeaseStore, type LeaseStore } from "../../../runtime/replication/lease";
import { createAppendSlots, createSlots, type Slots } from "../../../runtime/replication/slots";
import { Copier, type CopierDeps } from "../../../runtime/roles/copier/copier";
import { Receiver, type ReceiverDeps } from "../../../runtime/roles/receiver/receiver";
import { createSenderMemory, Sender, type SenderDeps, type SenderMemory } from "../../../runtime/roles/sender/sender";
import { BridgeError } from "../../../runtime/stores/errors";
import { MemoryStore } from "../../../runtime/stores/memory/store";
import type { StoreCapabilities } from "../../../runtime/stores/object-store";
import { MemoryOutageQueue } from "../../runtime/support/outage-queue";
import { Account, slowReader } from "./account";
import { appendingTo } from "./append-store";
import { bridgeIdOf, copierConfig, LIMITS, receiverConfig, senderConfig } from "./config";
import { Delivery, type InvocationOptions, type Message, type QueueOptions } from "./delivery";
import { effect, Faults, type Network, overNetwork } from "./network";
import { readerOf, type Uncompared } from "./source-reader";
import type { Steps } from "./steps";
import { type Attempt, WorldTime } from "./time";
import { NAMES, type Notice, openStore, type SharedParts, World, type WorldOptions } from "./world";

/** Changes that break pull mode on purpose. */
export interface PullSabotage {
  sender?(deps: SenderDeps): SenderDeps;
  receiver?(deps: WithLeases<ReceiverDeps>, source: MemoryStore): ReceiverDeps;
  copier?(deps: WithLeases<CopierDeps>, job: CopyJob): CopierDeps;
  /** Part of the pin that reads of the source do not compare. */
  uncompared?: Uncompared;
  /** The message is deleted before its successor is enqueued. */
  acknowledgeFirst?: true;
  visibilityMs?: number;
}

/** A message of the bridge, or an event of the source. */
type Arrival = Look & Pick<DecodedLook, "tagging">;

export type WithLeases<T> = T & { leases: LeaseStore };

export interface PullOptions extends WorldOptions {
  conditionalWrites: boolean;
  /** False: the source has no checksums, like old objects and stores of other vendors. */
  sourceChecksums: boolean;
  sabotage?: PullSabotage | undefined;
  /** @default "queue" */
  trigger?: "queue" | "invocation";
  /** Maximum number of messages in one delivery. @default 1 */
  batchSize?: number;
  /** How far the source's clock is ahead of all other clocks; ms. @default 0 */
  sourceSkewMs?: number;
  /** @default 1 */
  triesPerPart?: number;
  /** Whether the first run of a copy may move the object as one stream. @default false */
  mayStream?: boolean;
  /** How leases are stored: as objects, or as lines of a log on a store without conditional writes. @default "objects" */
  leases?: "objects" | "log";
  /** Override the destination's default capabilities. */
  destinationCapabilities?: Partial<StoreCapabilities>;
  /** Stores and clock that two bridges share. */
  shared?: SharedParts;
  /** Instances that receivers and copiers share. @default unlimited */
  instances?: number;
  /** The time that a copier needs to read one part. @default 0 */
  readMs?: number;
}

/** With `buffer: none` Lambda tries an asynchronous invocation three times: again after one minute, then after two. */
const INVOCATION = { kind: "invocation", tries: 3, retryMs: (deliveries: number) => 60_000 * deliveries } as const;
const AT_ONCE: Steps = { schedule: (task) => task, count: () => 0, waitNext: async () => undefined };
const CHANGES: ReadonlySet<string> = new Set(["put", "completeUpload", "delete", "putTags"]);
/** Instances of the sender. */
const INSTANCES = 2;
const TICK_MS = 60_000;
const unmeasured: Metrics = { add: () => undefined };

/** Accepts simulated failures. Any other error is a defect of the code under test. */
const mustBeSimulated = (error: unknown): void => {
  if (!(error instanceof BridgeError)) throw error;
};

const THROTTLED = { attemptMayRun: false, retryable: true, throttled: true } as const;
const unreachable = (attemptMayRun: boolean) => new ReceiverUnreachable("simulated", { attemptMayRun, retryable: true });

export class PullWorld extends World {
  readonly control: MemoryStore;
  /** Delivers the source's events: the queue, or with `buffer: none` the function's asynchronous invocations. */
  readonly delivery: Delivery<Arrival>;
  /** The queue of the keys that wait. */
  readonly work: Delivery<Arrival>;
  readonly outage: MemoryOutageQueue;
  /** Requests that the sender sent. */
  posts = 0;
  /** Results of receivers and copiers, as text. */
  readonly events: string[] = [];
  /** Called for every change that the bridge makes at the destination, like the destination's events. */
  onDestinationChange: (key: string) => void = () => undefined;
  /** Runs before the receiver. Throws `ReceiverUnreachable` to keep the request from it. */
  beforeReceiver: (request: ReplicationRequest) => void = () => undefined;
  /** Starts of copiers by key. */
  readonly starts = new Map<string, number>();
  readonly account: Account;
  /** Every request that reached a receiver. */
  readonly captured: ReplicationRequest[] = [];
  private readonly options: PullOptions;
  private readonly sabotage: PullSabotage;
  private readonly sourceClock: Pick<Clock, "now">;
  private readonly memories: SenderMemory[];
  /** All receivers are one instance, so that what one has learned decides for the next. */
  private readonly kept = new KeptAttributes();
  private isTicking = false;
  private invocations = 0;

  constructor(options: PullOptions) {
    super(options, options.shared ?? openShared(options), { forgetsGivenUp: false });
    this.account = new Account(options.instances ?? Number.POSITIVE_INFINITY, this.time);
    this.options = options;
    this.sabotage = options.sabotage ?? {};
    this.sourceClock = sourceClockOf(this.time, options);
    this.control = new MemoryStore({ clock: this.time, name: "control" });
    const visibilityMs = this.sabotage.visibilityMs ?? LIMITS.visibilityMs;
    this.work = this.open({ kind: "queue", visibilityMs, batchSize: options.batchSize ?? 1 });
    this.delivery = options.trigger === "invocation" ? this.open(INVOCATION) : this.work;
    this.outage = new MemoryOutageQueue(this.time);
    this.memories = Array.from({ length: INSTANCES }, () => createSenderMemory({ outage: this.outage, clock: this.time }));
  }

  override get deliveries(): readonly Delivery<Arrival>[] {
    return this.delivery === this.work ? [this.work] : [this.delivery, this.work];
  }

  override get idle(): boolean {
    return super.idle && this.outage.messages.length === 0;
  }

  private open(trigger: QueueOptions | InvocationOptions): Delivery<Arrival> {
    const opened: Delivery<Arrival> = new Delivery({
      trigger,
      time: this.time,
      steps: this.network.steps,
      deliver: (batch) => this.startSender(batch, opened),
      park: (look, reason) => this.parked.push({ look, reason }),
    });
    return opened;
  }

  notify(key: string, { copies = 1, tagging }: Notice = {}): void {
    for (let copy = 0; copy < copies; copy++) this.delivery.add({ key, failures: 0, firstSeenMs: this.time.now(), tagging });
  }

  private startSender(batch: readonly Message<Arrival>[], delivery: Delivery<Arrival>): Attempt {
    const attempt = this.begin(`sender ${batch.map(({ id }) => id).join("+")}`, LIMITS.senderMs);
    void this.runSender(attempt, batch, delivery);
    return attempt;
  }

  /** While the outage queue holds keys, the timer wakes the sender once a minute. */
  private async tick(): Promise<void> {
    if (this.isTicking) return;
    this.isTicking = true;
    while (this.outage.messages.length > 0) {
      await this.time.sleep(TICK_MS);
      const attempt = this.begin(`sender tick ${this.newId()}`, LIMITS.senderMs);
      const afterwards: (() => Promise<void>)[] = [];
      const done = this.senderFor(attempt, afterwards).tick(attempt);
      await Promise.race([done.catch(mustBeSimulated), new Promise<void>((resolve) => attempt.whenDead(resolve))]);
      for (const late of afterwards) await late().catch(mustBeSimulated);
      attempt.die();
    }
    this.isTicking = false;
  }

  private senderFor(attempt: Attempt, afterwards: (() => Promise<void>)[]): Sender {
    const enqueue = (look: Look, delaySeconds: number) =>
      effect(this.network, attempt, "enqueue", async () => this.work.add(look, delaySeconds * 1000));
    const queue = {
      enqueue: async (look: Look, delaySeconds: number) => {
        if (this.sabotage.acknowledgeFirst) afterwards.push(() => enqueue(look, delaySeconds));
        else await enqueue(look, delaySeconds);
      },
      enqueueAll: async (looks: readonly Look[]) => {
        for (const look of looks) await enqueue(look, 0);
      },
    };
    const deps = {
      ...this.surroundings(attempt),
      config: senderConfig(this.settings),
      source: this.sourceFor(attempt),
      receiver: { post: (request: ReplicationRequest) => this.post(attempt, request) },
      deadLetters: this.deadLettersFor(attempt),
      metrics: unmeasured,
      queue,
      outage: this.outageFor(attempt),
      // Invocations take turns on the instances, so that each remembers a part of what happened.
      memory: this.memories[this.invocations++ % INSTANCES],
    };
    return new Sender(this.sabotage.sender?.(deps) ?? deps);
  }

  private outageFor(attempt: Attempt): OutageQueue {
    const { outage } = this;
    return {
      isEmpty: () => effect(this.network, attempt, "outage isEmpty", () => outage.isEmpty()),
      add: (looks) =>
        effect(this.network, attempt, "outage add", async () => {
          await outage.add(looks);
          void this.tick();
        }),
      receive: () => effect(this.network, attempt, "outage receive", () => outage.receive()),
      remove: (messages) => effect(this.network, attempt, "outage remove", () => outage.remove(messages)),
    };
  }

  private async runSender(attempt: Attempt, batch: readonly Message<Arrival>[], delivery: Delivery<Arrival>): Promise<void> {
    const afterwards: (() => Promise<void>)[] = [];
    const sender = this.senderFor(attempt, afterwards);
    // Only a queue names its messages, and counts their deliveries.
    const isQueue = delivery.trigger.kind === "queue";
    const records = batch.map(({ id, content, deliveries }) => ({
      messageId: isQueue ? id : undefined,
      looks: [{ bucket: this.source.name, ...content, redelivered: (isQueue && deliveries > 1) || undefined }],
    }));
    const { failures } = await sender.handle(records, attempt);
    // The platform deletes the messages that the function did not report as failed. A crash leaves the rest.
    for (const message of batch) {
      if (failures.some(({ messageId }) => messageId === (isQueue ? message.id : ""))) continue;
      await effect(this.network, attempt, "acknowledge", async () => delivery.remove(message)).catch(mustBeSimulated);
    }
    for (const late of afterwards) await late().catch(mustBeSimulated);
    attempt.die();
  }

  /** Sends one request to the receiver. The receiver is its own function and may outlive the sender. */
  private async post(sender: Attempt, request: ReplicationRequest): Promise<ReplicationResponse> {
    let running: Promise<ReplicationResponse> | undefined;
    try {
      return await effect(this.network, sender, "post", async () => {
        this.posts += 1;
        this.beforeReceiver(request);
        if (!this.account.take()) throw new ReceiverUnreachable("no instance is free", THROTTLED);
        this.captured.push(request);
        running = this.runReceiver(request);
        return await running;
      });
    } catch (error) {
      throw error instanceof ReceiverUnreachable ? error : unreachable(running !== undefined);
    }
  }

  /** Delivers a request again that a receiver has got before. It runs at one moment, between two steps of all others. */
  replay(index: number): void {
    const request = this.captured[index % this.captured.length];
    if (request === undefined) return;
    const network: Network = { ...this.network, steps: AT_ONCE, faults: new Faults([]) };
    this.replaying = this.replaying.then(() => this.runReceiver(request, network)).then(() => undefined, mustBeSimulated);
  }

  private runReceiver(request: ReplicationRequest, network = this.network): Promise<ReplicationResponse> {
    const attempt = this.begin(`receiver ${this.newId()}`, LIMITS.receiverMs);
    if (network === this.network) attempt.whenDead(() => this.account.give());
    const deps = {
      ...this.destinationSide(attempt, network, request),
      config: receiverConfig(this.settings),
      kept: this.kept,
      launcher: { start: (job: CopyJob) => this.launch(attempt, job, network) },
      newId: () => this.newId("x"),
    };
    const sabotaged = this.sabotage.receiver?.(deps, this.source) ?? deps;
    const receiver = new Receiver({ ...sabotaged, leases: this.watch.receiving(attempt, sabotaged.leases ?? deps.leases) });
    return new Promise((resolve, reject) => {
      attempt.whenDead(() => reject(unreachable(true)));
      receiver.handle(request, attempt).then((receipts) => {
        for (const { key, result, reason } of receipts) this.events.push([key, result, reason].filter(Boolean).join(" "));
        resolve({ version: 1, receipts });
        attempt.die();
      }, reject);
    });
  }

  private launch(attempt: Attempt, job: CopyJob, network: Network): Promise<void> {
    return effect(network, attempt, "launch", async (fault) => {
      this.starts.set(job.key, (this.starts.get(job.key) ?? 0) + 1);
      for (let count = fault === "twice" ? 2 : 1; count > 0; count--) {
        void this.network.steps
          .schedule(Promise.resolve(), `copier ${job.execution} begins`)
          .then(() => this.account.wait())
          .then((isStarted) => (isStarted ? this.runCopier(job) : "dropped"))
          .then((result) => this.events.push(`copier ${result}`), mustBeSimulated);
      }
    });
  }

  private async runCopier(job: CopyJob): Promise<CopyResult["result"]> {
    const attempt = this.begin(`copier ${job.execution} run ${this.newId()}`, this.settings.copierMs ?? LIMITS.copierMs);
    attempt.whenDead(() => this.account.give());
    const side = this.destinationSide(attempt);
    const { readMs = 0 } = this.options;
    const deps = {
      ...side,
      reader: readMs > 0 ? slowReader(side.reader, this.time, readMs) : side.reader,
      config: copierConfig(this.settings),
      triesPerPart: this.options.triesPerPart ?? 1,
      mayStream: this.options.mayStream ?? false,
      newId: () => this.newId("r"),
    };
    const sabotaged = this.sabotage.copier?.(deps, job) ?? deps;
    const copier = new Copier({ ...sabotaged, leases: this.watch.copying(attempt, sabotaged.leases ?? deps.leases) });
    try {
      // A run that throws ends like one that crashed: its lease runs out.
      return (await copier.run(job, attempt)).result;
    } finally {
      attempt.die();
    }
  }

  private destinationSide(attempt: Attempt, network = this.network, request?: ReplicationRequest) {
    const source = overNetwork(network, attempt, "source", this.source);
    const noticed = (key: string) => {
      const notice = request?.notices.find((one) => one.key === key);
      return notice?.state === "present" ? notice.snapshot.tags : {};
    };
    return {
      ...this.surroundings(attempt),
      destination: this.destinationFor(
        attempt,
        (op, key) => {
          if (CHANGES.has(op)) this.onDestinationChange(key);
        },
        network,
      ),
      reader: readerOf(source, this.sourceClock, { uncompared: this.sabotage.uncompared, noticed }),
      ...this.controlFor(attempt, network),
    };
  }

  private controlFor(attempt: Attempt, network: Network): { leases: LeaseStore; slots: Slots } {
    const control = overNetwork(network, attempt, "control", this.control);
    const bridgeId = bridgeIdOf(this.settings);
    const of = { bridgeId, clock: this.time };
    if (this.options.leases !== "log") return { leases: createLeaseStore(control, bridgeId), slots: createSlots(control, of) };
    const [log, writer] = [appendingTo(control), `writer ${this.newId()}`];
    return { leases: createAppendLeaseStore(log, bridgeId, writer), slots: createAppendSlots(log, of, writer) };
  }
}

const sourceClockOf = (time: WorldTime, { sourceSkewMs = 0 }: PullOptions) => ({ now: () => time.now() + sourceSkewMs });

function openShared(options: PullOptions): SharedParts {
  const { conditionalWrites, names = NAMES } = options;
  const time = new WorldTime();
  return {
    time,
    source: new MemoryStore({
      clock: sourceClockOf(time, options),
      capabilities: { minPartSizeBytes: 1, ...(options.sourceChecksums ? {} : { checksums: [], multipartChecksums: [] }) },
      versioned: options.versionedSource,
      name: names.source,
    }),
    destination: openStore(time, names.destination, false, {
      conditionalWrites,
      conditionalCreate: conditionalWrites,
      ...options.destinationCapabilities,
    }),
  };
}
