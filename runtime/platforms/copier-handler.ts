/** The copier's handler and its event. */

import type { CopyJob, Deadline, Logger } from "../protocol/ports";
import * as z from "../protocol/schema";
import { snapshotSchema } from "../protocol/snapshot";
import type { CopyResult } from "../replication/copy-under-lease";
import type { Copier } from "../roles/copier/copier";
import { readEvent } from "./handlers";

const copyJobSchema = z.strictObject({
  execution: z.filledText,
  key: z.filledText,
  sourceKey: z.filledText,
  url: z.filledText,
  snapshot: snapshotSchema,
});

/** Never throws: the platform would retry the job with an expired URL. The sender asks again with a fresh URL. */
export function createCopierHandler(copier: Pick<Copier, "run">, logger: Logger) {
  return async (event: unknown, deadline: Deadline): Promise<CopyResult | { result: "failed" }> => {
    try {
      return await copier.run(parseCopyJob(event), deadline);
    } catch (error) {
      logger.error("the copier failed", { error });
      return { result: "failed" };
    }
  };
}

/**
 * @param event JSON text, or the parsed value
 * @throws Error that names the fields that do not fit, never a value: the event holds a presigned URL.
 */
export function parseCopyJob(event: unknown): CopyJob {
  const parsed = copyJobSchema.safeParse(readEvent(event, "the copier's event"));
  if (parsed.success) return parsed.data as CopyJob;
  throw new Error(
    `the copier's event does not fit: ${parsed.error.issues.map((issue) => issue.path.join(".") || "(root)").join(", ")}`,
  );
}
