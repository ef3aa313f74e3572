/**
 * The state of one workflow execution of push mode, and the calls of the pusher. A task of the workflow hands the state to the pusher, which
 * does what fits into one attempt and returns the state with the next step. The state is small, without metadata, URLs and credentials: a
 * workflow keeps its history.
 */

import { differenceSchema, LIMITS, RECEIPT_RESULTS } from "./messages";
import * as z from "./schema";

/**
 * - `inspect`: an attempt, from the look at the source to the proof. `copy`: the same, and a large copy goes on.
 * - `wait`: sleep for `waitSeconds`, then make an attempt; the workflow itself sleeps. `park`: into the dead-letter queue with `reason`.
 * - `record`: metrics, status tag. With the result `waiting` the key is in a queue, from which a later execution starts. `done`: the end.
 * - `verify`: only of executions that an older version began. An attempt is made, which proves the object.
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
  /** An earlier call, of this execution or of one for the same event, may have left a copy or a write that still runs. See docs/adr/0042. */
  askedBefore: z.optional(z.literal(true)),
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
  /** The reason, for an operator. Never holds a URL or a secret. The workflow's own reason holds an error of any length, and is cut. */
  reason: z.optional(
    z.pipe(
      z.string(),
      z.transform((text) => text.slice(0, LIMITS.reasonCharacters)),
    ),
  ),
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

/**
 * Why a task of the workflow calls the pusher.
 * - `first`: the execution begins. The call answers only when the key is done. Otherwise it rejects with `Unfinished`.
 * - `resume`: the first call rejected. `detail` is what the workflow knows of the error.
 * - `again`: after a wait, or to go on. The workflow reads the next step in the answer.
 * - `step`: a step of an execution whose workflow has one task for each step, as older versions deployed it. Its input is the bare state.
 */
export interface PushCall {
  why: "first" | "resume" | "again" | "step";
  state: PushState;
  detail?: string | undefined;
}

const callSchema = z.strictObject({
  why: z.enum(["first", "resume", "again"]),
  state: z.unknown(),
  detail: z.optional(z.string()),
});

/** @throws Error that names the fields that do not fit, never a value. */
export function parsePushCall(value: unknown): PushCall {
  const call = callSchema.safeParse(value);
  if (!call.success) return { why: "step", state: parsePushState(value) };
  const { why, state, detail } = call.data;
  return { why, state: parsePushState(state), detail };
}

/** The name of the error by which the workflow knows that the first call has not ended the key. */
export const UNFINISHED = "Unfinished";

/** What no attempt changes: the reader of an `Unfinished` knows it. */
const KNOWN = ["version", "key", "execution", "eventId", "firstSeenMs"] as const;
/** CloudFlow may keep no more than 4,096 characters of an error. */
const SHORT_CHARACTERS = 256;

/**
 * Rejection of the first call: the key is not done, and the workflow has to go on. Its message carries the state, because a task that fails
 * has no other output. The workflow knows the error by its name.
 */
export class Unfinished extends Error {
  static {
    // A minified class has another name, and Function Compute may report the name of the class.
    Object.defineProperty(Unfinished, "name", { value: UNFINISHED });
  }
  override readonly name = UNFINISHED;

  constructor(state: PushState) {
    const { next, waitSeconds, reason = "it goes on at once", last } = state;
    const short = { ...state, last: last && { ...last, reason: last.reason.slice(0, SHORT_CHARACTERS) } };
    const changed = Object.entries(short).filter(([name]) => !KNOWN.some((known) => known === name));
    const text = Buffer.from(JSON.stringify(Object.fromEntries(changed))).toString("base64url");
    // The encoded state is first, because a long detail may be cut at its end.
    const told = `next: ${next}${next === "wait" ? ` ${waitSeconds} s` : ""}; ${reason.slice(0, SHORT_CHARACTERS)}`;
    super(`state:${text}. ${told}`);
    // The service returns the stack beside the message, and the stack would hold the message once more.
    this.stack = UNFINISHED;
  }
}

/** The state in the detail of an error. Undefined where it holds none, or not the whole of it. */
export function readUnfinished(given: PushState, detail: string): PushState | undefined {
  const text = /state:([A-Za-z0-9_-]+)\./.exec(detail)?.[1];
  if (text === undefined) return undefined;
  try {
    const changed: unknown = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
    const { version, key, execution, eventId, firstSeenMs } = given;
    return parsePushState({ ...(changed as object), version, key, execution, eventId, firstSeenMs });
  } catch {
    return undefined;
  }
}
