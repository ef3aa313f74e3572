/** Maps the errors of AWS's control APIs (SQS, SSM, Lambda) to BridgeErrors. */
import { BridgeError, type BridgeErrorKind } from "../../stores/errors";

const BY_CODE: readonly [RegExp, BridgeErrorKind][] = [
  [/Throttl|TooManyRequests|LimitExceeded|RequestThrottled/, "RateLimited"],
  [/AccessDenied|UnrecognizedClient|InvalidClientTokenId|ExpiredToken|InvalidSignature|Kms.*AccessDenied/, "PermissionDenied"],
  [/NotFound|NonExistent|DoesNotExist/, "NotFound"],
  [/TooLarge|Invalid|Validation/, "Invalid"],
];

export interface Refusal {
  /** Absent where there was no answer. */
  status?: number | undefined;
  /** The service's error code. */
  code?: string | undefined;
  /** The signature was too old or too new when it arrived. The next try is signed anew and can succeed. */
  expired?: boolean | undefined;
}

/**
 * Leaves the service's own message out, because it may quote the request.
 * @param what the beginning of the message
 * @param cause the error of a request that got no answer
 */
export function controlError(op: string, what: string, { status, code, expired }: Refusal, cause?: unknown): BridgeError {
  const byCode = BY_CODE.find(([pattern]) => pattern.test(code ?? ""))?.[1];
  const kind = expired ? "Unavailable" : (byCode ?? kindOf(status));
  const name = code ?? (status === undefined ? "no answer" : "refused");
  const message = `${what}: ${name}${status === undefined ? "" : ` (${status})`}`;
  return new BridgeError(kind, op, message, cause === undefined ? {} : { cause });
}

function kindOf(status: number | undefined): BridgeErrorKind {
  if (status === undefined || status >= 500) return "Unavailable";
  if (status === 429) return "RateLimited";
  return status === 403 ? "PermissionDenied" : "Unexpected";
}

/** The same for an error of an SDK client, which the operator's command uses. */
export function toBridgeError(op: string, what: string, cause: unknown): BridgeError {
  const { name, code, $metadata } = cause as { name?: unknown; code?: unknown; $metadata?: { httpStatusCode?: number } };
  const status = $metadata?.httpStatusCode;
  // Errors of the network have a code such as ECONNREFUSED, and no name of their own.
  const [known = "Error"] = [status === undefined ? code : undefined, name].filter((text) => typeof text === "string");
  return controlError(op, what, { status, code: known }, cause);
}
