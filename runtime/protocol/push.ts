/**
 * The state of one workflow execution of push mode. Each task of the workflow hands the state to the pusher, which does the step that
 * `next` names and returns the state with the following step. The state is small, without metadata, URLs and credentials: a workflow
 * keeps its history.
 */

import { differenceSchema, LIMITS, RECEIPT_RESULTS } from "./messages";
import * as z from "./schema";

/**
 * - `inspect`: look at the source and the destination. `copy`: make the destination equal. `verify`: look at both once more.
 * - `wait`: sleep for `waitSeconds`, then inspect again; done by the workflow itself. `park`: into the dead-letter queue with `reason`.
 * - `record`: metrics, status tag. With the result `waiting` the key is in a queue, from which a later execution starts. `done`: the end.
 */
export const PUSH_STEPS = ["inspect", "copy", "verify", "wait", "park", "record", "done"] as const;
export type PushStep = (typeof PUSH_STEPS)[number];

/** The longest time that one Wait state of the workflow may last. */
export const MAX_WAIT_SECONDS = 300;

export const pushStateSchema = z.strictObject({
  version: z.literal(1),
  next: z.enum(PUSH_STEPS),
  /** The source key. */
  key: z.filledText,
  /** Name of the execution. */
  execution: z.filledText,
  /** The event that started it, so that a repeat is recognised; absent for a redrive. */
  eventId: z.optional(z.filledText),
  /** ms since the epoch, the dispatcher's clock. */
  firstSeenMs: z.count,
  /** Failed attempts at `state`. */
  attempt: z.count,
  /** How often the key waited without a failure, in a row, also in earlier executions. */
  waits: z.optional(z.count),
  /** The source state that `attempt`, `slow` and `difference` belong to: the beginning of its snapshot's id. */
  state: z.optional(z.string().check(z.minLength(1), z.maxLength(64))),
  /** An attempt at `state` ran out of time: it is copied in parts. */
  slow: z.optional(z.literal(true)),
  /** The tick took the key from the outage queue: it is tried although that queue is not empty yet. */
  released: z.optional(z.literal(true)),
  /** Why the key waited the last time, as in a queue message. */
  last: z.optional(
    z.strictObject({
      reason: z.string().check(z.maxLength(LIMITS.reasonCharacters)),
      place: z.enum(["source", "border", "destination"]),
      store: z.optional(z.filledText),
      atMs: z.count,
    }),
  ),
  /** How often the source changed during this execution. */
  rounds: z.count,
  /** Present with `next: wait`. */
  waitSeconds: z.optional(z.int().check(z.minimum(1), z.maximum(MAX_WAIT_SECONDS))),
  /** Of executions that an older version began; not used. */
  busySinceMs: z.optional(z.count),
  /** The result so far. Present with `next: record` and `done`. */
  result: z.optional(z.enum([...RECEIPT_RESULTS, "skipped", "parked"])),
  bytesMoved: z.count,
  /** The reason, for an operator. Never holds a URL or a secret. */
  reason: z.optional(z.string().check(z.maxLength(LIMITS.reasonCharacters))),
  /** What differed after the last undisturbed write of `state`. The same difference twice is permanent. */
  difference: z.optional(differenceSchema),
});
export type PushState = z.infer<typeof pushStateSchema>;

/** @throws Error that names the fields that do not fit, never a value. */
export function parsePushState(value: unknown): PushState {
  const parsed = pushStateSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map((issue) => issue.path.join(".") || "(root)");
  throw new Error(`the workflow's state does not fit version 1: ${fields.join(", ")}`);
}
