/**
 * The state of one workflow execution of push mode. Each task of the workflow hands the state to the pusher, which does the step that
 * `next` names and returns the state with the following step. The state is small, without metadata, URLs and credentials: a workflow
 * keeps its history.
 */
import * as z from "zod";
import { differenceSchema, LIMITS, RECEIPT_RESULTS } from "./messages";

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
  key: z.string().min(1),
  /** Name of the execution. */
  execution: z.string().min(1),
  /** The event that started it, so that a repeat is recognised; absent for a redrive. */
  eventId: z.string().min(1).optional(),
  /** ms since the epoch, the dispatcher's clock. */
  firstSeenMs: z.number().int().nonnegative(),
  /** Failed attempts at `state`. */
  attempt: z.number().int().nonnegative(),
  /** How often the key waited without a failure, in a row, also in earlier executions. */
  waits: z.number().int().nonnegative().optional(),
  /** The source state that `attempt`, `slow` and `difference` belong to: the beginning of its snapshot's id. */
  state: z.string().min(1).max(64).optional(),
  /** An attempt at `state` ran out of time: it is copied in parts. */
  slow: z.literal(true).optional(),
  /** The tick took the key from the outage queue: it is tried although that queue is not empty yet. */
  released: z.literal(true).optional(),
  /** Why the key waited the last time, as in a queue message. */
  last: z
    .strictObject({
      reason: z.string().max(LIMITS.reasonCharacters),
      place: z.enum(["source", "border", "destination"]),
      store: z.string().min(1).optional(),
      atMs: z.number().int().nonnegative(),
    })
    .optional(),
  /** How often the source changed during this execution. */
  rounds: z.number().int().nonnegative(),
  /** Present with `next: wait`. */
  waitSeconds: z.number().int().min(1).max(MAX_WAIT_SECONDS).optional(),
  /** Of executions that an older version began; not used. */
  busySinceMs: z.number().int().nonnegative().optional(),
  /** The result so far. Present with `next: record` and `done`. */
  result: z.enum([...RECEIPT_RESULTS, "skipped", "parked"]).optional(),
  bytesMoved: z.number().int().nonnegative(),
  /** The reason, for an operator. Never holds a URL or a secret. */
  reason: z.string().max(LIMITS.reasonCharacters).optional(),
  /** What differed after the last undisturbed write of `state`. The same difference twice is permanent. */
  difference: differenceSchema.optional(),
});
export type PushState = z.infer<typeof pushStateSchema>;

/** @throws Error that names the fields that do not fit, never a value. */
export function parsePushState(value: unknown): PushState {
  const parsed = pushStateSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map((issue) => issue.path.join(".") || "(root)");
  throw new Error(`the workflow's state does not fit version 1: ${fields.join(", ")}`);
}
