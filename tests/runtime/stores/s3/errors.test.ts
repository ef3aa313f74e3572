import { BridgeError } from "../../../../runtime/stores/errors";
import { toS3Error } from "../../../../runtime/stores/s3/errors";

function sdkError(name: string, httpStatusCode?: number, attempts = 1): Error {
  return Object.assign(new Error("vendor text"), { name, $metadata: { httpStatusCode, attempts } });
}

test.each([
  ["NoSuchKey", 404, "NotFound"],
  ["NoSuchUpload", 404, "NotFound"],
  ["NoSuchBucket", 404, "NoSuchBucket"],
  // A code counts as a fact about the object only with its own status.
  ["NoSuchKey", 400, "Unexpected"],
  ["NoSuchKey", 403, "Unexpected"],
  ["NoSuchUpload", 410, "Unexpected"],
  ["NoSuchBucket", 500, "Unavailable"],
  ["PreconditionFailed", 400, "Unexpected"],
  ["NotModified", 503, "Unavailable"],
  ["PreconditionFailed", 412, "PreconditionFailed"],
  ["ConditionalRequestConflict", 409, "PreconditionFailed"],
  ["OperationAborted", 409, "Unavailable"],
  ["AccessDenied", 403, "PermissionDenied"],
  ["ExpiredToken", 400, "PermissionDenied"],
  ["RequestTimeTooSkewed", 403, "Unavailable"],
  ["RequestTimeout", 400, "Unavailable"],
  ["SlowDown", 503, "RateLimited"],
  ["ServiceUnavailable", 503, "Unavailable"],
  ["InternalError", 500, "Unavailable"],
  ["BadDigest", 400, "Corrupted"],
  ["IncompleteBody", 400, "Corrupted"],
  ["InvalidDigest", 400, "Invalid"],
  ["EntityTooSmall", 400, "Invalid"],
  ["InvalidRange", 416, "Invalid"],
  ["NotImplemented", 501, "Unsupported"],
  ["InvalidObjectState", 403, "Unsupported"],
  ["PermanentRedirect", 301, "ConfigInvalid"],
  ["KMS.DisabledException", 400, "ConfigInvalid"],
  ["TimeoutError", undefined, "Unavailable"],
  ["SomethingNew", 429, "RateLimited"],
  ["SomethingNew", 502, "Unavailable"],
  ["SomethingNew", 404, "NotFound"],
  ["SomethingNew", 200, "Unexpected"],
])("%s with status %s is %s", (name, httpStatusCode, kind) => {
  const cause = sdkError(name, httpStatusCode);
  const error = toS3Error("get", cause);
  expect(error).toMatchObject({ kind, op: "get", cause });
  expect(error.message).toContain(name);
  expect(error.message).not.toContain("vendor text");
});

test("an archived object is named as the reason", () => {
  expect(toS3Error("get", sdkError("InvalidObjectState", 403)).message).toMatch(/: the object is archived: restore it first$/);
});

test.each(["ECONNREFUSED", "ECONNRESET", "EPIPE", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH"])("%s is Unavailable", (code) => {
  expect(toS3Error("put", Object.assign(new Error("x"), { code }))).toMatchObject({ kind: "Unavailable", retryable: true });
});

test("any other error is Unexpected, and a BridgeError is unchanged", () => {
  expect(toS3Error("put", "text").kind).toBe("Unexpected");
  expect(toS3Error("put", undefined).kind).toBe("Unexpected");
  const own = new BridgeError("Corrupted", "put", "x");
  expect(toS3Error("put", own)).toBe(own);
});

test("a refusal after a retry is ambiguous for writes only", () => {
  expect(toS3Error("put", sdkError("PreconditionFailed", 412, 2)).kind).toBe("Unavailable");
  expect(toS3Error("delete", sdkError("PreconditionFailed", 412, 2)).kind).toBe("Unavailable");
  expect(toS3Error("completeUpload", sdkError("NoSuchUpload", 404, 2)).kind).toBe("Unavailable");
  expect(toS3Error("get", sdkError("PreconditionFailed", 412, 2)).kind).toBe("PreconditionFailed");
  expect(toS3Error("get", sdkError("NoSuchKey", 404, 2)).kind).toBe("NotFound");
});
