/** What a backfill has looked at, by what came of it. */
import * as z from "zod";

/**
 * - `due`: not at the destination; put to work, or only counted in a dry run.
 * - `present`: at the destination in this state, or on its way there.
 * - `outOfScope`: not this bridge's to carry.
 * - `archived`: cannot be read before somebody restores it.
 * - `gone`: deleted between the listing and the look.
 * - `failed`: the store refused it for good; the reason is in the outcome.
 */
export const OUTCOMES = ["due", "present", "outOfScope", "archived", "gone", "failed"] as const;
export type ObjectOutcome = (typeof OUTCOMES)[number];

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
