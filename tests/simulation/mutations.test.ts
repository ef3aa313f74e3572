/** The explorations find each mutation within 3,000 schedules. */
import fc from "fast-check";
import { playPull, playPush } from "./explore";
import { assertReplaysChangeNothing, assertSound } from "./invariants";
import { type Mutation, PULL_MUTATIONS, PUSH_MUTATIONS } from "./sabotage";
import { type PullStory, pullStories, pushStories } from "./script";
import { PullWorld } from "./world/pull";
import type { Steps } from "./world/steps";
import type { World } from "./world/world";

const SCHEDULES = 3_000;

// A replay of a request that is still true may repair what a mutation broke, so only the stories of some mutations have replays.
const unreplayed = pullStories.map((story): PullStory => ({ ...story, replays: undefined }));

describe("pull", () => mutationTests(PULL_MUTATIONS, unreplayed, playPull));
describe("push", () => mutationTests(PUSH_MUTATIONS, pushStories, playPush));

function mutationTests<Sabotage, Story extends object>(
  mutations: Readonly<Record<string, Mutation<Sabotage, Story>>>,
  stories: fc.Arbitrary<Story>,
  play: (steps: Steps, story: Story, sabotage?: Sabotage) => Promise<World>,
): void {
  test.each(Object.entries(mutations))("%s is caught", async (_, { sabotage, where, caughtAs = /not converged/ }) => {
    const property = fc.asyncProperty(fc.scheduler(), stories, async (scheduler, story) => {
      const changed = { ...story, ...where(story) };
      const world = await play(scheduler, changed, sabotage);
      assertSound(world);
      if (world instanceof PullWorld && "replays" in changed && changed.replays !== undefined)
        await assertReplaysChangeNothing(scheduler, world);
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
