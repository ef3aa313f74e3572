import { isBridgeError } from "../../runtime/stores/errors";

export interface RetryDeps {
  /** Rejects once the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** In [0, 1). */
  random(): number;
  signal: AbortSignal;
}

const TRIES = 6;
const FIRST_PAUSE_MS = 500;

/** Tries again while the failure may pass: after half a second, then after twice as long each time, with jitter. */
export async function retrying<T>(work: () => Promise<T>, { sleep, random, signal }: RetryDeps): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const mayPass = isBridgeError(error) && error.retryable && !signal.aborted;
      if (!mayPass || attempt === TRIES) throw error;
      await sleep(FIRST_PAUSE_MS * 2 ** (attempt - 1) * (0.5 + random() / 2), signal);
    }
  }
}
