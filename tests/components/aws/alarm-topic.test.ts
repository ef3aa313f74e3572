/** Who hears the alarms of a source in AWS. */

import * as pulumi from "@pulumi/pulumi";
import { readConfig } from "../../../components/stack";
import { parseEnv } from "../../../runtime/protocol/env";
import { parseWebhook } from "../../../runtime/roles/notifier/notifier";
import { build, policyOf, quietly, type Variation } from "../bridge-fixture";

beforeEach(quietly);

const URL_TEXT = "https://oapi.dingtalk.com/robot/send?access_token=4711";
const WEBHOOK = {
  alarmWebhookUrl: URL_TEXT,
  alarmWebhookFormat: "dingtalk",
  alarmWebhookSecret: "SEC4711",
} as const satisfies Variation;
const TOPIC = "arn:aws:sns:us-east-1:111111111111:crossborderbridge-b-alarms";
const SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription";
const ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm";

test("without a subscriber there is no topic", async () => {
  const { bridge, resources } = await build();
  expect(resources.filter(({ type }) => /^aws:sns/.test(type))).toEqual([]);
  expect(bridge.outputs).not.toHaveProperty("alarmTopicArn");
});

test("each address has a subscription of its own, and every alarm goes to the topic", async () => {
  const { resources } = await build({ alarmEmails: ["ops@example.com", "team@example.com"] });
  const subscriptions = resources.filter(({ type }) => type === SUBSCRIPTION).map(({ inputs }) => inputs);
  expect(subscriptions).toEqual([
    { topic: TOPIC, protocol: "email", endpoint: "ops@example.com" },
    { topic: TOPIC, protocol: "email", endpoint: "team@example.com" },
  ]);
  const alarms = resources.filter(({ type }) => type === ALARM);
  expect(alarms.length).toBeGreaterThan(5);
  for (const { inputs } of alarms) expect(inputs).toMatchObject({ alarmActions: [TOPIC], okActions: [TOPIC] });
});

describe("with a webhook", () => {
  test("the URL and its secret are in a SecureString, and nowhere else", async () => {
    const { get, resources } = await build(WEBHOOK);
    const parameter = get("b-source-webhook");
    expect(parameter.inputs).toMatchObject({ name: "/crossborderbridge/b/source/webhook", type: "SecureString" });
    const { url, secret } = parseWebhook("dingtalk", String(parameter.inputs.value));
    expect([url.href, secret]).toEqual([URL_TEXT, "SEC4711"]);
    const others = resources.filter(({ name }) => name !== "b-source-webhook").map(({ inputs }) => inputs);
    expect(JSON.stringify(others)).not.toMatch(/4711/);
  });

  test("the notifier is told the format and the parameter, and may read it and keep what it did not deliver", async () => {
    const recording = await build(WEBHOOK);
    const { environment } = recording.get("b-notifier", "aws:lambda/function:Function").inputs as {
      environment: { variables: Record<string, string> };
    };
    expect(parseEnv("notifier", environment.variables)).toEqual({
      bridgeId: "b",
      logLevel: "info",
      format: "dingtalk",
      ownAlarm: "crossborderbridge-b-webhook-fails",
      parameter: "/crossborderbridge/b/source/webhook",
    });
    const { Statement } = policyOf(recording, "b-notifier-policy") as { Statement: { Action: string[]; Resource: string[] }[] };
    expect(Statement.map(({ Action, Resource }) => [Action, Resource])).toEqual([
      [["ssm:GetParameter"], ["arn:aws:ssm:us-east-1:111111111111:parameter/crossborderbridge/b/source/webhook"]],
      [["sqs:SendMessage"], ["arn:aws:sqs:us-east-1:111111111111:crossborderbridge-b-undelivered-alarms"]],
      [
        ["logs:CreateLogStream", "logs:PutLogEvents"],
        ["arn:aws:logs:us-east-1:111111111111:log-group:/aws/lambda/crossborderbridge-b-notifier:*"],
      ],
    ]);
  });

  test("the topic alone may invoke the notifier, twice again after a failure, and the event is kept then", async () => {
    const { get } = await build(WEBHOOK);
    expect(get("b-notifier-permission").inputs).toEqual({
      action: "lambda:InvokeFunction",
      function: "crossborderbridge-b-notifier",
      principal: "sns.amazonaws.com",
      sourceArn: TOPIC,
    });
    expect(get("b-notifier-subscription").inputs).toEqual({
      topic: TOPIC,
      protocol: "lambda",
      endpoint: "arn:aws:lambda:us-east-1:111111111111:function:crossborderbridge-b-notifier",
    });
    expect(get("b-notifier-invocations").inputs).toEqual({
      functionName: "crossborderbridge-b-notifier",
      maximumRetryAttempts: 2,
      destinationConfig: {
        onFailure: { destination: "arn:aws:sqs:us-east-1:111111111111:crossborderbridge-b-undelivered-alarms" },
      },
    });
  });

  test("an alarm watches the notifier itself", async () => {
    const { get } = await build(WEBHOOK);
    expect(get("b-webhook-fails-alarm").inputs).toMatchObject({
      name: "crossborderbridge-b-webhook-fails",
      metricName: "Errors",
      dimensions: { FunctionName: "crossborderbridge-b-notifier" },
      alarmActions: [TOPIC],
      alarmDescription: expect.stringMatching(/\? The alarm is tried again twice.* See docs\/runbook\.md#webhook-fails$/),
    });
  });

  test("a URL that is known only while deploying works too", async () => {
    const { get } = await build({ alarmWebhookUrl: pulumi.output(URL_TEXT) });
    expect(JSON.parse(String(get("b-source-webhook").inputs.value))).toEqual({ url: URL_TEXT });
  });
});

test("a stack's URL and secret are secrets for the engine", async () => {
  const values = {
    source: '{"cloud":"aws","region":"us-east-1","bucket":"from-here"}',
    destination: '{"cloud":"aws-cn","region":"cn-north-1","bucket":"to-there"}',
    allowedCidrs: '["198.51.100.0/24"]',
    token: Buffer.alloc(32, 7).toString("base64"),
    ...WEBHOOK,
  };
  const named = Object.entries(values).map(([key, value]) => [`crossborderbridge:${key}`, value]);
  pulumi.runtime.setAllConfig(Object.fromEntries(named));
  const { alarmWebhookUrl, alarmWebhookSecret } = readConfig(new pulumi.Config("crossborderbridge"), "dev");
  for (const secret of [alarmWebhookUrl, alarmWebhookSecret])
    expect(secret !== undefined && (await pulumi.isSecret(secret as pulumi.Output<string>))).toBe(true);
});
