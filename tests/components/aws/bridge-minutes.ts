/**
 * A bridge on a virtual clock, for the alarms: the real sender, its queues in memory, a tick each minute, and the metrics that CloudWatch
 * would have. A story breaks one part of it.
 */

import { COMPARED_METRICS, METRIC_NAMESPACE } from "../../../runtime/platforms/aws-lambda/metrics";
import type { Receipt, ReplicationRequest } from "../../../runtime/protocol/messages";
import { type Look, type MetricName, ReceiverUnreachable } from "../../../runtime/protocol/ports";
import { createSenderMemory, Sender, type SenderDeps } from "../../../runtime/roles/sender/sender";
import { BridgeError } from "../../../runtime/stores/errors";
import { MemoryStore } from "../../../runtime/stores/memory/store";
import { config } from "../../runtime/roles/sender/sender-fixture";
import { MemoryOutageQueue } from "../../runtime/support/outage-queue";
import { recordingLogger } from "../../runtime/support/recording-logger";
import { MetricRecord } from "../../support/alarms";
import { metricName } from "../../support/cloudwatch-alarms";
import { VirtualTime } from "../../support/virtual-time";

const MINUTE_MS = 60_000;
const STEP_MS = 1_000;
const VISIBILITY_MS = 209_000;
const BATCH = 10;

interface Stored {
  body: { key: string; look?: Look };
  visibleAtMs: number;
  isInFlight: boolean;
}

/** What a story breaks. Each may change while the bridge runs. */
export interface Story {
  /** Answers of the receiver. @default every object is replicated */
  receive?: ((request: ReplicationRequest) => Receipt[]) | undefined;
  /** A read of the source fails with it. */
  source?: (() => Error | undefined) | undefined;
  /** The function does not run at all. */
  senderIsDead?: boolean | undefined;
  /** The queue does not feed the sender. */
  mappingIsOff?: boolean | undefined;
  /** A sender that gets this key dies without an answer. */
  deadlyKey?: string | undefined;
}

export class BridgeMinutes {
  readonly clock = new VirtualTime();
  readonly record = new MetricRecord();
  readonly queue: Stored[] = [];
  readonly outage = new MemoryOutageQueue(this.clock);
  story: Story = {};
  readonly #source: MemoryStore;
  readonly #memory: SenderDeps["memory"];
  #letters = 0;
  #deletedInMinute = 0;
  #turn = 0;

  /** @param random decides the jitter of the delays; in [0, 1) */
  constructor(private readonly random = 0.5) {
    this.#source = new MemoryStore({ clock: this.clock, name: "source", versioned: true });
    this.#memory = createSenderMemory({ outage: this.outage, clock: this.clock });
  }

