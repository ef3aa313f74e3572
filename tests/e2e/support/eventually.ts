import { setTimeout as delay } from "node:timers/promises";

const POLL_MS = 100;

/**
 * Repeats `check` until it does not throw, and returns its result. Use it only if there is nothing to await.
 * @throws Error with `what` and the last failure after the deadline
 */
export async function eventually<T>(
  check: () => T | Promise<T>,
  { deadlineMs, what }: { deadlineMs: number; what: string },
): Promise<T> {
  const end = Date.now() + deadlineMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() < end) {
        await delay(POLL_MS);
        continue;
      }
      const last = error instanceof Error ? error.message : String(error);
      throw new Error(`not within ${deadlineMs} ms: ${what}\n${last}`);
    }
  }
}
