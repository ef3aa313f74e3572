/** The receiver's door, the same behind every platform: what is not refused here is a signed, well-formed request of this bridge. */

import { LIMITS, type Receipt, type ReplicationRequest, type ReplicationResponse, requestSchema } from "../../protocol/messages";
import type { Clock, Deadline, Logger } from "../../protocol/ports";
import { type Secret, verifyRequest } from "../../protocol/signing";
import { createAllowlist } from "./allowlist";
import { parseBoundedJson } from "./bounded-json";
import { createRateLimiter, type RateLimit } from "./rate-limit";

export interface EndpointRequest {
  method: string;
  path: string;
  /** Names in any case; several values of one name joined by commas. */
  headers: Readonly<Record<string, string | undefined>>;
  /** The bytes as they came, transfer encodings undone. */
  rawBody: Buffer;
  /** As the platform saw the connection, never from a header. */
  sourceIp?: string;
}

export interface EndpointResponse {
  status: number;
  headers: Record<string, string>;
  body: string;
}

export interface EndpointOptions {
  /** Asked for cached secrets first; once more with `refresh` when none of them fits. */
  secrets: (options?: { refresh?: boolean }) => Promise<readonly Secret[]>;
  bridgeId: string;
  handle: (request: ReplicationRequest, context: Deadline) => Promise<Receipt[]>;
  clock: Clock;
  logger: Logger;
  /** Empty where the platform's own policy does it. */
  allowedCidrs: readonly string[];
  /** Of requests from allowed addresses; absent where the platform throttles. */
  rateLimit?: RateLimit | undefined;
  limits?: { bodyBytes?: number; depth?: number };
}

/** Every refusal, in the order of the checks; last, the failures. The texts are constant: nothing of a request is echoed, nothing of a secret told. */
export const REFUSALS = {
  "method-not-allowed": { status: 405, message: "Send a POST." },
  "body-too-large": { status: 413, message: "The body is too large." },
  "address-not-allowed": { status: 403, message: "This address is not in the receiver's allowlist." },
  "missing-signature": { status: 401, message: "The request is not signed." },
  "malformed-timestamp": { status: 401, message: "The signature's timestamp is not a number of seconds." },
  "too-old": { status: 401, message: "The signature is too old: compare the sender's clock with the receiver's." },
  "too-new": { status: 401, message: "The signature is of the future: compare the sender's clock with the receiver's." },
  "bad-signature": { status: 401, message: "The signature does not fit." },
  "rate-limited": { status: 429, message: "Too many requests: wait as long as Retry-After says." },
  "not-json": { status: 400, message: "The body is not JSON." },
  "too-deep": { status: 400, message: "The body is nested too deeply." },
  "too-many-notices": { status: 413, message: "The request holds too many notices." },
  "not-a-request": { status: 400, message: "The body is not a replication request of version 1." },
  "other-bridge": { status: 403, message: "The request is for another bridge." },
  "secret-unavailable": { status: 503, message: "The receiver cannot read its signing secret." },
  unexpected: { status: 500, message: "The receiver failed." },
} as const;
export type RefusalCode = keyof typeof REFUSALS;

/** Deepest well-formed request: request, notices, notice, snapshot, headers. */
const DEPTH = 8;

class Refused extends Error {
  readonly headers: Record<string, string>;
  constructor(
    readonly code: RefusalCode,
    options: { cause?: unknown; headers?: Record<string, string> } = {},
  ) {
    super(REFUSALS[code].message, "cause" in options ? { cause: options.cause } : undefined);
    this.headers = options.headers ?? {};
  }
}

/** @returns a function that never rejects. */
export function createEndpoint(
  options: EndpointOptions,
): (request: EndpointRequest, context: Deadline) => Promise<EndpointResponse> {
  const { secrets, bridgeId, handle, clock, logger, limits = {} } = options;
  const bodyBytes = limits.bodyBytes ?? LIMITS.bodyBytes;
  const depth = limits.depth ?? DEPTH;
  const allows = createAllowlist(options.allowedCidrs);
  const limiter = options.rateLimit === undefined ? undefined : createRateLimiter(options.rateLimit, clock);

  function throttle(): void {
    const waitMs = limiter?.();
    if (waitMs === undefined) return;
    throw new Refused("rate-limited", { headers: { "retry-after": String(Math.max(1, Math.ceil(waitMs / 1000))) } });
  }

  async function authenticate(request: EndpointRequest): Promise<void> {
    const verify = async (refresh: boolean) => {
      const known = await secrets({ refresh }).catch((cause: unknown) => {
        throw new Refused("secret-unavailable", { cause });
      });
      return verifyRequest({ headers: request.headers, body: request.rawBody, secrets: known, nowMs: clock.now() });
    };
    let verification = await verify(false);
    // A secret that was rotated a moment ago is not in the cache yet.
    if (!verification.ok && verification.reason === "bad-signature") verification = await verify(true);
    if (!verification.ok) throw new Refused(verification.reason);
  }

  function parse(rawBody: Buffer): ReplicationRequest {
    const json = parseBoundedJson(rawBody, depth);
    if (!json.ok) throw new Refused(json.reason);
    if (noticeCount(json.value) > LIMITS.notices) throw new Refused("too-many-notices");
    const parsed = requestSchema.safeParse(json.value);
    if (!parsed.success) throw new Refused("not-a-request");
    if (parsed.data.bridgeId !== bridgeId) throw new Refused("other-bridge");
    return parsed.data as ReplicationRequest;
  }

  async function respond(request: EndpointRequest, context: Deadline): Promise<EndpointResponse> {
    if (request.method.toUpperCase() !== "POST") throw new Refused("method-not-allowed", { headers: { allow: "POST" } });
    if (request.rawBody.length > bodyBytes) throw new Refused("body-too-large");
    if (!allows(request.sourceIp)) throw new Refused("address-not-allowed");
    await authenticate(request);
    // After strangers are gone: they must not use up what the sender needs.
    throttle();
    const receipts = await handle(parse(request.rawBody), context);
    const response: ReplicationResponse = { version: 1, receipts: receipts.map(clipReason) };
    return answer(200, response);
  }

  return async (request, context) => {
    try {
      return await respond(request, context);
    } catch (error) {
      const code = error instanceof Refused ? error.code : "unexpected";
      const { status, message } = REFUSALS[code];
      const fields = { code, status, address: request.sourceIp ?? "unknown" };
      if (status < 500) logger.warn("request refused", fields);
      else logger.error("request failed", { ...fields, cause: error instanceof Refused ? error.cause : error });
      const response = answer(status, { error: { code, message } });
      return error instanceof Refused ? { ...response, headers: { ...response.headers, ...error.headers } } : response;
    }
  };
}

/** One reason that is too long would make the sender refuse the whole answer. */
function clipReason(receipt: Receipt): Receipt {
  return receipt.reason === undefined ? receipt : { ...receipt, reason: receipt.reason.slice(0, LIMITS.reasonCharacters) };
}

function noticeCount(value: unknown): number {
  const notices = typeof value === "object" && value !== null && "notices" in value ? value.notices : undefined;
  return Array.isArray(notices) ? notices.length : 0;
}

function answer(status: number, body: unknown): EndpointResponse {
  return {
    status,
    headers: { "content-type": "application/json", "cache-control": "no-store" },
    body: JSON.stringify(body),
  };
}
