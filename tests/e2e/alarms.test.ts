/**
 * The dashboards and the way of an alarm, deployed. The local AWS takes no metrics from logs, so no alarm rings by itself: the test sets its state, as
 * CloudWatch would. From there on everything is the real way: the alarm's action, the topic, the notifier and its webhook.
 */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { CloudWatchClient, DescribeAlarmsCommand, GetDashboardCommand, SetAlarmStateCommand } from "@aws-sdk/client-cloudwatch";
import { ListSubscriptionsByTopicCommand, PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import { ensureCertificate } from "../../local/aws/certificate";
import { clientConfig } from "../../local/aws/client-config";
import { DEFAULT_STATE_DIR } from "../../local/paths";
import { eventually } from "./support/eventually";
import { readLog } from "./support/logs";
import { START_MS, started, startTestStack, type TestStack, testOn } from "./support/stack";

const KEY = "0123456789abcdef";
const SECRET = "SEC4711";
const RUNBOOK = "https://wiki.example.com/runbook";
const NAME = "crossborderbridge-dev";
const DELIVERY_MS = 60_000;

interface Received {
  path: string;
  body: { msgtype?: string; text?: { content?: string } };
}

/** A robot of DingTalk. */
const received: Received[] = [];
let errcode = 0;
const server = createServer();

let stack: TestStack | undefined;
const running = (): TestStack => started(stack);
let cloudwatch: CloudWatchClient;
let sns: SNSClient;

beforeAll(async () => {
  const { certPath, keyPath } = await ensureCertificate(DEFAULT_STATE_DIR);
  server.setSecureContext({ cert: readFileSync(certPath), key: readFileSync(keyPath) });
  server.on("request", (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      received.push({ path: request.url ?? "", body: JSON.parse(Buffer.concat(chunks).toString()) as Received["body"] });
      response.end(JSON.stringify({ errcode, errmsg: errcode === 0 ? "ok" : "sign not match" }));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  stack = await startTestStack({
    settings: {
      "crossborderbridge:alarmEmails": ["ops@example.com"],
      "crossborderbridge:alarmWebhookUrl": `https://127.0.0.1:${port}/robot/send?access_token=${KEY}`,
      "crossborderbridge:alarmWebhookFormat": "dingtalk",
      "crossborderbridge:alarmWebhookSecret": SECRET,
      "crossborderbridge:runbookUrl": RUNBOOK,
    },
  });
  cloudwatch = new CloudWatchClient(clientConfig(stack.source.cloud));
  sns = new SNSClient(clientConfig(stack.source.cloud));
}, START_MS);

afterAll(async () => {
  for (const client of [cloudwatch, sns]) client?.destroy();
  await stack?.stop();
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
});

const it = testOn(() => stack);

it("each side has its dashboard, which names what is deployed", async () => {
  const { local, source, destination } = running();
  const bodyAt = async (client: CloudWatchClient, name: string) =>
    (await client.send(new GetDashboardCommand({ DashboardName: name }))).DashboardBody ?? "";
  expect(await bodyAt(cloudwatch, NAME)).toContain(local.outputs.senderFunctionName);
  expect(source.cloud.endpoint).not.toBe(destination.cloud.endpoint);
  const there = new CloudWatchClient(clientConfig(destination.cloud));
  try {
    const body = await bodyAt(there, `${NAME}-destination`);
    for (const name of [local.outputs.receiverFunctionName, local.outputs.copierFunctionName]) expect(body).toContain(name);
  } finally {
    there.destroy();
  }
  expect(Object.keys(local.outputs.dashboardUrls ?? {}).sort()).toEqual(["destination", "source"]);
});

it("the topic has the address and the notifier", async () => {
  const { Subscriptions = [] } = await sns.send(
    new ListSubscriptionsByTopicCommand({ TopicArn: running().local.outputs.alarmTopicArn }),
  );
  expect(Subscriptions.map(({ Protocol }) => Protocol).sort()).toEqual(["email", "lambda"]);
});

const ring = async (suffix: string, state: "ALARM" | "OK") =>
  cloudwatch.send(
    new SetAlarmStateCommand({ AlarmName: `${NAME}-${suffix}`, StateValue: state, StateReason: "a test of the way" }),
  );

const arrived = (wanted: string): Promise<Received> =>
  eventually(
    () => {
      const found = received.find(({ body }) => body.text?.content?.startsWith(wanted));
      if (found === undefined) throw new Error(`received: ${JSON.stringify(received.map(({ body }) => body.text?.content))}`);
      return found;
    },
    { deadlineMs: DELIVERY_MS, what: `the webhook gets ${wanted}` },
  );

it(
  "an alarm that rings becomes a signed message of DingTalk, with what to do and the link to the runbook",
  async () => {
    await ring("receiver-unreachable", "ALARM");
    const { path, body } = await arrived(`[ALARM] ${NAME}-receiver-unreachable`);
    const lines = body.text?.content?.split("\n") ?? [];
    const { MetricAlarms = [] } = await cloudwatch.send(
      new DescribeAlarmsCommand({ AlarmNames: [`${NAME}-receiver-unreachable`] }),
    );
    expect(lines[1]).toBe(MetricAlarms[0]?.AlarmDescription);
    expect(lines[1]).toMatch(new RegExp(`^Bridge dev: the receiver cannot be reached.* See ${RUNBOOK}#receiver-unreachable$`));
    expect(lines[2]).toBe("Reason: a test of the way");
    const query = new URL(path, "https://localhost").searchParams;
    expect([query.get("access_token"), query.get("sign")?.length]).toEqual([KEY, 44]);
    await ring("receiver-unreachable", "OK");
    await arrived(`[OK] ${NAME}-receiver-unreachable`);
  },
  2 * DELIVERY_MS,
);

it(
  "a message that an operator publishes tries the way",
  async () => {
    const { alarmTopicArn } = running().local.outputs;
    await sns.send(new PublishCommand({ TopicArn: alarmTopicArn, Subject: "A test", Message: "is anybody there?" }));
    await arrived("[MESSAGE] A test\nis anybody there?");
  },
  2 * DELIVERY_MS,
);

it(
  "a robot that refuses the signature makes an error of the notifier, without URL and secret in its log",
  async () => {
    errcode = 310000;
    await ring("late", "ALARM");
    const { source } = running();
    const lines = await eventually(
      async () => {
        const all = await readLog(source.cloud, `${NAME}-notifier`);
        const failed = all.filter(({ message }) => message === "alarm not handed on");
        if (failed.length === 0) throw new Error(`logged: ${all.map(({ message }) => message).join(", ")}`);
        return all;
      },
      { deadlineMs: DELIVERY_MS, what: "the notifier logs the refusal" },
    );
    expect(JSON.stringify(lines)).toContain("security settings (code 310000)");
    expect(JSON.stringify(lines)).not.toMatch(new RegExp(`${KEY}|${SECRET}`));
  },
  2 * DELIVERY_MS,
);
