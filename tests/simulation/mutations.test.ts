/** The exploration can fail: each way of breaking the protocol is noticed within few schedules. */
import fc from "fast-check";
import { assertConverged, assertNeverTorn, play } from "./explore";
import { type SourceAction, type Story, storyArbitrary } from "./script";
import type { Mutation } from "./world";

const SCHEDULES = 3_000;

const write = (kind: "write-small" | "write-large", content: number, after = 0): SourceAction => ({
  do: kind,
  key: "a",
  content,
  events: 1,
  after,
});

/** Stories in which the broken part matters; a conditional write or a checksum would otherwise stand in for it. */
const where: Record<Mutation, (story: Story) => Partial<Story>> = {
  "acknowledge-before-verify": () => ({}),
  "drop-if-match": () => ({ actions: [write("write-large", 0), write("write-large", 1, 20)], sourceChecksums: false }),
  "skip-re-read": () => ({ actions: [write("write-small", 0), write("write-small", 1, 10)], conditionalWrites: false }),
  "let-old-copier-live": ({ actions }) => ({
    actions: [write("write-large", 0), write("write-small", 1, (actions[0]?.after ?? 0) * 2)],
    conditionalWrites: false,
  }),
  // The old attempt's write has to be under way for long, and the sender that would have noticed has to be gone.
  "redeliver-before-hard-end": ({ faults }) => ({
    actions: [write("write-small", 0), write("write-small", 1, 10)],
    faults: [...faults, { label: "destination put", nth: 1, kind: "stall", hold: 4 }],
    conditionalWrites: false,
  }),
};

test.each(Object.keys(where) as Mutation[])(
  "%s is caught",
  async (mutation) => {
    const result = await fc.check(
      fc.asyncProperty(fc.scheduler(), storyArbitrary, async (scheduler, story) => {
        const world = await play(scheduler, { ...story, ...where[mutation](story) }, mutation);
        assertConverged(world);
        assertNeverTorn(world.source, world.destination);
      }),
      { numRuns: SCHEDULES, endOnFailure: true, seed: 7 },
    );
    expect(result.failed).toBe(true);
    expect(String(result.errorInstance)).toMatch(/not converged|torn/);
  },
  300_000,
);
