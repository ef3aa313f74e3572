/** A test for each row of the table of limits: what is at the limit is accepted, and what is above it is refused or noticed. */
import fc from "fast-check";
import { logProjectName, physicalName as ossName } from "../../../components/alicloud/names";
import * as ram from "../../../components/alicloud/policies";
import { physicalName as awsName } from "../../../components/aws/account";
import { replicationPolicy } from "../../../components/aws/native/policies";
import * as iam from "../../../components/aws/policies";
import { lambdaQuotaNotices, noticesOf } from "../../../components/config";
import { environmentSizes } from "../../../components/config/environment";
import { OWN_LIFECYCLE_IDS } from "../../../components/config/lifecycle-rules";
import { LIMITS, type Limit } from "../../../components/config/limits";
import { ADOPTED_OSS_SOURCE_NOTICE } from "../../../components/config/notices";
import { PROBER_PARTS } from "../../../components/prober";
import { CONFIG_VARIABLE, encodeEnv, parseEnv, type RoleConfig } from "../../../runtime/protocol/env";
import { build, quietly, type Variation } from "../bridge-fixture";
import { bridge, native, parse, problemsOf, pull, push, type Raw, rule, TOKEN, withLifecycle, withRules } from "./fixture";

beforeEach(quietly);

const LONGEST_NAME = "n".repeat(32);
const many = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, index) => make(index));
const tagged = (count: number): Raw => Object.fromEntries(many(count, (index) => [`t${index}`, "x"]));

/** Both the last configuration that is accepted and the first that is not. */
function bound(accepted: Raw, refused: Raw, problem: string): void {
  expect(problemsOf(accepted)).toEqual([]);
  expect(problemsOf(refused)).toEqual([expect.stringContaining(problem)]);
}

const ACCOUNT = "123456789012";
const BUCKET = "b".repeat(63);
const arn = (service: string, rest: string) => `arn:aws-cn:${service}:cn-northwest-1:${ACCOUNT}:${rest}`;
const KEY = arn("kms", "key/12345678-1234-1234-1234-123456789012");
const LOG_GROUP = arn("logs", `log-group:/aws/lambda/crossborderbridge-${LONGEST_NAME}-prober-source`);
const acs = (service: string, rest: string) => `acs:${service}:cn-shanghai-finance-1:1234567890123456:${rest}`;

/** Lists of every size, with characters that grow where they are escaped. */
const prefixLists = () =>
  fc.array(fc.oneof(fc.string({ unit: "binary", minLength: 1, maxLength: 300 }), fc.string({ minLength: 1, maxLength: 60 })), {
    maxLength: 50,
  });

function iamPolicies(prefixes: string[]): iam.PolicyDocument[] {
  const bucketArn = `arn:aws-cn:s3:::${BUCKET}`;
  const queue = (part: string) => arn("sqs", `crossborderbridge-${LONGEST_NAME}-${part}`);
  const parameterArns = many(2, (index) => arn("ssm", `parameter/crossborderbridge/${LONGEST_NAME}/destination/${index}`));
  const end = { bucketArn, region: "cn-northwest-1", kmsKeyArn: KEY };
  const sender = iam.senderPolicy({
    bucketArn,
    prefixes,
    tagging: ["s3:PutObjectTagging", "s3:PutObjectVersionTagging"],
    kmsKeyArn: KEY,
    queueArn: queue("queue"),
    outageQueueArn: queue("outage"),
    deadLetterArn: queue("dead-letters"),
    parameterArns,
  });
  const receiver = iam.receiverPolicy({
    bucketArn,
    prefix: prefixes[0] ?? "",
    controlPrefix: `.crossborderbridge/${LONGEST_NAME}/`,
    kmsKeyArn: KEY,
    deletes: "replicate",
    copierArn: arn("lambda", `function:crossborderbridge-${LONGEST_NAME}-copier`),
    parameterArns,
  });
  const replication = replicationPolicy({
    source: end,
    destination: end,
    prefixes,
    deletes: true,
    ownerOverride: true,
    dnsSuffix: "amazonaws.com.cn",
  });
  return [sender, receiver, replication].map((one) => iam.document(...one.Statement, iam.writeLogs(LOG_GROUP)));
}

