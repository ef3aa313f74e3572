/** What the children are told: settings that decide safety, and the env contract as the handler will parse it. */
import { visibilityTimeoutSeconds } from "../../components/aws/queues";
import { build, quietly } from "./bridge-fixture";

beforeEach(quietly);

describe("functions", () => {
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

  test("is deployed again when its allowlist or its authorization changes, and only then", async () => {
    const contentOf = async (variation: Parameters<typeof build>[0]) =>
      ((await build(variation)).get("b-receiver-endpoint-deployment").inputs.triggers as { content: string }).content;
    const base = await contentOf({});
    expect(await contentOf({ logLevel: "debug" })).toBe(base);
    expect(await contentOf({ allowedCidrs: ["198.51.100.1/32"] })).not.toBe(base);
    expect(await contentOf({ auth: { kind: "iam" } })).not.toBe(base);
  });
});
