/** When to try again. */

const BASE_SECONDS = 2;
/** The longest delay a queue can keep a message back. */
export const LONGEST_DELAY_SECONDS = 900;
/** The time that the platform may need to end an attempt after its timeout. */
export const HARD_END_MARGIN_SECONDS = 5;

/** Seconds between two tries of a key that waits: the first delay, and the longest. */
export const WAIT_DELAYS = {
  room: { base: 10, max: 300 },
  throttling: { base: 5, max: 300 },
  time: { base: 2, max: 60 },
  store: { base: 5, max: 900 },
  restore: { base: 900, max: 900 },
} as const;

/**
 * @param attempt 1 for the first time a key is put back
 * @param unsettled an attempt may still be running: never ask before its hard end
 * @returns whole seconds
 */
export type BackoffPolicy = (attempt: number, unsettled: boolean) => number;

export function createBackoff({
  receiverTimeoutSeconds,
  random,
}: {
  receiverTimeoutSeconds: number;
  random(): number;
}): BackoffPolicy {
  return (attempt, unsettled) => {
    const delay = exponentialDelay(attempt, { base: BASE_SECONDS, max: LONGEST_DELAY_SECONDS, random });
    return unsettled ? Math.max(delay, receiverTimeoutSeconds + HARD_END_MARGIN_SECONDS) : delay;
  };
}

/**
 * Exponential with jitter over the upper half, so that keys that failed together are not tried again together.
 * @param attempt 1 for the first failure
 * @returns a whole number in the unit of `base` and `max`
 */
export function exponentialDelay(
  attempt: number,
  { base, max, random }: { base: number; max: number; random(): number },
): number {
  const ceiling = Math.min(max, base * 2 ** (attempt - 1));
  return Math.ceil(ceiling / 2 + (ceiling / 2) * random());
}

export interface RetryOptions {
  firstWaitMs: number;
  longestWaitMs: number;
  /** In [0, 1). */
  random(): number;
  sleep(ms: number): Promise<void>;
  /** Whether to wait and try again. @param attempt 1 for the first failure */
  mayRetry(error: unknown, next: { attempt: number; waitMs: number }): boolean;
}

/** Repeats `work` while `mayRetry` allows it. Rejects with the last failure. */
export async function withRetries<T>(work: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { firstWaitMs, longestWaitMs, random, sleep, mayRetry } = options;
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const waitMs = exponentialDelay(attempt, { base: firstWaitMs, max: longestWaitMs, random });
      if (!mayRetry(error, { attempt, waitMs })) throw error;
      await sleep(waitMs);
    }
  }
}
