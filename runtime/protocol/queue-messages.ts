/** The bridge's own queue messages as text: "look at this key", and the dead letter. */
import * as z from "zod";
import type { Look } from "./ports";

const lookMessageSchema = z.strictObject({
  look: z.strictObject({
    version: z.literal(1),
    key: z.string().min(1),
    attempt: z.number().int().nonnegative(),
    firstSeenMs: z.number().int().nonnegative(),
  }),
  /** For people; on a look that a redrive took from a dead-letter queue. */
  deadLetter: z.looseObject({}).optional(),
});

/** A look as JSON that every queue can store. */
export function encodeLook(look: Look): string {
  const { key, attempt, firstSeenMs } = look;
  return storable(JSON.stringify({ look: { version: 1, key, attempt, firstSeenMs } }));
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
export function decodeLook(message: unknown): Look {
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
    throw new Error(`the look message does not fit version 1: ${fields.join("; ")}`);
  }
  const { key, attempt, firstSeenMs } = parsed.data.look;
  return { key, attempt, firstSeenMs };
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

/**
 * `{"look":{...},"deadLetter":{...}}`: a redrive reads the look. With an original there is no look, and a redrive reads the original.
 */
export function encodeDeadLetter(look: Look, { reason, bridgeId, parkedAt, original }: DeadLetter): string {
  const letter = storable(JSON.stringify({ reason, bridgeId, parkedAt, original: original || undefined }));
  return original ? `{"deadLetter":${letter}}` : encodeLook(look).replace(/}$/, `,"deadLetter":${letter}}`);
}
