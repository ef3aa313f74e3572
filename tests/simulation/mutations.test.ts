/** The exploration can fail: each way of breaking the protocol is noticed within few schedules. */
import fc from "fast-check";
import { play } from "./explore";
import { assertConverged, assertFresh, assertNeverTorn } from "./invariants";
import { type SourceAction, type Story, storyArbitrary } from "./script";
import type { Fault, FaultKind } from "./world/faults";
import type { Mutation } from "./world/sabotage";

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

interface Case {
  /** Stories in which the broken part matters; a conditional write or a checksum would otherwise stand in for it. */
  where(story: Story): Partial<Story>;
  caughtAs: RegExp;
}

const CASES: Record<Mutation, Case> = {
  "acknowledge-before-verify": { where: () => ({}), caughtAs: /not converged/ },
  "acknowledge-before-enqueue": { where: () => ({ deletes: "replicate" }), caughtAs: /not converged/ },
  "drop-if-match": {
    where: () => ({ actions: [write("write-large", 0), write("write-large", 1, 20)], sourceChecksums: false }),
    caughtAs: /torn/,
  },
  "skip-re-read": {
    where: () => ({ actions: [write("write-small", 0), write("write-small", 1, 10)], conditionalWrites: false }),
    caughtAs: /not converged/,
  },
  "let-old-copier-live": {
    where: ({ actions }) => ({
      actions: [write("write-large", 0), write("write-small", 1, (actions[0]?.after ?? 0) * 2)],
      conditionalWrites: false,
    }),
    caughtAs: /not converged/,
  },
  // The receiver that launched is gone before it has written, and its copier hangs over its last step.
  "lease-after-launch": {
    where: ({ actions }) => ({
      actions: [write("write-large", 0), write("write-small", 1, (actions[0]?.after ?? 0) * 2)],
      faults: [fault("launch", 1, "lose-answer-and-crash"), fault("destination completeUpload", 1, "stall", 20)],
      conditionalWrites: false,
    }),
    caughtAs: /not converged/,
  },
  // Equal bytes: the pinned reads do not notice that the copy is out of date, only the mark tells.
  "skip-stop-mark": {
    where: ({ actions }) => ({ actions: [write("write-large", 0), write("touch", 1, (actions[0]?.after ?? 0) * 2)] }),
    caughtAs: /after its stop mark/,
  },
  // A resumed run reads no part that would be pinned.
  "skip-source-re-check": {
    where: ({ actions }) => ({
      actions: [write("write-large", 0), write("write-small", 1, actions[0]?.after ?? 0, 7_000)],
      faults: [fault("destination head", 2, "refuse")],
      ticksMs: [],
    }),
    caughtAs: /stale/,
  },
  "equality-without-metadata": {
    where: () => ({ actions: [write("write-small", 0), write("touch", 1, 40)] }),
    caughtAs: /not converged/,
  },
  // The old attempt's write has to be under way for long, and the sender that would have noticed has to be gone.
  "redeliver-before-hard-end": {
    where: ({ faults }) => ({
      actions: [write("write-small", 0), write("write-small", 1, 10)],
      faults: [...faults, fault("destination put", 1, "stall", 4)],
      conditionalWrites: false,
    }),
    caughtAs: /not converged/,
  },
};

test.each(Object.keys(CASES) as Mutation[])(
  "%s is caught",
  async (mutation) => {
    const { where, caughtAs } = CASES[mutation];
    const result = await fc.check(
      fc.asyncProperty(fc.scheduler(), storyArbitrary, async (scheduler, story) => {
        const world = await play(scheduler, { ...story, ...where(story) }, mutation);
        assertConverged(world);
        assertNeverTorn(world.source, world.destination);
        assertFresh(world);
      }),
      { numRuns: SCHEDULES, endOnFailure: true, seed: 7 },
    );
    expect(result.failed).toBe(true);
    expect(String(result.errorInstance)).toMatch(caughtAs);
  },
  300_000,
);

test("unbroken, the same stories hold", async () => {
  const cases = Object.values(CASES);
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), storyArbitrary, fc.constantFrom(...cases), async (scheduler, story, { where }) => {
      const world = await play(scheduler, { ...story, ...where(story) });
      assertConverged(world);
      assertNeverTorn(world.source, world.destination);
      assertFresh(world);
    }),
    { numRuns: 100, endOnFailure: true },
  );
}, 300_000);
