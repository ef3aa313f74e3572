/** The refusals of OSS. https://www.alibabacloud.com/help/en/oss/support/http-status-code-overview */
import { parseXml } from "../../http/xml";
import { STATUS_KINDS, VendorErrors } from "../refusals";
import { refusedHosts } from "../refused-hosts";
import { ARCHIVED, LINK_TO_LINK, LINK_WITHOUT_TARGET } from "../unreadable";

export const ossErrors = new VendorErrors({
  name: "OSS",
  kinds: [
    {
      NotFound: ["NoSuchKey", "NoSuchUpload", "NoSuchVersion"],
      NoSuchBucket: ["NoSuchBucket"],
      HostRefused: Object.keys(refusedHosts("this side")),
      PreconditionFailed: ["FileAlreadyExists", "NotModified", "PositionNotEqualToLength", "PreconditionFailed"],
      PermissionDenied: [
        "AccessDenied",
        "InvalidAccessKeyId",
        "InvalidSecurityToken",
        "SecurityTokenExpired",
        "SecurityTokenNotSupported",
        "SignatureDoesNotMatch",
        "UserDisable",
      ],
      RateLimited: ["DownloadTrafficRateLimitExceeded", "QpsLimitExceeded", "SlowDown", "UploadTrafficRateLimitExceeded"],
      Unavailable: [
        "InternalError",
        "OperationAborted",
        "RequestTimeout",
        // The client learns the offset from this answer, so the next call succeeds.
        "RequestTimeTooSkewed",
        "ServiceUnavailable",
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
      ],
      Unsupported: ["InvalidObjectState", "MethodNotAllowed", "NotImplemented", "ObjectNotAppendable"],
      ConfigInvalid: ["InvalidBucketName", "KmsServiceNotEnabled", 301, 307],
    },
    STATUS_KINDS,
  ],
  advice: {
    InvalidObjectState: ARCHIVED,
    InvalidTargetType: LINK_TO_LINK,
    SymlinkTargetNotExist: LINK_WITHOUT_TARGET,
    ...refusedHosts("this side"),
    PermissionDenied: "check the credentials, the RAM policy of the role and the bucket policy",
    ConfigInvalid: "check the bucket's name, its region, the endpoint and the KMS key",
  },
  requestIdHeader: "x-oss-request-id",
  // The answer to HEAD has no body: OSS puts the same document into a header.
  codeOf: ({ "x-oss-err": hidden }) =>
    hidden === undefined ? undefined : parseXml(Buffer.from(hidden, "base64").toString("utf8"))?.textOf("Code"),
  // `put` and `touch` complete an upload of their own where there are several parts.
  completes: new Set(["completeUpload", "put", "touch"]),
  transient: new Set(["Corrupted", "RateLimited", "Unavailable"]),
});
