/** Caches a secret, so that a request does not cost a call to the secret store. */
import type { Clock, Logger } from "../protocol/ports";

export interface SecretCacheOptions<T> {
  /** Reads the secret store. May reject. */
  load: () => Promise<string>;
  /** Turns the text into the value. Its error must not hold the secret. */
  parse: (text: string) => T;
  clock: Clock;
  logger: Logger;
  /** @default 60_000 */
  ttlMs?: number;
  /** The shortest time between two reads of the store, however often `refresh` is set. @default 5_000 */
  minIntervalMs?: number;
  /** The greatest age of a value while the store does not answer, so that a revoked secret ends. @default 900_000 */
  maxStaleMs?: number;
}

/**
 * Returns the cached value; with `refresh`, reads the store again unless it was read less than `minIntervalMs` ago.
 * While the store is down, it returns the last value until that is `maxStaleMs` old.
 */
export type SecretSource<T> = (options?: { refresh?: boolean }) => Promise<T>;

/** @returns a source that rejects only when the store fails and no cached value is young enough. Its error never holds the secret. */
export function createSecretCache<T>(options: SecretCacheOptions<T>): SecretSource<T> {
  const { load, parse, clock, logger, ttlMs = 60_000, minIntervalMs = 5_000, maxStaleMs = 900_000 } = options;
  let cached: { value: T; loadedAtMs: number } | undefined;
  let lastReadMs = Number.NEGATIVE_INFINITY;
  let lastFailure: unknown;
  let reading: Promise<void> | undefined;

  async function read(): Promise<void> {
    lastReadMs = clock.now();
    try {
      cached = { value: parse(await load()), loadedAtMs: clock.now() };
      lastFailure = undefined;
    } catch (error) {
      lastFailure = error;
      logger.warn("the secret could not be read", { cause: error, servingCached: usable() !== undefined });
    }
  }

  function usable(): { value: T } | undefined {
    return cached !== undefined && clock.now() - cached.loadedAtMs <= maxStaleMs ? cached : undefined;
  }

  return async ({ refresh = false } = {}) => {
    const now = clock.now();
    const fresh = cached !== undefined && now - cached.loadedAtMs < ttlMs;
    if (reading !== undefined) {
      if (refresh || !fresh) await reading;
    } else if ((refresh || !fresh) && now - lastReadMs >= minIntervalMs) {
      reading = read().finally(() => {
        reading = undefined;
      });
      await reading;
    }
    const current = usable();
    if (current === undefined) throw new Error("the secret cannot be read", { cause: lastFailure });
    return current.value;
  };
}
