/** Keys that wait in SMQ: the work queue, the outage queue, and the starts for keys that are due. */
import type {
  Clock,
  DeadLetterQueue,
  Deadline,
  HeldMessage,
  Logger,
  LookStarter,
  OutageQueue,
  WorkQueue,
} from "../../protocol/ports";
import { decodeLook, encodeLook, type StoredLook } from "../../protocol/queue-messages";
import type { MessageQueue, ReceivedMessage } from "./message-queue";

export function createWorkQueue(queue: Pick<MessageQueue, "send" | "sendAll">): WorkQueue {
  return {
    enqueue: (look, delaySeconds) => queue.send(encodeLook(look), delaySeconds),
    enqueueAll: (looks) => queue.sendAll(looks.map(encodeLook)),
  };
}

export interface OutageQueueDeps {
  clock: Pick<Clock, "now">;
  /** Takes messages that hold no look: they would keep the breaker open for days. */
  deadLetters: DeadLetterQueue;
}

export function createOutageQueue(
  queue: Pick<MessageQueue, "sendAll" | "receive" | "removeAll" | "isEmpty">,
  { clock, deadLetters }: OutageQueueDeps,
): OutageQueue {
  const heldIn = async (message: ReceivedMessage): Promise<HeldMessage[]> => {
    const { text, handle } = message;
    const nowMs = clock.now();
    let look: StoredLook;
    try {
      look = decodeLook(text);
    } catch (error) {
      await deadLetters.park({ key: "", failures: 0, firstSeenMs: nowMs }, messageOf(error), text);
      await queue.removeAll([message]);
      return [];
    }
    return [{ look: { ...look, firstSeenMs: look.firstSeenMs ?? nowMs }, handle }];
  };
  return {
    isEmpty: () => queue.isEmpty(),
    add: (looks) => queue.sendAll(looks.map(encodeLook)),
    async receive() {
      return (await Promise.all((await queue.receive()).map(heldIn))).flat();
    },
    remove: (messages) => queue.removeAll(messages.map(({ handle }) => ({ handle, text: "" }))),
  };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Batches that are handed over at the same time. */
const BATCHES_AT_ONCE = 4;
/** No batch is begun when less than this is left to the function. The longest retries of three calls fit in. */
const LAST_BATCH_MS = 20_000;

export interface DrainDeps {
  queue: Pick<MessageQueue, "receive" | "removeAll">;
  starter: LookStarter;
  logger: Logger;
}

/**
 * Hands every key that is due to the function, one asynchronous invocation per batch. A message is removed only after its start was stored, so
 * the key is in one of both at every moment. Messages that are not removed are handed over again.
 * @returns the number of messages. Never rejects: what is left is handed over by the next tick.
 */
export async function drainWorkQueue({ queue, starter, logger }: DrainDeps, deadline: Deadline): Promise<number> {
  let count = 0;
  const drain = async (): Promise<void> => {
    while (deadline.remainingMs() > LAST_BATCH_MS) {
      const received = await queue.receive();
      if (received.length === 0) return;
      await starter.start(received.map(({ text }) => text));
      count += received.length;
      await queue.removeAll(received);
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: BATCHES_AT_ONCE }, drain));
  for (const one of ended)
    if (one.status === "rejected") logger.error("waiting keys could not be handed over", { error: one.reason });
  if (count > 0) logger.info("waiting keys handed over", { count });
  return count;
}
