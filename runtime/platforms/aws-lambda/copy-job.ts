/** The copier's event. */
import * as z from "zod";
import type { CopyJob } from "../../ports";
import { snapshotSchema } from "../../protocol/snapshot";

const copyJobSchema = z.strictObject({
  execution: z.string().min(1),
  key: z.string().min(1),
  url: z.string().min(1),
  snapshot: snapshotSchema,
});

/** @throws Error that names the fields that do not fit, never a value: the event holds a presigned URL. */
export function parseCopyJob(event: unknown): CopyJob {
  const parsed = copyJobSchema.safeParse(event);
  if (parsed.success) return parsed.data as CopyJob;
  throw new Error(
    `the copier's event does not fit: ${parsed.error.issues.map((issue) => issue.path.join(".") || "(root)").join(", ")}`,
  );
}
