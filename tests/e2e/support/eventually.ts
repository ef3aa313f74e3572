import { setTimeout as delay } from "node:timers/promises";

const POLL_MS = 100;

/**
 * Tries `check` until it does not throw, and gives what it returned. For what announces itself nowhere; what can be awaited is
 * awaited.
 * @throws Error that names `what`, with the last failure, once the deadline has passed.
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
