/** The progress of a verification. */
import * as z from "zod";
import { openProgressFile, type ProgressFile } from "../progress-file";
import { countsSchema } from "./findings";

const VERSION = 2;

/** The verification that a checkpoint belongs to. */
const identity = {
  stack: z.string(),
  /** `<cloud>:<region>:<bucket>`. A local cloud and a real one may have stacks of the same name. */
  source: z.string(),
  destination: z.string(),
  local: z.boolean(),
  prefix: z.string(),
  /** As it was written. */
  since: z.string().optional(),
  bytes: z.boolean(),
  fromFile: z.string().optional(),
  sourceInventory: z.string().optional(),
  destinationInventory: z.string().optional(),
  out: z.string(),
  /** Digest of the settings that decide which keys are compared, and how. */
  settings: z.string(),
};
const identitySchema = z.strictObject(identity);
export type VerifyIdentity = z.infer<typeof identitySchema>;

const progress = {
  /** What `since` meant when the run began. */
  sinceMs: z.number().optional(),
  /** What is left of the listings. */
  ranges: z.array(z.strictObject({ prefix: z.string(), after: z.string().optional(), until: z.string().optional() })).optional(),
  /** The last line of `fromFile` that was handled. */
  line: z.number().int().nonnegative().optional(),
  /** Digest of the lines up to this one. */
  linesSha256: z.string().optional(),
  counts: countsSchema,
  /** The file of findings. */
  findings: z.strictObject({ bytes: z.number().int().nonnegative(), sha256: z.string() }),
};
const progressSchema = z.strictObject(progress);
export type VerifyProgress = z.infer<typeof progressSchema>;

const checkpointSchema = z.strictObject({ version: z.literal(VERSION), ...identity, updatedAt: z.iso.datetime(), ...progress });
export type VerifyCheckpoint = z.infer<typeof checkpointSchema>;
export type VerifyCheckpointFile = ProgressFile<VerifyCheckpoint, VerifyProgress>;

export function openVerifyCheckpoint(path: string, own: VerifyIdentity, now: () => number): VerifyCheckpointFile {
  return openProgressFile(path, { run: "verification", schema: checkpointSchema, version: VERSION, own, now });
}
