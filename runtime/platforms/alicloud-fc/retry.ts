import type { Random } from "../../protocol/ports";
import { isBridgeError } from "../../stores/errors";

export interface RetryOptions {
  /** In [0, 1). */
  random: Random;
  sleep(ms: number): Promise<void>;
}

const ATTEMPTS = 3;
const FIRST_WAIT_MS = 200;

/** Repeats what was throttled or got no answer: every call that is made so may safely be made twice. */
export async function patiently<T>(work: () => Promise<T>, { random, sleep }: RetryOptions): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt >= ATTEMPTS || !isBridgeError(error, "RateLimited", "Unavailable")) throw error;
    }
    await sleep(FIRST_WAIT_MS * 2 ** (attempt - 1) * (0.5 + random() / 2));
  }
}
