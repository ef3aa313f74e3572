import type { SQSBatchResponse } from "aws-lambda";
import { decodeEvent } from "../../protocol/events";
import type { Logger } from "../../protocol/ports";
import type { Failure } from "../../replication/intake";
import type { Sender } from "../../roles/sender/sender";

export interface SenderHandlerDeps {
  sender: Pick<Sender, "handle">;
  logger: Logger;
  flush(): void;
}

/** The part of Lambda's context that is used. */
export interface LambdaTime {
  getRemainingTimeInMillis(): number;
}

/**
 * @returns the messages of a batch that must come back; nothing for an event that no queue brought
 * @throws Error when an event that no queue brought must come back: Lambda's asynchronous retries, and after them the failure
 * destination, are all that keeps it.
 */
export function createSenderHandler({ sender, logger, flush }: SenderHandlerDeps) {
  return async (event: unknown, context: LambdaTime): Promise<SQSBatchResponse | undefined> => {
    const records = decodeEvent(event);
    const messageIds = records.flatMap(({ messageId }) => (messageId === undefined ? [] : [messageId]));
    const remainingMs = () => context.getRemainingTimeInMillis();
    let failures: readonly Failure[];
    try {
      ({ failures } = await sender.handle(records, { remainingMs }));
    } catch (error) {
      logger.error("the sender failed", { error });
      const reason = "the sender failed unexpectedly; its log tells why";
      failures = (messageIds.length > 0 ? messageIds : [""]).map((messageId) => ({ messageId, reason }));
    } finally {
      flush();
    }
    if (messageIds.length === 0) {
      // The failure destination keeps this text beside the event: there it is the reason that an operator reads.
      if (failures.length > 0) throw new Error([...new Set(failures.map(({ reason }) => reason))].join("; "));
      return undefined;
    }
    const failed = failures.map(({ messageId }) => messageId);
    // A failure that names no message of this batch cannot be told apart from all of them.
    const known = failed.every((id) => messageIds.includes(id));
    return { batchItemFailures: (known ? failed : messageIds).map((itemIdentifier) => ({ itemIdentifier })) };
  };
}
