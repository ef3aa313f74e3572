/**
 * Two clouds, a trigger and the functions in memory, under a fake clock and a scheduler. The roles are the real ones; only what surrounds
 * them is replaced. Every effect has a request and an answer that the scheduler delays at will, in which a function may crash, an effect
 * may fail, and an answer may get lost. What a dead function had sent may still land for a moment.
 */

import type { ReplicationRequest, ReplicationResponse } from "../../../runtime/protocol/messages";
import {
  type Clock,
  type CopyJob,
  type Logger,
  type Look,
  type Metrics,
  ReceiverUnreachable,
} from "../../../runtime/protocol/ports";
import type { CopyResult } from "../../../runtime/replication/copy-under-lease";
import { createLeaseStore, type LeaseStore } from "../../../runtime/replication/lease";
import type { SourceReader } from "../../../runtime/replication/source";
import { Copier } from "../../../runtime/roles/copier/copier";
import { Receiver } from "../../../runtime/roles/receiver/receiver";
import { Sender } from "../../../runtime/roles/sender/sender";
import { BridgeError } from "../../../runtime/stores/errors";
import { MemoryStore } from "../../../runtime/stores/memory/store";
import { effect, type Network, never, overNetwork } from "./effects";
import { Faults } from "./faults";
import type { WorldOptions } from "./options";
import { SABOTAGES, type Sabotage } from "./sabotage";
import { copierConfig, LIMITS, receiverConfig, type Settings, senderConfig } from "./settings";
import { readerOf } from "./source-reader";
import { type Message, Trigger } from "./trigger";
import { type Attempt, VirtualTime } from "./virtual-time";
import { Watch } from "./watch";

const quiet: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const CHANGES: ReadonlySet<string> = new Set(["put", "completeUpload", "delete", "putTags"]);
const unmeasured: Metrics = { add: () => undefined };
/** Only what was simulated may fail; anything else is a defect of the code under test. */
const comesBack = (error: unknown): void => {
  if (!(error instanceof BridgeError)) throw error;
};

export class World {
  readonly time: VirtualTime;
  readonly source: MemoryStore;
  readonly destination: MemoryStore;
  readonly control: MemoryStore;
  readonly parked: { look: Look; reason: string }[] = [];
  /** Every answer of the receiver and every end of a copier, in words; for tests of single stories. */
  readonly events: string[] = [];
  readonly watch: Watch;
  readonly trigger: Trigger;
  /** Hears of every change that the bridge makes at the destination, as the destination's own events tell it. */
  onDestinationChange: (key: string) => void = () => undefined;
  /** What stands in front of the receiver; throws `ReceiverUnreachable` where it lets nothing through. */
  door: (request: ReplicationRequest) => void = () => undefined;
  /** What a test changes between two runs of a function. */
  readonly settings: Settings;
  private readonly options: WorldOptions;
  private readonly network: Network;
  private readonly sabotage: Sabotage;
  /** The source's own clock. */
  private readonly sourceClock: Pick<Clock, "now">;
  private ids = 0;

  constructor(options: WorldOptions) {
    this.options = options;
    this.time = options.shared?.time ?? new VirtualTime();
    this.network = { steps: options.scheduler, time: this.time, faults: new Faults(options.faults) };
    this.sabotage = options.mutation === undefined ? {} : SABOTAGES[options.mutation];
    const names = options.names ?? { source: "source", destination: "destination" };
    const trigger = options.trigger ?? "queue";
    this.settings = {
      bridgeId: `${names.source}-to-${names.destination}`,
      ...names,
      deletes: options.deletes,
      statusTags: options.statusTags ?? false,
      queue: trigger === "queue",
      maxAttempts: options.maxAttempts ?? 1000,
      urlExpiresInSeconds: options.urlExpiresInSeconds ?? 3600,
      partBytes: LIMITS.partBytes,
    };
    this.sourceClock = { now: () => this.time.now() + (options.sourceSkewMs ?? 0) };
    this.source = options.shared?.source ?? this.openSource(names.source);
    this.destination = options.shared?.destination ?? this.openDestination(names.destination);
    this.control = new MemoryStore({ clock: this.time, name: "control" });
    this.watch = new Watch(this.source, this.destination);
    this.trigger = new Trigger({
      kind: trigger,
      time: this.time,
      steps: options.scheduler,
      visibilityMs: this.sabotage.visibilityMs ?? LIMITS.visibilityMs,
      batchSize: trigger === "queue" ? (options.batchSize ?? 1) : 1,
      deliver: (batch) => this.startSender(batch),
      park: (look, reason) => this.parked.push({ look, reason }),
    });
  }

