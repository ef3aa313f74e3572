import * as pulumi from "@pulumi/pulumi";
import { settled } from "../support/record-resources";
import { type Built, build, policyOf, quietly, type Variation } from "./bridge-fixture";
import { listOf, type Piece } from "./resource-lists";

beforeEach(quietly);

const TOKEN_PARAMETER = { token: undefined, auth: { tokenParameter: "/ours/token" } } satisfies Variation;
const KMS = { kmsKeyArn: "arn:aws:kms:us-east-1:111111111111:key/k1" };

describe("what a variant declares", () => {
  const variants: [string, Variation, { with?: Piece[]; without?: Piece[] }][] = [
    ["the default", {}, {}],
    ["buffer none", { buffer: "none" }, { with: ["direct"], without: ["queue"] }],
    ["a token of the operator's", TOKEN_PARAMETER, { without: ["ownToken"] }],
    ["auth iam", { auth: { kind: "iam" } }, { with: ["iam"] }],
    ["egress static", { egress: "static", allowedCidrs: [] }, { with: ["egress"] }],
    ["an adopted source", { source: { adopt: true } }, { without: ["sourceBucket", "sourceNotification"] }],
    ["an adopted destination", { destination: { adopt: true } }, { without: ["destinationBucket"] }],
    ["a KMS key", { source: KMS }, {}],
    ["status tags and deletes", { statusTags: true, deletes: "replicate" }, {}],
    [
      "China to Global",
      { source: { cloud: "aws-cn", region: "cn-northwest-1" }, destination: { cloud: "aws", region: "eu-west-1" } },
      {},
    ],
    ["inside one partition", { destination: { cloud: "aws", region: "us-west-2" } }, {}],
    [
      "the least there can be",
      { ...TOKEN_PARAMETER, buffer: "none", source: { adopt: true }, destination: { adopt: true } },
      { with: ["direct"], without: ["queue", "ownToken", "sourceBucket", "sourceNotification", "destinationBucket"] },
    ],
  ];
  test.each(variants)("%s", async (_, variation, change) => {
    expect((await build(variation)).list()).toEqual(listOf(change));
  });

  test("without versioning there is no versioning resource", async () => {
    const { resources } = await build({ source: { versioning: false } });
    const names = resources.filter(({ type }) => type.endsWith(":BucketVersioning")).map(({ name }) => name);
    expect(names).toEqual(["b-destination-versioning"]);
  });

  test("buffer none has no queue but the dead letters", async () => {
    const { resources, bridge } = await build({ buffer: "none" });
    expect(resources.filter(({ type }) => /sqs\/queue:|dynamodb|ec2\/|ecs|rds/.test(type)).map(({ name }) => name)).toEqual([
      "b-dead-letters",
    ]);
    expect(bridge.queueUrl).toBeUndefined();
  });
});

