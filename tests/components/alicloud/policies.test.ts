/** Every policy in Alibaba Cloud, to the letter. */
import { literal, objectArns, senderPolicy } from "../../../components/alicloud/policies";
import { policyOf, quietly, type Variation } from "../bridge-fixture";
import { ACCOUNT, inOss, native, ossDestination, ossSource, push, recorded } from "./fixture";

beforeEach(quietly);

const FROM = `acs:oss:*:${ACCOUNT}:from-shanghai`;
const TO = `acs:oss:*:${ACCOUNT}:to-silicon-valley`;
const allow = (Action: string[], Resource: string[]) => ({ Effect: "Allow", Action, Resource });
const document = (...Statement: object[]) => ({ Version: "1", Statement });

const logs = (region: string, project: string) =>
  allow(["log:PostLogStoreLogs"], [`acs:log:${region}:${ACCOUNT}:project/${project}/logstore/functions`]);
const SOURCE_LOGS = logs("cn-shanghai", "bridge-b-source-a088eff9");
const DESTINATION_LOGS = logs("us-west-1", "bridge-b-destination-a088eff9");
const PARK = allow(["mns:SendMessage"], [`acs:mns:cn-shanghai:${ACCOUNT}:/queues/crossborderbridge-b-dead-letters/messages`]);
const readSecrets = (region: string, ...names: string[]) => [
  allow(
    ["oos:GetSecretParameter"],
    names.map((name) => `acs:oos:${region}:${ACCOUNT}:secretparameter/${name}`),
  ),
  allow(
    ["kms:GetSecretValue"],
    names.map((name) => `acs:kms:${region}:${ACCOUNT}:secret/oos/${name}`),
  ),
];
const LEASES = (bucket: string) =>
  allow(
    ["oss:GetObject", "oss:PutObject"],
    [`acs:oss:*:${ACCOUNT}:${bucket}-b-bridge-control/.crossborderbridge/b/lease-logs/*`],
  );
const WRITES = [
  "oss:GetObject",
  "oss:PutObject",
  "oss:GetObjectTagging",
  "oss:PutObjectTagging",
  "oss:DeleteObjectTagging",
  "oss:AbortMultipartUpload",
];

const policy = async (variation: Variation, name: string) => policyOf(await recorded(variation), name, "policyDocument");