  /** A source event, as often as it is duplicated. */
  notify(key: string, copies = 1): void {
    for (let copy = 0; copy < copies; copy++) this.trigger.add({ key, attempt: 0, firstSeenMs: this.time.now() }, 0);
  }

  /** From here on nothing breaks any more. */
  endFaults(): void {
    this.network.faults.end();
  }

  /** Whether anything is still to be done. */
  get idle(): boolean {
    return this.trigger.messages.length === 0;
  }

  private openSource(name: string): MemoryStore {
    const none = { checksums: [], multipartChecksums: [] };
    return new MemoryStore({
      clock: this.sourceClock,
      capabilities: { minPartSizeBytes: 1, ...(this.options.sourceChecksums ? {} : none) },
      versioned: this.options.versionedSource,
      name,
    });
  }

  private openDestination(name: string): MemoryStore {
    const { conditionalWrites } = this.options;
    return new MemoryStore({
      clock: this.time,
      capabilities: {
        minPartSizeBytes: 1,
        conditionalWrites,
        conditionalCreate: conditionalWrites,
        ...this.options.destinationCapabilities,
      },
      name,
    });
  }

  private begin(name: string, limitMs: number): Attempt {
    const attempt = this.time.begin(name, limitMs);
    this.watch.begins(attempt);
    return attempt;
  }

  private startSender(batch: readonly Message[]): Attempt {
    const attempt = this.begin(`sender ${batch.map(({ id }) => id).join("+")}`, LIMITS.senderMs);
    void this.runSender(attempt, batch);
    return attempt;
  }

  private async runSender(attempt: Attempt, batch: readonly Message[]): Promise<void> {
    const afterwards: (() => Promise<void>)[] = [];
    const enqueue = (look: Look, delaySeconds: number) =>
      effect(this.network, attempt, "enqueue", async () => this.trigger.add(look, delaySeconds * 1000));
    const deps = {
      config: senderConfig(this.settings),
      source: overNetwork(this.network, attempt, "source", this.source, (op, key) => this.sourceChanged(op, key)),
      receiver: { post: (request: ReplicationRequest) => this.post(attempt, request) },
      deadLetters: {
        park: (look: Look, reason: string) =>
          effect(this.network, attempt, "park", async () => void this.parked.push({ look, reason })),
      },
      clock: this.time,
      logger: quiet,
      metrics: unmeasured,
      random: () => 0.5,
      sleep: (ms: number) => this.sleep(attempt, ms),
    };
    const queue = {
      enqueue: async (look: Look, delaySeconds: number) => {
        if (this.sabotage.acknowledgeFirst) afterwards.push(() => enqueue(look, delaySeconds));
        else await enqueue(look, delaySeconds);
      },
    };
    const complete = this.settings.queue ? { ...deps, queue } : deps;
    const sender = new Sender(this.sabotage.sender?.(complete) ?? complete);
    const records = batch.map(({ id, look }) => ({ messageId: id, looks: [{ bucket: this.source.name, ...look }] }));
    const { failures } = await sender.handle(records, { remainingMs: () => attempt.deadlineMs - this.time.now() });
    // The platform deletes what the function did not report as failed; a crash in between leaves the rest.
    for (const message of batch) {
      if (failures.some(({ messageId }) => messageId === message.id)) continue;
      await effect(this.network, attempt, "acknowledge", async () => this.trigger.remove(message)).catch(comesBack);
    }
    for (const late of afterwards) await late().catch(comesBack);
    attempt.die();
  }

  private async sleep(attempt: Attempt, ms: number): Promise<void> {
    await this.time.sleep(ms);
    if (attempt.dead) await never();
  }

