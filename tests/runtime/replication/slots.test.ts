import { createAppendSlots, createSlots, type Slots } from "../../../runtime/replication/slots";
import { BridgeError } from "../../../runtime/stores/errors";
import { MemoryAppendStore, MemoryStore } from "../../../runtime/stores/memory/store";
import type { CallOptions } from "../../../runtime/stores/object-store";
import { VirtualTime } from "../../support/virtual-time";

const DAY_MS = 86_400_000;

function open(kind: "objects" | "log") {
  const clock = new VirtualTime();
  const of = { bridgeId: "bridge", clock };
  const objects = new MemoryStore({ clock, name: "control" });
  const log = new MemoryAppendStore();
  /** Another function with the same record. */
  const another = (): Slots => (kind === "objects" ? createSlots(objects, of) : createAppendSlots(log, of));
  const slots = another();
  const take = (key: string, execution = `x-${key}`, lastsMs = 120_000) =>
    slots.take({ execution, key }, { untilMs: clock.now() + lastsMs, limit: 3 });
  return { clock, slots, another, take };
}

describe.each(["objects", "log"] as const)("kept in %s", (kind) => {
  test("as many copies as allowed have a slot", async () => {
    const { take } = open(kind);
    expect([await take("a"), await take("b"), await take("c"), await take("d")]).toEqual([true, true, true, false]);
  });

  test("a slot that is given back is free at once", async () => {
    const { take, slots } = open(kind);
    for (const key of ["a", "b", "c"]) await take(key);
    await slots.release({ execution: "x-b", key: "b" });
    expect([await take("d"), await take("e")]).toEqual([true, false]);
  });

  test("a slot that is not given back is free when its lease has ended", async () => {
    const { clock, take } = open(kind);
    for (const key of ["a", "b", "c"]) await take(key);
    clock.advance(119_999);
    expect(await take("d")).toBe(false);
    clock.advance(1);
    expect(await take("d")).toBe(true);
  });

  test("a run keeps its slot longer than its start", async () => {
    const { clock, slots, take } = open(kind);
    for (const key of ["a", "b", "c"]) await take(key);
    await slots.keep({ execution: "x-a", key: "a" }, clock.now() + 900_000);
    clock.advance(120_000);
    expect([await take("d"), await take("e"), await take("f")]).toEqual([true, true, false]);
  });

  test("another start of the same key takes the place of its own slot", async () => {
    const { slots, take } = open(kind);
    for (const key of ["a", "b", "c"]) await take(key);
    expect(await take("a", "second")).toBe(true);
    // The end of the first start does not free the slot of the second.
    await slots.release({ execution: "x-a", key: "a" });
    expect(await take("d")).toBe(false);
  });

  test("of functions that ask at the same moment, no more than allowed get one", async () => {
    const { clock, another } = open(kind);
    const taken = await Promise.all(
      [..."abcdefgh"].map((key) => another().take({ execution: key, key }, { untilMs: clock.now() + 1, limit: 3 })),
    );
    expect(taken.filter((one) => one)).toHaveLength(3);
  });

  test("a slot lasts over the change of the log", async () => {
    const { clock, slots, take } = open(kind);
    for (const key of ["a", "b", "c"]) await take(key, `x-${key}`, 4 * DAY_MS);
    clock.advance(3 * DAY_MS);
    expect(await take("d")).toBe(false);
    await slots.release({ execution: "x-a", key: "a" });
    expect([await take("d"), await take("e")]).toEqual([true, false]);
  });

  test("500 copies of long keys fit into the record", async () => {
    const { clock, slots } = open(kind);
    const take = (index: number) =>
      slots.take(
        { execution: `00000000-0000-0000-0000-${String(index).padStart(12, "0")}`, key: `${index}`.padEnd(1024, "k") },
        { untilMs: clock.now() + 900_000, limit: 500 },
      );
    for (let index = 0; index < 500; index++) expect(await take(index)).toBe(true);
    expect(await take(500)).toBe(false);
  });
});

describe("a log that may grow no more", () => {
  /** A line of three slots has about 350 bytes. */
  const CLOSE_AT_BYTES = 4_000;
  const MOST_BYTES = 6_000;

  /** Bounds an object, as OSS does at 5 GiB. */
  class BoundedStore extends MemoryAppendStore {
    private age = 0;

    override append(key: string, position: number, bytes: Uint8Array, options?: CallOptions) {
      if (position + bytes.length > MOST_BYTES) throw new BridgeError("Invalid", "append", "EntityTooLarge");
      return super.append(`${this.age}/${key}`, position, bytes, options);
    }

    override readTail(key: string, maxBytes: number, options?: CallOptions) {
      return super.readTail(`${this.age}/${key}`, maxBytes, options);
    }

    /** What a lifecycle rule does. */
    deleteAll(): void {
      this.age += 1;
    }
  }

  function openLogs() {
    const clock = new VirtualTime();
    const log = new BoundedStore();
    const another = () => createAppendSlots(log, { bridgeId: "bridge", clock, closeAtBytes: CLOSE_AT_BYTES });
    const take = (slots: Slots, key: string) =>
      slots.take({ execution: `x-${key}`, key }, { untilMs: clock.now() + DAY_MS, limit: 3 });
    return { log, another, take };
  }

  test("copies go on in the next log, and each function counts those of the logs before", async () => {
    const { log, another, take } = openLogs();
    const [first, second] = [another(), another()];
    expect(await take(first, "stays")).toBe(true);
    for (let index = 0; index < 100; index++) {
      const [one, other] = index % 2 === 0 ? [first, second] : [second, first];
      expect(await take(one, `a-${index}`)).toBe(true);
      expect(await take(other, `b-${index}`)).toBe(true);
      // A function that has just started sees the same.
      expect(await take(another(), "none is free")).toBe(false);
      await other.release({ execution: `x-a-${index}`, key: `a-${index}` });
      await one.release({ execution: `x-b-${index}`, key: `b-${index}` });
    }
    expect(log.keys().length).toBeGreaterThan(5);
  });

  test("at the change of the log, no more copies than allowed get a slot at the same moment", async () => {
    const { log, another, take } = openLogs();
    const slots = another();
    expect(await take(slots, "stays")).toBe(true);
    for (let round = 0; round < 40; round++) {
      const keys = [..."abcdef"].map((name) => `${name}-${round}`);
      const taken = await Promise.all(keys.map((key) => take(another(), key)));
      expect(taken.filter((one) => one)).toHaveLength(2);
      await Promise.all(keys.map((key) => another().release({ execution: `x-${key}`, key })));
    }
    expect(log.keys().length).toBeGreaterThan(5);
  });

  test("a log that a lifecycle rule has deleted is forgotten", async () => {
    const { log, another, take } = openLogs();
    const slots = another();
    for (let index = 0; index < 100; index++) {
      expect(await take(slots, `${index}`)).toBe(true);
      if (index < 99) await slots.release({ execution: `x-${index}`, key: `${index}` });
    }
    log.deleteAll();
    expect([await take(slots, "a"), await take(another(), "b"), await take(slots, "c"), await take(slots, "d")]).toEqual([
      true,
      true,
      true,
      false,
    ]);
  });
});
