/** The objects that a backfill has checked, by outcome. */
import * as z from "zod";

/**
 * - `due`: not at the destination; handed over, or only counted in a dry run.
 * - `present`: at the destination in this state, or on its way there.
 * - `outOfScope`: the bridge does not replicate it.
 * - `archived`: cannot be read before it is restored.
 * - `gone`: deleted between the listing and the check.
 * - `failed`: refused by the store for good; the reason is in the outcome.
 */
export const OUTCOMES = ["due", "present", "outOfScope", "archived", "gone", "failed"] as const;
export type ObjectOutcome = (typeof OUTCOMES)[number];

/** The most that a store lists in one request. */
export const PAGE_SIZE = 1000;

const tally = z.strictObject({ objects: z.number().int().nonnegative(), bytes: z.number().int().nonnegative() });
export const countsSchema = z.strictObject({
  due: tally,
  present: tally,
  outOfScope: tally,
  archived: tally,
  gone: tally,
  failed: tally,
});
export type Counts = z.infer<typeof countsSchema>;

export function noCounts(): Counts {
  const none = () => ({ objects: 0, bytes: 0 });
  return { due: none(), present: none(), outOfScope: none(), archived: none(), gone: none(), failed: none() };
}

export function add(counts: Counts, outcome: ObjectOutcome, sizeBytes: number): void {
  counts[outcome].objects += 1;
  counts[outcome].bytes += sizeBytes;
}

export function listedObjects(counts: Counts): number {
  return OUTCOMES.reduce((sum, outcome) => sum + counts[outcome].objects, 0);
}
