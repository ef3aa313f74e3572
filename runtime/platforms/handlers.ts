/** Shared by the handlers of all roles and platforms. */
import type { Logger, Metrics } from "../protocol/ports";

export interface FlushableMetrics extends Metrics {
  /** Writes the values added since the last flush. Called once per invocation. */
  flush(): void;
}

/**
 * @param event JSON text, or the parsed value
 * @param what names the event in the error, for example "the copier's event"
 * @throws Error that does not quote the event, because an event may hold a presigned URL
 */
export function readEvent(event: unknown, what: string): unknown {
  if (typeof event !== "string") return event;
  try {
    return JSON.parse(event);
  } catch {
    throw new Error(`${what} is not JSON`);
  }
}

/** Logs a failure and rejects with it. */
export async function logFailure<T>(logger: Pick<Logger, "error">, message: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    logger.error(message, { error });
    throw error;
  }
}
