/** Bounded parallel work, retries, and aborts of work that takes no signal. */
import { isBridgeError } from "../runtime/stores/errors";

/**
 * Runs `work` on every item, on at most `limit` of them at once, and reads the next item only when there is room for it. After the first
 * failure or an abort it starts no more work, waits for the work that runs, and rejects with the first failure.
 */
export async function forEachBounded<T>(
  items: AsyncIterable<T> | Iterable<T>,
  { limit, signal }: { limit: number; signal?: AbortSignal | undefined },
  work: (item: T) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>();
  const failures: unknown[] = [];
  try {
    for await (const item of items) {
      // Work may have failed while this item was being read.
      if (failures.length > 0) break;
      signal?.throwIfAborted();
      const one: Promise<void> = work(item)
        .catch((error: unknown) => void failures.push(error))
        .finally(() => running.delete(one));
      running.add(one);
      if (running.size >= limit) await Promise.race(running);
      if (failures.length > 0) break;
    }
  } catch (error) {
    failures.push(error);
  }
  await Promise.all(running);
  if (failures.length > 0) throw failures[0];
}

/** Returns a function that runs work, of which at most `limit` runs at once. The rest waits in order. */
export function createLimiter(limit: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (work) => {
    if (running >= limit) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await work();
    } finally {
      // The place passes on to the next one.
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}

/** Splits the items into arrays of at most `size`, in order. */
export function* chunks<T>(items: readonly T[], size: number): Generator<T[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}

/** Rejects on an abort although `work` takes no signal. The work then continues unobserved until the process ends. */
export async function abortable<T>(signal: AbortSignal | undefined, work: Promise<T>): Promise<T> {
  if (signal === undefined) return work;
  const ended = new AbortController();
  try {
    return await Promise.race([
      work,
      new Promise<never>((_, reject) => {
        const abort = () => reject(signal.reason);
        if (signal.aborted) abort();
        else signal.addEventListener("abort", abort, { signal: ended.signal });
      }),
    ]);
  } finally {
    ended.abort();
  }
}

export interface RetryDeps {
  /** Rejects once the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** In [0, 1). */
  random(): number;
  signal: AbortSignal;
}

const TRIES = 6;
const FIRST_PAUSE_MS = 500;

/** Repeats the work after a retryable failure: after half a second, then twice as long each time, with jitter. */
export async function retry<T>(work: () => Promise<T>, { sleep, random, signal }: RetryDeps): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const isRetryable = isBridgeError(error) && error.retryable && !signal.aborted;
      if (!isRetryable || attempt === TRIES) throw error;
      await sleep(FIRST_PAUSE_MS * 2 ** (attempt - 1) * (0.5 + random() / 2), signal);
    }
  }
}
