import fc from "fast-check";
import { play } from "./explore";
import { assertConverged, assertFresh, assertNeverTorn, assertNoNeedlessBytes } from "./invariants";
import { storyArbitrary } from "./script";

/** `FAST_CHECK_SEED=random SIMULATION_RUNS=50000 npm test -- simulation` explores further. */
const RUNS = Number(process.env.SIMULATION_RUNS ?? 2_000);

test(`${RUNS} schedules with crashes, duplicates, delays, overwrites and deletes keep the invariants`, async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), storyArbitrary, async (scheduler, story) => {
      const world = await play(scheduler, story);
      assertConverged(world);
      assertNeverTorn(world.source, world.destination);
      assertFresh(world);
      world.endFaults();
      await assertNoNeedlessBytes(scheduler, world);
    }),
    { numRuns: RUNS, endOnFailure: true },
  );
}, 600_000);
