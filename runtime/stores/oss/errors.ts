/** Maps the errors of OSS and of the network to the kinds that callers switch on. */
import { BridgeError, type BridgeErrorKind, confirmedKind, isRead, kindLookup, retryAfterOf } from "../errors";
import { ARCHIVED, LINK_TO_LINK, LINK_WITHOUT_TARGET } from "../unreadable";
import { xmlText } from "./xml";

/**
 * Codes of OSS, of Node and of undici. The statuses are for codes that are not listed, and for answers without one: a proxy has no OSS codes.
 * https://www.alibabacloud.com/help/en/oss/support/http-status-code-overview
 */
const kindOfCode = kindLookup({
  NotFound: ["NoSuchKey", "NoSuchUpload", "NoSuchVersion", 404],
  NoSuchBucket: ["NoSuchBucket"],
  PreconditionFailed: ["FileAlreadyExists", "NotModified", "PositionNotEqualToLength", "PreconditionFailed", 304, 412],
  PermissionDenied: [
    "AccessDenied",
    "InvalidAccessKeyId",
    "InvalidSecurityToken",
    "SecurityTokenExpired",
    "SecurityTokenNotSupported",
    "SignatureDoesNotMatch",
    "UserDisable",
    401,
    403,
  ],
  RateLimited: ["DownloadTrafficRateLimitExceeded", "QpsLimitExceeded", "SlowDown", "UploadTrafficRateLimitExceeded", 429],
  Unavailable: [
    "InternalError",
    "OperationAborted",
    "RequestTimeout",
    // The client learns the offset from this answer, so the next call succeeds.
    "RequestTimeTooSkewed",
    "ServiceUnavailable",
    "EAI_AGAIN",
    "ECONNREFUSED",
    "ECONNRESET",
    "EHOSTUNREACH",
    "ENETUNREACH",
    "ENOTFOUND",
    "EPIPE",
    "ETIMEDOUT",
    "UND_ERR_BODY_TIMEOUT",
    "UND_ERR_CONNECT_TIMEOUT",
    "UND_ERR_HEADERS_TIMEOUT",
    "UND_ERR_SOCKET",
    408,
  ],
  Corrupted: [
    // The client computes every Content-MD5, so a wrong one means that the bytes changed on their way.
    "BadDigest",
    "IncompleteBody",
    "InvalidDigest",
  ],
  Invalid: [
    "EntityTooLarge",
    "EntityTooSmall",
    "InvalidArgument",
    "InvalidObjectName",
    "InvalidPart",
    "InvalidPartOrder",
    "InvalidRange",
    "InvalidRequest",
    "InvalidTag",
    "InvalidTargetType",
    "MalformedXML",
    "MetadataTooLarge",
    // A link without a target is there, so it is no missing object.
    "SymlinkTargetNotExist",
    "UND_ERR_INVALID_ARG",
    400,
    411,
    413,
    416,
  ],
  Unsupported: ["InvalidObjectState", "MethodNotAllowed", "NotImplemented", "ObjectNotAppendable", 405, 501],
  ConfigInvalid: ["InvalidBucketName", "KmsServiceNotEnabled", 301, 307],
});

const ADVICE: Partial<Record<string, string>> = {
  InvalidObjectState: ARCHIVED,
  InvalidTargetType: LINK_TO_LINK,
  SymlinkTargetNotExist: LINK_WITHOUT_TARGET,
  PermissionDenied: "check the credentials, the RAM policy of the role and the bucket policy",
  ConfigInvalid: "check the bucket's name, its region, the endpoint and the KMS key",
};

export interface OssRefusal {
  status: number;
  /** OSS's own code, where the answer has one. */
  code?: string | undefined;
  requestId?: string | undefined;
  retryAfter?: string | undefined;
}

/** The answer to HEAD has no body: OSS puts the same document into a header. */
export function readRefusal(status: number, headers: Readonly<Record<string, string>>, body: string): OssRefusal {
  const hidden = headers["x-oss-err"];
  const document = body === "" && hidden !== undefined ? Buffer.from(hidden, "base64").toString("utf8") : body;
  const code = xmlText(document, "Code");
  return { status, code, requestId: headers["x-oss-request-id"], retryAfter: headers["retry-after"] };
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
  const known = (code === undefined ? undefined : kindOfCode(code)) ?? kindOfCode(status);
  const found = known === undefined ? (status >= 500 ? "Unavailable" : "Unexpected") : confirmedKind(known, status);
  const ambiguous = isAmbiguous(op, found, code, attempts);
  const kind = ambiguous ? "Unavailable" : found;
  const hint = ambiguous ? "after a retry, so the first request may have landed" : (ADVICE[code ?? ""] ?? ADVICE[kind]);
  const details = `HTTP ${status}${requestId === undefined ? "" : `, request ${requestId}`}`;
  const message = `OSS answered ${op} with ${code ?? "no code"} (${details})${hint === undefined ? "" : `: ${hint}`}`;
  return new BridgeError(kind, op, message, { cause: refusal, retryAfterSeconds: retryAfterOf(refusal.retryAfter) });
}

/** Turns any error of a request without an answer into a BridgeError. */
export function transportError(op: string, cause: unknown): BridgeError {
  if (cause instanceof BridgeError) return cause;
  const code = (cause as { code?: unknown } | null | undefined)?.code;
  const kind = (typeof code === "string" ? kindOfCode(code) : undefined) ?? "Unexpected";
  return new BridgeError(kind, op, `OSS did not answer ${op}: ${typeof code === "string" ? code : "an unknown error"}`, {
    cause,
  });
}
