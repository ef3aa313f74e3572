/** The explorations find each mutation within 3,000 schedules. */
import fc from "fast-check";
import { playPull, playPush } from "./explore";
import { assertSound } from "./invariants";
import { type Mutation, PULL_MUTATIONS, PUSH_MUTATIONS } from "./sabotage";
import { pullStories, pushStories } from "./script";
import type { Steps } from "./world/steps";
import type { World } from "./world/world";

const SCHEDULES = 3_000;

describe("pull", () => mutationTests(PULL_MUTATIONS, pullStories, playPull));
describe("push", () => mutationTests(PUSH_MUTATIONS, pushStories, playPush));

function mutationTests<Sabotage, Story extends object>(
  mutations: Readonly<Record<string, Mutation<Sabotage, Story>>>,
  stories: fc.Arbitrary<Story>,
  play: (steps: Steps, story: Story, sabotage?: Sabotage) => Promise<World>,
): void {
  test.each(Object.entries(mutations))("%s is caught", async (_, { sabotage, where, caughtAs = /not converged/ }) => {
    const property = fc.asyncProperty(fc.scheduler(), stories, async (scheduler, story) => {
      assertSound(await play(scheduler, { ...story, ...where(story) }, sabotage));
    });
    const result = await fc.check(property, { numRuns: SCHEDULES, endOnFailure: true, seed: 7 });
    expect(result.failed).toBe(true);
    expect(String(result.errorInstance)).toMatch(caughtAs);
  });

  test("without a mutation the same stories hold", async () => {
    const cases = fc.constantFrom(...Object.values(mutations));
    const property = fc.asyncProperty(fc.scheduler(), stories, cases, async (scheduler, story, { where }) => {
      assertSound(await play(scheduler, { ...story, ...where(story) }));
    });
    await fc.assert(property, { numRuns: 100, endOnFailure: true });
  });
}
