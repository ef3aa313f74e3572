/** Two bridges, A to B and B to A, share two stores. Each copies the users' objects of its source and sends no replica back. */
import fc from "fast-check";
import { readProvenance } from "../../runtime/replication/provenance";
import type { MemoryStore } from "../../runtime/stores/memory/store";
import { times } from "../support/sizes";
import { next, perform, play, settle } from "./explore";
import { assertConverged, assertFresh, assertNeverTorn } from "./invariants";
import { type PullStory, pullStories, type SourceAction } from "./script";
import { PullWorld } from "./world/pull";
import { Director, type Steps } from "./world/steps";
import { WorldTime } from "./world/time";
import { openStore } from "./world/world";

/** The users of each side write under their own prefix. Conflicts are not tested here. */
const SIDES = ["A", "B"] as const;
type Side = (typeof SIDES)[number];

class TwoWay {
  readonly time = new WorldTime();
  readonly stores: Record<Side, MemoryStore>;
  readonly bridges: Record<Side, PullWorld>;

  constructor(
    readonly scheduler: Steps,
    story: Omit<PullStory, "actions" | "ticksMs" | "trigger" | "leases">,
  ) {
    const { conditionalWrites } = story;
    const open = (name: Side) =>
      openStore(this.time, name, story.versionedSource, { conditionalWrites, conditionalCreate: conditionalWrites });
    this.stores = { A: open("A"), B: open("B") };
    const bridge = (source: Side, destination: Side) =>
      new PullWorld({
        ...story,
        scheduler,
        names: { source, destination },
        shared: { source: this.stores[source], destination: this.stores[destination], time: this.time },
      });
    this.bridges = { A: bridge("A", "B"), B: bridge("B", "A") };
    // Writes of one bridge are events for the other.
    this.bridges.A.onDestinationChange = (key) => this.bridges.B.notify(key);
    this.bridges.B.onDestinationChange = (key) => this.bridges.A.notify(key);
  }

  get worlds(): [PullWorld, PullWorld] {
    return [this.bridges.A, this.bridges.B];
  }

  async does(side: Side, action: Pick<SourceAction, "do" | "content" | "events"> & { key: string }): Promise<void> {
    await perform(this.bridges[side], { ...action, key: `${side}/${action.key}`, after: 0, laterMs: 0 });
  }

  async settle(): Promise<void> {
    await settle(this.scheduler, ...this.worlds);
  }

  assertHolds(): void {
    for (const side of SIDES) {
      const world = this.bridges[side];
      assertFresh(world);
      const ofUsers = (key: string): boolean => key.startsWith(`${side}/`);
      assertNeverTorn(world.source, world.destination, ofUsers);
      for (const key of this.stores[side].keys()) {
        for (const { state } of this.stores[side].history(key)) {
          const provenance = state && readProvenance(state.metadata);
          if (ofUsers(key) && provenance !== undefined) throw new Error(`a replica of ${key} came back to ${side}`);
          if (!ofUsers(key) && state !== undefined && provenance?.origin === `memory:${side}`)
            throw new Error(`${key} at ${side} claims to be from there`);
        }
      }
    }
    assertConverged(this.bridges.A);
  }

  /** Number of writes at a side by kind. Writes of users count as well. */
  writes(side: Side): Partial<Record<"put" | "completeUpload" | "putTags" | "delete", number>> {
    const { put, completeUpload, putTags, delete: deleted } = this.stores[side].calls;
    return Object.fromEntries(
      Object.entries({ put, completeUpload, putTags, delete: deleted }).filter(([, count]) => count !== undefined),
    );
  }
}

const plain = {
  conditionalWrites: true,
  versionedSource: false,
  sourceChecksums: true,
  deletes: "replicate",
  faults: [],
  batchSize: 1,
  statusTags: false,
  sourceSkewMs: 0,
  triesPerPart: 1,
} as const;

