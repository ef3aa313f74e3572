/** The bridge's own queue message, "look at this key", as text. */
import * as z from "zod";
import type { Look } from "./ports";

const lookMessageSchema = z.strictObject({
  look: z.strictObject({
    version: z.literal(1),
    key: z.string().min(1),
    attempt: z.number().int().nonnegative(),
    firstSeenMs: z.number().int().nonnegative(),
  }),
  /** Of a look that comes back from a dead-letter queue: for people. */
  deadLetter: z.looseObject({}).optional(),
});

/** JSON that every queue can store. */
export function encodeLook(look: Look): string {
  const { key, attempt, firstSeenMs } = look;
  return storable(JSON.stringify({ look: { version: 1, key, attempt, firstSeenMs } }));
}

/** Escapes the two code points of a JSON text that no XML holds, and SQS and SMQ therefore refuse. */
export function storable(json: string): string {
  return json.replaceAll("\uFFFE", "\\ufffe").replaceAll("\uFFFF", "\\uffff");
}

/** Whether a parsed message claims to be a look, of whatever version. */
export function isLookMessage(message: unknown): boolean {
  return typeof message === "object" && message !== null && "look" in message;
}

/**
 * @param message text, or what JSON.parse made of it
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
