/** The request rate limit where the platform has none of its own: a token bucket, of one instance. */
import type { Clock } from "../../protocol/ports";

export interface RateLimit {
  requestsPerSecond: number;
  /** Requests that may come at once after a pause. */
  burst: number;
}

/** Takes one request. Undefined when it may pass, otherwise how long to wait for the next one that may; ms. */
export type RateLimiter = () => number | undefined;

export function createRateLimiter({ requestsPerSecond, burst }: RateLimit, clock: Pick<Clock, "now">): RateLimiter {
  // With less than a whole token nothing would ever pass.
  const capacity = Math.max(1, burst);
  let tokens = capacity;
  let filledAtMs = clock.now();
  return () => {
    const nowMs = clock.now();
    // A clock that is set back fills nothing and takes nothing away.
    tokens = Math.min(capacity, tokens + (Math.max(0, nowMs - filledAtMs) / 1000) * requestsPerSecond);
    filledAtMs = nowMs;
    if (tokens < 1) return ((1 - tokens) / requestsPerSecond) * 1000;
    tokens -= 1;
    return undefined;
  };
}
