/**
 * Pull mode under load, in virtual time: thousands of keys, several instances of the sender with a memory of their own, a queue, an outage queue
 * and the timer. The roles are the real ones. There are no faults of single calls and no interleavings: `tests/simulation/world` has those.
 */
import type { Look, MetricName, WorkQueue } from "../../../runtime/protocol/ports";
import { ReceiverUnreachable } from "../../../runtime/protocol/ports";
import { createLeaseStore } from "../../../runtime/replication/lease";
import { Receiver } from "../../../runtime/roles/receiver/receiver";
import { Sender, type SenderDeps } from "../../../runtime/roles/sender/sender";
import { MemoryStore } from "../../../runtime/stores/memory/store";
import { MemoryOutageQueue } from "../../runtime/support/outage-queue";
import { VirtualTime } from "../../support/virtual-time";
import { bridgeIdOf, LIMITS, receiverConfig, type Settings, senderConfig } from "../world/config";
import { readerOf } from "../world/source-reader";

export interface LoadOptions {
  /** Instances of the sender. */
  instances: number;
  /** Time of one request to the receiver and back; ms. */
  requestMs: number;
  /** Keys that wait are handed over by the timer, as at an OSS source, and not by the queue itself. @default false */
  dueByTick?: boolean;
  settings?: Partial<Settings>;
  /** Breaks the sender on purpose. */
  sabotage?: ((deps: SenderDeps) => SenderDeps) | undefined;
}

interface QueuedLook {
  look: Look;
  visibleAtMs: number;
}

/** A value of a metric, and when a role added it. */
export interface Measured {
  atMs: number;
  name: MetricName;
  value: number;
}

const BATCH_SIZE = 10;
const TICK_MS = 60_000;
const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

export class LoadWorld {
  readonly time = new VirtualTime();
  readonly source = new MemoryStore({ clock: this.time, name: "source", versioned: true });
  readonly destination = new MemoryStore({ clock: this.time, name: "destination" });
  readonly outage = new MemoryOutageQueue(this.time);
  readonly measured: Measured[] = [];
  readonly parked: { look: Look; reason: string }[] = [];
  /** Requests to the receiver, and invocations of the sender for messages. */
  readonly counts = { posts: 0, invocations: 0, ticks: 0 };
  /** Throws what the receiver's caller sees, while the receiver is down. */
  receiverDown: (() => never) | undefined;
  private readonly queue: QueuedLook[] = [];
  private readonly settings: Settings;
  private readonly receiver: Receiver;
  private readonly wake: (() => void)[] = [];
  /** Never resolves; rejects with a defect of a role. */
  private loops: Promise<unknown> | undefined;

  constructor(private readonly options: LoadOptions) {
    this.settings = {
      source: "source",
      destination: "destination",
      deletes: "replicate",
      statusTags: false,
      maxAttempts: 20,
      giveUpAfterSeconds: 604_800,
      urlExpiresInSeconds: 3600,
      partBytes: LIMITS.partBytes,
      ...options.settings,
    };
    const control = new MemoryStore({ clock: this.time, name: "control" });
    this.receiver = new Receiver({
      config: receiverConfig(this.settings),
      destination: this.destination,
      reader: readerOf(this.source, this.time),
      leases: createLeaseStore(control, bridgeIdOf(this.settings)),
      launcher: {
        start: async () => {
          throw new Error("this world has no copier");
        },
      },
      clock: this.time,
      logger: quiet,
      newId: () => "x",
    });
  }

  /** Writes objects, and sends their events. */
  async write(keys: readonly string[]): Promise<void> {
    const attributes = { headers: {}, metadata: {}, tags: {} };
    for (const key of keys) {
      await this.source.put(key, Buffer.from("123456"), { sizeBytes: 6, attributes });
      this.add({ key, failures: 0, firstSeenMs: this.time.now() }, 0);
    }
  }

