/** Maps the errors of Alibaba Cloud's control APIs (Function Compute, CloudFlow, OOS) and of SMQ to BridgeErrors, and retries calls. */
import type { Random } from "../../protocol/ports";
import { withRetries } from "../../replication/backoff";
import { BridgeError, type BridgeErrorKind, isBridgeError } from "../../stores/errors";

/** The first pattern that matches the code gives the kind. */
const BY_CODE: readonly [RegExp, BridgeErrorKind][] = [
  [/Throttl|ResourceExhausted|ConcurrencyLimit|QpsLimit|FlowControl|TooManyRequests/i, "RateLimited"],
  // The next try is signed with another time and nonce and can succeed.
  [/^InvalidTimeStamp|^TimeExpired$|^SignatureNonceUsed$/, "Unavailable"],
  [
    /NoPermission|Forbidden|AccessDenied|InvalidAccessKeyId|AccessKeyDisabled|SignatureDoesNotMatch|IncompleteSignature|SecurityToken/,
    "PermissionDenied",
  ],
  [/AlreadyExists?$/, "PreconditionFailed"],
  [/NotExists?\b|NotFound/, "NotFound"],
  [/TooLarge|TooLong|Invalid|Missing|Malformed|NotSupported|Unsupported/, "Invalid"],
];

export interface Refusal {
  /** Absent where there was no answer. */
  status?: number | undefined;
  code?: string | undefined;
  requestId?: string | undefined;
}

export class ControlError extends BridgeError {
  /** The vendor's error code. */
  readonly code: string | undefined;

  constructor(kind: BridgeErrorKind, op: string, message: string, options: { code?: string | undefined; cause?: unknown }) {
    super(kind, op, message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = options.code;
  }
}

/**
 * Leaves the vendor's own message out, because it may quote the request.
 * @param what the beginning of the message
 * @param cause the error of a request that got no answer
 */
export function controlError(op: string, what: string, { status, code, requestId }: Refusal, cause?: unknown): ControlError {
  const kind = BY_CODE.find(([pattern]) => pattern.test(code ?? ""))?.[1] ?? kindOf(status);
  const details = [status, requestId && `request ${requestId}`].filter(Boolean).join(", ");
  const message = `${what}: ${code ?? (status === undefined ? "no answer" : "refused")}${details && ` (${details})`}`;
  return new ControlError(kind, op, message, { code, cause });
}

function kindOf(status: number | undefined): BridgeErrorKind {
  if (status === undefined || status >= 500 || status === 408) return "Unavailable";
  if (status === 429) return "RateLimited";
  if (status === 401 || status === 403) return "PermissionDenied";
  if (status === 404) return "NotFound";
  return "Unexpected";
}

const ATTEMPTS = 3;
const FIRST_WAIT_MS = 200;

/** Retries a call that was throttled or got no answer. Only for calls that are safe to repeat. */
export function retryControl<T>(work: () => Promise<T>, by: { random: Random; sleep(ms: number): Promise<void> }): Promise<T> {
  return withRetries(work, {
    random: by.random,
    sleep: (ms) => by.sleep(ms),
    firstWaitMs: FIRST_WAIT_MS,
    longestWaitMs: FIRST_WAIT_MS * 2 ** (ATTEMPTS - 2),
    mayRetry: (error, { attempt }) => attempt < ATTEMPTS && isBridgeError(error, "RateLimited", "Unavailable"),
  });
}
