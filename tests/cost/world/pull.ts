/** Pull mode with the real roles: every request is counted and takes the time that the model assumes. There are no faults. */
import type { Cloud } from "../../../cost/prices";
import { INLINE_LIMIT_BYTES } from "../../../cost/requests";
import { ASSUMED, type FunctionRole, functionSize } from "../../../cost/times";
import { inBatches } from "../../../runtime/platforms/alicloud-fc/batches";
import type { DecodedLook } from "../../../runtime/protocol/events";
import type { Receipt, ReplicationRequest } from "../../../runtime/protocol/messages";
import type { CopyJob, Deadline, Look } from "../../../runtime/protocol/ports";
import { createAppendLeaseStore, createLeaseStore } from "../../../runtime/replication/lease";
import { createAppendSlots, createSlots } from "../../../runtime/replication/slots";
import { Copier } from "../../../runtime/roles/copier/copier";
import { Receiver } from "../../../runtime/roles/receiver/receiver";
import { createSenderMemory, Sender } from "../../../runtime/roles/sender/sender";
import { MemoryAppendStore, MemoryStore } from "../../../runtime/stores/memory/store";
import type { ObjectStore, StoreCapabilities } from "../../../runtime/stores/object-store";
import { memoryReader } from "../../runtime/support/memory-reader";
import { MemoryOutageQueue } from "../../runtime/support/outage-queue";
import { bridgeIdOf, copierConfig, receiverConfig, type Settings, senderConfig } from "../../simulation/world/config";
import { VirtualTime } from "../../support/virtual-time";
import { invoked, Link, Meter, Processor, type Reach, reached } from "./meter";

const SECONDS = { sender: 90, receiver: 29, copier: 900 } as const;

export interface PullPathOptions {
  source: Cloud;
  destination: Cloud;
  deletes?: "ignore" | "replicate";
  inlineLimitBytes?: number;
  partSizeBytes?: number;
  partsAtOnce?: number;
  /** @default 3 */
  copiesAtOnce?: number;
  /** In [0, 1). @default always 0.5 */
  random?: () => number;
  /** Objects are this much smaller than the ones that they stand for, and links slower. @default 1 */
  scale?: number;
}

export const storeCapabilities = (cloud: Cloud): Partial<StoreCapabilities> => ({
  minPartSizeBytes: 1,
  ...(cloud === "alicloud"
    ? { conditionalWrites: false, conditionalCreate: false, checksums: ["CRC64XZ"], multipartChecksums: ["CRC64XZ"] }
    : {}),
});

export const noAttributes = { headers: {}, metadata: {}, tags: {} };

interface Queued {
  look: DecodedLook;
  dueMs: number;
}

export class PullPath {
  readonly time = new VirtualTime();
  readonly meter = new Meter();
  readonly source: MemoryStore;
  readonly destination: MemoryStore;
  readonly parked: string[] = [];
  /** The most receivers that worked at the same time. */
  receiversAtOnce = 0;
  private readonly queue: Queued[] = [];
  private readonly copies: Promise<unknown>[] = [];
  private readonly control: MemoryAppendStore | undefined;
  private readonly settings: Settings;
  private readonly senders: Sender[] = [];
  /** Instances of the receiver that have nothing to do. */
  private readonly idleReceivers: Receiver[] = [];
  private receiversBusy = 0;
  private readonly outage: MemoryOutageQueue;
  private ids = 0;

  constructor(private readonly options: PullPathOptions) {
    const { time } = this;
    const open = (name: "source" | "destination") =>
      new MemoryStore({ clock: time, name, versioned: true, capabilities: storeCapabilities(options[name]) });
    this.source = open("source");
    this.destination = open("destination");
    this.control = options.destination === "alicloud" ? new MemoryAppendStore() : undefined;
    this.outage = new MemoryOutageQueue(time);
    this.settings = {
      source: "source",
      destination: "destination",
      deletes: options.deletes ?? "ignore",
      statusTags: false,
      maxAttempts: 20,
      giveUpAfterSeconds: 604_800,
      urlExpiresInSeconds: 1200,
      partBytes: options.partSizeBytes ?? 16 * 1024 ** 2,
      copierMs: SECONDS.copier * 1000,
      copiesAtOnce: options.copiesAtOnce ?? 3,
    };
  }

