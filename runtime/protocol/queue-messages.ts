/** The bridge's own queue messages as text: "look at this key", and the dead letter. */

import { parseText } from "./json";
import { LIMITS } from "./messages";
import { type Look, PLACES } from "./ports";
import * as z from "./schema";

const count = z.count;

const lookSchema = z.strictObject({
  version: z.literal(2),
  key: z.filledText,
  /** Absent in a dead letter: a redriven key begins anew. */
  firstSeenMs: z.optional(count),
  failures: count,
  waits: z.optional(count),
  state: z.optional(z.string().check(z.minLength(1), z.maxLength(64))),
  slow: z.optional(z.literal(true)),
  difference: z.optional(z.string().check(z.maxLength(LIMITS.reasonCharacters))),
  last: z.optional(
    z.strictObject({
      reason: z.string().check(z.maxLength(LIMITS.reasonCharacters)),
      place: z.enum(PLACES),
      store: z.optional(z.filledText),
      atMs: count,
    }),
  ),
  released: z.optional(z.literal(true)),
  nextTryMs: z.optional(count),
});

/** The first version, of messages that an older sender stored. */
const firstVersionSchema = z.pipe(
  z.strictObject({ version: z.literal(1), key: z.filledText, attempt: count, firstSeenMs: count }),
  z.transform(({ key, attempt, firstSeenMs }) => ({ key, failures: attempt, firstSeenMs })),
);

const lookMessageSchema = z.strictObject({
  look: z.discriminatedUnion("version", [lookSchema, firstVersionSchema]),
  /** For people; on a look that a redrive took from a dead-letter queue. */
  deadLetter: z.optional(z.looseObject({})),
});

/** A look of a queue message. `firstSeenMs` is absent in a dead letter. */
export type StoredLook = Omit<Look, "firstSeenMs"> & { firstSeenMs?: number | undefined };

/** The event of the timer that wakes a role once a minute. */
export const TICK = { crossborderbridge: "tick" } as const;

/** Whether an event is the timer's: the message itself, or Function Compute's timer event with the message as its payload. */
export function isTick(event: unknown): boolean {
  const message = (event as { crossborderbridge?: unknown } | null)?.crossborderbridge;
  if (message !== undefined) return message === TICK.crossborderbridge;
  const payload = (event as { payload?: unknown } | null)?.payload;
  return typeof payload === "string" && payload === JSON.stringify(TICK);
}

/** A look as JSON that every queue can store. */
export function encodeLook(look: StoredLook): string {
  const { key, firstSeenMs, failures, waits, state, slow, difference, last, released, nextTryMs } = look;
  return storable(
    JSON.stringify({
      look: { version: 2, key, firstSeenMs, failures, waits, state, slow, difference, last, released, nextTryMs },
    }),
  );
}

/**
 * The event of an asynchronous invocation that takes several looks: `{"looks":[...]}`.
 * @param messages the text of look messages. A text that is no JSON is kept as a text, which the reader parks.
 */
export function encodeLooks(messages: readonly string[]): string {
  return JSON.stringify({ looks: messages.map((text) => parseText(text)?.value ?? text) });
}

/** Escapes U+FFFE and U+FFFF: XML cannot hold them, so SQS and SMQ refuse them. */
function storable(json: string): string {
  return json.replaceAll("\uFFFE", "\\ufffe").replaceAll("\uFFFF", "\\uffff");
}

/** Whether a parsed message has the form of a look, of any version. */
export function isLookMessage(message: unknown): boolean {
  return typeof message === "object" && message !== null && "look" in message;
}

/**
 * @param message JSON text, or the parsed value
 * @throws Error that names every field that does not fit.
 */
export function decodeLook(message: unknown): StoredLook {
  let value = message;
  if (typeof message === "string") {
    try {
      value = JSON.parse(message);
    } catch (cause) {
      throw new Error("the look message is not JSON", { cause });
    }
  }
  const parsed = lookMessageSchema.safeParse(value);
  if (!parsed.success) {
    const fields = parsed.error.issues.map((issue) => `${issue.path.join(".") || "(root)"}: ${issue.message}`);
    throw new Error(`the look message fits no known version: ${fields.join("; ")}`);
  }
  const { version: _version, ...look } = { version: 0, ...parsed.data.look };
  return look;
}

/** The fields for people in a dead letter, for queues whose messages have no attributes. */
export interface DeadLetter {
  reason: string;
  bridgeId: string;
  /** ISO 8601. */
  parkedAt: string;
  /** The unchanged message, where no look could be read from it. */
  original?: string | undefined;
}

/** The look that a redrive of this dead letter begins with: all attempts, and the whole time, again. */
export function redriven({ key }: Look): StoredLook {
  return { key, failures: 0 };
}

/**
 * `{"look":{...},"deadLetter":{...}}`: a redrive reads the look. With an original there is no look, and a redrive reads the original.
 */
export function encodeDeadLetter(look: Look, { reason, bridgeId, parkedAt, original }: DeadLetter): string {
  const letter = storable(JSON.stringify({ reason, bridgeId, parkedAt, original: original || undefined }));
  return original ? `{"deadLetter":${letter}}` : encodeLook(redriven(look)).replace(/}$/, `,"deadLetter":${letter}}`);
}
