/** What the handlers of all roles and platforms share. */
import type { Logger, Metrics } from "../protocol/ports";

export interface FlushableMetrics extends Metrics {
  /** Writes what was added since the last flush; once per invocation. */
  flush(): void;
}

/**
 * @param event text, or what JSON.parse made of it
 * @param what names the event in the error, for example "the copier's event"
 * @throws Error without a quotation: an event may hold a presigned URL
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
