/** The progress of a backfill. */
import * as z from "zod";
import { openProgressFile, type ProgressFile } from "../progress-file";
import { countsSchema } from "./counts";
import { ENGINES } from "./engine";

/** The backfill that a checkpoint belongs to. Another backfill never resumes from it. */
const identity = {
  stack: z.string(),
  /** `<cloud>:<region>:<bucket>`. A local cloud and a real one may have stacks of the same name. */
  source: z.string(),
  destination: z.string(),
  local: z.boolean(),
  prefix: z.string(),
  engine: z.enum(ENGINES),
};
const identitySchema = z.strictObject(identity);
export type CheckpointIdentity = z.infer<typeof identitySchema>;

const checkpointSchema = z.strictObject({
  version: z.literal(1),
  ...identity,
  updatedAt: z.iso.datetime(),
  /** Every key up to this one was checked, and handed over if it was due. */
  lastKey: z.string().optional(),
  counts: countsSchema.optional(),
  /** Written before the job is created, so that a restart creates no second job. */
  batch: z.strictObject({ token: z.string(), jobId: z.string().optional() }).optional(),
});
export type Checkpoint = z.infer<typeof checkpointSchema>;
export type CheckpointProgress = Partial<Pick<Checkpoint, "lastKey" | "counts" | "batch">>;
export type CheckpointFile = ProgressFile<Checkpoint, CheckpointProgress>;

export function openCheckpoint(path: string, own: CheckpointIdentity, now: () => number): CheckpointFile {
  return openProgressFile(path, { run: "backfill", schema: checkpointSchema, version: 1, own, now });
}