describe("what each role may do", () => {
  test("the sender, at its least", async () => {
    expect(await policy(ossSource(), "b-sender-policy")).toEqual(
      document(
        allow(["oss:GetObject", "oss:GetObjectTagging"], [`${FROM}/*`]),
        PARK,
        ...readSecrets("cn-shanghai", "crossborderbridge/b/source/token"),
        SOURCE_LOGS,
      ),
    );
  });

  test("the sender, with everything on", async () => {
    const variation = ossSource({
      auth: { kind: "iam" },
      statusTags: true,
      scope: { prefixes: ["in/", "odd*/"] },
      source: { kmsKeyId: "key-1" },
    });
    const objects = [`${FROM}/in/*`, `${FROM}/odd?/*`];
    expect(await policy(variation, "b-sender-policy")).toEqual(
      document(
        allow(["oss:GetObject", "oss:GetObjectTagging"], objects),
        allow(["kms:Decrypt"], [`acs:kms:cn-shanghai:${ACCOUNT}:key/key-1`]),
        allow(["oss:PutObjectVersionTagging"], objects),
        PARK,
        ...readSecrets("cn-shanghai", "crossborderbridge/b/source/token", "crossborderbridge/b/source/invoker"),
        SOURCE_LOGS,
      ),
    );
  });

  test("the receiver", async () => {
    expect(await policy(ossDestination({ destination: { prefix: "copies/" } }), "b-receiver-policy")).toEqual(
      document(
        allow([...WRITES, "oss:DeleteObjectVersion"], [`${TO}/copies/*`]),
        LEASES("to-silicon-valley"),
        allow(["fc:InvokeFunction"], [`acs:fc:us-west-1:${ACCOUNT}:functions/crossborderbridge-b-copier`]),
        ...readSecrets("us-west-1", "crossborderbridge/b/destination/token"),
        DESTINATION_LOGS,
      ),
    );
  });

  test("the copier", async () => {
    expect(await policy(ossDestination({ destination: { kmsKeyId: "key-2" } }), "b-copier-policy")).toEqual(
      document(
        allow([...WRITES, "oss:DeleteObjectVersion", "oss:ListParts"], [`${TO}/*`]),
        LEASES("to-silicon-valley"),
        allow(["kms:GenerateDataKey", "kms:Decrypt"], [`acs:kms:us-west-1:${ACCOUNT}:key/key-2`]),
        DESTINATION_LOGS,
      ),
    );
  });

  test.each([
    [{ deletes: "ignore" }, ["oss:DeleteObjectVersion"]],
    [{ deletes: "replicate" }, ["oss:DeleteObjectVersion", "oss:DeleteObject"]],
    [{ deletes: "ignore", destination: { versioning: false } }, ["oss:DeleteObject"]],
    [{ deletes: "replicate", destination: { versioning: false } }, ["oss:DeleteObject"]],
  ] as const)("the receiver deletes with %j", async (variation, deletes) => {
    const { Statement } = (await policy(ossDestination(variation), "b-receiver-policy")) as { Statement: { Action: string[] }[] };
    expect(Statement[0]?.Action).toEqual([...WRITES, ...deletes]);
  });

  test("the dispatcher", async () => {
    // Whatever encrypts the source: it reads heads and tags only.
    expect(await policy(push({ source: { kmsKeyId: "key-1" } }), "b-dispatcher-policy")).toEqual(
      document(
        allow(["oss:GetObject", "oss:GetObjectTagging"], [`${FROM}/*`]),
        // CloudFlow knows no single flow in these permissions.
        allow(["fnf:StartExecution", "fnf:DescribeExecution"], ["*"]),
        PARK,
        SOURCE_LOGS,
      ),
    );
  });

  test("the pusher, with everything on", async () => {
    const variation = push({
      deletes: "replicate",
      statusTags: true,
      source: { kmsKeyId: "key-1" },
      destination: { kmsKeyId: "key-2", prefix: "copies/" },
    });
    expect(await policy(variation, "b-pusher-policy")).toEqual(
      document(
        allow(["oss:GetObject", "oss:GetObjectTagging"], [`${FROM}/*`]),
        allow(["kms:Decrypt"], [`acs:kms:cn-shanghai:${ACCOUNT}:key/key-1`]),
        allow(["oss:PutObjectVersionTagging"], [`${FROM}/*`]),
        allow([...WRITES, "oss:DeleteObjectVersion", "oss:ListParts", "oss:DeleteObject"], [`${TO}/copies/*`]),
        LEASES("from-shanghai"),
        allow(["kms:GenerateDataKey", "kms:Decrypt"], [`acs:kms:us-west-1:${ACCOUNT}:key/key-2`]),
        PARK,
        SOURCE_LOGS,
      ),
    );
  });

  test.each([
    [inOss(), "b-events-policy", "crossborderbridge-b-sender"],
    [push(), "b-events-policy", "crossborderbridge-b-dispatcher"],
    [push(), "b-flow-policy", "crossborderbridge-b-pusher"],
  ])("a service invokes one function", async (variation, name, functionName) => {
    expect(await policy(variation, name)).toEqual(
      document(allow(["fc:InvokeFunction"], [`acs:fc:cn-shanghai:${ACCOUNT}:functions/${functionName}`])),
    );
  });

  test.each([
    ["ignore", []],
    ["replicate", ["oss:ReplicateDelete"]],
  ] as const)("OSS replicates with deletes: %s", async (deletes, more) => {
    expect(await policy(native({ deletes }), "b-replication-policy")).toEqual(
      document(
        allow(["oss:ReplicateList", "oss:ReplicateGet"], [FROM, `${FROM}/*`]),
        allow(["oss:ReplicateList", "oss:ReplicateGet", "oss:ReplicatePut", ...more], [TO, `${TO}/*`]),
      ),
    );
  });

  test("OSS replicates objects under keys with the keys of both sides", async () => {
    const variation = native({ source: { kmsKeyId: "key-1" }, destination: { kmsKeyId: "key-2" } });
    expect(((await policy(variation, "b-replication-policy")) as { Statement: object[] }).Statement.slice(2)).toEqual([
      allow(["kms:Decrypt"], [`acs:kms:cn-shanghai:${ACCOUNT}:key/key-1`]),
      allow(["kms:GenerateDataKey", "kms:Decrypt"], [`acs:kms:us-west-1:${ACCOUNT}:key/key-2`]),
    ]);
  });
});

