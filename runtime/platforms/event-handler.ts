/** The handler of the sender and the dispatcher, which the source's events start, on both platforms. */
import type { SQSBatchResponse } from "aws-lambda";
import { type DecodedRecord, decodeEvent, decodeText, redelivered } from "../protocol/events";
import { parseText } from "../protocol/json";
import { LIMITS } from "../protocol/messages";
import type { Deadline, Logger } from "../protocol/ports";
import { isTick } from "../protocol/queue-messages";
import type { Failure } from "../replication/intake";

/** A sender or a dispatcher. */
export interface EventRole {
  handle(records: readonly DecodedRecord[], deadline: Deadline): Promise<{ failures: Failure[] }>;
  /** Called by the timer, once a minute. */
  tick?(deadline: Deadline): Promise<void>;
}

export interface Delivery {
  /** The platform says that it delivered the event before. */
  isRepeat?: boolean;
}

/**
 * For SQS messages it returns those that must be delivered again. For any other event it throws the reasons of the failures: the platform
 * then retries the event, and after the last retry its failure destination keeps the event with this text.
 * https://www.alibabacloud.com/help/en/functioncompute/fc/user-guide/retry-mechanism
 */
export function createEventHandler(role: EventRole, logger: Logger) {
  return async (
    event: unknown,
    deadline: Deadline,
    { isRepeat = false }: Delivery = {},
  ): Promise<SQSBatchResponse | undefined> => {
    if (role.tick !== undefined && isTick(typeof event === "string" ? parseText(event)?.value : event)) {
      await role.tick(deadline);
      return undefined;
    }
    const decoded = typeof event === "string" ? decodeText(event) : decodeEvent(event);
    const records = isRepeat ? decoded.map(redelivered) : decoded;
    const messageIds = records.flatMap(({ messageId }) => messageId ?? []);
    const failures = await handleRecords(role, records, deadline, logger);
    if (messageIds.length > 0) return batchResponse(messageIds, failures);
    if (failures.length > 0) throw new Error(textOf(failures));
    return undefined;
  };
}

/** The failure destination of Function Compute keeps this text beside the event, in a message of at most 64 KB. */
const MOST_CHARACTERS = 2 * LIMITS.reasonCharacters;

const textOf = (failures: readonly Failure[]): string =>
  [...new Set(failures.map(({ reason }) => reason))].join("; ").slice(0, MOST_CHARACTERS);

/** When the role itself fails, every record counts as failed. */
async function handleRecords(
  role: EventRole,
  records: readonly DecodedRecord[],
  deadline: Deadline,
  logger: Logger,
): Promise<Failure[]> {
  try {
    return (await role.handle(records, deadline)).failures;
  } catch (error) {
    logger.error("the function failed", { error });
    const reason = "the function failed unexpectedly; its log tells why";
    return records.map(({ messageId = "" }) => ({ messageId, reason }));
  }
}

/** A failure that names no message of this batch may concern any message, so all are delivered again. */
function batchResponse(messageIds: readonly string[], failures: readonly Failure[]): SQSBatchResponse {
  const failed = failures.map(({ messageId }) => messageId);
  const known = failed.every((id) => messageIds.includes(id));
  return { batchItemFailures: (known ? failed : messageIds).map((itemIdentifier) => ({ itemIdentifier })) };
}
