/** Pull from OSS: no instance of the sender is held while a copy runs, so long copies do not delay a small object. */
import type { Notice, Receipt } from "../../../runtime/protocol/messages";
import type { Look } from "../../../runtime/protocol/ports";
import { decodeLook, encodeLook } from "../../../runtime/protocol/queue-messages";
import { Sender } from "../../../runtime/roles/sender/sender";
import { MemoryStore } from "../../../runtime/stores/memory/store";
import { MemoryOutageQueue } from "../../runtime/support/outage-queue";
import { VirtualTime } from "../../support/virtual-time";
import { senderConfig } from "../world/config";

const INSTANCES = 5;
const SENDER_MS = 90_000;
const POST_MS = 300;
const MINUTE_MS = 60_000;
const COPY_MS = 14 * MINUTE_MS;
const LARGE_BYTES = 20;

class OssPull {
  readonly time = new VirtualTime();
  readonly source = new MemoryStore({ clock: this.time, name: "source", versioned: false });
  /** When each key was proven equal. */
  readonly provenMs = new Map<string, number>();
  readonly parked: string[] = [];
  private readonly copyEndsMs = new Map<string, number>();
  private readonly waiting: { look: Look; dueMs: number }[] = [];
  private readonly events: { key: string; look?: Look }[] = [];
  private free = INSTANCES;
  private readonly sender: Sender;

  /** @param hasQueue false: a key waits in its invocation, as a bridge without a queue would do it */
  constructor(private readonly hasQueue: boolean) {
    const settings = {
      ...({ source: "source", destination: "destination", deletes: "ignore", statusTags: false } as const),
      ...{ maxAttempts: 20, giveUpAfterSeconds: 156 * 3600, urlExpiresInSeconds: 3600, partBytes: 4 },
    };
    this.sender = new Sender({
      config: senderConfig(settings),
      source: this.source,
      receiver: {
        post: async ({ notices }) => {
          await this.time.sleep(POST_MS);
          return { version: 1, receipts: notices.map((notice) => this.receiptOf(notice)) };
        },
      },
      queue: {
        enqueue: async (look, delaySeconds) => this.put(look, delaySeconds),
        enqueueAll: async (looks) => {
          for (const look of looks) this.put(look, 0);
        },
      },
      outage: new MemoryOutageQueue(this.time),
      deadLetters: { park: async ({ key }) => void this.parked.push(key) },
      clock: this.time,
      logger: { debug() {}, info() {}, warn() {}, error() {} },
      metrics: { add: () => undefined },
      random: () => 0.5,
    });
  }

  async write(key: string, sizeBytes: number): Promise<void> {
    const attributes = { headers: {}, metadata: {}, tags: {} };
    await this.source.put(key, Buffer.alloc(sizeBytes), { sizeBytes, attributes });
    this.events.push({ key });
    this.pump();
  }

  /** Lets time pass until then, with a tick in every minute. */
  async runUntil(untilMs: number): Promise<void> {
    for (;;) {
      for (let quiet = 0; quiet < 2; quiet++) await new Promise(setImmediate);
      if (this.time.now() >= untilMs) return;
      const tickMs = (Math.floor(this.time.now() / MINUTE_MS) + 1) * MINUTE_MS;
      const nextMs = Math.min(this.time.nextWakeMs() ?? Number.POSITIVE_INFINITY, tickMs, untilMs);
      this.time.advance(nextMs - this.time.now());
      if (nextMs === tickMs) this.tick();
    }
  }

  private put(look: Look, delaySeconds: number): void {
    this.waiting.push({ look: decodeLook(encodeLook(look)) as Look, dueMs: this.time.now() + delaySeconds * 1000 });
  }

  /** A large object is copied elsewhere for 14 minutes. */
  private receiptOf({ key, ...notice }: Notice): Receipt {
    const isLarge = notice.state === "present" && notice.snapshot.sizeBytes === LARGE_BYTES;
    const endsMs = this.copyEndsMs.get(key) ?? this.time.now() + COPY_MS;
    this.copyEndsMs.set(key, endsMs);
    if (isLarge && this.time.now() < endsMs) return { key, result: "in-progress" };
    this.provenMs.set(key, this.time.now());
    return { key, result: "replicated" };
  }

  private tick(): void {
    const due = this.waiting.filter(({ dueMs }) => dueMs <= this.time.now());
    for (const message of due) {
      this.waiting.splice(this.waiting.indexOf(message), 1);
      this.events.push({ key: message.look.key, look: message.look });
    }
    this.pump();
  }

  /** Function Compute keeps the events until an instance is free. */
  private pump(): void {
    for (let event = this.events.shift(); event !== undefined; event = this.free > 0 ? this.events.shift() : undefined) {
      if (this.free === 0) {
        this.events.unshift(event);
        return;
      }
      this.free -= 1;
      void this.invoke(event).finally(() => {
        this.free += 1;
        this.pump();
      });
    }
  }

  private async invoke({ key, look }: { key: string; look?: Look }): Promise<void> {
    const endMs = this.time.now() + SENDER_MS;
    await this.sender.handle([{ looks: [look ?? { key, failures: 0 }] }], { remainingMs: () => endMs - this.time.now() });
    // Without a queue the invocation lasts until the copy has ended.
    const endsMs = this.copyEndsMs.get(key) ?? 0;
    if (!this.hasQueue && this.time.now() < endsMs) await this.time.sleep(endsMs - this.time.now());
  }
}

/** 30 copies of 14 minutes begin, and then a small object is written. Returns how long it took, in seconds. */
async function secondsOfSmall(hasQueue: boolean): Promise<number> {
  const world = new OssPull(hasQueue);
  for (let copy = 0; copy < 30; copy++) await world.write(`large${copy}`, LARGE_BYTES);
  await world.runUntil(world.time.now() + 90_000);
  const writtenMs = world.time.now();
  await world.write("small", 5);
  await world.runUntil(writtenMs + 120 * MINUTE_MS);
  expect(world.provenMs.size).toBe(31);
  expect(world.parked).toEqual([]);
  return ((world.provenMs.get("small") ?? Number.NaN) - writtenMs) / 1000;
}

test("30 copies of 14 minutes, then a small object: it arrives within seconds, and every copy is proven", async () => {
  expect(await secondsOfSmall(true)).toBeLessThan(5);
});

test("a sender that waits inside its invocation would be found", async () => {
  expect(await secondsOfSmall(false)).toBeGreaterThan(60 * 10);
});