test.each([
  [inOss(), { "b-sender-role": "fc", "b-receiver-role": "fc", "b-copier-role": "fc", "b-events-role": "oss" }],
  [push(), { "b-dispatcher-role": "fc", "b-pusher-role": "fc", "b-flow-role": "fnf", "b-events-role": "oss" }],
  [native(), { "b-replication-role": "oss" }],
])("each role trusts one service alone", async (variation, services) => {
  const recording = await recorded(variation);
  const roles = recording.resources.filter(({ type }) => type === "alicloud:ram/role:Role").map(({ name }) => name);
  expect(roles.sort()).toEqual(Object.keys(services).sort());
  for (const [name, service] of Object.entries(services))
    expect([name, policyOf(recording, name, "assumeRolePolicyDocument")]).toEqual([
      name,
      document({ Effect: "Allow", Principal: { Service: [`${service}.aliyuncs.com`] }, Action: "sts:AssumeRole" }),
    ]);
});

test("nobody speaks to a bucket in clear text, its owner included", async () => {
  const recording = await recorded(push());
  for (const [name, bucket] of [
    ["b-source-policy", FROM],
    ["b-destination-policy", TO],
    ["b-control-policy", `${FROM}-b-bridge-control`],
  ] as const)
    expect(policyOf(recording, name)).toEqual(
      document({
        Effect: "Deny",
        Principal: ["*"],
        Action: ["oss:*"],
        Resource: [bucket, `${bucket}/*`],
        Condition: { Bool: { "acs:SecureTransport": ["false"] } },
      }),
    );
});

test("no policy but the dispatcher's, for CloudFlow, has a bare wildcard, and none fits another account", async () => {
  for (const variation of [
    inOss({ statusTags: true, deletes: "replicate" }),
    push({ statusTags: true, deletes: "replicate" }),
    native({ deletes: "replicate" }),
  ]) {
    const recording = await recorded(variation);
    const policies = recording.resources.filter(({ type }) => type === "alicloud:ram/policy:Policy");
    expect(policies.length).toBeGreaterThan(0);
    for (const { name } of policies) {
      const { Statement } = policyOf(recording, name, "policyDocument") as {
        Statement: { Action: string[]; Resource: string[] }[];
      };
      for (const { Action, Resource } of Statement) {
        for (const action of Action) expect(action).toMatch(/^[a-z]+:[A-Za-z]+$/);
        if (Action.every((action) => action.startsWith("fnf:"))) expect([name, Resource]).toEqual(["b-dispatcher-policy", ["*"]]);
        else for (const resource of Resource) expect(resource.split(":")[3]).toBe(ACCOUNT);
      }
    }
  }
});

describe("prefixes in policies", () => {
  test.each([
    [[], ["b/*"]],
    [["in/"], ["b/in/*"]],
    [[""], ["b/*"]],
    [
      ["a*/", "b?/"],
      ["b/a?/*", "b/b?/*"],
    ],
    // Beyond this the policy would not fit; the sender checks the scope itself.
    [Array.from({ length: 50 }, (_, index) => `${"long/".repeat(6)}${index}`), ["b/*"]],
  ])("%j", (prefixes, arns) => {
    expect(objectArns("b", prefixes)).toEqual(arns);
  });

  test("RAM has no escape, so a wildcard becomes any one character", () => {
    expect(literal("a*b?c$")).toBe("a?b?c$");
  });

  test("the longest policy there can be fits", () => {
    const bucketArn = `acs:oss:*:${ACCOUNT}:${"b".repeat(63)}`;
    const prefixes = Array.from({ length: 16 }, (_, index) => `${index}`);
    // As many as are listed.
    expect(objectArns(bucketArn, prefixes)).toHaveLength(16);
    const longest = senderPolicy({
      bucketArn,
      prefixes,
      kmsKeyArn: "k".repeat(120),
      statusTags: true,
      versioned: true,
      deadLetterArn: "q".repeat(120),
      secrets: [1, 2].map(() => ({ parameter: "p".repeat(240), secret: "s".repeat(240) })),
    });
    expect(JSON.stringify(longest).length).toBeLessThan(6144);
  });
});
