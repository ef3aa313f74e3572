/** The explorations find each mutation within 3,000 schedules. */
import fc from "fast-check";
import { playPull, playPush } from "./explore";
import { assertSound } from "./invariants";
import { PULL_MUTATIONS, PUSH_MUTATIONS } from "./sabotage";
import { pullStories, pushStories } from "./script";

const SCHEDULES = 3_000;

async function isCaught(property: fc.IAsyncProperty<never>, caughtAs = /not converged/): Promise<void> {
  const result = await fc.check(property, { numRuns: SCHEDULES, endOnFailure: true, seed: 7 });
  expect(result.failed).toBe(true);
  expect(String(result.errorInstance)).toMatch(caughtAs);
}

describe("pull", () => {
  test.each(Object.entries(PULL_MUTATIONS))("%s is caught", async (_, { sabotage, where, caughtAs }) => {
    const property = fc.asyncProperty(fc.scheduler(), pullStories, async (scheduler, story) => {
      assertSound(await playPull(scheduler, { ...story, ...where(story) }, sabotage));
    });
    await isCaught(property as never, caughtAs);
  });

  test("without a mutation the same stories hold", async () => {
    const cases = fc.constantFrom(...Object.values(PULL_MUTATIONS));
    const property = fc.asyncProperty(fc.scheduler(), pullStories, cases, async (scheduler, story, { where }) => {
      assertSound(await playPull(scheduler, { ...story, ...where(story) }));
    });
    await fc.assert(property, { numRuns: 100, endOnFailure: true });
  });
});

describe("push", () => {
  test.each(Object.entries(PUSH_MUTATIONS))("%s is caught", async (_, { sabotage, where, caughtAs }) => {
    const property = fc.asyncProperty(fc.scheduler(), pushStories, async (scheduler, story) => {
      assertSound(await playPush(scheduler, { ...story, ...where(story) }, sabotage));
    });
    await isCaught(property as never, caughtAs);
  });

  test("without a mutation the same stories hold", async () => {
    const cases = fc.constantFrom(...Object.values(PUSH_MUTATIONS));
    const property = fc.asyncProperty(fc.scheduler(), pushStories, cases, async (scheduler, story, { where }) => {
      assertSound(await playPush(scheduler, { ...story, ...where(story) }));
    });
    await fc.assert(property, { numRuns: 100, endOnFailure: true });
  });
});
