/** What the children are told: settings that decide safety, and the env contract as the handler will parse it. */
import { maxReceiveCount, visibilityTimeoutSeconds } from "../../components/aws/queues";
import { TICK_EVENT } from "../../components/aws/tick";
import { isTick } from "../../runtime/protocol/queue-messages";
import { build, policyOf, quietly } from "./bridge-fixture";

beforeEach(quietly);

describe("functions", () => {
  test("the copier is never started twice or late by AWS itself", async () => {
    expect((await build()).get("b-copier-invocations").inputs).toEqual({
      functionName: "crossborderbridge-b-copier",
      maximumRetryAttempts: 0,
      maximumEventAgeInSeconds: 60,
    });
  });

  test("with a queue only ticks come asynchronously: a late one is dropped, and none is repeated", async () => {
    expect((await build()).get("b-trigger-invocations").inputs).toEqual({
      functionName: "crossborderbridge-b-sender",
      maximumRetryAttempts: 0,
      maximumEventAgeInSeconds: 60,
    });
  });

  test("events that come directly are kept for six hours, and go to the dead letters when every sender dies of them", async () => {
    expect((await build({ buffer: "none" })).get("b-trigger-invocations").inputs).toEqual({
      functionName: "crossborderbridge-b-sender",
      maximumRetryAttempts: 2,
      maximumEventAgeInSeconds: 21_600,
      destinationConfig: { onFailure: { destination: "arn:aws:sqs:us-east-1:111111111111:crossborderbridge-b-dead-letters" } },
    });
  });
});

describe("queues", () => {
  test.each(["sqs", "none"] as const)("every queue refuses requests without TLS, with buffer %s", async (buffer) => {
    const recording = await build({ buffer });
    const queues = recording.resources.filter(({ type }) => type === "aws:sqs/queue:Queue");
    const policies = recording.resources.filter(({ type }) => type === "aws:sqs/queuePolicy:QueuePolicy");
    expect(queues.length).toBeGreaterThan(1);
    expect(policies).toHaveLength(queues.length);
    for (const { inputs } of policies)
      expect(JSON.parse(inputs.policy as string).Statement).toContainEqual(
        expect.objectContaining({
          Effect: "Deny",
          Principal: "*",
          Action: "sqs:*",
          Condition: { Bool: { "aws:SecureTransport": "false" } },
        }),
      );
    const targets = new Set(policies.map(({ inputs }) => JSON.parse(inputs.policy as string).Statement.at(-1).Resource));
    expect(targets.size).toBe(queues.length);
  });

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
        maxReceiveCount: 1000,
      }),
    });
    expect(get("b-dead-letters").inputs).toMatchObject({ sqsManagedSseEnabled: true, messageRetentionSeconds: 1_209_600 });
  });

  test.each([
    ["the default timeouts", visibilityTimeoutSeconds({ senderSeconds: 90, receiverSeconds: 29 }), 1_000],
    ["the longest timeouts", visibilityTimeoutSeconds({ senderSeconds: 900, receiverSeconds: 29 }), 165],
  ])("with %s a message that ends every sender is moved before the queue drops it", (_, visibility, count) => {
    expect(maxReceiveCount(visibility)).toBe(count);
    expect(count * visibility).toBeLessThanOrEqual(604_800 / 2);
  });

  test.each(["sqs", "none"] as const)("with buffer %s keys wait in the work queue and in the outage queue", async (buffer) => {
    const recording = await build({ buffer });
    const { get } = recording;
    expect(get("b-mapping").inputs).toMatchObject({
      eventSourceArn: "arn:aws:sqs:us-east-1:111111111111:crossborderbridge-b-queue",
      scalingConfig: { maximumConcurrency: 5 },
    });
    expect(get("b-outage").inputs).toEqual({
      name: "crossborderbridge-b-outage",
      sqsManagedSseEnabled: true,
      messageRetentionSeconds: 1_209_600,
    });
    const sids = (name: string) =>
      (policyOf(recording, name) as { Statement: { Sid: string }[] }).Statement.map(({ Sid }) => Sid);
    expect(sids("b-queue-policy")).toEqual([...(buffer === "sqs" ? ["SourceEvents"] : []), "DenyInsecureTransport"]);
    expect(sids("b-outage-policy")).toEqual(["DenyInsecureTransport"]);
    expect(sids("b-dead-letters-policy")).toEqual(["DenyInsecureTransport"]);
  });
});

describe("the tick", () => {
  test("is the event that the sender takes for one", () => {
    expect(isTick(TICK_EVENT)).toBe(true);
  });

  test.each([
    ["aws", "us-east-1", "aws", "111111111111"],
    ["aws-cn", "cn-north-1", "aws-cn", "222222222222"],
  ] as const)("a schedule invokes the sender once a minute in %s", async (cloud, region, partition, account) => {
    const { get } = await build({ source: { cloud, region }, destination: { cloud: "aws", region: "eu-west-1" } });
    const ruleArn = `arn:${partition}:events:${region}:${account}:rule/crossborderbridge-b-tick`;
    expect(get("b-tick").inputs).toMatchObject({ name: "crossborderbridge-b-tick", scheduleExpression: "rate(1 minute)" });
    expect(get("b-tick-permission").inputs).toEqual({
      action: "lambda:InvokeFunction",
      function: "crossborderbridge-b-sender",
      principal: "events.amazonaws.com",
      sourceArn: ruleArn,
    });
    expect(get("b-tick-target").inputs).toEqual({
      rule: "crossborderbridge-b-tick",
      targetId: "sender",
      arn: `arn:${partition}:lambda:${region}:${account}:function:crossborderbridge-b-sender`,
      input: JSON.stringify(TICK_EVENT),
      retryPolicy: { maximumEventAgeInSeconds: 60, maximumRetryAttempts: 0 },
    });
    expect(get("b-tick-target").dependsOn).toEqual(expect.arrayContaining(["b-tick-permission", "b-queue-policy"]));
  });
});

describe("concurrency", () => {
  const reserved = async (variation: Parameters<typeof build>[0]) =>
    (await build(variation)).get("b-sender", "aws:lambda/function:Function").inputs.reservedConcurrentExecutions;

  test("nothing is reserved by default: a new account may have 10 executions in all", async () => {
    expect(await reserved({})).toBeUndefined();
    expect(await reserved({ buffer: "none" })).toBeUndefined();
  });

  test("a reservation holds the senders of the queue, those that S3 invokes, and the tick", async () => {
    expect(await reserved({ reserveConcurrency: true, concurrency: 4 })).toBe(5);
    expect(await reserved({ reserveConcurrency: true, concurrency: 4, buffer: "none" })).toBe(9);
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

  test("is deployed again when its allowlist or its authorization changes, and only then", async () => {
    const contentOf = async (variation: Parameters<typeof build>[0]) =>
      ((await build(variation)).get("b-receiver-endpoint-deployment").inputs.triggers as { content: string }).content;
    const base = await contentOf({});
    expect(await contentOf({ logLevel: "debug" })).toBe(base);
    expect(await contentOf({ allowedCidrs: ["198.51.100.1/32"] })).not.toBe(base);
    expect(await contentOf({ auth: { kind: "iam" } })).not.toBe(base);
  });
});