function ramPolicies(prefixes: string[]): ram.PolicyDocument[] {
  const bucketArn = `acs:oss:*:1234567890123456:${BUCKET}`;
  const queue = (part: string) => acs("mns", `/queues/crossborderbridge-${LONGEST_NAME}-${part}/messages`);
  const secrets = many(2, (index) => ({
    parameter: acs("oos", `secretparameter/crossborderbridge/${LONGEST_NAME}/source/${index}`),
    secret: acs("kms", `secret/oos-secretparameter-crossborderbridge/${LONGEST_NAME}/source/${index}`),
  }));
  const source = { bucketArn, prefixes, kmsKeyArn: acs("kms", `key/${"k".repeat(64)}`), statusTags: true, versioned: true };
  const waiting = { work: queue("queue"), outage: queue("outage") };
  const functionArn = acs("fc", `functions/crossborderbridge-${LONGEST_NAME}-dispatcher`);
  const deadLetterArn = queue("dead-letters");
  const destination = {
    bucketArn,
    prefix: prefixes[0] ?? "",
    versioned: true,
    kmsKeyArn: source.kmsKeyArn,
    controlBucketArn: bucketArn,
    leaseLogsPrefix: `.crossborderbridge/${LONGEST_NAME}/lease-logs/`,
  };
  const logs = ram.writeLogs(acs("log", `project/bridge-${LONGEST_NAME}-destination-12345678/logstore/functions`));
  return [
    ram.senderPolicy({ ...source, deadLetterArn, waiting, functionArn, secrets }),
    ram.receiverPolicy({ ...destination, deletes: "replicate", copierArn: functionArn, secrets }),
    ram.pusherPolicy({ source, destination, deletes: "replicate", deadLetterArn, waiting, dispatcherArn: functionArn }),
  ].map((one) => ram.document(...one.Statement, logs));
}

/** IAM does not count white space; there is none outside of texts. */
function fits(policies: (prefixes: string[]) => object[], { most }: { most: number }): void {
  const sizes = (prefixes: string[]) => policies(prefixes).map((policy) => JSON.stringify(policy).length);
  for (const length of [10, 40, 90, 300, 1000])
    for (let count = 0; count <= 50; count++) {
      const prefixes = many(count, (index) => `${"p".repeat(length - 2)}${String(index).padStart(2, "0")}`);
      for (const size of sizes(prefixes)) expect(size).toBeLessThanOrEqual(most);
    }
  fc.assert(fc.property(prefixLists(), (prefixes) => sizes(prefixes).every((size) => size <= most)));
}

const SENDER: RoleConfig<"sender"> = {
  bridgeId: "b",
  sourceId: "aws:x",
  destinationId: "alicloud:y",
  logLevel: "info",
  source: { kind: "s3", bucket: "x", region: "us-east-1" },
  scope: { prefixes: ["财务/😀/"], suffixes: ["\u007f"], tags: { 部门: "é" }, minSizeBytes: 0 },
  deletes: "ignore",
  statusTags: false,
  queueUrl: "https://q",
  outageQueueUrl: "https://o",
  deadLetterUrl: "https://d",
  receiverUrl: "https://r",
  auth: { kind: "token", parameter: "p" },
  urlExpiresInSeconds: 600,
  receiverTimeoutSeconds: 29,
  inlineLimitBytes: 1,
  maxAttempts: 1,
  giveUpAfterSeconds: 1,
};

const longPrefixes = (count: number) => many(count, (index) => `${"p".repeat(84)}${index}/`);
const TOO_MANY = longPrefixes(48);
const IN_OSS = { source: { cloud: "alicloud", region: "cn-shanghai" } } satisfies Variation;
const TO_OSS = { destination: { cloud: "alicloud", region: "us-west-1" } } satisfies Variation;

