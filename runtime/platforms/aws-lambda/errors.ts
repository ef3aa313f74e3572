/** The SDK's errors of control calls (SQS, SSM, Lambda) as the bridge's own. */
import { BridgeError, type BridgeErrorKind } from "../../stores/errors";

const BY_NAME: readonly [RegExp, BridgeErrorKind][] = [
  [/Throttl|TooManyRequests|LimitExceeded|RequestThrottled/, "RateLimited"],
  [/AccessDenied|UnrecognizedClient|InvalidClientTokenId|ExpiredToken|InvalidSignature|Kms.*AccessDenied/, "PermissionDenied"],
  [/NotFound|NonExistent|DoesNotExist/, "NotFound"],
  [/TooLarge|Invalid|Validation/, "Invalid"],
];

/** @param what the thing that was called, in words; the SDK's message is left out of the text, since it may quote the request. */
export function toBridgeError(op: string, what: string, cause: unknown): BridgeError {
  const { name, $metadata } = cause as { name?: unknown; $metadata?: { httpStatusCode?: number } };
  const errorName = typeof name === "string" ? name : "Error";
  const status = $metadata?.httpStatusCode;
  const byName = BY_NAME.find(([pattern]) => pattern.test(errorName))?.[1];
  // Without a status there was no answer.
  const kind =
    byName ?? (status === undefined || status >= 500 ? "Unavailable" : status === 403 ? "PermissionDenied" : "Unexpected");
  return new BridgeError(kind, op, `${what}: ${errorName}${status === undefined ? "" : ` (${status})`}`, { cause });
}
