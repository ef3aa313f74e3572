/** Maps the errors of S3 and its SDK to the kinds that callers switch on. */
import { BridgeError, type BridgeErrorKind, isRead } from "../errors";

/** https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
const KIND_BY_CODE: Readonly<Record<string, BridgeErrorKind>> = {
  NoSuchKey: "NotFound",
  NoSuchUpload: "NotFound",
  NoSuchBucket: "NotFound",
  NoSuchVersion: "NotFound",
  NotFound: "NotFound",

  PreconditionFailed: "PreconditionFailed",
  ConditionalRequestConflict: "PreconditionFailed",
  NotModified: "PreconditionFailed",

  AccessDenied: "PermissionDenied",
  AccountProblem: "PermissionDenied",
  AllAccessDisabled: "PermissionDenied",
  ExpiredToken: "PermissionDenied",
  InvalidAccessKeyId: "PermissionDenied",
  InvalidToken: "PermissionDenied",
  SignatureDoesNotMatch: "PermissionDenied",
  TokenRefreshRequired: "PermissionDenied",

  SlowDown: "RateLimited",
  RequestLimitExceeded: "RateLimited",
  Throttling: "RateLimited",
  ThrottlingException: "RateLimited",
  TooManyRequests: "RateLimited",

  InternalError: "Unavailable",
  OperationAborted: "Unavailable",
  RequestTimeout: "Unavailable",
  // The SDK learns the offset from this answer, so the next call succeeds.
  RequestTimeTooSkewed: "Unavailable",
  ServiceUnavailable: "Unavailable",
  TimeoutError: "Unavailable",

  BadDigest: "Corrupted",
  IncompleteBody: "Corrupted",
  XAmzContentChecksumMismatch: "Corrupted",
  XAmzContentSHA256Mismatch: "Corrupted",

  EntityTooLarge: "Invalid",
  EntityTooSmall: "Invalid",
  InvalidArgument: "Invalid",
  InvalidDigest: "Invalid",
  InvalidPart: "Invalid",
  InvalidPartOrder: "Invalid",
  InvalidRange: "Invalid",
  InvalidRequest: "Invalid",
  InvalidTag: "Invalid",
  KeyTooLongError: "Invalid",
  MetadataTooLarge: "Invalid",

  InvalidObjectState: "Unsupported",
  MethodNotAllowed: "Unsupported",
  NotImplemented: "Unsupported",

  AuthorizationHeaderMalformed: "ConfigInvalid",
  IllegalLocationConstraintException: "ConfigInvalid",
  InvalidBucketName: "ConfigInvalid",
  "KMS.DisabledException": "ConfigInvalid",
  "KMS.InvalidStateException": "ConfigInvalid",
  "KMS.NotFoundException": "ConfigInvalid",
  PermanentRedirect: "ConfigInvalid",

  EAI_AGAIN: "Unavailable",
  ECONNABORTED: "Unavailable",
  ECONNREFUSED: "Unavailable",
  ECONNRESET: "Unavailable",
  EHOSTUNREACH: "Unavailable",
  ENETUNREACH: "Unavailable",
  ENOTFOUND: "Unavailable",
  EPIPE: "Unavailable",
  ETIMEDOUT: "Unavailable",
  ERR_INVALID_CHAR: "Invalid",
};

/** For answers without a code: HEAD has no body, and a proxy has no S3 codes. */
const KIND_BY_STATUS: Readonly<Record<number, BridgeErrorKind>> = {
  301: "ConfigInvalid",
  304: "PreconditionFailed",
  307: "Unavailable",
  400: "Invalid",
  401: "PermissionDenied",
  403: "PermissionDenied",
  404: "NotFound",
  405: "Unsupported",
  408: "Unavailable",
  411: "Invalid",
  412: "PreconditionFailed",
  413: "Invalid",
  416: "Invalid",
  429: "RateLimited",
  501: "Unsupported",
};

const ADVICE: Partial<Record<BridgeErrorKind, string>> = {
  PermissionDenied: "check the credentials and the policies of the role, the bucket and its KMS key",
  ConfigInvalid: "check the bucket's name, its region, the endpoint and the KMS key",
};

interface SdkError {
  name?: string;
  code?: string;
  Code?: string;
  $metadata?: { httpStatusCode?: number; requestId?: string; attempts?: number };
}

function kindOf({ name, code, Code, $metadata }: SdkError): BridgeErrorKind {
  for (const candidate of [name, Code, code]) {
    const kind = candidate === undefined ? undefined : KIND_BY_CODE[candidate];
    if (kind !== undefined) return kind;
  }
  const status = $metadata?.httpStatusCode;
  if (status === undefined) return "Unexpected";
  return KIND_BY_STATUS[status] ?? (status >= 500 ? "Unavailable" : "Unexpected");
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
  const hint = ambiguous ? "after a retry, so the first request may have landed" : ADVICE[kind];
  const message = `S3 answered ${op} with ${code}${details === "" ? "" : ` (${details})`}${hint === undefined ? "" : `: ${hint}`}`;
  return new BridgeError(kind, op, message, { cause });
}