const TESTS: Readonly<Record<keyof typeof LIMITS, () => void>> = {
  s3Key: () => {
    const from = (length: number, prefix: string) =>
      pull({ from: "aws", to: "aws", scope: { prefixes: ["p".repeat(length)] }, destination: { prefix } });
    bound(from(1024, ""), from(1025, ""), "not a prefix; allowed: 1 to 1024 bytes");
    bound(from(1022, "x/"), from(1023, "x/"), "at the destination such a key has 1025 bytes or more");
  },
  ossKey: () => {
    const of = (length: number, sides: Raw) => pull({ ...sides, scope: { prefixes: ["p".repeat(length)] } });
    bound(
      of(1023, { to: "aws" }),
      of(1024, { to: "aws" }),
      "1024 bytes, and a key in OSS has at most 1023, so no object is in scope",
    );
    bound(
      of(1023, { from: "aws" }),
      of(1024, { from: "aws" }),
      "has 1024 bytes or more, with destination.prefix, and a key in OSS",
    );
  },
  ossKeyBeginning: () =>
    bound(
      push({ scope: { prefixes: ["x/"] } }),
      push({ scope: { prefixes: ["/x/"] } }),
      "OSS holds no key that begins with / or \\",
    ),
  s3KeyPath: () => {
    const to = (prefix: string) => bridge({ destination: { prefix } });
    bound(to("a/../"), to("a/../../"), "S3 holds no key in which .. leads above the first segment");
    const within = (...prefixes: string[]) => bridge({ destination: { prefix: "a/" }, scope: { prefixes } });
    bound(within("..", "b/.."), within("../"), "so no object is in scope");
    const ofOss = (prefix: string, text: string) => pull({ to: "aws", destination: { prefix }, scope: { prefixes: [text] } });
    bound(ofOss("a/", "../"), ofOss("a/", "../../"), "so every object would be parked");
  },
  s3BucketName: () => {
    for (const bucket of ["xn--a", "sthree-a", "amzn-s3-demo-a", "a-s3alias", "a--ol-s3", "a.mrap", "a--x-s3", "a--table-s3"])
      bound(bridge({ source: { bucket: "data" } }), bridge({ source: { bucket } }), "S3 reserves names that");
    expect(problemsOf(pull({ to: "aws", source: { bucket: "data-s3alias" } }))).toEqual([]);
  },
  s3RegionalBucketName: () => {
    const bucket = "data-111122223333-us-east-1-an";
    bound(bridge({ source: { bucket, adopt: true } }), bridge({ source: { bucket } }), "the regional namespace of an account");
  },
  ossBucketName: () =>
    bound(
      pull({ from: "aws", to: "aws", source: { bucket: "a.b" } }),
      push({ source: { bucket: "a.b" } }),
      "not a bucket name of OSS",
    ),
  s3Tags: () =>
    bound(bridge({ scope: { tags: tagged(10) } }), bridge({ scope: { tags: tagged(11) } }), "more tags than an object can have"),
  ossTags: () =>
    bound(push({ scope: { tags: tagged(10) } }), push({ scope: { tags: tagged(11) } }), "more tags than an object can have"),
  tagName: () => {
    const named = (length: number) => bridge({ scope: { tags: { ["文".repeat(length)]: "x" } } });
    bound(named(128), named(129), "not a tag name; allowed: 1 to 128 characters");
  },
  tagValue: () => {
    const valued = (length: number) => bridge({ scope: { tags: { a: "文".repeat(length) } } });
    bound(valued(256), valued(257), "not a tag value; allowed: 0 to 256 characters");
  },
  resourceTags: () =>
    bound(bridge({ tags: tagged(18) }), bridge({ tags: tagged(19) }), "too many tags; allowed: at most 18 names"),
  resourceTagName: () => {
    const named = (count: number) => bridge({ tags: { [`${"文".repeat(count)}a`]: "x" } });
    bound(named(21), named(22), "not the name of a tag; allowed: 1 to 64 bytes");
  },
  resourceTagValue: () => {
    const valued = (bytes: number) => bridge({ tags: { team: "a".repeat(bytes) } });
    bound(valued(128), valued(129), "not the value of a tag; allowed: at most 128 bytes");
  },
  s3LifecycleRules: () => {
    const rules = (count: number) => withLifecycle(many(count, (index) => ({ id: `r${index}`, expirationDays: 1 })));
    const room = LIMITS.s3LifecycleRules.most - OWN_LIFECYCLE_IDS.length;
    bound(rules(room), rules(room + 1), "too many lifecycle rules; allowed: a list of at most 998 lifecycle rules");
  },
  s3ReplicationRules: () => {
    const rules = (count: number) => withRules(many(count, (index) => rule(`r${index}`, index)));
    bound(rules(1000), rules(1001), "too many replication rules; allowed: a list of at most 1000 replication rules");
  },
  ossReplicationPrefixes: () => {
    const prefixed = (count: number) => native({ scope: { prefixes: many(count, (index) => `${index}/`) } });
    bound(prefixed(10), prefixed(11), "one OSS rule takes at most 10");
  },
  // `declare-bridge.test.ts` has the bridges of one program.
  ossTriggers: () => expect(noticesOf(parse(pull({ to: "aws", source: { adopt: true } })))).toContain(ADOPTED_OSS_SOURCE_NOTICE),
  iamCharacters: () =>
    fc.assert(
      fc.property(prefixLists(), (prefixes) =>
        iam.objectArns("arn:aws:s3:::b", prefixes).every((one) => /^[\t\n\r\u0020-\u00ff]*$/.test(one)),
      ),
    ),
  iamInlinePolicies: () => fits(iamPolicies, LIMITS.iamInlinePolicies),
  ramPolicy: () => fits(ramPolicies, LIMITS.ramPolicy),
  apiGatewayPolicy: () => {
    const allowedCidrs = many(101, (index) => `255.255.255.${100 + (index % 100)}/32`);
    const methodArn = arn("execute-api", "abcdefghij/v1/POST/notices");
    const invokerArn = `arn:aws-cn:iam::${ACCOUNT}:user/crossborderbridge-${LONGEST_NAME}-invoker`;
    const size = JSON.stringify(iam.receiverEndpointPolicy({ methodArn, allowedCidrs, invokerArn })).length;
    expect(size).toBeLessThanOrEqual(LIMITS.apiGatewayPolicy.most);
    const cidrs = (count: number) => bridge({ allowedCidrs: many(count, (index) => `203.0.113.${index}/32`) });
    bound(cidrs(100), cidrs(101), "too many IPv4 networks");
  },
  lambdaEnvironment: () =>
    bound(bridge({ scope: { prefixes: longPrefixes(20) } }), bridge({ scope: { prefixes: TOO_MANY } }), "the sender gets it as"),
  fcEnvironment: () =>
    bound(push({ scope: { prefixes: longPrefixes(20) } }), push({ scope: { prefixes: TOO_MANY } }), "the pusher gets it as"),
  fcEnvironmentCharacters: () => {
    const variables = encodeEnv("sender", SENDER);
    expect(variables[CONFIG_VARIABLE]).toMatch(/^[ -~]+$/);
    expect(parseEnv("sender", variables)).toEqual(SENDER);
  },
  lambdaFunctionName: () => {
    const parts = ["sender", "receiver", "copier", ...Object.values(PROBER_PARTS)] as const;
    for (const part of parts) expect(awsName(LONGEST_NAME, part).length).toBeLessThanOrEqual(LIMITS.lambdaFunctionName.most);
  },
  fcFunctionName: () => {
    const parts = ["sender", "receiver", "copier", "dispatcher", "pusher", ...Object.values(PROBER_PARTS)] as const;
    for (const part of parts) expect(ossName(LONGEST_NAME, part).length).toBeLessThanOrEqual(LIMITS.fcFunctionName.most);
  },
  secretValue: () => {
    const secrets = (count: number) => bridge({ token: Array(count).fill(TOKEN).join(" ") });
    bound(secrets(91), secrets(92), "longer than 4096 characters together, and a parameter");
  },
  iamRoleName: () => {
    const parts = ["sender", "receiver", "copier", ...Object.values(PROBER_PARTS)] as const;
    for (const part of parts) expect(awsName(LONGEST_NAME, part).length).toBeLessThanOrEqual(LIMITS.iamRoleName.most);
    bound(bridge({ name: LONGEST_NAME }), bridge({ name: `${LONGEST_NAME}n` }), "not a name; allowed: 1 to 32");
  },
  ramRoleName: () => {
    const parts = ["sender", "receiver", "copier", "dispatcher", "pusher", "events", "flow", "replication"] as const;
    for (const part of [...parts, ...Object.values(PROBER_PARTS)])
      expect(ossName(LONGEST_NAME, part).length).toBeLessThanOrEqual(LIMITS.ramRoleName.most);
  },
  logProjectName: () => {
    for (const part of ["source", "destination", ...Object.values(PROBER_PARTS)] as const)
      expect(logProjectName(LONGEST_NAME, part, "1").length).toBeLessThanOrEqual(LIMITS.logProjectName.most);
  },
  lambdaConcurrency: () => {
    const config = parse(bridge({ concurrency: 999 }));
    expect(lambdaQuotaNotices(config, "source", 1000)).toEqual([]);
    expect(lambdaQuotaNotices(config, "source", 999)).toEqual([expect.stringContaining("at most 999 Lambda functions at once")]);
  },
  lambdaUnreserved: () => {
    const config = parse(bridge({ reserveConcurrency: true }));
    const quota = LIMITS.lambdaUnreserved.most + 6;
    expect(lambdaQuotaNotices(config, "source", quota)).toEqual([]);
    expect(lambdaQuotaNotices(config, "source", quota - 1)).toEqual([expect.stringContaining("Lambda refuses the reservation")]);
  },
  fcReservable: () => {
    const quota = (concurrency: number) =>
      noticesOf(parse(push({ concurrency }))).filter((notice) => notice.includes("may reserve 90 of them"));
    expect([quota(45), quota(46)]).toEqual([[], [expect.any(String)]]);
  },
  queuedConcurrency: () => bound(bridge({ concurrency: 1000 }), bridge({ concurrency: 1001 }), "too large; allowed: 2 to 1000"),
  lambdaSeconds: () =>
    bound(
      bridge({ copy: { timeoutSeconds: 900 } }),
      bridge({ copy: { timeoutSeconds: 901 } }),
      "longer than a Lambda function may run",
    ),
  fcSeconds: () =>
    bound(
      push({ copy: { timeoutSeconds: 86_400 } }),
      push({ copy: { timeoutSeconds: 86_401 } }),
      "too large; allowed: 60 to 86400",
    ),
  apiGatewaySeconds: () =>
    bound(
      bridge({ timeouts: { receiverSeconds: 29 } }),
      bridge({ timeouts: { receiverSeconds: 30 } }),
      "too large; allowed: 1 to 29",
    ),
  sqsHours: () => {
    bound(bridge({ giveUpAfterHours: 312 }), bridge({ giveUpAfterHours: 313 }), "too large; allowed: 1 to 312");
    expect(312).toBeLessThan(LIMITS.sqsHours.most);
  },
  smqHours: () => {
    bound(push({ giveUpAfterHours: 168 }), push({ giveUpAfterHours: 169 }), "drop a message after 7 days; allowed: 1 to 168");
    expect(parse(push({ giveUpAfterHours: 168 })).giveUpAfterHours).toBe(LIMITS.smqHours.most - 12);
  },
};

