import type { SQSBatchResponse } from "aws-lambda";
import type { Logger } from "../../ports";
import { decodeEvent } from "../../sender/decode";
import type { Sender } from "../../sender/sender";

export interface SenderHandlerDeps {
  sender: Sender;
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
    let failed: readonly string[];
    try {
      failed = (await sender(records, { remainingMs })).failures.map(({ messageId }) => messageId);
    } catch (error) {
      logger.error("the sender failed", { error });
      failed = messageIds.length > 0 ? messageIds : [""];
    } finally {
      flush();
    }
    if (messageIds.length === 0) {
      if (failed.length > 0) throw new Error("the event must come back: the log lines before this one tell why");
      return undefined;
    }
    // A failure that names no message of this batch cannot be told apart from all of them.
    const known = failed.every((id) => messageIds.includes(id));
    return { batchItemFailures: (known ? failed : messageIds).map((itemIdentifier) => ({ itemIdentifier })) };
  };
}
