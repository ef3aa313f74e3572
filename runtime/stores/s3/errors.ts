/** The refusals of S3. https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
import { BridgeError } from "../errors";
import { STATUS_KINDS, VendorErrors } from "../refusals";
import { ARCHIVED } from "../unreadable";

export const s3Errors = new VendorErrors({
  name: "S3",
  kinds: [
    {
      NotFound: ["NoSuchKey", "NoSuchUpload", "NoSuchVersion", "NotFound"],
      NoSuchBucket: ["NoSuchBucket"],
      PreconditionFailed: ["PreconditionFailed", "ConditionalRequestConflict", "NotModified"],
      PermissionDenied: [
        "AccessDenied",
        "AccountProblem",
        "AllAccessDisabled",
        "ExpiredToken",
        "InvalidAccessKeyId",
        "InvalidToken",
        "SignatureDoesNotMatch",
        "TokenRefreshRequired",
      ],
      RateLimited: ["SlowDown", "RequestLimitExceeded", "Throttling", "ThrottlingException", "TooManyRequests"],
      Unavailable: [
        "InternalError",
        "OperationAborted",
        "RequestTimeout",
        // The client learns the offset from this answer, so the next call succeeds.
        "RequestTimeTooSkewed",
        "ServiceUnavailable",
        307,
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
      ],
      Unsupported: ["InvalidObjectState", "MethodNotAllowed", "NotImplemented"],
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
    },
    STATUS_KINDS,
  ],
  advice: {
    InvalidObjectState: ARCHIVED,
    PermissionDenied: "check the credentials and the policies of the role, the bucket and its KMS key",
    ConfigInvalid: "check the bucket's name, its region, the endpoint and the KMS key",
  },
  requestIdHeader: "x-amz-request-id",
  completes: new Set(["completeUpload"]),
  // The bytes come from a source with a checksum of its own: sent again, they would be refused again.
  transient: new Set(["RateLimited", "Unavailable"]),
});

/** @param what what the answer has or lacks */
export function unexpectedAnswer(op: string, what: string): BridgeError {
  return new BridgeError("Unexpected", op, `the answer to ${op} has ${what}: this is no S3 endpoint`);
}
