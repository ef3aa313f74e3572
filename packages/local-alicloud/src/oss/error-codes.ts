/**
 * The fine-grained codes (EC) of OSS's errors. Every error answer has one, in its document and in the header `x-oss-ec`.
 * https://www.alibabacloud.com/help/en/oss/user-guide/overview-14
 */

/** Each code has a page of its own: https://www.alibabacloud.com/help/en/oss/user-guide/<EC> */
const BY_PAGES: Readonly<Record<string, string>> = {
  InvalidBucketName: "0015-00000001",
  NoSuchCORSConfiguration: "0034-00000001",
  PublicEndpointForbidden: "0048-00000401",
  // For version 1. Version 4 has a code of its own.
  SignatureDoesNotMatch: "0002-00000040",
};

/** Samples of answers: the page above, and https://www.alibabacloud.com/help/en/oss/developer-reference/error-responses */
const BY_SAMPLES: Readonly<Record<string, string>> = {
  AccessDenied: "0003-00000001",
  MalformedXML: "0031-00000001",
  MissingArgument: "0016-00000502",
};

/** The vendor's test suites expect these: alibabacloud-oss-go-sdk-v2, aliyun-oss-java-sdk and oss2. */
const BY_SUITES: Readonly<Record<string, string>> = {
  ArchiveRestoreNotFinished: "0016-00000719",
  BucketAlreadyExists: "0015-00000104",
  BucketNotEmpty: "0015-00000301",
  CallbackFailed: "0007-00000203",
  InvalidAccessKeyId: "0002-00000902",
  InvalidTargetType: "0026-00000011",
  MethodNotAllowed: "0003-00000016",
  NeedVerifyDomainOwnership: "0018-00000115",
  NoSuchBucket: "0015-00000101",
  NoSuchKey: "0026-00000001",
  PositionNotEqualToLength: "0026-00000016",
  RequestTimeTooSkewed: "0002-00000504",
  ResourceGroupIdPreCheckError: "0039-00000003",
};

const CODES: Readonly<Record<string, string>> = { ...BY_PAGES, ...BY_SAMPLES, ...BY_SUITES };

/** For an error whose EC no document and no suite names. OSS itself never answers it. */
export const UNLISTED_EC = "0000-00000000";

/** One error code can have several causes, each with its own EC: these errors carry theirs. */
export const EC = {
  signatureV4: "0002-00000201",
  signingRegion: "0002-00000226",
  packageByPublicHost: "0048-00000200",
  packageByAcceleration: "0048-00000203",
  domainName: "0018-00000401",
  completeAllWithBody: "0042-00000216",
  callbackAnswer: "0007-00000205",
  s3Algorithm: "0002-00000402",
  // Users of S3's clients report it.
  awsChunked: "0017-00000804",
  transferType: "0031-00000107",
  accessMonitorInUse: "0036-00000005",
  lifecycle: {
    xml: "0014-00000011",
    noRule: "0014-00000013",
    noAccessMonitor: "0014-00000016",
    otherElement: "0014-00000015",
    status: "0014-00000024",
    transitionOverlap: "0014-00000079",
    mixedTimes: "0014-00000080",
    order: "0014-00000082",
    actionOverlap: "0014-00000084",
  },
} as const;

export interface RefusedRequest {
  query: ReadonlyMap<string, string>;
  header(name: string): string | undefined;
}

/** The suite of the Go SDK expects another EC for each operation on an upload that does not exist. */
function noSuchUpload({ query, header }: RefusedRequest): string {
  if (!query.has("partNumber")) return "0042-00000002";
  return header("x-oss-copy-source") === undefined ? "0042-00000104" : "0042-00000311";
}

export function ecOf(code: string, request: RefusedRequest): string {
  if (code === "NoSuchUpload") return noSuchUpload(request);
  return CODES[code] ?? UNLISTED_EC;
}
