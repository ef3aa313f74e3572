/** What the children are told: settings that decide safety, and the env contract as the handler will parse it. */
import { visibilityTimeoutSeconds } from "../../components/aws/queues";
import { CONFIG_VARIABLE, parseEnv, type Role } from "../../runtime/protocol/env";
import type { Recording } from "../support/record-resources";
import { build, quietly } from "./bridge-fixture";

beforeEach(quietly);

const FUNCTION = "aws:lambda/function:Function";

function envOf<R extends Role>(recording: Recording, role: R) {
  const { environment } = recording.get(`b-${role}`, FUNCTION).inputs as { environment: { variables: Record<string, string> } };
  expect(Object.keys(environment.variables)).toEqual([CONFIG_VARIABLE]);
  return parseEnv(role, environment.variables);
}

describe("what a handler reads", () => {
  const ids = { bridgeId: "b", sourceId: "aws:from-here", destinationId: "aws-cn:to-there", logLevel: "info" };

  test("the sender", async () => {
    const recording = await build({
      scope: { prefixes: ["in/"], tags: { team: "x" } },
      deletes: "replicate",
      copy: { timeoutSeconds: 600 },
    });
    expect(envOf(recording, "sender")).toEqual({
      ...ids,
      source: { kind: "s3", bucket: "from-here", region: "us-east-1" },
      scope: { prefixes: ["in/"], suffixes: [], tags: { team: "x" }, minSizeBytes: 0 },
      deletes: "replicate",
      statusTags: false,
      queueUrl: "https://sqs.us-east-1.amazonaws.com/111111111111/crossborderbridge-b-queue",
      deadLetterUrl: "https://sqs.us-east-1.amazonaws.com/111111111111/crossborderbridge-b-dead-letters",
      receiverUrl: "https://api1.execute-api.cn-north-1.amazonaws.com.cn/v1/notices",
      auth: { kind: "token", parameter: "/crossborderbridge/b/source/token" },
      urlExpiresInSeconds: 900,
      receiverTimeoutSeconds: 29,
      maxAttempts: 20,
    });
  });

  test("the sender without a queue", async () => {
    expect(envOf(await build({ buffer: "none" }), "sender")).not.toHaveProperty("queueUrl");
  });

  test("the receiver", async () => {
    const recording = await build({
      destination: { prefix: "copies/", storageClass: "STANDARD_IA", kmsKeyArn: "arn:aws-cn:kms:cn-north-1:222222222222:key/k" },
    });
    expect(envOf(recording, "receiver")).toEqual({
      ...ids,
      destination: {
        kind: "s3",
        bucket: "to-there",
        region: "cn-north-1",
        storageClass: "STANDARD_IA",
        kmsKeyArn: "arn:aws-cn:kms:cn-north-1:222222222222:key/k",
      },
      destinationPrefix: "copies/",
      allowedSources: [{ origin: "https://from-here.s3.us-east-1.amazonaws.com", pathPrefix: "/" }],
      auth: { kind: "token", parameter: "/crossborderbridge/b/destination/token" },
      inlineLimitBytes: 8 * 1024 * 1024,
      timeoutSeconds: 29,
      copier: { functionName: "crossborderbridge-b-copier", timeoutSeconds: 900 },
      allowedCidrs: [],
    });
  });

  test("the copier", async () => {
    expect(envOf(await build({ source: { cloud: "aws-cn", region: "cn-northwest-1" } }), "copier")).toEqual({
      ...ids,
      sourceId: "aws-cn:from-here",
      destination: { kind: "s3", bucket: "to-there", region: "cn-north-1" },
      destinationPrefix: "",
      allowedSources: [{ origin: "https://from-here.s3.cn-northwest-1.amazonaws.com.cn", pathPrefix: "/" }],
      timeoutSeconds: 900,
      partSizeBytes: 16 * 1024 * 1024,
      concurrency: 8,
    });
  });

  test("with auth iam the sender has the invoker's key by name, the receiver has not", async () => {
    const recording = await build({ auth: { kind: "iam", tokenParameter: "/ours" }, token: undefined });
    expect(envOf(recording, "sender").auth).toEqual({
      kind: "iam",
      parameter: "/ours",
      invokerParameter: "/crossborderbridge/b/source/invoker",
      region: "cn-north-1",
    });
    expect(envOf(recording, "receiver").auth).toEqual({ kind: "iam", parameter: "/ours", region: "cn-north-1" });
    const { value } = recording.get("b-source-invoker").inputs;
    expect(JSON.stringify(value)).toContain("mock-secret-access-key");
  });

  test("no secret is in any function's environment", async () => {
    const recording = await build({ auth: { kind: "iam" } });
    const environments = recording.resources.filter(({ type }) => type === FUNCTION).map(({ inputs }) => JSON.stringify(inputs));
    expect(environments).toHaveLength(3);
    for (const text of environments) expect(text).not.toMatch(/mock-secret-access-key|BwcHBwcH/);
  });
});

