/**
 * Limits of the clouds that settings can break. A check takes its number from here. `npm run docs:configuration` writes docs/limits.md from
 * this table, and `tests/components/config/limits.test.ts` has a test for each row.
 */

export interface Limit {
  service: string;
  /** The thing that has the limit. */
  what: string;
  /** The limit in words, with its unit. */
  limit: string;
  /** In words: how the bridge keeps to the limit. */
  here: string;
  /** The vendor's page. */
  source: string;
}

/** A limit that is one number. */
interface Numeric extends Limit {
  most: number;
}

const most = (number: number, unit: string, row: Omit<Limit, "limit">): Numeric => ({
  ...row,
  most: number,
  limit: `${number.toLocaleString("en-US")} ${unit}`,
});

const IAM_QUOTAS = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html";
const RAM_QUOTAS = "https://www.alibabacloud.com/help/en/ram/product-overview/limits";
const LAMBDA_QUOTAS = "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html";
const FC_ENVIRONMENT = "https://www.alibabacloud.com/help/en/functioncompute/fc/environment-variables";
const OSS_KEYS = "https://www.alibabacloud.com/help/en/oss/user-guide/object-naming-conventions";
const S3_TAGS = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html";
const OSS_TAGS = "https://www.alibabacloud.com/help/en/oss/user-guide/object-tagging-8";
const BUCKET_TAGS = "https://www.alibabacloud.com/help/en/oss/support/0010-00000002";
const TAGS_HERE = "`scope.tags` and the tags of replication rules: refused";