  /** Changed tags are an event too. */
  private sourceChanged(op: string, key: string): void {
    if (op === "putTags") this.notify(key);
  }

  /** One request to the receiver, which runs as a function of its own and may outlive the one that asked. */
  private async post(asking: Attempt, request: ReplicationRequest): Promise<ReplicationResponse> {
    let running: Promise<ReplicationResponse> | undefined;
    try {
      return await effect(this.network, asking, "post", async () => {
        this.door(request);
        running = this.runReceiver(request);
        return await running;
      });
    } catch (error) {
      throw error instanceof ReceiverUnreachable ? error : unreachable(running !== undefined);
    }
  }

  private runReceiver(request: ReplicationRequest): Promise<ReplicationResponse> {
    const attempt = this.begin(`receiver ${++this.ids}`, LIMITS.receiverMs);
    const deps = {
      config: receiverConfig(this.settings),
      destination: this.destinationOf(attempt),
      reader: this.reader(attempt),
      launcher: { start: (job: CopyJob) => this.launch(attempt, job) },
      clock: this.time,
      logger: quiet,
      newId: () => `x${++this.ids}`,
      leases: this.leases(attempt),
    };
    const sabotaged = this.sabotage.receiver?.(deps, this.source) ?? deps;
    const receiver = new Receiver({ ...sabotaged, leases: this.watch.receiving(sabotaged.leases ?? deps.leases) });
    return new Promise((resolve, reject) => {
      attempt.whenDead(() => reject(unreachable(true)));
      receiver.handle(request, { remainingMs: () => attempt.deadlineMs - this.time.now() }).then((receipts) => {
        for (const { key, result, reason } of receipts) this.events.push([key, result, reason].filter(Boolean).join(" "));
        resolve({ version: 1, receipts });
        attempt.die();
      }, reject);
    });
  }

  private launch(attempt: Attempt, job: CopyJob): Promise<void> {
    return effect(this.network, attempt, "launch", async (fault) => {
      for (let times = fault === "twice" ? 2 : 1; times > 0; times--) {
        void this.network.steps
          .schedule(Promise.resolve(), `copier ${job.execution} begins`)
          .then(() => this.runCopier(job))
          .then((result) => this.events.push(`copier ${result}`), comesBack);
      }
    });
  }

  private async runCopier(job: CopyJob): Promise<CopyResult["result"]> {
    const attempt = this.begin(`copier ${job.execution} run ${++this.ids}`, LIMITS.copierMs);
    const deps = {
      config: copierConfig(this.settings),
      destination: this.destinationOf(attempt),
      reader: this.reader(attempt),
      clock: this.time,
      logger: quiet,
      leases: this.leases(attempt),
      triesPerPart: this.options.triesPerPart ?? 1,
      newId: () => `r${++this.ids}`,
      random: () => 0.5,
      sleep: (ms: number) => this.sleep(attempt, ms),
    };
    const sabotaged = this.sabotage.copier?.(deps, job) ?? deps;
    const copier = new Copier({ ...sabotaged, leases: this.watch.copying(attempt, sabotaged.leases ?? deps.leases) });
    try {
      // A run that throws ends like one that crashed: its lease runs out.
      return (await copier.run(job, { remainingMs: () => attempt.deadlineMs - this.time.now() })).result;
    } finally {
      attempt.die();
    }
  }

  private destinationOf(attempt: Attempt) {
    return overNetwork(this.network, attempt, "destination", this.destination, (op, key) => {
      this.watch.landed(attempt, op, key);
      if (CHANGES.has(op)) this.onDestinationChange(key);
    });
  }

  private leases(attempt: Attempt): LeaseStore {
    return createLeaseStore(overNetwork(this.network, attempt, "control", this.control), this.settings.bridgeId);
  }

  private reader(attempt: Attempt): SourceReader {
    const source = overNetwork(this.network, attempt, "source", this.source);
    return readerOf(source, this.sourceClock, this.sabotage.unpinned);
  }
}

function unreachable(attemptMayRun: boolean): ReceiverUnreachable {
  return new ReceiverUnreachable("simulated", { attemptMayRun, retryable: true });
}
