/**
 * Bounds the copies that run at once. One record of the bridge holds a slot for each copy, from before its lease is written until the copier
 * ends. A slot that is not given back, because its copier died or never began, is free when the lease that it belongs to has ended.
 */
import { createHash } from "node:crypto";
import * as z from "../protocol/schema";
import type { AppendStore, ObjectStore } from "../stores/object-store";
import { type AppendRecordOptions, createAppendRecordStore } from "./append-record-store";
import { createRecordStore, type RecordKind, type RecordStore } from "./record-store";

const slotSchema = z.strictObject({
  execution: z.string(),
  /** The beginning of the name of the key's lease, because 500 keys would not fit into the record. */
  key: z.string(),
  /** The end of the lease; ms since the epoch. */
  untilMs: z.number(),
});
type Slot = z.infer<typeof slotSchema>;

const slotsSchema = z.strictObject({ version: z.literal(1), copies: z.array(slotSchema) });
type SlotsRecord = z.infer<typeof slotsSchema>;

const slotsKind: RecordKind<SlotsRecord> = {
  what: "slots",
  schema: slotsSchema,
  objectName: (key) => key,
  logName: (key) => key,
  fits: () => true,
};

const NAME = "slots";
/** Each period has a log of its own, so that old ones can expire. It is longer than a run. */
const LOG_PERIOD_MS = 3 * 86_400_000;

export interface SlotOwner {
  execution: string;
  /** The destination key. */
  key: string;
}

export interface Slots {
  /** Takes a slot, in place of an earlier one of the same key. False when `limit` other copies run. */
  take(owner: SlotOwner, limits: { untilMs: number; limit: number }, signal?: AbortSignal): Promise<boolean>;
  /** Keeps the slot until then. The copy runs already, so this never fails for want of room. */
  keep(owner: SlotOwner, untilMs: number): Promise<void>;
  /** Frees the slot. Does nothing when it is free already. */
  release(owner: SlotOwner, signal?: AbortSignal): Promise<void>;
}

export interface SlotsOptions {
  bridgeId: string;
  clock: { now(): number };
}

export interface AppendSlotsOptions extends SlotsOptions, AppendRecordOptions {}

/** Keeps the slots in an object of a store that writes conditionally. */
export function createSlots(store: ObjectStore, { bridgeId, clock }: SlotsOptions): Slots {
  return new RecordedSlots(createRecordStore(store, bridgeId, slotsKind), clock, () => [NAME]);
}

/** Keeps the slots in a log of a store without conditional writes. Copies that began in the period before still count. */
export function createAppendSlots(
  store: AppendStore,
  { bridgeId, clock, ...options }: AppendSlotsOptions,
  writer?: string,
): Slots {
  const records = createAppendRecordStore(store, bridgeId, slotsKind, { writer, ...options });
  return new RecordedSlots(records, clock, () => {
    const period = Math.floor(clock.now() / LOG_PERIOD_MS);
    return [`${NAME}-${period}`, `${NAME}-${period - 1}`];
  });
}

class RecordedSlots implements Slots {
  constructor(
    private readonly records: RecordStore<SlotsRecord>,
    private readonly clock: { now(): number },
    /** The record that slots are taken in, and those that may hold older slots. */
    private readonly names: () => readonly [string, ...string[]],
  ) {}

  async take(owner: SlotOwner, { untilMs, limit }: { untilMs: number; limit: number }, signal?: AbortSignal): Promise<boolean> {
    const slot = slotOf(owner, untilMs);
    const [name, ...older] = this.names();
    const before = await Promise.all(older.map(async (one) => this.live(await this.records.read(one, signal))));
    const elsewhere = before.flat().filter(({ key }) => key !== slot.key).length;
    return await this.change(
      name,
      (copies) => {
        const others = copies.filter(({ key }) => key !== slot.key);
        return others.length + elsewhere < limit ? [...others, slot] : undefined;
      },
      signal,
    );
  }

  async keep(owner: SlotOwner, untilMs: number): Promise<void> {
    const slot = slotOf(owner, untilMs);
    await this.change(this.names()[0], (copies) => [...copies.filter(({ key }) => key !== slot.key), slot]);
  }

  async release({ execution }: SlotOwner, signal?: AbortSignal): Promise<void> {
    for (const name of this.names()) {
      const without = (copies: readonly Slot[]) => {
        const others = copies.filter((slot) => slot.execution !== execution);
        return others.length === copies.length ? undefined : others;
      };
      await this.change(name, without, signal);
    }
  }

  /** Changes the live slots. Retries the compare-and-swap. False when `next` changes nothing. */
  private async change(
    name: string,
    next: (copies: readonly Slot[]) => Slot[] | undefined,
    signal?: AbortSignal,
  ): Promise<boolean> {
    for (;;) {
      const held = await this.records.read(name, signal);
      const copies = next(this.live(held));
      if (copies === undefined) return false;
      if (copies.length === 0 && held !== undefined) {
        // No copy runs, so no record is left behind. A removal does not say whether it found the record changed.
        await this.records.remove(name, held, signal);
        if ((await this.records.read(name, signal)) === undefined) return true;
        continue;
      }
      if (await this.records.write(name, { version: 1, copies }, held, signal)) return true;
    }
  }

  private live(held: { record: SlotsRecord } | undefined): Slot[] {
    return (held?.record.copies ?? []).filter(({ untilMs }) => untilMs > this.clock.now());
  }
}

function slotOf({ execution, key }: SlotOwner, untilMs: number): Slot {
  return { execution, key: createHash("sha256").update(key).digest("hex").slice(0, 16), untilMs };
}
