/** The exploration of push mode can fail: each way of breaking it is noticed within few schedules. */
import fc from "fast-check";
import { type PushStory, play, pushStoryArbitrary } from "./push/explore";
import { assertSound } from "./push/invariants";
import type { Mutation } from "./push/sabotage";
import type { SourceAction } from "./script";
import type { Fault, FaultKind } from "./world/faults";

const SCHEDULES = 3_000;

const write = (kind: SourceAction["do"], content: number, after = 0, laterMs = 0): SourceAction => ({
  do: kind,
  key: "a",
  content,
  events: 1,
  laterMs,
  after,
});

const fault = (label: string, nth: number, kind: FaultKind, hold = 0): Fault => ({ label, nth, kind, hold });

/** Stories in which the broken part matters; another part would otherwise stand in for it. */
const CASES: Record<Mutation, (story: PushStory) => Partial<PushStory>> = {
  // The older execution's write is under way for long.
  "skip-verify": ({ actions }) => ({
    actions: [write("write-small", 0), write("write-small", 1, actions[0]?.after ?? 0)],
    faults: [fault("destination put", 1, "stall", 3)],
    ticksMs: [],
  }),
  // The workflow no longer waits for the copy that is about to complete.
  "no-lease": ({ actions }) => ({
    actions: [write("write-large", 0), write("write-small", 1, (actions[0]?.after ?? 0) * 3)],
    faults: [fault("invoke", 2, "lose-answer"), fault("destination completeUpload", 1, "stall", 20)],
    ticksMs: [],
  }),
  "removal-without-event": () => ({
    actions: [write("write-small", 0), write("write-small", 1, 0, 100_000), write("restore", 0, 0, 100_000)],
    versionedSource: true,
  }),
  "finished-is-done": () => ({
    actions: [write("write-small", 0), write("write-small", 1, 0, 100_000), write("write-small", 0, 0, 100_000)],
    versionedSource: false,
  }),
  // The first execution has taken its last look, and is kept from ending while the state goes and comes back.
  "running-is-done": () => ({
    actions: [write("write-small", 0), write("write-small", 1, 0, 5_000), write("write-small", 0, 0, 5_000)],
    faults: [fault("invoke", 4, "lose-answer")],
    versionedSource: false,
    statusTags: false,
    ticksMs: [],
  }),
  "repeat-before-hard-end": () => ({
    actions: [write("write-small", 0), write("write-small", 1, 10)],
    faults: [fault("invoke", 2, "lose-answer"), fault("destination put", 1, "stall", 6)],
    ticksMs: [],
  }),
};

test.each(Object.keys(CASES) as Mutation[])(
  "%s is caught",
  async (mutation) => {
    const result = await fc.check(
      fc.asyncProperty(fc.scheduler(), pushStoryArbitrary, async (scheduler, story) => {
        assertSound(await play(scheduler, { ...story, ...CASES[mutation](story) }, mutation));
      }),
      { numRuns: SCHEDULES, endOnFailure: true, seed: 7 },
    );
    expect(result.failed).toBe(true);
    expect(String(result.errorInstance)).toMatch(/not converged/);
  },
  300_000,
);

test("unbroken, the same stories hold", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      pushStoryArbitrary,
      fc.constantFrom(...Object.values(CASES)),
      async (scheduler, story, where) => {
        assertSound(await play(scheduler, { ...story, ...where(story) }));
      },
    ),
    { numRuns: 100, endOnFailure: true },
  );
}, 300_000);
