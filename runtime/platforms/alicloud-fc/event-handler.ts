/** Events of the source, for the roles that are woken by them. */

import { type DecodedRecord, decodeText } from "../../protocol/events";
import type { Logger } from "../../protocol/ports";
import type { Invocation } from "./handler";

export interface EventHandlerDeps {
  /** The role: says which records must come back, with the reason. */
  work(
    records: readonly DecodedRecord[],
    context: { remainingMs(): number },
  ): Promise<{ failures: readonly { reason: string }[] }>;
  logger: Logger;
  flush(): void;
}

/**
 * No queue brings these events: the platform keeps them, delivers them again when an invocation throws, and after its last try puts them
 * into the failure destination.
 * https://www.alibabacloud.com/help/en/functioncompute/fc/user-guide/retry-mechanism
 */
export function createEventHandler({ work, logger, flush }: EventHandlerDeps) {
  return async ({ text, remainingMs }: Invocation): Promise<void> => {
    let reasons: string[];
    try {
      const { failures } = await work(decodeText(text), { remainingMs });
      reasons = failures.map(({ reason }) => reason);
    } catch (error) {
      logger.error("the function failed", { error });
      reasons = ["the function failed unexpectedly; its log tells why"];
    } finally {
      flush();
    }
    // The failure destination keeps this text beside the event: there it is the reason that an operator reads.
    if (reasons.length > 0) throw new Error([...new Set(reasons)].join("; "));
  };
}
