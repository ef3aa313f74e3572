import * as pulumi from "@pulumi/pulumi";
import { settled } from "../support/record-resources";
import { build, PULL_OUTPUTS, quietly, TOKEN } from "./bridge-fixture";

beforeEach(quietly);
const KMS = { kmsKeyArn: "arn:aws:kms:us-east-1:111111111111:key/k1" };

describe("the tree", () => {
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
    expect(Object.keys(bridge.outputs).sort()).toEqual(PULL_OUTPUTS);
    expect(JSON.parse(await settled(bridge.kmsKeyPolicyStatements.source ?? pulumi.output("")))).toEqual({
      Sid: "CrossBorderBridgeReads",
      Effect: "Allow",
      Principal: { AWS: "arn:aws:iam::111111111111:root" },
      Action: ["kms:Decrypt"],
      Resource: KMS.kmsKeyArn,
      Condition: { StringEquals: { "aws:PrincipalArn": "arn:aws:iam::111111111111:role/crossborderbridge-b-sender" } },
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
          Events: ["s3:ObjectCreated:*", "s3:ObjectTagging:*", "s3:ObjectRemoved:*", "s3:ObjectRestore:Completed"],
          Filter: { Key: { FilterRules: [{ Name: "prefix", Value: "in/" }] } },
          ...target,
        },
      ],
    });
    expect(bridge.notices.join()).toContain("requiredNotification");
  });

  test("bad arguments are refused, and a secret among them is not shown", async () => {
    await expect(build({ token: "short" })).rejects.toThrow(/CrossBorderBridge "b": token \(a secret\): not a signing secret/);
  });

  test("a token that is known later counts as given", async () => {
    const { get } = await build({ token: pulumi.secret(TOKEN) });
    expect(get("b-source-token").inputs).toMatchObject({ type: "SecureString", name: "/crossborderbridge/b/source/token" });
  });
});
