/** The objects that a backfill has checked, by outcome. */
import * as z from "zod";
import { type ObjectOutcome, OUTCOMES } from "../presence";

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
