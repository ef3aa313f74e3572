/** What a dead letter says, whoever wrote it: the bridge itself, or the platform that gave an event up. */
import { decodeText } from "../runtime/protocol/events";
import { at, parseText, textAt } from "../runtime/protocol/json";
import { errorMessageIn } from "./function-answer";
import type { DeadLetters, ParkedKey } from "./operated-bridge";

export interface Letter {
  body: string;
  /** Where the queue's messages have attributes. */
  key?: string | undefined;
  reason?: string | undefined;
  parkedAt?: string | undefined;
  /** When the queue took it. */
  storedAt?: Date | undefined;
}

const GIVEN_UP = "the platform gave the event up; the function's log says why";

/** One for each key that it is about; one with an empty key where none can be read. */
export function keysOfLetter(letter: Letter): ParkedKey[] {
  const body = parseText(letter.body)?.value;
  const written = at(body, "deadLetter");
  const reason = letter.reason ?? textAt(written, "reason") ?? platformReason(body) ?? GIVEN_UP;
  const parkedAt = dateOf(letter.parkedAt ?? textAt(written, "parkedAt")) ?? letter.storedAt;
  const keys = letter.key === undefined ? keysIn(letter.body) : [letter.key];
  return (keys.length === 0 ? [""] : keys).map((key) => ({ key, reason, parkedAt }));
}

/**
 * Receives until nothing more comes, nothing new, or `limit` letters are seen. Adds to `seen` as it goes, so that whoever received them
 * can give them back whatever becomes of this.
 * @returns whether the queue's last answer held no letter
 */
export async function receiveAll<M>(
  seen: Map<string, M>,
  { receive, idOf, limit }: { receive(): Promise<readonly M[]>; idOf(message: M): string; limit: number },
): Promise<boolean> {
  while (seen.size < limit) {
    const messages = await receive();
    if (messages.length === 0) return true;
    const isFresh = messages.some((message) => !seen.has(idOf(message)));
    for (const message of messages) seen.set(idOf(message), message);
    // They come back while it reads: without an end here they might be read for ever.
    if (!isFresh) return false;
  }
  return false;
}

/** @param sawAll whether the queue's last answer held no letter */
export function deadLetters(found: readonly ParkedKey[], { limit, sawAll }: { limit: number; sawAll: boolean }): DeadLetters {
  return { letters: found.slice(0, limit), complete: sawAll && found.length <= limit };
}

function keysIn(body: string): string[] {
  return [...new Set(decodeText(body).flatMap(({ looks }) => looks.map(({ key }) => key)))];
}

/**
 * The record of a failed asynchronous invocation: Lambda keeps the answer as JSON, Function Compute as text.
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
 */
function platformReason(body: unknown): string | undefined {
  const answer = at(body, "responsePayload");
  const reason = errorMessageIn(typeof answer === "string" ? parseText(answer)?.value : answer);
  return reason ?? textAt(at(body, "requestContext"), "condition");
}

function dateOf(text: string | undefined): Date | undefined {
  const date = text === undefined ? undefined : new Date(text);
  return date === undefined || Number.isNaN(date.getTime()) ? undefined : date;
}
