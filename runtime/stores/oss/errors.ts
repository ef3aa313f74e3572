/** Maps the errors of OSS and of the network to the kinds that callers switch on. */
import { BridgeError, type BridgeErrorKind, isRead } from "../errors";
import { xmlText } from "./xml";

/** https://www.alibabacloud.com/help/en/oss/support/http-status-code-overview */
const KIND_BY_CODE: Readonly<Record<string, BridgeErrorKind>> = {
  NoSuchBucket: "NotFound",
  NoSuchKey: "NotFound",
  NoSuchUpload: "NotFound",
  NoSuchVersion: "NotFound",

  FileAlreadyExists: "PreconditionFailed",
  NotModified: "PreconditionFailed",
  PositionNotEqualToLength: "PreconditionFailed",
  PreconditionFailed: "PreconditionFailed",

  AccessDenied: "PermissionDenied",
  InvalidAccessKeyId: "PermissionDenied",
  InvalidSecurityToken: "PermissionDenied",
  SecurityTokenExpired: "PermissionDenied",
  SecurityTokenNotSupported: "PermissionDenied",
  SignatureDoesNotMatch: "PermissionDenied",
  UserDisable: "PermissionDenied",

  DownloadTrafficRateLimitExceeded: "RateLimited",
  QpsLimitExceeded: "RateLimited",
  SlowDown: "RateLimited",
  UploadTrafficRateLimitExceeded: "RateLimited",

  InternalError: "Unavailable",
  OperationAborted: "Unavailable",
  RequestTimeout: "Unavailable",
  // The client learns the offset from this answer, so the next call succeeds.
  RequestTimeTooSkewed: "Unavailable",
  ServiceUnavailable: "Unavailable",

  // The client computes every Content-MD5, so a wrong one means that the bytes changed on their way.
  BadDigest: "Corrupted",
  IncompleteBody: "Corrupted",
  InvalidDigest: "Corrupted",

  EntityTooLarge: "Invalid",
  EntityTooSmall: "Invalid",
  InvalidArgument: "Invalid",
  InvalidObjectName: "Invalid",
  InvalidPart: "Invalid",
  InvalidPartOrder: "Invalid",
  InvalidRange: "Invalid",
  InvalidRequest: "Invalid",
  InvalidTag: "Invalid",
  MalformedXML: "Invalid",
  MetadataTooLarge: "Invalid",

  InvalidObjectState: "Unsupported",
  MethodNotAllowed: "Unsupported",
  NotImplemented: "Unsupported",
  ObjectNotAppendable: "Unsupported",

  InvalidBucketName: "ConfigInvalid",
  KmsServiceNotEnabled: "ConfigInvalid",

  EAI_AGAIN: "Unavailable",
  ECONNREFUSED: "Unavailable",
  ECONNRESET: "Unavailable",
  EHOSTUNREACH: "Unavailable",
  ENETUNREACH: "Unavailable",
  ENOTFOUND: "Unavailable",
  EPIPE: "Unavailable",
  ETIMEDOUT: "Unavailable",
  UND_ERR_BODY_TIMEOUT: "Unavailable",
  UND_ERR_CONNECT_TIMEOUT: "Unavailable",
  UND_ERR_HEADERS_TIMEOUT: "Unavailable",
  UND_ERR_SOCKET: "Unavailable",
  UND_ERR_INVALID_ARG: "Invalid",
};

/** For codes that the table does not have, and for answers without one: a proxy has no OSS codes. */
const KIND_BY_STATUS: Readonly<Record<number, BridgeErrorKind>> = {
  301: "ConfigInvalid",
  304: "PreconditionFailed",
  307: "ConfigInvalid",
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
  PermissionDenied: "check the credentials, the RAM policy of the role and the bucket policy",
  ConfigInvalid: "check the bucket's name, its region, the endpoint and the KMS key",
};

export interface OssRefusal {
  status: number;
  /** OSS's own code, where the answer has one. */
  code?: string | undefined;
  requestId?: string | undefined;
}

/** The answer to HEAD has no body: OSS puts the same document into a header. */
export function readRefusal(status: number, headers: Readonly<Record<string, string>>, body: string): OssRefusal {
  const hidden = headers["x-oss-err"];
  const document = body === "" && hidden !== undefined ? Buffer.from(hidden, "base64").toString("utf8") : body;
  const code = xmlText(document, "Code");
  return { status, code, requestId: headers["x-oss-request-id"] };
}

/** `put` and `touch` complete an upload of their own where there are several parts. */
const COMPLETES: ReadonlySet<string> = new Set(["completeUpload", "put", "touch"]);

/**
 * Whether a refusal leaves the outcome unknown. If the answer to a first request was lost, that request may have landed, and then the
 * retry is refused because of it.
 */
function isAmbiguous(op: string, kind: BridgeErrorKind, code: string | undefined, attempts: number): boolean {
  if (attempts <= 1 || isRead(op)) return false;
  return kind === "PreconditionFailed" || (COMPLETES.has(op) && code === "NoSuchUpload");
}

/** Leaves OSS's own message out, because it may name accounts and keys. */
export function refusalError(op: string, refusal: OssRefusal, attempts: number): BridgeError {
  const { status, code, requestId } = refusal;
  const found =
    (code === undefined ? undefined : KIND_BY_CODE[code]) ??
    KIND_BY_STATUS[status] ??
    (status >= 500 ? "Unavailable" : "Unexpected");
  const ambiguous = isAmbiguous(op, found, code, attempts);
  const kind = ambiguous ? "Unavailable" : found;
  const hint = ambiguous ? "after a retry, so the first request may have landed" : ADVICE[kind];
  const details = `HTTP ${status}${requestId === undefined ? "" : `, request ${requestId}`}`;
  const message = `OSS answered ${op} with ${code ?? "no code"} (${details})${hint === undefined ? "" : `: ${hint}`}`;
  return new BridgeError(kind, op, message, { cause: refusal });
}

/** Turns any error of a request without an answer into a BridgeError. */
export function transportError(op: string, cause: unknown): BridgeError {
  if (cause instanceof BridgeError) return cause;
  const code = (cause as { code?: unknown } | null | undefined)?.code;
  const kind = (typeof code === "string" ? KIND_BY_CODE[code] : undefined) ?? "Unexpected";
  return new BridgeError(kind, op, `OSS did not answer ${op}: ${typeof code === "string" ? code : "an unknown error"}`, {
    cause,
  });
}
