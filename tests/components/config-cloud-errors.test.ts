/** What the configuration refuses where a side is in Alibaba Cloud, to the word. */
import { CLOUDFLOW_REGIONS } from "../../components/config/clouds";
import { native, PLACES, problemsOf, pull, push, type Raw } from "./config-pairs";

describe("one error", () => {
  const cases: [string, Raw, string][] = [
    ["region in OSS's own words", push({ source: { region: "oss-cn-shanghai" } }), "without oss- in front"],
    [
      "region of AWS China",
      push({ destination: { region: "cn-north-1" } }),
      'destination.region = "cn-north-1": not a region of alicloud',
    ],
    [
      "region that AWS has and Alibaba Cloud has not",
      push({ destination: { region: "us-west-2a" } }),
      "not a region of alicloud",
    ],
    ["bucket with a dot", push({ source: { bucket: "a.bucket" } }), 'source.bucket = "a.bucket": not a bucket name of OSS'],
    [
      "account of another length on AWS",
      pull({ from: "aws", source: { accountId: "3333333333333333" } }),
      'source.accountId = "3333333333333333": not an account of AWS; allowed: 12 digits',
    ],
    [
      "key of AWS",
      push({ source: { kmsKeyArn: "arn:aws:kms:us-east-1:111111111111:key/k" } }),
      "a key of AWS; allowed on alicloud: source.kmsKeyId",
    ],
    [
      "key of Alibaba Cloud",
      pull({ from: "aws", source: { kmsKeyId: "k" } }),
      "a key of Alibaba Cloud; allowed on aws: source.kmsKeyArn",
    ],
    [
      "storage class of S3",
      push({ destination: { storageClass: "STANDARD_IA" } }),
      'destination.storageClass = "STANDARD_IA": not a storage class of alicloud; allowed: Standard, IA, Archive, ColdArchive, DeepColdArchive',
    ],
    [
      "storage class of OSS",
      pull({ to: "aws", destination: { storageClass: "IA" } }),
      "not a storage class of aws; allowed: STANDARD, STANDARD_IA",
    ],
    [
      "topic",
      push({}, { alarmTopicArn: "arn:aws:sns:us-east-1:111111111111:ops" }),
      "a topic of AWS; allowed on alicloud: alarmContactGroups",
    ],
    ["contact groups", pull({ from: "aws" }, { alarmContactGroups: ["ops"] }), "allowed on aws: alarmTopicArn"],
    ["queue", pull({ to: "aws" }, { buffer: "sqs" }), 'buffer = "sqs": a queue of AWS; allowed on an alicloud source: none'],
    ["fixed address", pull({ to: "aws" }, { egress: "static" }), 'egress = "static": not in this release for an alicloud source'],
    [
      "AWS signature",
      pull({ from: "aws" }, { auth: { kind: "iam" } }),
      'auth.kind = "iam": an AWS signature, which Function Compute does not check',
    ],
    [
      "parameter that OOS could not name",
      pull({ from: "aws" }, { token: undefined, auth: { tokenParameter: "/bridges/token" } }),
      'auth.tokenParameter = "/bridges/token": no name of a secret parameter of OOS',
    ],
    [
      "parameter of the vendor's",
      pull({ from: "aws" }, { token: undefined, auth: { tokenParameter: "oos-token" } }),
      "not beginning with aliyun, acs, alibaba, alicloud or oos",
    ],
    [
      "push from AWS",
      pull({ from: "aws" }, { mode: "push" }),
      "for alicloud -> alicloud, not for aws -> alicloud; allowed: set mode: pull",
    ],
    [
      "native between clouds",
      pull({ to: "aws" }, { mode: "native" }),
      "a store's own replication, which crosses neither clouds nor partitions (S3 does not replicate between aws and aws-cn); allowed: set mode: pull, which works for every pair",
    ],
    [
      "native between partitions",
      pull({ from: "aws", to: "aws-cn" }, { mode: "native" }),
      'mode = "native": a store\'s own replication, which crosses neither clouds nor partitions',
    ],
    [
      "push inside AWS",
      push({ from: "aws", to: "aws" }),
      'mode = "push": for alicloud -> alicloud, not for aws -> aws; allowed: native, which is S3\'s own replication, or pull',
    ],
    [
      "push without CloudFlow",
      push({ source: { region: "eu-central-1" } }),
      `mode = "push": carried out by CloudFlow, which is in ${CLOUDFLOW_REGIONS.join(", ")} and not in eu-central-1, the source's region; allowed: set mode: pull`,
    ],
    [
      "push by default without CloudFlow",
      push({ source: { region: "eu-central-1" } }, { mode: undefined }),
      "mode is not set: the default for alicloud -> alicloud is push, which is carried out by CloudFlow",
    ],
    [
      "push between accounts",
      push({ source: { accountId: "3333333333333333" }, destination: { accountId: "4444444444444444" } }),
      "another account than the source's, and mode push reaches both stores with one identity",
    ],
    [
      "accelerated reads of a push",
      push({ source: { acceleration: "global" } }),
      "serves only presigned URLs that the destination reads, on alicloud in mode pull",
    ],
    [
      "accelerated writes of a pull",
      pull({ destination: { acceleration: "global" } }),
      "serves only writes that come from the source's region, on alicloud in mode push",
    ],
    ["acceleration in AWS", pull({ from: "aws", source: { acceleration: "global" } }), "allowed here: none, or leave it out"],
    [
      "copies beyond their URL",
      pull({ from: "aws" }, { copy: { timeoutSeconds: 3481 } }),
      "copy.timeoutSeconds = 3481: longer than a URL lives that is 60 s old when the copy starts; allowed: 60 to 3480",
    ],
    [
      "copies beyond Lambda",
      pull({ to: "aws" }, { copy: { timeoutSeconds: 901 } }),
      "longer than a Lambda function may run; allowed: 60 to 900",
    ],
    [
      "copies beyond a day",
      push({}, { copy: { timeoutSeconds: 86_401 } }),
      "not a whole number of seconds in range; allowed: 60 to 86400",
    ],
    [
      "senders beyond Lambda",
      pull({ from: "aws" }, { timeouts: { senderSeconds: 901 } }),
      "longer than a Lambda function may run; allowed: 5 to 900",
    ],
    [
      "suffixes that OSS does not know",
      native({}, { scope: { suffixes: [".pdf"] } }),
      'scope.suffixes = [".pdf"]: not with mode: native',
    ],
    ["tags that OSS does not know", native({}, { scope: { tags: { a: "b" } } }), "scope.tags"],
    ["a least size", native({}, { scope: { minSizeBytes: 1 } }), "scope.minSizeBytes = 1: not with mode: native"],
    ["a greatest size", native({}, { scope: { maxSizeBytes: 1 } }), "scope.maxSizeBytes = 1: not with mode: native"],
    ["status tags", native({}, { statusTags: true }), "statusTags = true: not with mode: native"],
    ["a prefix of replicas", native({ destination: { prefix: "x/" } }), 'destination.prefix = "x/": not with mode: native'],
    [
      "a class of replicas",
      native({ destination: { storageClass: "IA" } }),
      'destination.storageClass = "IA": not with mode: native',
    ],
    [
      "versions on one side",
      native({ destination: { versioning: false } }),
      "OSS replicates only where both buckets keep versions or neither does",
    ],
    [
      "a key on one side",
      native({ source: { kmsKeyId: "k" } }),
      "destination.kmsKeyId is not set: OSS replicates objects under a key only with a key for the replicas",
    ],
    [
      "more prefixes than a rule of OSS has",
      native({}, { scope: { prefixes: Array.from({ length: 11 }, (_, index) => `${index}/`) } }),
      "more than one rule of OSS takes; allowed: at most 10 that do not lie inside each other, or mode: pull",
    ],
    [
      "backfill",
      push({}, { existingObjects: "replicate" }),
      'existingObjects = "replicate": not in this release with mode: push; allowed: ignore',
    ],
  ];
  test.each(cases)("%s", (_, raw, expected) => {
    const problems = problemsOf(raw);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(expected);
    expect(problems[0]).toMatch(/^crossborderbridge:/);
  });

  test("a pair that native cannot serve is told all that pull needs", () => {
    const sides = { source: PLACES.aws?.source, destination: PLACES["aws-cn"]?.destination };
    expect(problemsOf({ ...sides, mode: "native" }).map((problem) => problem.split(" ")[0])).toEqual([
      "crossborderbridge:mode",
      "crossborderbridge:allowedCidrs",
      "crossborderbridge:token",
    ]);
  });
});
