/** Random schedules with crashes, duplicates, delays, overwrites, deletes and restores keep the invariants. */
import fc from "fast-check";
import { times } from "../support/sizes";
import { playPull, playPush } from "./explore";
import { assertBoundedWork, assertNoNeedlessBytes, assertReplaysChangeNothing, assertSound } from "./invariants";
import { type PullStory, pullStories, pushStories } from "./script";

/** A large `TEST_FACTOR` makes explorations run for hours. */
const LIMIT_MS = 24 * 3_600_000;

test.each<[name: string, count: number, options: Partial<PullStory>]>([
  ["a queue", 2_000, {}],
  // Stores without conditional writes have such leases.
  ["leases as lines of a log", 500, { leases: "log", conditionalWrites: false }],
])(
  "pull, %s: it converges, and unchanged objects move no bytes",
  async (_, count, options) => {
    const property = fc.asyncProperty(fc.scheduler(), pullStories, async (scheduler, story) => {
      const world = await playPull(scheduler, { ...story, ...options });
      assertSound(world);
      if (story.replays === undefined) assertBoundedWork(world, story);
      await assertNoNeedlessBytes(scheduler, world);
      if (story.replays !== undefined) await assertReplaysChangeNothing(scheduler, world);
      assertSound(world);
    });
    await fc.assert(property, { numRuns: times(count), endOnFailure: true });
  },
  LIMIT_MS,
);

test(
  "pull without a queue: it converges, or parks the key",
  async () => {
    const count = times(300);
    let parked = 0;
    const property = fc.asyncProperty(fc.scheduler(), pullStories, async (scheduler, story) => {
      const world = await playPull(scheduler, { ...story, trigger: "invocation" });
      parked += world.parked.length;
      assertSound(world, { mayPark: true });
      await assertNoNeedlessBytes(scheduler, world);
    });
    await fc.assert(property, { numRuns: count, endOnFailure: true });
    // Parking is rare: the faults must last longer than three invocations.
    expect(parked).toBeLessThan(count / 4);
  },
  LIMIT_MS,
);

test(
  "push: it converges, and unchanged objects move no bytes",
  async () => {
    const property = fc.asyncProperty(fc.scheduler(), pushStories, async (scheduler, story) => {
      const world = await playPush(scheduler, story);
      assertSound(world);
      await assertNoNeedlessBytes(scheduler, world);
      assertSound(world);
    });
    await fc.assert(property, { numRuns: times(400), endOnFailure: true });
  },
  LIMIT_MS,
);

test("push with few attempts: keys that are not replicated are parked with their reason", async () => {
  let parked = 0;
  const property = fc.asyncProperty(fc.scheduler(), pushStories, async (scheduler, story) => {
    const world = await playPush(scheduler, { ...story, maxAttempts: 1 });
    assertSound(world, { mayPark: true });
    parked += world.parked.length;
  });
  await fc.assert(property, { numRuns: 100, endOnFailure: true, seed: 7 });
  expect(parked).toBeGreaterThan(0);
});
