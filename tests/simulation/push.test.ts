/** Push mode: dispatcher, workflow and pusher on stores that write unconditionally. */
import fc from "fast-check";
import { passTime, perform, play, pushStoryArbitrary, settle } from "./push/explore";
import { assertNoNeedlessBytes, assertSound } from "./push/invariants";
import { PushWorld, type PushWorldOptions } from "./push/world";
import type { SourceAction } from "./script";
import { Director } from "./world/director";

/** `FAST_CHECK_SEED=random SIMULATION_PUSH_RUNS=20000 npm test -- simulation/push` explores further. */
const RUNS = Number(process.env.SIMULATION_PUSH_RUNS ?? 400);

test(`${RUNS} schedules with crashes, duplicates, delays, overwrites, deletes and restores keep the invariants`, async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), pushStoryArbitrary, async (scheduler, story) => {
      const world = await play(scheduler, story);
      assertSound(world);
      await assertNoNeedlessBytes(scheduler, world);
      assertSound(world);
    }),
    { numRuns: RUNS, endOnFailure: true },
  );
}, 600_000);

test("100 schedules with few attempts: what is not replicated is parked with its reason", async () => {
  let parked = 0;
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), pushStoryArbitrary, async (scheduler, story) => {
      const world = await play(scheduler, { ...story, maxAttempts: 1 });
      assertSound(world, { mayPark: true });
      parked += world.parked.length;
    }),
    { numRuns: 100, endOnFailure: true, seed: 7 },
  );
  expect(parked).toBeGreaterThan(0);
});

describe("told step by step", () => {
  function open(options: Partial<PushWorldOptions> = {}) {
    const director = new Director();
    const world = new PushWorld({ scheduler: director, versionedSource: false, checksums: true, faults: [], ...options });
    const does = (what: SourceAction["do"], content = 0, events = 1) =>
      perform(world, { do: what, key: "k", content, events, laterMs: 0, after: 0 });
    /** Lets everything happen for which no time has to pass. */
    const run = async () => {
      do {
        await new Promise(setImmediate);
        await director.waitNext(1);
        await new Promise(setImmediate);
      } while (director.count() > 0);
    };
    const end = async () => {
      await settle(director, world);
      assertSound(world);
    };
    const seen = () =>
      world.destination.history("k").map(({ state }) => (state ? Buffer.from(state.bytes).toString() : "absent"));
    return { director, world, does, run, end, seen };
  }

  test("one event told three times: one execution, and its bytes once", async () => {
    const { world, does, end } = open();
    await does("write-large", 1, 3);
    await end();
    expect(world.steps).toEqual([
      "k inspect -> copy",
      "k copy -> verify replicated",
      "k verify -> record replicated",
      "k record -> done replicated",
    ]);
    expect(world.source.bytesRead).toBe(11);
    expect(world.flow.executions.size).toBe(1);
  });

  test("two executions of one key: the slower one's write lands last, and it sets that right itself", async () => {
    const { director, world, does, run, end, seen } = open();
    const put = /pusher k\w{3} copy 4: destination put$/;
    director.hold(put);
    await does("write-small", 1);
    await run();
    expect(director.held).toHaveLength(1);
    await does("write-small", 2);
    await run();
    expect(seen()).toEqual(["222222"]);
    director.release(put);
    await end();
    expect(seen()).toEqual(["222222", "111111", "222222"]);
    expect([...world.flow.executions.values()].map(({ state }) => state.rounds)).toEqual([1, 0]);
  });

  test("a crash in the midst of a large copy: once its lease is over the next run goes on with the parts that are there", async () => {
    const { world, does, end } = open({ faults: [{ label: "destination uploadPart", nth: 3, kind: "crash", hold: 0 }] });
    await does("write-large", 1);
    const startMs = world.time.now();
    await end();
    // The hard end of the run that crashed, and the time for what it sent last.
    expect(world.time.now() - startMs).toBeGreaterThanOrEqual(180_000);
    expect(world.source.bytesRead).toBeLessThanOrEqual(11 + 3);
    expect(world.steps).toContain("k copy -> wait a copy of this key is running");
  });

  test("the same bytes are back while the execution that wrote them is kept from ending: looked at once more", async () => {
    const { world, does, run, end, seen } = open({ faults: [{ label: "invoke", nth: 4, kind: "lose-answer", hold: 0 }] });
    await does("write-small", 1);
    await run();
    await does("write-small", 2);
    await run();
    await does("write-small", 1);
    await run();
    expect([...world.flow.executions.values()].map(({ status }) => status)).toEqual(["Running", "Succeeded", "Running"]);
    passTime(5_000, world);
    await end();
    expect(seen()).toEqual(["111111", "222222", "111111"]);
  });

  test("an older version comes back: it is replicated although its execution is long over", async () => {
    const { does, end, seen } = open({ versionedSource: true });
    for (const [what, content] of [
      ["write-small", 1],
      ["write-small", 2],
      ["restore", 0],
    ] as const) {
      await does(what, content);
      await end();
    }
    expect(seen()).toEqual(["111111", "222222", "111111"]);
  });
});
