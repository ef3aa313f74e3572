/**
 * The receiver's HTTP endpoint, the same on every platform. It checks the signature and the form of a request before the receiver sees it.
 * Where the platform does not check the address and the rate, the endpoint does. It limits failed signatures itself on every platform.
 */
import { LIMITS, type Receipt, type ReplicationRequest, type ReplicationResponse, requestSchema } from "../../protocol/messages";
import type { Clock, Deadline, Logger } from "../../protocol/ports";
import { type Secret, verifyRequest } from "../../protocol/signing";
import {
  createAllowlist,
  createFailureLimiter,
  createRateLimiter,
  type FailureLimiter,
  parseBoundedJson,
  type RateLimit,
  type RateLimiter,
} from "./request-checks";

export interface EndpointRequest {
  method: string;
  path: string;
  /** Names in any case; several values of one name joined by commas. */
  headers: Readonly<Record<string, string | undefined>>;
  /** The bytes of the body, after transfer encodings are undone. */
  rawBody: Buffer;
  /** The address of the connection as the platform reports it, never from a header. */
  sourceIp?: string | undefined;
}

export interface EndpointResponse {
  status: number;
  headers: Record<string, string>;
  body: string;
}

export interface EndpointOptions {
  /** Called for the cached secrets first, and again with `refresh` when none of them fits. */
  secrets(options?: { refresh?: boolean }): Promise<readonly Secret[]>;
  bridgeId: string;
  handle(request: ReplicationRequest, deadline: Deadline): Promise<Receipt[]>;
  clock: Clock;
  logger: Logger;
  /** Empty where the platform's own policy checks the address. */
  allowedCidrs: readonly string[];
  /** Limits signed requests. Absent where the platform throttles. */
  rateLimit?: RateLimit | undefined;
  limits?: { bodyBytes?: number; depth?: number } | undefined;
}

/** Every refusal in the order of the checks, and the failures last. The texts are constant: they hold no part of a request or of a secret. */
export const REFUSALS = {
  "method-not-allowed": { status: 405, message: "Send a POST." },
  "body-too-large": { status: 413, message: "The body is too large." },
  "address-not-allowed": { status: 403, message: "This address is not in the receiver's allowlist." },
  "too-many-failures": { status: 429, message: "Too many requests of this address were not signed as they must be." },
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

/** Enough for a well-formed request: request, notices, notice, snapshot, headers. */
const DEPTH = 8;

class Refused extends Error {
  constructor(
    readonly code: RefusalCode,
    readonly options: { cause?: unknown; headers?: Record<string, string> } = {},
  ) {
    super(REFUSALS[code].message);
  }
}

export type Endpoint = (request: EndpointRequest, deadline: Deadline) => Promise<EndpointResponse>;

/** The endpoint never rejects. */
export function createEndpoint(options: EndpointOptions): Endpoint {
  const state: EndpointState = {
    ...options,
    isAllowed: createAllowlist(options.allowedCidrs),
    limiter: options.rateLimit && createRateLimiter(options.rateLimit, options.clock),
    failures: createFailureLimiter(options.clock),
    maxBodyBytes: options.limits?.bodyBytes ?? LIMITS.bodyBytes,
    maxDepth: options.limits?.depth ?? DEPTH,
  };
  return async (request, deadline) => {
    try {
      return await respond(state, request, deadline);
    } catch (error) {
      return refuse(state, request, error);
    }
  };
}

interface EndpointState extends EndpointOptions {
  isAllowed(address: string | undefined): boolean;
  limiter: RateLimiter | undefined;
  failures: FailureLimiter;
  maxBodyBytes: number;
  maxDepth: number;
}

async function respond(state: EndpointState, request: EndpointRequest, deadline: Deadline): Promise<EndpointResponse> {
  if (request.method.toUpperCase() !== "POST") throw new Refused("method-not-allowed", { headers: { allow: "POST" } });
  if (request.rawBody.length > state.maxBodyBytes) throw new Refused("body-too-large");
  if (!state.isAllowed(request.sourceIp)) throw new Refused("address-not-allowed");
  await authenticate(state, request);
  // After the signature: requests of others must not use up the sender's rate.
  throttle(state);
  const receipts = await state.handle(parseRequest(state, request.rawBody), deadline);
  const response: ReplicationResponse = { version: 1, receipts: receipts.map(clipReason) };
  return answer(200, response);
}

/**
 * After too many failures of an address only its failing requests are refused at once, without a read of fresh secrets. A request with a valid
 * signature passes: a stranger may have the sender's own address, because senders without an address of their own share the platform's.
 */
async function authenticate(state: EndpointState, request: EndpointRequest): Promise<void> {
  const { failures } = state;
  const { sourceIp } = request;
  const waitMs = failures.waitMs(sourceIp);
  const verify = async (refresh: boolean) => {
    const secrets = await state.secrets({ refresh }).catch((cause: unknown) => {
      throw new Refused("secret-unavailable", { cause });
    });
    return verifyRequest({ headers: request.headers, body: request.rawBody, secrets, nowMs: state.clock.now() });
  };
  let verification = await verify(false);
  if (verification.ok) return;
  if (waitMs !== undefined) throw new Refused("too-many-failures", { headers: retryAfter(waitMs) });
  // A secret that was rotated a moment ago is not in the cache yet.
  if (verification.reason === "bad-signature") verification = await verify(true);
  if (verification.ok) return;
  failures.failed(sourceIp);
  throw new Refused(verification.reason);
}

const retryAfter = (waitMs: number) => ({ "retry-after": String(Math.max(1, Math.ceil(waitMs / 1000))) });

function throttle({ limiter }: EndpointState): void {
  const waitMs = limiter?.();
  if (waitMs === undefined) return;
  throw new Refused("rate-limited", { headers: retryAfter(waitMs) });
}

function parseRequest({ bridgeId, maxDepth }: EndpointState, rawBody: Buffer): ReplicationRequest {
  const json = parseBoundedJson(rawBody, maxDepth);
  if (!json.ok) throw new Refused(json.reason);
  if (noticeCount(json.value) > LIMITS.notices) throw new Refused("too-many-notices");
  const parsed = requestSchema.safeParse(json.value);
  if (!parsed.success) throw new Refused("not-a-request");
  if (parsed.data.bridgeId !== bridgeId) throw new Refused("other-bridge");
  return parsed.data as ReplicationRequest;
}

function refuse({ logger }: EndpointState, request: EndpointRequest, error: unknown): EndpointResponse {
  const { code, options } = error instanceof Refused ? error : new Refused("unexpected", { cause: error });
  const { status, message } = REFUSALS[code];
  const fields = { code, status, address: request.sourceIp ?? "unknown" };
  if (status < 500) logger.warn("request refused", fields);
  else logger.error("request failed", { ...fields, cause: options.cause });
  return answer(status, { error: { code, message } }, options.headers);
}

/** The sender would refuse the whole answer for one reason that is too long. */
function clipReason(receipt: Receipt): Receipt {
  return receipt.reason === undefined ? receipt : { ...receipt, reason: receipt.reason.slice(0, LIMITS.reasonCharacters) };
}

function noticeCount(value: unknown): number {
  const notices = typeof value === "object" && value !== null && "notices" in value ? value.notices : undefined;
  return Array.isArray(notices) ? notices.length : 0;
}

function answer(status: number, body: unknown, headers: Record<string, string> = {}): EndpointResponse {
  return {
    status,
    headers: { "content-type": "application/json", "cache-control": "no-store", ...headers },
    body: JSON.stringify(body),
  };
}
