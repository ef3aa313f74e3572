/**
 * Checks of the endpoint: the caller's address and the rate of requests, where the platform does not check them, the rate of failed
 * authentications, and the nesting of the body.
 */
import { isIP } from "node:net";
import ipaddr from "ipaddr.js";
import type { Clock } from "../../protocol/ports";
import { BridgeError } from "../../stores/errors";

/**
 * @param cidrs `203.0.113.7/32`, `2001:db8::/48`; an address without a length means itself. Empty allows every address.
 * @throws BridgeError `ConfigInvalid` that names the entry.
 */
export function createAllowlist(cidrs: readonly string[]): (address: string | undefined) => boolean {
  if (cidrs.length === 0) return () => true;
  const ranges = cidrs.map(parseRange);
  return (address) => {
    // ipaddr takes `0177.1` and `1` for addresses. The platform never writes an address like that.
    if (address === undefined || isIP(address) === 0) return false;
    const parsed = ipaddr.process(address);
    return ranges.some(([network, bits]) => network.kind() === parsed.kind() && parsed.match(network, bits));
  };
}

function parseRange(cidr: string): [ipaddr.IPv4 | ipaddr.IPv6, number] {
  const [address = "", bits, ...rest] = cidr.split("/");
  const family = isIP(address);
  const length = family === 4 ? 32 : 128;
  const prefixLength = bits === undefined ? length : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN;
  if (family === 0 || rest.length > 0 || !(prefixLength <= length)) {
    throw new BridgeError(
      "ConfigInvalid",
      "allowlist",
      `allowedCidrs holds ${JSON.stringify(cidr)}: write an address or a range such as 203.0.113.7/32 or 2001:db8::/48`,
    );
  }
  return [ipaddr.parse(address), prefixLength];
}

export interface RateLimit {
  requestsPerSecond: number;
  /** Requests that may come at once after a pause. */
  burst: number;
}

/** Takes one request. Undefined when it may pass; otherwise the time until the next request may pass, ms. */
export type RateLimiter = () => number | undefined;

/** A token bucket, for one instance of the function. */
export function createRateLimiter(limit: RateLimit, clock: Pick<Clock, "now">): RateLimiter {
  const bucket = new TokenBucket(limit, clock);
  return () => {
    const waitMs = bucket.waitMs();
    if (waitMs === undefined) bucket.take();
    return waitMs;
  };
}

class TokenBucket {
  private readonly capacity: number;
  private tokens: number;
  private filledAtMs: number;

  constructor(
    private readonly limit: RateLimit,
    private readonly clock: Pick<Clock, "now">,
  ) {
    // With less than a whole token no request would ever pass.
    this.capacity = Math.max(1, limit.burst);
    this.tokens = this.capacity;
    this.filledAtMs = clock.now();
  }

  /** The time until there is a token, ms; undefined when there is one. */
  waitMs(): number | undefined {
    const { requestsPerSecond } = this.limit;
    const nowMs = this.clock.now();
    // A clock that is set back adds no tokens and removes none.
    this.tokens = Math.min(this.capacity, this.tokens + (Math.max(0, nowMs - this.filledAtMs) / 1000) * requestsPerSecond);
    this.filledAtMs = nowMs;
    return this.tokens < 1 ? ((1 - this.tokens) / requestsPerSecond) * 1000 : undefined;
  }

  take(): void {
    this.tokens -= 1;
  }
}

/** Twenty failures at once, and six a minute after that: enough for a wrong secret or clock to be seen and repaired. */
const FAILURES: RateLimit = { requestsPerSecond: 0.1, burst: 20 };
/** Addresses that are remembered. The one that failed longest ago is forgotten first. */
const ADDRESSES = 1_000;

export interface FailureLimiter {
  /** The time until the address may try again, ms; undefined when it may. */
  waitMs(address: string | undefined): number | undefined;
  failed(address: string | undefined): void;
}

/** Limits the failed authentications of each address, for one instance of the function. Requests that succeed use up nothing. */
export function createFailureLimiter(clock: Pick<Clock, "now">): FailureLimiter {
  const buckets = new Map<string, TokenBucket>();
  return {
    waitMs: (address) => buckets.get(networkOf(address))?.waitMs(),
    failed(address) {
      const network = networkOf(address);
      const bucket = buckets.get(network) ?? new TokenBucket(FAILURES, clock);
      // Refills the bucket up to now, and never takes more than it has.
      if (bucket.waitMs() === undefined) bucket.take();
      buckets.delete(network);
      buckets.set(network, bucket);
      if (buckets.size > ADDRESSES) buckets.delete(buckets.keys().next().value as string);
    },
  };
}

/** An IPv4 address itself. An IPv6 caller has a whole /64 of addresses. */
function networkOf(address: string | undefined): string {
  if (address === undefined || isIP(address) === 0) return "unknown";
  const parsed = ipaddr.process(address);
  return parsed.kind() === "ipv4" ? parsed.toString() : (parsed as ipaddr.IPv6).parts.slice(0, 4).join(":");
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

export type JsonResult = { ok: true; value: unknown } | { ok: false; reason: "too-deep" | "not-json" };

/** Checks the nesting before a parser sees the body. */
export function parseBoundedJson(body: Uint8Array, maxDepth: number): JsonResult {
  if (nestsDeeperThan(body, maxDepth)) return { ok: false, reason: "too-deep" };
  try {
    return { ok: true, value: JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8")) };
  } catch {
    // The parser's message quotes the input, which must not be logged.
    return { ok: false, reason: "not-json" };
  }
}

/** One pass over the bytes. A multi-byte character of UTF-8 holds no ASCII byte, so the brackets can be counted without decoding. */
function nestsDeeperThan(body: Uint8Array, maxDepth: number): boolean {
  let depth = 0;
  let inString = false;
  for (let index = 0; index < body.length; index++) {
    const byte = body[index];
    if (inString) {
      if (byte === BACKSLASH) index++;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) {
      inString = true;
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      if (++depth > maxDepth) return true;
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      depth--;
    }
  }
  return false;
}