  /** Writes an object and sends its event. */
  async write(key: string): Promise<void> {
    await this.#source.put(key, Buffer.from(`${this.#turn++}`.padStart(6, "0")), {
      sizeBytes: 6,
      attributes: { headers: {}, metadata: {}, tags: {} },
    });
    this.queue.push({ body: { key }, visibleAtMs: this.clock.now(), isInFlight: false });
  }

  /** @param each called once a minute, before its tick */
  async run(minutes: number, each: (minute: number) => Promise<void> | void = () => undefined): Promise<void> {
    for (let minute = 0; minute < minutes; minute++) {
      await each(minute);
      if (!this.story.senderIsDead) await this.#invoke((sender, deadline) => sender.tick(deadline));
      for (let second = 0; second < MINUTE_MS / STEP_MS; second++) {
        await this.#deliver();
        this.clock.advance(STEP_MS);
      }
      this.#reportQueues();
    }
  }

  async #deliver(): Promise<void> {
    if (this.story.mappingIsOff) return;
    for (;;) {
      const batch = this.queue.filter(({ visibleAtMs }) => visibleAtMs <= this.clock.now()).slice(0, BATCH);
      if (batch.length === 0) return;
      for (const message of batch) Object.assign(message, { visibleAtMs: this.clock.now() + VISIBILITY_MS, isInFlight: true });
      // Lambda receives messages for a function that it throttles, and gives them back.
      if (this.story.senderIsDead) return;
      if (batch.some(({ body }) => body.key === this.story.deadlyKey)) {
        this.#add(
          { namespace: "AWS/Lambda", metricName: "Errors", dimensions: { FunctionName: "crossborderbridge-b-sender" } },
          1,
        );
        continue;
      }
      await this.#invoke(async (sender, deadline) => {
        const records = batch.map(({ body }, index) => ({
          messageId: String(index),
          looks: [body.look ?? { bucket: "source", key: body.key, failures: 0, firstSeenMs: this.clock.now() }],
        }));
        const { failures } = await sender.handle(records, deadline);
        const kept = new Set(failures.map(({ messageId }) => batch[Number(messageId)]));
        for (const message of batch.filter((one) => !kept.has(one))) this.queue.splice(this.queue.indexOf(message), 1);
        this.#deletedInMinute += batch.length - kept.size;
      });
    }
  }

  async #invoke(work: (sender: Sender, deadline: { remainingMs(): number }) => Promise<void>): Promise<void> {
    const added = new Map<MetricName, number[]>();
    const endMs = this.clock.now() + 90_000;
    const enqueue = async (look: Look, delaySeconds: number) => {
      this.queue.push({ body: { key: look.key, look }, visibleAtMs: this.clock.now() + delaySeconds * 1000, isInFlight: false });
    };
    const sender = new Sender({
      config: { ...config, bridgeId: "b", maxAttempts: 20, queueUrl: "queue", outageQueueUrl: "outage" },
      source: this.#brokenSource(),
      receiver: { post: async (request) => ({ version: 1, receipts: this.#receive(request) }) },
      queue: {
        enqueue,
        enqueueAll: async (looks) => {
          for (const look of looks) await enqueue(look, 0);
        },
      },
      outage: this.outage,
      deadLetters: {
        park: async () => {
          this.#letters += 1;
        },
      },
      clock: this.clock,
      logger: recordingLogger(),
      metrics: { add: (name, value) => void added.set(name, [...(added.get(name) ?? []), value]) },
      memory: this.#memory,
      random: () => this.random,
    });
    await work(sender, { remainingMs: () => endMs - this.clock.now() });
    for (const name of COMPARED_METRICS) if (!added.has(name)) added.set(name, [0]);
    for (const [name, values] of added) {
      const metric = { namespace: METRIC_NAMESPACE, metricName: name, dimensions: { service: "sender", BridgeId: "b" } };
      for (const value of values) this.#add(metric, value);
    }
  }

  #receive(request: ReplicationRequest): Receipt[] {
    const answer = this.story.receive ?? (({ notices }) => notices.map(({ key }): Receipt => ({ key, result: "replicated" })));
    return answer(request);
  }

  #brokenSource(): MemoryStore {
    const failing = this.story.source;
    if (failing === undefined) return this.#source;
    return new Proxy(this.#source, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== "function") return member;
        return (...args: unknown[]) => {
          const error = failing();
          if (error !== undefined) return Promise.reject(error);
          return Reflect.apply(member, target, args) as unknown;
        };
      },
    });
  }

  /** SQS reports once a minute. It reports hidden messages only where there are some, and a queue that is idle for long not at all. */
  #reportQueues(): void {
    const nowMs = this.clock.now() - STEP_MS;
    const of = (queue: string, name: string) => ({
      namespace: "AWS/SQS",
      metricName: name,
      dimensions: { QueueName: `crossborderbridge-b-${queue}` },
    });
    const visible = this.queue.filter(({ visibleAtMs }) => visibleAtMs <= nowMs).length;
    this.#add(of("queue", "ApproximateNumberOfMessagesVisible"), visible, nowMs);
    this.#add(of("queue", "NumberOfMessagesDeleted"), this.#deletedInMinute, nowMs);
    if (this.#letters > 0) this.#add(of("dead-letters", "ApproximateNumberOfMessagesVisible"), this.#letters, nowMs);
    this.#deletedInMinute = 0;
  }

  #add(metric: Parameters<typeof metricName>[0], value: number, atMs = this.clock.now()): void {
    this.record.add(metricName(metric), value, atMs);
  }
}

/** An answer of the receiver that is the same for every key, except the ones that `only` leaves out. */
export function always(receipt: Omit<Receipt, "key">, only: (key: string) => boolean = () => true): Story["receive"] {
  return ({ notices }) => notices.map(({ key }): Receipt => (only(key) ? { key, ...receipt } : { key, result: "replicated" }));
}

export const unreachable = (): never => {
  throw new ReceiverUnreachable("the receiver cannot be connected to", { attemptMayRun: false, retryable: true });
};

export const throttled = (): Error => new BridgeError("RateLimited", "head", "S3 answered head with 503 SlowDown");