export const LIMITS = {
  s3Key: most(1024, "bytes", {
    service: "S3",
    what: "length of a key",
    here: "`scope.prefixes` and other prefixes, also with `destination.prefix` in front: refused. A longer key of a single object is parked",
    source: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html",
  }),
  ossKey: most(1023, "bytes", {
    service: "OSS",
    what: "length of a key",
    here: "as for S3",
    source: OSS_KEYS,
  }),
  ossKeyBeginning: {
    service: "OSS",
    what: "beginning of a key",
    limit: "neither `/` nor `\\`",
    here: "`destination.prefix` and `scope.prefixes`: refused where no object could arrive",
    source: OSS_KEYS,
  },
  s3KeyPath: {
    service: "S3",
    what: "`..` in a key",
    limit: "leads nowhere above the key's own first segment",
    here: "`destination.prefix` and `scope.prefixes`: refused where no object could arrive",
    source: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html",
  },
  s3BucketName: {
    service: "S3",
    what: "bucket names for aliases and for other kinds of buckets",
    limit: "not `xn--…`, `sthree-…`, `amzn-s3-demo-…`, `…-s3alias`, `…--ol-s3`, `….mrap`, `…--x-s3`, `…--table-s3`",
    here: "`source.bucket` and `destination.bucket`: refused",
    source: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html",
  },
  s3RegionalBucketName: {
    service: "S3",
    what: "bucket names of an account's own regional namespace",
    limit: "`…-an` only there",
    here: "`source.bucket` and `destination.bucket`, where the bridge creates the bucket: refused",
    source: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/gpbucketnamespaces.html",
  },
  ossBucketName: {
    service: "OSS",
    what: "bucket names",
    limit: "3 to 63 of a-z, 0-9 and -, not at either end",
    here: "`source.bucket` and `destination.bucket`: refused",
    source: "https://www.alibabacloud.com/help/en/oss/user-guide/bucket-naming-conventions",
  },
  s3Tags: most(10, "tags", { service: "S3", what: "tags of an object", here: TAGS_HERE, source: S3_TAGS }),
  ossTags: most(10, "tags", { service: "OSS", what: "tags of an object", here: TAGS_HERE, source: OSS_TAGS }),
  tagName: most(128, "characters", { service: "S3, OSS", what: "name of a tag", here: TAGS_HERE, source: S3_TAGS }),
  tagValue: most(256, "characters", { service: "S3, OSS", what: "value of a tag", here: TAGS_HERE, source: S3_TAGS }),
  resourceTags: most(18, "tags", {
    service: "Alibaba Cloud",
    what: "tags of a resource: 20, of which alarms use two",
    here: "`tags`: refused",
    source: BUCKET_TAGS,
  }),
  resourceTagName: most(64, "bytes", {
    service: "OSS",
    what: "name of a bucket's tag",
    here: "`tags`: refused",
    source: BUCKET_TAGS,
  }),
  resourceTagValue: most(128, "bytes", {
    service: "OSS",
    what: "value of a bucket's tag",
    here: "`tags`: refused",
    source: BUCKET_TAGS,
  }),
  s3LifecycleRules: most(1000, "rules", {
    service: "S3",
    what: "lifecycle rules of a bucket",
    here: "`destination.lifecycle` has room for 998, because the bridge adds two rules: refused",
    source: "https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycleConfiguration.html",
  }),
  s3ReplicationRules: most(1000, "rules", {
    service: "S3",
    what: "replication rules of a bucket",
    here: "`replication.rules`: refused",
    source: "https://docs.aws.amazon.com/AmazonS3/latest/API/API_ReplicationConfiguration.html",
  }),
  ossReplicationPrefixes: most(10, "prefixes", {
    service: "OSS",
    what: "prefixes of a replication rule",
    here: "`scope.prefixes` in mode `native`, without those inside another one: refused",
    source: "https://www.alibabacloud.com/help/en/oss/developer-reference/putbucketreplication",
  }),
  ossTriggers: most(10, "triggers", {
    service: "Function Compute",
    what: "triggers of an OSS bucket; two may not have the same event and an overlapping prefix and suffix",
    here: "bridges of one program: refused. Triggers of others are not known: a notice for an adopted source",
    source: "https://www.alibabacloud.com/help/en/functioncompute/fc/user-guide/overview-of-oss-trigger",
  }),
  iamCharacters: {
    service: "IAM",
    what: "characters of a policy",
    limit: "tab, line feed, carriage return, U+0020 to U+00FF",
    here: "other characters of a prefix become `*`, and the functions check the scope",
    source: IAM_QUOTAS,
  },
  iamInlinePolicies: most(10_240, "characters", {
    service: "IAM",
    what: "inline policies of a role together",
    here: "a policy with too many prefixes allows every object of the bucket, and the functions check the scope",
    source: IAM_QUOTAS,
  }),
  ramPolicy: most(6144, "characters", {
    service: "RAM",
    what: "custom policy (older pages say 2,048)",
    here: "as for IAM; up to 1,536 characters of prefixes",
    source: RAM_QUOTAS,
  }),
  apiGatewayPolicy: most(8192, "characters", {
    service: "API Gateway",
    what: "resource policy of an API",
    here: "`allowedCidrs` has at most 100 networks, which fit",
    source: "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html",
  }),
  lambdaEnvironment: most(4096, "bytes", {
    service: "Lambda",
    what: "all environment variables of a function together",
    here: "`scope`, `allowedCidrs` and `destination.prefix`: refused where they do not fit",
    source: LAMBDA_QUOTAS,
  }),
  fcEnvironment: most(4096, "bytes", {
    service: "Function Compute",
    what: "all environment variables of a function together",
    here: "as for Lambda",
    source: FC_ENVIRONMENT,
  }),
  fcEnvironmentCharacters: {
    service: "Function Compute",
    what: "characters of an environment variable",
    limit: "printable ASCII, on the pages of earlier releases; the newer ones say nothing",
    here: "other characters are written as `\\u…`, which takes 6 bytes",
    source: "https://www.alibabacloud.com/help/doc-detail/164217.htm",
  },
  lambdaFunctionName: most(64, "characters", {
    service: "Lambda",
    what: "name of a function",
    here: "`name` has at most 32 characters",
    source: "https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html",
  }),
  fcFunctionName: most(64, "characters", {
    service: "Function Compute",
    what: "name of a function",
    here: "`name` has at most 32 characters",
    source: "https://www.alibabacloud.com/help/en/functioncompute/fc/developer-reference/api-fc-2023-03-30-createfunction",
  }),
  iamRoleName: most(64, "characters", {
    service: "IAM",
    what: "name of a role",
    here: "`name` has at most 32 characters",
    source: IAM_QUOTAS,
  }),
  ramRoleName: most(64, "characters", {
    service: "RAM",
    what: "name of a role",
    here: "`name` has at most 32 characters",
    source: RAM_QUOTAS,
  }),
  logProjectName: most(63, "characters", {
    service: "Simple Log Service",
    what: "name of a project",
    here: "`name` has at most 32 characters",
    source: "https://www.alibabacloud.com/help/en/sls/developer-reference/api-sls-2020-12-30-createproject",
  }),
  secretValue: most(4096, "characters", {
    service: "SSM, OOS",
    what: "value of a parameter",
    here: "`token`: refused",
    source: "https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html",
  }),
  lambdaConcurrency: most(1000, "functions at once (10 in a new account)", {
    service: "Lambda",
    what: "concurrent executions of an account in a region",
    here: "a notice at preview, with the account's own number",
    source: LAMBDA_QUOTAS,
  }),
  lambdaUnreserved: most(100, "functions at once", {
    service: "Lambda",
    what: "executions that stay unreserved",
    here: "`reserveConcurrency`: a notice at preview where they would not stay",
    source: "https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html",
  }),
  fcReservable: most(90, "instances of the 100 of an account (a newer page says 300)", {
    service: "Function Compute",
    what: "instances that may be reserved in a region",
    here: "`concurrency` and `copy.concurrency`: a notice at preview",
    source:
      "https://www.alibabacloud.com/help/en/functioncompute/fc/user-guide/overview-of-configuring-the-maximum-number-of-on-demand-instances",
  }),
  queuedConcurrency: most(1000, "functions at once, and at least 2", {
    service: "SQS, Lambda",
    what: "functions that a queue starts",
    here: "`concurrency`: refused",
    source: "https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html",
  }),
  lambdaSeconds: most(900, "seconds", {
    service: "Lambda",
    what: "run of a function",
    here: "`timeouts.senderSeconds` and `copy.timeoutSeconds`: refused",
    source: LAMBDA_QUOTAS,
  }),
  fcSeconds: most(86_400, "seconds", {
    service: "Function Compute",
    what: "run of a function",
    here: "`timeouts.senderSeconds` and `copy.timeoutSeconds`: refused",
    source: "https://www.alibabacloud.com/help/en/functioncompute/fc/product-overview/limits",
  }),
  apiGatewaySeconds: most(29, "seconds", {
    service: "API Gateway",
    what: "answer of a function",
    here: "`timeouts.receiverSeconds`: refused",
    source: "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html",
  }),
  sqsHours: most(336, "hours", {
    service: "SQS",
    what: "life of a message",
    here: "`giveUpAfterHours` is at most 312: refused",
    source: "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html",
  }),
  smqHours: most(168, "hours", {
    service: "Simple Message Queue",
    what: "life of a message",
    here: "`giveUpAfterHours`: refused above 168, and the last 12 hours are left out",
    source: "https://www.alibabacloud.com/help/en/smq/product-overview/limits",
  }),
} as const satisfies Readonly<Record<string, Limit>>;
