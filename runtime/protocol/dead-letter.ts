/**
 * A dead letter as text, for queues whose messages have no attributes: the look, to be put to work again by a redrive, and beside it
 * what people read.
 */

import { encodeLook, storable } from "./look";
import type { Look } from "./ports";

export interface DeadLetter {
  reason: string;
  bridgeId: string;
  /** ISO 8601. */
  parkedAt: string;
  /** The message to the letter, where no look could be read from it. */
  original?: string;
}

/** `{"look":{...},"deadLetter":{...}}`; with an original, which then is what a redrive reads, no look. */
export function encodeDeadLetter(look: Look, { reason, bridgeId, parkedAt, original }: DeadLetter): string {
  const letter = storable(JSON.stringify({ reason, bridgeId, parkedAt, ...(original ? { original } : {}) }));
  return original ? `{"deadLetter":${letter}}` : encodeLook(look).replace(/}$/, `,"deadLetter":${letter}}`);
}
