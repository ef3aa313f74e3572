/** The provider checks rules with a schedule as AWS does; the emulator does not. */
import { DescribeRuleCommand, ListTagsForResourceCommand, ListTargetsByRuleCommand } from "@aws-sdk/client-eventbridge";
import { type LocalAws, startLocalAws } from "../../../../local/aws/local-aws";
import { makeClients } from "../../../../local/provider/aws/clients";
import type { AwsContext } from "../../../../local/provider/aws/context";
import { awsPackage } from "../../../../local/provider/aws-provider";
import { Session } from "../../../../local/provider/session";
import type { Properties } from "../../../../local/provider/values";

const RULE = "aws:cloudwatch/eventRule:EventRule";
const TARGET = "aws:cloudwatch/eventTarget:EventTarget";

let local: LocalAws;
let session: Session<AwsContext>;

beforeAll(async () => {
  local = await startLocalAws();
  const pack = awsPackage({ partitions: local });
  session = new Session(pack, await pack.configure({ region: "cn-north-1" }));
}, 300_000);

afterAll(() => local?.stop());

const failures = (token: string, inputs: Properties) =>
  session.check(token, { name: "rule", inputs, olds: {}, seed: new Uint8Array([1]) }).failures;

test.each(["rate(1 minute)", "rate(5 minutes)", "rate(1 hour)", "cron(0 12 * * ? *)"])("%s is accepted", (scheduleExpression) => {
  expect(failures(RULE, { scheduleExpression })).toEqual([]);
});

test.each(["rate(1 minutes)", "rate(5 minute)", "rate(0 minutes)", "rate(30 seconds)", "at(2026-01-01T00:00:00)", "1 minute"])(
  "%s is refused",
  (scheduleExpression) => {
    const reason = expect.stringContaining(`Parameter ScheduleExpression is not valid: ${scheduleExpression}`);
    expect(failures(RULE, { scheduleExpression })).toEqual([{ property: "scheduleExpression", reason }]);
  },
);

test("an invalid name, state and target are refused", () => {
  const scheduleExpression = "rate(1 minute)";
  expect(failures(RULE, { scheduleExpression, name: "no spaces" })).toEqual([expect.objectContaining({ property: "name" })]);
  expect(failures(RULE, { scheduleExpression, state: "on" })).toEqual([expect.objectContaining({ property: "state" })]);
  const queue = { rule: "r", arn: "arn:aws-cn:sqs:cn-north-1:222222222222:queue" };
  expect(failures(TARGET, queue)).toEqual([
    { property: "arn", reason: expect.stringContaining("Lambda functions as targets only") },
  ]);
});

test("the emulator itself refuses a cron of two kinds of days, and a target of no rule", async () => {
  await expect(session.create(RULE, { name: "odd", scheduleExpression: "cron(0 0 1 * 1 *)" })).rejects.toThrow(/not valid/);
  const arn = "arn:aws-cn:lambda:cn-north-1:222222222222:function:f";
  await expect(session.create(TARGET, { rule: "gone", arn, targetId: "t" })).rejects.toThrow(/gone does not exist/);
});

test("a rule changes in place, and is deleted only after its targets", async () => {
  const { events } = makeClients(local["aws-cn"], "cn-north-1");
  const first = { name: "ticks", scheduleExpression: "rate(1 minute)", tagsAll: { from: "test" } };
  const made = await session.create(RULE, first);
  expect(made.outputs).toMatchObject({ arn: "arn:aws-cn:events:cn-north-1:222222222222:rule/ticks", state: "ENABLED" });
  const target = { rule: "ticks", arn: "arn:aws-cn:lambda:cn-north-1:222222222222:function:f", targetId: "t", input: '{"a":1}' };
  const { id } = await session.create(TARGET, target);
  expect(id).toBe("ticks-t");
  const { Targets } = await events.send(new ListTargetsByRuleCommand({ Rule: "ticks" }));
  expect(Targets).toEqual([{ Id: "t", Arn: "arn:aws:lambda:cn-north-1:222222222222:function:f", Input: '{"a":1}' }]);

  const second = {
    ...first,
    scheduleExpression: "rate(2 minutes)",
    state: "DISABLED",
    description: "slow",
    tagsAll: { to: "test" },
  };
  await session.update(RULE, "ticks", { news: second, olds: first, outputs: made.outputs });
  const { $metadata, ...rule } = await events.send(new DescribeRuleCommand({ Name: "ticks" }));
  expect(rule).toMatchObject({ ScheduleExpression: "rate(2 minutes)", State: "DISABLED", Description: "slow" });
  const { Tags } = await events.send(new ListTagsForResourceCommand({ ResourceARN: rule.Arn }));
  expect(Tags).toEqual([{ Key: "to", Value: "test" }]);

  await expect(session.delete(RULE, "ticks", second)).rejects.toThrow("Rule can't be deleted since it has targets: ticks");
  await session.delete(TARGET, id, target);
  expect(await session.read(TARGET, id, target, {})).toBeUndefined();
  await session.delete(RULE, "ticks", second);
  expect(await session.read(RULE, "ticks", second, {})).toBeUndefined();
  await session.delete(RULE, "ticks", second);
});