describe("number of writes in simple stories: no replica is sent back", () => {
  test("one object from each side", async () => {
    const both = new TwoWay(new Director(), plain);
    await both.does("A", { do: "write-small", key: "k", content: 1, events: 1 });
    await both.does("B", { do: "write-small", key: "k", content: 2, events: 1 });
    await both.settle();
    both.assertHolds();
    expect(both.writes("A")).toEqual({ put: 2 });
    expect(both.writes("B")).toEqual({ put: 2 });
  });

  test("one side writes, tags, overwrites and deletes an object", async () => {
    const both = new TwoWay(new Director(), { ...plain, batchSize: 5 });
    for (const [what, content] of [
      ["write-large", 1],
      ["retag", 2],
      ["write-small", 3],
      ["delete", 0],
    ] as const) {
      await both.does("A", { do: what, key: "k", content, events: 2 });
      await both.settle();
      both.assertHolds();
    }
    expect(both.writes("A")).toEqual({ put: 2, putTags: 1, delete: 1 });
    expect(both.writes("B")).toEqual({ completeUpload: 1, put: 1, putTags: 1, delete: 1 });
    expect(both.stores.A.history("A/k")).toHaveLength(4);
  });

  test("repeated events of all objects: neither side writes", async () => {
    const both = new TwoWay(new Director(), plain);
    await both.does("A", { do: "write-small", key: "k", content: 1, events: 1 });
    await both.does("B", { do: "write-large", key: "k", content: 2, events: 1 });
    await both.settle();
    const before = SIDES.map((side) => both.writes(side));
    for (const world of both.worlds) for (const key of world.source.keys()) world.notify(key);
    await both.settle();
    expect(SIDES.map((side) => both.writes(side))).toEqual(before);
  });
});

describe("opposite bridges on the same keys", () => {
  const put = async (both: TwoWay, side: Side, text: string) => {
    await both.stores[side].put("k", Buffer.from(text), {
      sizeBytes: text.length,
      attributes: { headers: {}, metadata: {}, tags: {} },
    });
    both.bridges[side].notify("k");
  };
  const held = (both: TwoWay) => SIDES.map((side) => Buffer.from(both.stores[side].snapshotOf("k")?.bytes ?? []).toString());

  test.each([true, false])(
    "both sides write at once: the swap ends in letters that name it, statusTags %s",
    async (statusTags) => {
      const both = new TwoWay(new Director(), { ...plain, statusTags });
      await put(both, "A", "of A");
      await put(both, "B", "of B");
      await both.settle();
      if (held(both).join() !== "of B,of A") throw new Error(`the schedule made no swap: ${held(both).join()}`);
      for (const world of both.worlds) {
        expect(world.parked.map(({ look }) => look.key)).toContain("k");
        for (const { reason } of world.parked) expect(reason).toMatch(/overwritten each other's object/);
      }
    },
  );

  test("one write after the other: no letter", async () => {
    const both = new TwoWay(new Director(), plain);
    for (const [side, text] of [
      ["A", "1"],
      ["B", "22"],
      ["A", "333"],
      ["A", "4444"],
      ["B", "55555"],
    ] as const) {
      await put(both, side, text);
      await both.settle();
      expect(held(both)).toEqual([text, text]);
    }
    for (const world of both.worlds) expect(world.parked).toEqual([]);
  });

  test("random schedules: both sides are equal, or a letter names the swap", async () => {
    const steps = fc.array(fc.tuple(fc.constantFrom(...SIDES), fc.integer({ min: 0, max: 30 })), { minLength: 2, maxLength: 4 });
    let swaps = 0;
    const property = fc.asyncProperty(fc.scheduler(), steps, async (scheduler, writes) => {
      const both = new TwoWay(scheduler, plain);
      for (const [index, [side, wait]] of writes.entries()) {
        await put(both, side, `${index} of ${side}`.padEnd(6 + index));
        for (let step = 0; step < wait; step++) await next(scheduler, ...both.worlds);
      }
      await both.settle();
      const [a, b] = held(both);
      if (a === b) return;
      swaps += 1;
      const reasons = both.worlds.flatMap(({ parked }) => parked.map(({ reason }) => reason));
      if (!reasons.some((reason) => /overwritten each other's object/.test(reason)))
        throw new Error(`silent difference: A holds ${a}, B holds ${b}, letters: ${JSON.stringify(reasons)}`);
    });
    await fc.assert(property, { numRuns: times(200), endOnFailure: true });
    expect(swaps).toBeGreaterThan(0);
  });
});

test(
  "random schedules of two bridges keep the invariants and come to rest",
  async () => {
    const sidesOf = fc.array(fc.constantFrom(...SIDES), { minLength: 5, maxLength: 5 });
    const property = fc.asyncProperty(fc.scheduler(), pullStories, sidesOf, async (scheduler, story, sides) => {
      const both = new TwoWay(scheduler, { ...story, deletes: "replicate", statusTags: false, sourceSkewMs: 0 });
      const sideOf = (index: number): Side => sides[index] ?? "A";
      const actions = story.actions.map((action, index) => ({ ...action, key: `${sideOf(index)}/${action.key}` }));
      await play(scheduler, { ...story, actions }, both.worlds, (index) => both.bridges[sideOf(index)]);
      both.assertHolds();
      expect(await next(scheduler, ...both.worlds)).toBe(false);
    });
    await fc.assert(property, { numRuns: times(300), endOnFailure: true });
  },
  24 * 3_600_000,
);
