import { BridgeError } from "../../../../runtime/stores/errors";
import { s3Errors } from "../../../../runtime/stores/s3/errors";

function refused(op: string, code: string | undefined, status: number, mayHaveLanded = false): BridgeError {
  const body = Buffer.from(code === undefined ? "" : `<Error><Code>${code}</Code><Message>vendor text</Message></Error>`);
  return s3Errors.refused(op, { status, headers: {}, body }, mayHaveLanded);
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
  ["SomethingNew", 429, "RateLimited"],
  ["SomethingNew", 502, "Unavailable"],
  ["SomethingNew", 404, "NotFound"],
  ["SomethingNew", 200, "Unexpected"],
])("%s with status %s is %s", (code, status, kind) => {
  const error = refused("get", code, status);
  expect(error).toMatchObject({ kind, op: "get", cause: { code, status } });
  expect(error.message).toContain(code);
  expect(error.message).not.toContain("vendor text");
});

test("an archived object is named as the reason", () => {
  expect(refused("get", "InvalidObjectState", 403).message).toMatch(/: the object is archived: restore it first$/);
});

test.each(["ECONNREFUSED", "ECONNRESET", "EPIPE", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH"])("%s is Unavailable", (code) => {
  expect(s3Errors.broken("put", Object.assign(new Error("x"), { code }))).toMatchObject({ kind: "Unavailable", retryable: true });
});

test("any other error is Unexpected, and a BridgeError is unchanged", () => {
  expect(s3Errors.broken("put", "text").kind).toBe("Unexpected");
  expect(s3Errors.broken("put", undefined).kind).toBe("Unexpected");
  const own = new BridgeError("Corrupted", "put", "x");
  expect(s3Errors.broken("put", own)).toBe(own);
});

test("a refusal after a retry is ambiguous for writes only", () => {
  expect(refused("put", "PreconditionFailed", 412, true).kind).toBe("Unavailable");
  expect(refused("delete", "PreconditionFailed", 412, true).kind).toBe("Unavailable");
  expect(refused("completeUpload", "NoSuchUpload", 404, true).kind).toBe("Unavailable");
  expect(refused("get", "PreconditionFailed", 412, true).kind).toBe("PreconditionFailed");
  expect(refused("get", "NoSuchKey", 404, true).kind).toBe("NotFound");
});