test.each(
  Object.entries(LIMITS as Readonly<Record<string, Limit>>).map(([id, row]) => [
    `${row.service}: ${row.what}`,
    id as keyof typeof LIMITS,
  ]),
)("%s", (_, id) => {
  TESTS[id]();
});

const LONG: Variation = {
  name: LONGEST_NAME,
  scope: { prefixes: ["财务/"], tags: { 部门: "é" } },
  deletes: "replicate",
  statusTags: true,
  probe: { enabled: true, everyMinutes: 15 },
};
const CIDRS = many(30, (index) => `203.0.113.${100 + index}/32`);

/** The size of each function's variables, by role. */
function sizesOf(
  resources: readonly { type: string; name: string; inputs: Record<string, unknown> }[],
): { role: string; bytes: number }[] {
  return resources.flatMap(({ type, name, inputs }) => {
    const variables =
      type === "aws:lambda/function:Function"
        ? (inputs.environment as { variables: Record<string, string> }).variables
        : type === "alicloud:fc/v3Function:V3Function"
          ? (inputs.environmentVariables as Record<string, string>)
          : undefined;
    if (variables === undefined) return [];
    const role = /prober/.test(name) ? "prober" : (name.split("-").at(-1) ?? "");
    const bytes = Object.entries(variables).reduce((sum, [key, value]) => sum + key.length + Buffer.byteLength(value), 0);
    return [{ role, bytes }];
  });
}