  async put(key: string, sizeBytes: number, tags: Record<string, string> = {}): Promise<void> {
    await this.source.put(key, Buffer.alloc(sizeBytes, 7), { sizeBytes, attributes: { ...noAttributes, tags } });
  }

  /**
   * Delivers the events of these keys, and what is put back, until nothing is left.
   * @param senders instances that take batches at the same time
   * @param batchSize events of one batch, or events that one instance has at the same time
   * @param everyMs an object arrives at this interval; 0 for all at once
   */
  async deliver(keys: readonly string[], { senders = 1, batchSize = 10, everyMs = 0 } = {}): Promise<void> {
    this.meter.call("messages sent", keys.length);
    const startMs = this.time.now();
    this.queue.push(
      ...keys.map((key, index) => {
        const firstSeenMs = startMs + Math.round(index * everyMs);
        return { look: { key, failures: 0, firstSeenMs }, dueMs: firstSeenMs };
      }),
    );
    while (this.senders.length < senders) this.senders.push(this.createSender());
    const loops = this.senders.slice(0, senders).map((sender) => this.drain(sender, batchSize));
    await this.time.during(Promise.all(loops).then(() => Promise.all(this.copies)));
    if (this.meter.problems.length > 0) throw this.meter.problems[0];
    if (this.parked.length > 0) throw new Error(`parked: ${this.parked.join("; ")}`);
  }

  /** One instance takes batches until the queue is empty. From OSS it takes many events at once, each an invocation of its own. */
  private async drain(sender: Sender, batchSize: number): Promise<void> {
    while (this.queue.length > 0) {
      const nextMs = Math.min(...this.queue.map(({ dueMs }) => dueMs));
      await this.time.sleep(Math.max(0, nextMs - this.time.now()));
      const due = this.queue.filter(({ dueMs }) => dueMs <= this.time.now()).slice(0, batchSize);
      for (const one of due) this.queue.splice(this.queue.indexOf(one), 1);
      const looks = due.map(({ look }) => look);
      if (looks.length > 0)
        await (this.options.source === "alicloud" ? this.handleEvents : this.handleBatch).call(this, sender, looks);
    }
  }

  /** Each event is an invocation, and one instance has them all at the same time. It is billed for the time in which it has any. */
  private async handleEvents(sender: Sender, looks: readonly DecodedLook[]): Promise<void> {
    const events = inBatches({ handle: (records, deadline) => sender.handle(records, deadline) }, this.time);
    const invoke = (look: DecodedLook, deadline: Deadline) => events.handle([{ messageId: "", looks: [look] }], deadline);
    await invoked(this, "sender", SECONDS.sender, async (deadline) => {
      this.meter.call("sender invoked", looks.length - 1);
      const answers = await Promise.all(looks.map((look) => invoke(look, deadline)));
      const failures = answers.flatMap((answer) => answer.failures);
      if (failures.length > 0) throw new Error(failures.map(({ reason }) => reason).join("; "));
    });
  }

  private async handleBatch(sender: Sender, looks: readonly DecodedLook[]): Promise<void> {
    this.meter.call("batches received");
    const records = looks.map((look, index) => ({ messageId: `${index}`, looks: [look] }));
    const { failures } = await invoked(this, "sender", SECONDS.sender, (deadline) => sender.handle(records, deadline));
    if (failures.length > 0) throw new Error(failures.map(({ reason }) => reason).join("; "));
    this.meter.call("batches deleted");
  }

  private createSender(): Sender {
    const { time, meter, outage } = this;
    const processor = this.processor("sender", this.options.source);
    const put = async (looks: readonly Look[]) => {
      await processor.use(ASSUMED.cpuMsPerRequest);
      await time.sleep(ASSUMED.controlMs);
      meter.call("messages sent", looks.length);
      this.queue.push(...looks.map((look) => ({ look, dueMs: look.nextTryMs ?? time.now() })));
    };
    return new Sender({
      config: { ...senderConfig(this.settings), inlineLimitBytes: this.inlineLimitBytes },
      source: this.reach("sender", processor, "source"),
      receiver: {
        post: async (request) => {
          await processor.use(ASSUMED.cpuMsPerRequest);
          await time.sleep(ASSUMED.borderMs + ASSUMED.endpointMs);
          meter.call("endpoint");
          return { version: 1, receipts: await this.receive(request) };
        },
      },
      queue: { enqueue: async (look) => await put([look]), enqueueAll: put },
      outage,
      deadLetters: { park: async ({ key }, reason) => void this.parked.push(`${key}: ${reason}`) },
      clock: time,
      logger: meter.logger("sender"),
      metrics: { add: () => undefined },
      random: this.options.random ?? (() => 0.5),
      // A warm instance has reached the receiver before.
      memory: this.warmMemory(),
    });
  }