  /** Runs the bridge until the condition holds. The functions go on with the next call. */
  async runUntil(condition: () => boolean): Promise<void> {
    this.loops ??= Promise.all([this.tickLoop(), ...Array.from({ length: this.options.instances }, () => this.senderLoop())]);
    const watch = async () => {
      while (!condition()) await this.time.sleep(1_000);
    };
    await this.time.during(Promise.race([watch(), this.loops]));
  }

  /** Number of keys that are not proven. */
  get waiting(): number {
    return this.source.keys().length - this.destination.keys().length;
  }

  get queued(): number {
    return this.queue.length;
  }

  private add(look: Look, delaySeconds: number): void {
    const dueMs = this.time.now() + delaySeconds * 1000;
    const isTimed = this.options.dueByTick === true && delaySeconds > 0;
    this.queue.push({ look, visibleAtMs: isTimed ? Math.ceil(dueMs / TICK_MS) * TICK_MS : dueMs });
    for (const wake of this.wake.splice(0)) wake();
  }

  private async senderLoop(): Promise<void> {
    const sender = this.createSender();
    for (;;) {
      const batch = this.take();
      if (batch.length === 0) await this.untilSomethingIsVisible();
      else {
        this.counts.invocations += 1;
        const records = batch.map(({ look }, index) => ({ messageId: `${index}`, looks: [look] }));
        const { failures } = await sender.handle(records, this.deadline());
        for (const { messageId } of failures) this.add((batch[Number(messageId)] as QueuedLook).look, LIMITS.visibilityMs / 1000);
      }
    }
  }

  private async tickLoop(): Promise<void> {
    const sender = this.createSender();
    for (;;) {
      await this.time.sleep(TICK_MS);
      this.counts.ticks += 1;
      await sender.tick(this.deadline());
    }
  }

  private take(): QueuedLook[] {
    const now = this.time.now();
    const batch = this.queue.filter(({ visibleAtMs }) => visibleAtMs <= now).slice(0, BATCH_SIZE);
    for (const one of batch) this.queue.splice(this.queue.indexOf(one), 1);
    return batch;
  }

  private async untilSomethingIsVisible(): Promise<void> {
    const nextMs = this.queue.reduce((least, { visibleAtMs }) => Math.min(least, visibleAtMs), Number.POSITIVE_INFINITY);
    const cancel = new AbortController();
    const added = new Promise<void>((resolve) => this.wake.push(resolve));
    const due = Number.isFinite(nextMs)
      ? this.time.sleep(Math.max(0, nextMs - this.time.now()), cancel.signal).catch(() => undefined)
      : new Promise<void>(() => undefined);
    await Promise.race([added, due]);
    cancel.abort();
  }

  private deadline() {
    const endMs = this.time.now() + LIMITS.senderMs;
    return { remainingMs: () => endMs - this.time.now() };
  }

  private createSender(): Sender {
    const queue: WorkQueue = {
      enqueue: async (look, delaySeconds) => this.add(look, delaySeconds),
      enqueueAll: async (looks) => {
        for (const look of looks) this.add(look, 0);
      },
    };
    const deps: SenderDeps = {
      config: senderConfig(this.settings),
      source: this.source,
      receiver: {
        post: async (request) => {
          this.counts.posts += 1;
          await this.time.sleep(this.options.requestMs);
          this.receiverDown?.();
          const endMs = this.time.now() + LIMITS.receiverMs;
          return {
            version: 1,
            receipts: await this.receiver.handle(request, { remainingMs: () => endMs - this.time.now() }),
          };
        },
      },
      queue,
      outage: this.outage,
      deadLetters: { park: async (look, reason) => void this.parked.push({ look, reason }) },
      clock: this.time,
      logger: quiet,
      metrics: { add: (name, value) => void this.measured.push({ atMs: this.time.now(), name, value }) },
      random: () => 0.5,
    };
    return new Sender(this.options.sabotage?.(deps) ?? deps);
  }
}

export const down = (message = "the receiver cannot be connected to"): never => {
  throw new ReceiverUnreachable(message, { attemptMayRun: false, retryable: true });
};
