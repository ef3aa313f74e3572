/** The emulator runs EventBridge rules with a schedule. */
import { on, once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from "@aws-sdk/client-eventbridge";
import { CreateRoleCommand, IAMClient } from "@aws-sdk/client-iam";
import { CreateFunctionCommand, LambdaClient, waitUntilFunctionActiveV2 } from "@aws-sdk/client-lambda";
import { strToU8, zipSync } from "fflate";
import { clientConfig } from "../../../local/aws/client-config";
import { type LocalAws, startLocalAws } from "../../../local/aws/local-aws";

let local: LocalAws;
let events: EventBridgeClient;
let listener: Server;
let requests: AsyncIterator<[IncomingMessage, ServerResponse]>;
let target: string;

/** A function that sends its event to this process. */
const program = (port: number) => `
  const { request } = require("node:http");
  exports.handler = (event) => new Promise((resolve, reject) => {
    const call = request({ host: "127.0.0.1", port: ${port}, method: "POST" }, (answer) => answer.resume().on("end", resolve));
    call.on("error", reject).end(JSON.stringify(event));
  });`;

beforeAll(async () => {
  local = await startLocalAws({ scheduleMinuteMs: 600 });
  const { aws } = local;
  listener = createServer().listen(0, "127.0.0.1");
  requests = on(listener, "request") as AsyncIterator<[IncomingMessage, ServerResponse]>;
  await once(listener, "listening");
  events = new EventBridgeClient(clientConfig(aws));
  const trust = { Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" };
  const AssumeRolePolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: [trust] });
  const made = await new IAMClient(clientConfig(aws)).send(
    new CreateRoleCommand({ RoleName: "called", AssumeRolePolicyDocument }),
  );
  const lambda = new LambdaClient(clientConfig(aws));
  const ZipFile = zipSync({ "index.js": strToU8(program((listener.address() as AddressInfo).port)) });
  const called = await lambda.send(
    new CreateFunctionCommand({
      FunctionName: "called",
      Role: made.Role?.Arn,
      Runtime: "nodejs22.x",
      Handler: "index.handler",
      Code: { ZipFile },
    }),
  );
  target = called.FunctionArn ?? "";
  await waitUntilFunctionActiveV2({ client: lambda, maxWaitTime: 20, minDelay: 1 }, { FunctionName: "called" });
}, 300_000);

afterAll(async () => {
  await local?.stop();
  events?.destroy();
  listener?.close();
});

async function schedule(Name: string, ScheduleExpression: string, State: "ENABLED" | "DISABLED", Input?: string): Promise<void> {
  await events.send(new PutRuleCommand({ Name, ScheduleExpression, State }));
  await events.send(new PutTargetsCommand({ Rule: Name, Targets: [{ Id: "one", Arn: target, Input }] }));
}

async function nextEvent(): Promise<Record<string, unknown>> {
  const { value } = await requests.next();
  const [request, response] = value;
  const event = (await json(request)) as Record<string, unknown>;
  response.end();
  return event;
}

// The tests run in order: each starts with the state that the previous one left.
test("an enabled rule invokes its function with the scheduled event repeatedly", async () => {
  await schedule("ticks", "rate(1 minute)", "ENABLED");
  const { aws } = local;
  const [first, second] = [await nextEvent(), await nextEvent()];
  expect(first).toMatchObject({
    version: "0",
    source: "aws.events",
    "detail-type": "Scheduled Event",
    account: aws.accountId,
    region: aws.region,
    resources: [`arn:aws:events:${aws.region}:${aws.accountId}:rule/ticks`],
    detail: {},
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
  });
  expect(second.id).not.toBe(first.id);
}, 30_000);

test("the target's input replaces the event, and a disabled rule does not invoke its function", async () => {
  await schedule("ticks", "rate(1 minute)", "DISABLED");
  await schedule("own", "rate(2 minutes)", "ENABLED", '{"action":"canary"}');
  // An event that the other rule sent before it was disabled may arrive first.
  let event: Record<string, unknown>;
  do event = await nextEvent();
  while (event.source === "aws.events");
  expect(event).toEqual({ action: "canary" });
  // An enabled rule would send two events before the next one.
  expect(await nextEvent()).toEqual({ action: "canary" });
}, 30_000);
