/** Maps the SDK's errors of control calls (SQS, SSM, Lambda) to BridgeErrors. */
import { BridgeError, type BridgeErrorKind } from "../../stores/errors";

const BY_NAME: readonly [RegExp, BridgeErrorKind][] = [
  [/Throttl|TooManyRequests|LimitExceeded|RequestThrottled/, "RateLimited"],
  [/AccessDenied|UnrecognizedClient|InvalidClientTokenId|ExpiredToken|InvalidSignature|Kms.*AccessDenied/, "PermissionDenied"],
  [/NotFound|NonExistent|DoesNotExist/, "NotFound"],
  [/TooLarge|Invalid|Validation/, "Invalid"],
];

/**
 * Leaves the SDK's own message out, because it may quote the request.
 * @param what the beginning of the message
 */
export function toBridgeError(op: string, what: string, cause: unknown): BridgeError {
  const { name, $metadata } = cause as { name?: unknown; $metadata?: { httpStatusCode?: number } };
  const errorName = typeof name === "string" ? name : "Error";
  const status = $metadata?.httpStatusCode;
  const byName = BY_NAME.find(([pattern]) => pattern.test(errorName))?.[1];
  // An error without a status means that there was no answer.
  const kind =
    byName ?? (status === undefined || status >= 500 ? "Unavailable" : status === 403 ? "PermissionDenied" : "Unexpected");
  return new BridgeError(kind, op, `${what}: ${errorName}${status === undefined ? "" : ` (${status})`}`, { cause });
}