  /** Every request that runs at the same time has an instance of its own. */
  private async receive(request: ReplicationRequest): Promise<Receipt[]> {
    const receiver = this.idleReceivers.pop() ?? this.createReceiver();
    this.receiversBusy += 1;
    this.receiversAtOnce = Math.max(this.receiversAtOnce, this.receiversBusy);
    const receipts = await invoked(this, "receiver", SECONDS.receiver, (deadline) => receiver.handle(request, deadline));
    this.receiversBusy -= 1;
    this.idleReceivers.push(receiver);
    return receipts;
  }

  private warmMemory() {
    const memory = createSenderMemory({ outage: this.outage, clock: this.time });
    memory.breaker.succeeded();
    return memory;
  }

  private createReceiver(): Receiver {
    const processor = this.processor("receiver", this.options.destination);
    return new Receiver({
      config: { ...receiverConfig(this.settings), inlineLimitBytes: this.inlineLimitBytes },
      ...this.destinationSide("receiver", processor),
      launcher: {
        start: async (job) => {
          await processor.use(ASSUMED.cpuMsPerRequest);
          await this.time.sleep(ASSUMED.controlMs);
          this.copies.push(this.copy(job));
        },
      },
      clock: this.time,
      logger: this.meter.logger("receiver"),
      newId: () => `x${++this.ids}`,
    });
  }

  private async copy(job: CopyJob): Promise<void> {
    const processor = this.processor("copier", this.options.destination);
    const copier = new Copier({
      config: { ...copierConfig(this.settings), partsAtOnce: this.options.partsAtOnce ?? 8 },
      ...this.destinationSide("copier", processor),
      clock: this.time,
      logger: this.meter.logger("copier"),
      newId: () => `x${++this.ids}`,
      random: () => 0.5,
      sleep: (ms) => this.time.sleep(ms),
    });
    await invoked(this, "copier", SECONDS.copier, (deadline) => copier.run(job, deadline));
  }

  /** The destination, its records, and the source over the border, for one instance. */
  private destinationSide(role: FunctionRole, processor: Processor) {
    const { time, control } = this;
    const bridgeId = bridgeIdOf(this.settings);
    const destination = this.reach(role, processor, "destination");
    const reader = memoryReader(this.reach(role, processor, "source"));
    const records = control && reached(control, this.reachOf(role, processor, "records"));
    return {
      destination,
      reader,
      leases: records ? createAppendLeaseStore(records, bridgeId, role) : createLeaseStore(destination, bridgeId),
      slots: records
        ? createAppendSlots(records, { bridgeId, clock: time }, role)
        : createSlots(destination, { bridgeId, clock: time }),
    };
  }

  private reach(role: FunctionRole, processor: Processor, place: "source" | "destination"): ObjectStore {
    return reached<ObjectStore>(this[place], this.reachOf(role, processor, place));
  }

  private reachOf(role: FunctionRole, processor: Processor, place: Reach["place"]): Reach {
    const { time, meter } = this;
    const isFar = place === "source" && role !== "sender";
    const scale = this.options.scale ?? 1;
    const link = isFar
      ? new Link(time, {
          instance: ASSUMED.instanceBytesPerSecond / scale,
          connection: ASSUMED.connectionBytesPerSecond / scale,
        })
      : undefined;
    const latencyMs = () => ASSUMED.storeMs + (isFar ? ASSUMED.borderMs : 0);
    return { meter, time, place, processor, latencyMs, link, cpuMsPerRequest: ASSUMED.cpuMsPerRequest };
  }

  private processor(role: FunctionRole, cloud: Cloud): Processor {
    return new Processor(this.time, functionSize(cloud, role).vcpus);
  }

  private get inlineLimitBytes(): number {
    return this.options.inlineLimitBytes ?? INLINE_LIMIT_BYTES;
  }
}