describe("functions", () => {
  test.each([
    ["sender", 512, 60],
    ["receiver", 1024, 20],
    ["copier", 2048, 300],
  ])("%s", async (role, memorySize, timeout) => {
    const { get } = await build({
      timeouts: { senderSeconds: 60, receiverSeconds: 20 },
      copy: { timeoutSeconds: 300, memoryMb: 2048 },
      logRetentionDays: 7,
    });
    expect(get(`b-${role}`, FUNCTION).inputs).toMatchObject({
      name: `crossborderbridge-b-${role}`,
      runtime: "nodejs22.x",
      architectures: ["x86_64"],
      handler: "index.handler",
      memorySize,
      timeout,
      loggingConfig: { logFormat: "Text", logGroup: `/aws/lambda/crossborderbridge-b-${role}` },
    });
    expect(get(`b-${role}-log`).inputs).toEqual({ name: `/aws/lambda/crossborderbridge-b-${role}`, retentionInDays: 7 });
  });

  test("the copier is never started twice or late by AWS itself", async () => {
    expect((await build()).get("b-copier-invocations").inputs).toEqual({
      functionName: "crossborderbridge-b-copier",
      maximumRetryAttempts: 0,
      maximumEventAgeInSeconds: 60,
    });
  });

  test("without a queue, what fails for good goes to the dead letters", async () => {
    expect((await build({ buffer: "none" })).get("b-trigger-invocations").inputs).toEqual({
      functionName: "crossborderbridge-b-sender",
      maximumRetryAttempts: 2,
      maximumEventAgeInSeconds: 21_600,
      destinationConfig: { onFailure: { destination: "arn:aws:sqs:us-east-1:111111111111:crossborderbridge-b-dead-letters" } },
    });
  });

  test("a sender with a fixed address runs in the private subnet", async () => {
    const { get } = await build({ egress: "static" });
    expect(get("b-sender", FUNCTION).inputs.vpcConfig).toEqual({
      subnetIds: ["b-egress-private-id"],
      securityGroupIds: ["b-egress-group-id"],
    });
    expect(get("b-egress-https").inputs).toMatchObject({ ipProtocol: "tcp", fromPort: 443, toPort: 443 });
    expect(get("b-egress-private-way-out").inputs.natGatewayId).toBe("b-egress-gateway-id");
    expect(get("b-egress-private").inputs.availabilityZone).toBe("us-east-1a");
    expect(get("b-sender-network").inputs.policyArn).toBe("arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole");
  });
});

describe("queues", () => {
  test("an attempt ends before its message is seen again, whatever the timeouts", async () => {
    for (const timeouts of [
      { senderSeconds: 20, receiverSeconds: 10 },
      { senderSeconds: 900, receiverSeconds: 29 },
    ]) {
      const visible = visibilityTimeoutSeconds(timeouts);
      expect(visible).toBeGreaterThan(timeouts.senderSeconds + timeouts.receiverSeconds);
      expect(visible).toBeLessThanOrEqual(43_200);
    }
    const { get } = await build({ timeouts: { senderSeconds: 20, receiverSeconds: 10 } });
    expect(get("b-queue").inputs).toEqual({
      name: "crossborderbridge-b-queue",
      sqsManagedSseEnabled: true,
      visibilityTimeoutSeconds: 50,
      messageRetentionSeconds: 604_800,
      redrivePolicy: JSON.stringify({
        deadLetterTargetArn: "arn:aws:sqs:us-east-1:111111111111:crossborderbridge-b-dead-letters",
        maxReceiveCount: 10,
      }),
    });
    expect(get("b-dead-letters").inputs).toMatchObject({ sqsManagedSseEnabled: true, messageRetentionSeconds: 1_209_600 });
  });

  test("the mapping reports single failures and keeps to its concurrency", async () => {
    expect((await build({ concurrency: 3 })).get("b-mapping").inputs).toEqual({
      eventSourceArn: "arn:aws:sqs:us-east-1:111111111111:crossborderbridge-b-queue",
      functionName: "crossborderbridge-b-sender",
      batchSize: 10,
      functionResponseTypes: ["ReportBatchItemFailures"],
      scalingConfig: { maximumConcurrency: 3 },
    });
  });

  test("alarms go to the topic", async () => {
    const topic = "arn:aws:sns:us-east-1:111111111111:ops";
    const { get } = await build({ alarmTopicArn: topic });
    expect(get("b-dead-letter-alarm").inputs).toMatchObject({
      metricName: "ApproximateNumberOfMessagesVisible",
      dimensions: { QueueName: "crossborderbridge-b-dead-letters" },
      threshold: 0,
      alarmActions: [topic],
    });
    expect(get("b-age-alarm").inputs).toMatchObject({ metricName: "ApproximateAgeOfOldestMessage", alarmActions: [topic] });
  });
});

