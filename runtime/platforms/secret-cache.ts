/** Keeps a secret for a while, so that a request does not cost a call to the secret store. */
import type { Clock, Logger } from "../protocol/ports";

export interface SecretCacheOptions<T> {
  /** Reads the secret store. May reject. */
  load: () => Promise<string>;
  /** Makes the value; must not put the secret into its error. */
  parse: (text: string) => T;
  clock: Clock;
  logger: Logger;
  /** @default 60_000 */
  ttlMs?: number;
  /** Between two reads of the store, however often `refresh` is asked for. @default 5_000 */
  minIntervalMs?: number;
  /** How old a value may get while the store does not answer; a revoked secret must not live on for good. @default 900_000 */
  maxStaleMs?: number;
}

/**
 * Returns the cached value; with `refresh`, reads the store again unless it was read less than `minIntervalMs` ago.
 * While the store is down the last value is served.
 */
export type SecretSource<T> = (options?: { refresh?: boolean }) => Promise<T>;

/** @returns a source that rejects only when the store fails and no value is young enough; never with the secret in its error. */
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