describe("the tree", () => {
  const everything = {
    auth: { kind: "iam" },
    egress: "static",
    statusTags: true,
    deletes: "replicate",
    source: KMS,
  } satisfies Variation;

  let whole: Built;
  beforeAll(async () => {
    quietly();
    whole = await build(everything);
  });

  test("every resource hangs in the bridge, on a provider of its own side", () => {
    const { resources } = whole;
    const names = new Set(resources.map(({ name }) => name));
    const roots = resources.filter(({ parent }) => parent === undefined).map(({ name }) => name);
    expect(roots.sort()).toEqual(["b", "destination", "source"]);
    for (const { name, parent } of resources) if (parent !== undefined) expect([name, names.has(parent)]).toEqual([name, true]);
    const custom = resources.filter(({ type }) => type.startsWith("aws:"));
    expect(new Set(custom.map(({ provider }) => provider))).toEqual(new Set(["source", "destination"]));
  });

  test("children hang where a reader looks for them", () => {
    const { resources, get } = whole;
    const parents = {
      "b-source-store": "b",
      "b-destination-store": "b",
      "b-trigger": "b",
      "b-egress": "b",
      "b-receiver-endpoint": "b-receiver",
      "b-receiver-endpoint-api": "b-receiver-endpoint",
      "b-source-versioning": "b-source-store",
      "b-destination-policy": "b-destination-store",
      "b-sender-role": "b-sender",
      "b-queue": "b-trigger",
      "b-source-invoker": "b-trigger",
      "b-destination-token": "b-receiver",
      "b-egress-gateway": "b-egress",
    };
    expect(Object.fromEntries(Object.keys(parents).map((name) => [name, get(name).parent]))).toEqual(parents);
    // A stray child of the bridge itself would be a piece that no component owns.
    const pieces = resources.filter(({ parent }) => parent === "b").map(({ name }) => name);
    expect(pieces.sort()).toEqual(["b-destination-store", "b-egress", "b-receiver", "b-source-store", "b-trigger"]);
  });

  test("every component registers its outputs", () => {
    const { resources } = whole;
    const components = resources.filter(({ type }) => type.startsWith("crossborder:"));
    expect(components.length).toBeGreaterThan(8);
    expect(components.filter(({ outputsRegistered }) => !outputsRegistered)).toEqual([]);
  });

  test("every child has a hook, which may change its arguments and options", async () => {
    let calls = 0;
    const hook = (_: object, opts: pulumi.CustomResourceOptions) => {
      calls++;
      opts.protect = true;
    };
    const hooks: object = new Proxy(hook, { get: () => hooks });
    const { resources } = await build({ ...everything, transform: hooks });
    const custom = resources.filter(({ type }) => type.startsWith("aws:"));
    expect(calls).toBe(custom.length);
    expect(custom.filter(({ protect }) => !protect)).toEqual([]);
  });

  test("buckets and their settings stay by default, everything else goes", async () => {
    const { resources } = await build();
    const kept = resources.filter(({ retainOnDelete }) => retainOnDelete).map(({ type }) => type.split(":").at(-1));
    expect(kept).toHaveLength(14);
    expect(new Set(kept)).toEqual(
      new Set([
        "Bucket",
        "BucketVersioning",
        "BucketPublicAccessBlock",
        "BucketServerSideEncryptionConfiguration",
        "BucketOwnershipControls",
        "BucketPolicy",
        "BucketLifecycleConfiguration",
      ]),
    );
  });

  test("retainBuckets: false lets them go, forceDestroy with their objects", async () => {
    const { resources, get } = await build({ retainBuckets: false, forceDestroy: true });
    expect(resources.filter(({ retainOnDelete }) => retainOnDelete)).toEqual([]);
    expect(get("b-destination").inputs.forceDestroy).toBe(true);
  });
});

describe("order", () => {
  test("S3 is told of the queue when the queue lets it in", async () => {
    expect((await build()).get("b-trigger-notification").dependsOn).toEqual(
      expect.arrayContaining(["b-queue-policy", "b-source-policy", "b-source-versioning"]),
    );
  });
  test("S3 is told of the sender when it may invoke it", async () => {
    expect((await build({ buffer: "none" })).get("b-trigger-notification").dependsOn).toContain("b-trigger-permission");
  });
  test("a function waits for its policy and its log group", async () => {
    const dependencies = (await build()).get("b-receiver", "aws:lambda/function:Function").dependsOn;
    expect(dependencies).toEqual(expect.arrayContaining(["b-receiver-policy", "b-receiver-log"]));
  });
  test("a sender with a fixed address waits for its way out", async () => {
    const dependencies = (await build({ egress: "static" })).get("b-sender", "aws:lambda/function:Function").dependsOn;
    expect(dependencies).toEqual(expect.arrayContaining(["b-egress-private-association", "b-egress-https", "b-sender-network"]));
  });
  test("a deployment snapshots a complete API", async () => {
    const dependencies = (await build()).get("b-receiver-endpoint-deployment").dependsOn;
    expect(dependencies).toEqual(
      expect.arrayContaining(["b-receiver-endpoint-policy", "b-receiver-endpoint-method", "b-receiver-endpoint-integration"]),
    );
  });
});

