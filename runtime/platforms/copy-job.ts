/** The copier's event. */
import * as z from "zod";
import type { CopyJob } from "../protocol/ports";
import { snapshotSchema } from "../protocol/snapshot";

const copyJobSchema = z.strictObject({
  execution: z.string().min(1),
  key: z.string().min(1),
  url: z.string().min(1),
  snapshot: snapshotSchema,
});

/**
 * @param event text, or what JSON.parse made of it
 * @throws Error that names the fields that do not fit, never a value: the event holds a presigned URL.
 */
export function parseCopyJob(event: unknown): CopyJob {
  const parsed = copyJobSchema.safeParse(typeof event === "string" ? parseJson(event) : event);
  if (parsed.success) return parsed.data as CopyJob;
  throw new Error(
    `the copier's event does not fit: ${parsed.error.issues.map((issue) => issue.path.join(".") || "(root)").join(", ")}`,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message quotes what it read.
    throw new Error("the copier's event is not JSON");
  }
}