/** More than the text that a cloud makes may be shorter than its longest form. */
const SLACK = 160;

test.each<[string, Variation]>([
  ["AWS to AWS China", { ...LONG, auth: { kind: "iam" } }],
  ["OSS to OSS by pull", { ...LONG, ...IN_OSS, ...TO_OSS, mode: "pull", allowedCidrs: CIDRS }],
  ["OSS to OSS by push", { ...LONG, ...IN_OSS, ...TO_OSS, mode: "push" }],
  ["AWS to OSS", { ...LONG, ...TO_OSS, allowedCidrs: CIDRS }],
  ["OSS to AWS China", { ...LONG, ...IN_OSS, auth: { kind: "iam" } }],
  ["OSS at a custom domain", { ...LONG, source: { ...IN_OSS.source, customDomain: `${"d".repeat(60)}.example.com` } }],
])("the size of each environment is known before the deployment: %s", async (_, variation) => {
  const source = { cloud: "aws" as const, region: "us-east-1", ...variation.source, bucket: `s${"x".repeat(62)}` };
  const prefix = "目的/";
  const destination = { cloud: "aws-cn" as const, region: "cn-northwest-1", ...variation.destination, bucket: BUCKET, prefix };
  const { resources } = await build({ ...variation, source, destination });
  const { mode = "pull", allowedCidrs = ["198.51.100.0/24"], ...settings } = variation;
  const estimates = environmentSizes(parse({ ...settings, source, destination, mode, allowedCidrs, token: bridge().token }));
  const sorted = (sizes: readonly { role: string; bytes: number }[]) =>
    [...sizes].sort((one, other) => one.role.localeCompare(other.role) || one.bytes - other.bytes);
  const [found, known] = [sorted(sizesOf(resources)), sorted(estimates)];
  expect(found.map(({ role }) => role)).toEqual(known.map(({ role }) => role));
  const over = found.map(({ role, bytes }, index) => ({ role, bytes: (known[index]?.bytes ?? 0) - bytes }));
  expect(over.filter(({ bytes }) => bytes < 0 || bytes > SLACK)).toEqual([]);
});