describe("the endpoint", () => {
  test("is regional, throttled, and lets API Gateway call one function", async () => {
    const { get } = await build({ rateLimit: { requestsPerSecond: 5, burst: 9 } });
    expect(get("b-receiver-endpoint-api").inputs.endpointConfiguration).toEqual({ types: "REGIONAL" });
    expect(get("b-receiver-endpoint-throttling").inputs.settings).toEqual({ throttlingRateLimit: 5, throttlingBurstLimit: 9 });
    expect(get("b-receiver-endpoint-permission").inputs).toEqual({
      action: "lambda:InvokeFunction",
      function: "crossborderbridge-b-receiver",
      principal: "apigateway.amazonaws.com",
      sourceArn: "arn:aws-cn:execute-api:cn-north-1:222222222222:api1/v1/POST/notices",
    });
  });

  test.each([
    [{}, "NONE"],
    [{ auth: { kind: "iam" } }, "AWS_IAM"],
  ] as const)("with %j asks for %s", async (variation, authorization) => {
    expect((await build(variation)).get("b-receiver-endpoint-method").inputs).toMatchObject({
      httpMethod: "POST",
      authorization,
    });
  });

  test("is deployed again when its allowlist or its authorization changes, and only then", async () => {
    const contentOf = async (variation: Parameters<typeof build>[0]) =>
      ((await build(variation)).get("b-receiver-endpoint-deployment").inputs.triggers as { content: string }).content;
    const base = await contentOf({});
    expect(await contentOf({ logLevel: "debug" })).toBe(base);
    expect(await contentOf({ allowedCidrs: ["198.51.100.1/32"] })).not.toBe(base);
    expect(await contentOf({ auth: { kind: "iam" } })).not.toBe(base);
  });
});

describe("buckets", () => {
  test("events", async () => {
    const { get } = await build({ deletes: "replicate", scope: { prefixes: ["in/"], suffixes: [".pdf"] } });
    expect(get("b-trigger-notification").inputs).toEqual({
      bucket: "from-here",
      queues: [
        {
          id: "crossborderbridge-b-queue",
          events: ["s3:ObjectCreated:*", "s3:ObjectTagging:*", "s3:ObjectRemoved:*", "s3:LifecycleExpiration:*"],
          filterPrefix: "in/",
          filterSuffix: ".pdf",
          queueArn: "arn:aws:sqs:us-east-1:111111111111:crossborderbridge-b-queue",
        },
      ],
    });
  });

  test.each([
    [{}, [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }]],
    [
      { kmsKeyArn: "arn:aws:kms:us-east-1:111111111111:key/k" },
      [
        {
          applyServerSideEncryptionByDefault: {
            sseAlgorithm: "aws:kms",
            kmsMasterKeyId: "arn:aws:kms:us-east-1:111111111111:key/k",
          },
          bucketKeyEnabled: true,
        },
      ],
    ],
  ])("encryption of a source with %j", async (source, rules) => {
    expect((await build({ source })).get("b-source-encryption").inputs.rules).toEqual(rules);
  });

  test("leftovers go: abandoned uploads on both sides, the bridge's records at the destination", async () => {
    const { get } = await build();
    const uploads = {
      id: "abort-abandoned-uploads",
      status: "Enabled",
      filter: { prefix: "" },
      abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
    };
    expect(get("b-source-lifecycle").inputs.rules).toEqual([uploads]);
    expect(get("b-destination-lifecycle").inputs.rules).toEqual([
      uploads,
      {
        id: "expire-bridge-records",
        status: "Enabled",
        filter: { prefix: ".crossborderbridge/" },
        expiration: { days: 7 },
        noncurrentVersionExpiration: { noncurrentDays: 1 },
      },
    ]);
  });
});
