import { createAppendSlots, createSlots, type Slots } from "../../../runtime/replication/slots";
import { MemoryAppendStore, MemoryStore } from "../../../runtime/stores/memory/store";
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
