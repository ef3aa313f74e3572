/** The dead-letter queue. Its messages have no attributes, so what people read is in the body, beside what a redrive puts to work again. */

import { LIMITS } from "../../protocol/messages";
import type { Clock, DeadLetterQueue } from "../../protocol/ports";
import { encodeDeadLetter } from "../../protocol/queue-messages";
import { MAX_MESSAGE_BYTES, type MessageQueue } from "./message-queue";

export function createDeadLetterQueue(
  queue: MessageQueue,
  { bridgeId, clock }: { bridgeId: string; clock: Pick<Clock, "now"> },
): DeadLetterQueue {
  return {
    async park(look, reason, original) {
      const parkedAt = new Date(clock.now()).toISOString();
      const letter = { reason: reason.slice(0, LIMITS.reasonCharacters) || "unknown", bridgeId, parkedAt };
      let kept = original;
      let text = encodeDeadLetter(look, { ...letter, ...(kept ? { original: kept } : {}) });
      // A message that fits into no queue is kept in part: refused as a whole, nothing at all would tell of it.
      while (kept && Buffer.byteLength(text) > MAX_MESSAGE_BYTES) {
        kept = kept.slice(0, Math.floor(kept.length / 2));
        text = encodeDeadLetter(look, { ...letter, original: kept });
      }
      await queue.send(text);
    },
  };
}
