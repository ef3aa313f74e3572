/** When to ask again. */

const BASE_SECONDS = 2;
/** The longest delay a queue can keep a message back. */
const MAX_SECONDS = 900;
/** What the platform may take beyond the receiver's timeout to end an attempt. */
const HARD_END_MARGIN_SECONDS = 5;

/**
 * @param attempt 1 for the first time a key is put back
 * @param unsettled an attempt may still be running: never ask before its hard end
 * @returns whole seconds
 */
export type BackoffPolicy = (attempt: number, unsettled: boolean) => number;

/** Exponential with full jitter above half: keys that failed together do not come back together. */
export function createBackoff({
  receiverTimeoutSeconds,
  random,
}: {
  receiverTimeoutSeconds: number;
  random(): number;
}): BackoffPolicy {
  return (attempt, unsettled) => {
    const ceiling = Math.min(MAX_SECONDS, BASE_SECONDS * 2 ** (attempt - 1));
    const delay = Math.ceil(ceiling / 2 + (ceiling / 2) * random());
    return unsettled ? Math.max(delay, receiverTimeoutSeconds + HARD_END_MARGIN_SECONDS) : delay;
  };
}