describe("outputs", () => {
  test("are what an operator needs", async () => {
    const { bridge } = await build({ source: KMS });
    expect(await settled(bridge.sourceBucket)).toBe("from-here");
    expect(await settled(bridge.destinationBucket)).toBe("to-there");
    expect(await settled(bridge.receiverUrl ?? pulumi.output(""))).toBe(
      "https://api1.execute-api.cn-north-1.amazonaws.com.cn/v1/notices",
    );
    expect(Object.keys(bridge.outputs).sort()).toEqual([
      "copierFunctionName",
      "deadLetterQueueUrl",
      "destinationBucket",
      "kmsKeyPolicyStatements",
      "notices",
      "queueUrl",
      "receiverFunctionName",
      "receiverUrl",
      "senderFunctionName",
      "sourceBucket",
    ]);
    expect(JSON.parse(await settled(bridge.kmsKeyPolicyStatements.source ?? pulumi.output("")))).toEqual({
      Sid: "CrossBorderBridgeReads",
      Effect: "Allow",
      Principal: { AWS: ["arn:aws:iam::111111111111:role/crossborderbridge-b-sender"] },
      Action: ["kms:Decrypt"],
      Resource: KMS.kmsKeyArn,
    });
    expect(bridge.kmsKeyPolicyStatements.destination).toBeUndefined();
  });

  test.each([
    ["sqs", { QueueArn: "arn:aws:sqs:us-east-1:111111111111:crossborderbridge-b-queue" }, "QueueConfigurations"],
    [
      "none",
      { LambdaFunctionArn: "arn:aws:lambda:us-east-1:111111111111:function:crossborderbridge-b-sender" },
      "LambdaFunctionConfigurations",
    ],
  ] as const)("an adopted source with buffer %s says what to merge", async (buffer, target, field) => {
    const { bridge } = await build({ buffer, source: { adopt: true }, scope: { prefixes: ["in/"] } });
    expect(JSON.parse(await settled(bridge.requiredNotification ?? pulumi.output("")))).toEqual({
      [field]: [
        {
          Id: "crossborderbridge-b-queue",
          Events: ["s3:ObjectCreated:*", "s3:ObjectTagging:*"],
          Filter: { Key: { FilterRules: [{ Name: "prefix", Value: "in/" }] } },
          ...target,
        },
      ],
    });
    expect(bridge.notices.join()).toContain("requiredNotification");
  });

  test("bad arguments are refused, and a secret among them is not shown", async () => {
    await expect(build({ token: "short" })).rejects.toThrow(/crossborderbridge:token \(a secret\): not a signing secret/);
  });

  test("a token that is known later counts as given", async () => {
    const { get } = await build({ token: pulumi.secret("known-later") });
    expect(get("b-source-token").inputs).toMatchObject({ type: "SecureString", name: "/crossborderbridge/b/source/token" });
  });
});

test("no policy but the bucket's and the queue's transport rules has a wildcard for an action or a resource", async () => {
  const recording = await build({ auth: { kind: "iam" }, statusTags: true, deletes: "replicate", egress: "static" });
  const policies = recording.resources.filter(({ type }) => /(?:RolePolicy|UserPolicy|QueuePolicy|RestApiPolicy)$/.test(type));
  expect(policies).toHaveLength(6);
  for (const { name } of policies) {
    const document = policyOf(recording, name) as {
      Statement: { Effect: string; Action: string | string[]; Resource: string | string[] }[];
    };
    for (const { Effect, Action, Resource } of document.Statement) {
      expect([Resource].flat()).not.toContain("*");
      if (Effect === "Allow") for (const action of [Action].flat()) expect(action).toMatch(/^[a-z0-9-]+:[A-Za-z]+$/);
    }
  }
});
