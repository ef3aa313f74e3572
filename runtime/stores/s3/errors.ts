/** Maps the errors of S3 and its SDK to the kinds that callers switch on. */
import { BridgeError, type BridgeErrorKind, confirmedKind, isRead, kindLookup, retryAfterOf } from "../errors";
import { ARCHIVED } from "../unreadable";

/**
 * Codes of S3, of the SDK and of Node, and statuses for answers without a code: the answer to HEAD has no body, and a proxy has no S3 codes.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 */
const kindOfCode = kindLookup({
  NotFound: ["NoSuchKey", "NoSuchUpload", "NoSuchVersion", "NotFound", 404],
  NoSuchBucket: ["NoSuchBucket"],
  PreconditionFailed: ["PreconditionFailed", "ConditionalRequestConflict", "NotModified", 304, 412],
  PermissionDenied: [
    "AccessDenied",
    "AccountProblem",
    "AllAccessDisabled",
    "ExpiredToken",
    "InvalidAccessKeyId",
    "InvalidToken",
    "SignatureDoesNotMatch",
    "TokenRefreshRequired",
    401,
    403,
  ],
  RateLimited: ["SlowDown", "RequestLimitExceeded", "Throttling", "ThrottlingException", "TooManyRequests", 429],
  Unavailable: [
    "InternalError",
    "OperationAborted",
    "RequestTimeout",
    // The SDK learns the offset from this answer, so the next call succeeds.
    "RequestTimeTooSkewed",
    "ServiceUnavailable",
    "TimeoutError",
    "EAI_AGAIN",
    "ECONNABORTED",
    "ECONNREFUSED",
    "ECONNRESET",
    "EHOSTUNREACH",
    "ENETUNREACH",
    "ENOTFOUND",
    "EPIPE",
    "ETIMEDOUT",
    307,
    408,
  ],
  Corrupted: ["BadDigest", "IncompleteBody", "XAmzContentChecksumMismatch", "XAmzContentSHA256Mismatch"],
  Invalid: [
    "EntityTooLarge",
    "EntityTooSmall",
    "InvalidArgument",
    "InvalidDigest",
    "InvalidPart",
    "InvalidPartOrder",
    "InvalidRange",
    "InvalidRequest",
    "InvalidTag",
    "KeyTooLongError",
    "MetadataTooLarge",
    "ERR_INVALID_CHAR",
    400,
    411,
    413,
    416,
  ],
  Unsupported: ["InvalidObjectState", "MethodNotAllowed", "NotImplemented", 405, 501],
  ConfigInvalid: [
    "AuthorizationHeaderMalformed",
    "IllegalLocationConstraintException",
    "InvalidBucketName",
    "KMS.DisabledException",
    "KMS.InvalidStateException",
    "KMS.NotFoundException",
    "PermanentRedirect",
    301,
  ],
});

const ADVICE: Partial<Record<string, string>> = {
  InvalidObjectState: ARCHIVED,
  PermissionDenied: "check the credentials and the policies of the role, the bucket and its KMS key",
  ConfigInvalid: "check the bucket's name, its region, the endpoint and the KMS key",
};

interface SdkError {
  name?: string;
  code?: string;
  Code?: string;
  $metadata?: { httpStatusCode?: number; requestId?: string; attempts?: number };
  $response?: { headers?: Record<string, string> };
}

function kindOf({ name, code, Code, $metadata }: SdkError): BridgeErrorKind {
  const status = $metadata?.httpStatusCode ?? 0;
  for (const candidate of [name, Code, code, status]) {
    const kind = candidate === undefined ? undefined : kindOfCode(candidate);
    if (kind !== undefined) return confirmedKind(kind, status);
  }
  return status >= 500 ? "Unavailable" : "Unexpected";
}

/**
 * Whether a refusal leaves the outcome unknown. If the answer to a first request was lost, that request may have landed, and then the
 * retry is refused because of it.
 */
function isAmbiguous(op: string, kind: BridgeErrorKind, { $metadata }: SdkError): boolean {
  if (($metadata?.attempts ?? 1) <= 1 || isRead(op)) return false;
  return kind === "PreconditionFailed" || (op === "completeUpload" && kind === "NotFound");
}

/** Turns any error of an S3 call into a BridgeError. The vendor's own message stays in `cause`, because it may name accounts and keys. */
export function toS3Error(op: string, cause: unknown): BridgeError {
  if (cause instanceof BridgeError) return cause;
  const error = (typeof cause === "object" && cause !== null ? cause : {}) as SdkError;
  const found = kindOf(error);
  const ambiguous = isAmbiguous(op, found, error);
  const kind = ambiguous ? "Unavailable" : found;
  const code = error.Code ?? (error.name === "Error" || error.name === undefined ? error.code : error.name) ?? "an unknown error";
  const { httpStatusCode, requestId } = error.$metadata ?? {};
  const details = [httpStatusCode && `HTTP ${httpStatusCode}`, requestId && `request ${requestId}`].filter(Boolean).join(", ");
  const hint = ambiguous ? "after a retry, so the first request may have landed" : (ADVICE[code] ?? ADVICE[kind]);
  const message = `S3 answered ${op} with ${code}${details === "" ? "" : ` (${details})`}${hint === undefined ? "" : `: ${hint}`}`;
  return new BridgeError(kind, op, message, {
    cause,
    retryAfterSeconds: retryAfterOf(error.$response?.headers?.["retry-after"]),
  });
}
