/** The one table from what Alibaba Cloud's control APIs (Function Compute, CloudFlow, OOS) and SMQ report to what callers switch on. */
import { BridgeError, type BridgeErrorKind } from "../../stores/errors";

/** The first that fits. */
const BY_CODE: readonly [RegExp, BridgeErrorKind][] = [
  [/Throttl|ResourceExhausted|ConcurrencyLimit|QpsLimit|FlowControl|TooManyRequests/i, "RateLimited"],
  // Signed anew, with another time and nonce, the next try can succeed.
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
  /** The vendor's. */
  readonly code: string | undefined;

  constructor(kind: BridgeErrorKind, op: string, message: string, options: { code?: string | undefined; cause?: unknown }) {
    super(kind, op, message, "cause" in options ? { cause: options.cause } : {});
    this.code = options.code;
  }
}

/**
 * @param what the thing that was called, in words. The vendor's own message is left out: it may quote the request.
 * @param cause of a request without an answer
 */
export function controlError(op: string, what: string, { status, code, requestId }: Refusal, cause?: unknown): ControlError {
  const kind = BY_CODE.find(([pattern]) => pattern.test(code ?? ""))?.[1] ?? kindOf(status);
  const told = [status, requestId && `request ${requestId}`].filter(Boolean).join(", ");
  const message = `${what}: ${code ?? (status === undefined ? "no answer" : "refused")}${told && ` (${told})`}`;
  return new ControlError(kind, op, message, { code, ...(cause === undefined ? {} : { cause }) });
}

function kindOf(status: number | undefined): BridgeErrorKind {
  if (status === undefined || status >= 500 || status === 408) return "Unavailable";
  if (status === 429) return "RateLimited";
  if (status === 401 || status === 403) return "PermissionDenied";
  if (status === 404) return "NotFound";
  return "Unexpected";
}
