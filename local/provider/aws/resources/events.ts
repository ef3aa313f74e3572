import {
  DeleteRuleCommand,
  DescribeRuleCommand,
  ListTargetsByRuleCommand,
  PutRuleCommand,
  PutTargetsCommand,
  RemoveTargetsCommand,
  type RuleState,
  TagResourceCommand,
  UntagResourceCommand,
} from "@aws-sdk/client-eventbridge";
import type { Infer } from "../../schema";
import { type AwsContext, arnOf, clientsOf, ignoreMissing, resource, unlessMissing } from "../context";
import { removedTags, tagList, tagsAllOf } from "../tags";

const ruleInputs = {
  name: "string",
  description: "string",
  // The emulator has event patterns as well; a bridge does not use them.
  "scheduleExpression!": "string",
  state: "string",
  tags: "map",
} as const;

export const eventRule = resource({
  token: "aws:cloudwatch/eventRule:EventRule",
  inputs: ruleInputs,
  computed: ["arn"],
  defaults: { eventBusName: "default", forceDestroy: false, state: "ENABLED" },
  autoname: { property: "name", maxLength: 64 },
  replaceOn: ["name", "region"],
  check: function* ({ name = "", scheduleExpression, state = "ENABLED" }) {
    if (!/^[.\-_A-Za-z0-9]{1,64}$/.test(name)) {
      yield { property: "name", reason: `"${name}" is not a rule's name: 1 to 64 of A-Z, a-z, 0-9, dot, hyphen and underscore` };
    }
    if (!isSchedule(scheduleExpression)) {
      const reason = `ValidationException: Parameter ScheduleExpression is not valid: ${scheduleExpression}; e.g. rate(1 minute), rate(5 minutes)`;
      yield { property: "scheduleExpression", reason };
    }
    if (state !== "ENABLED" && state !== "DISABLED") {
      yield { property: "state", reason: `a rule with a schedule is ENABLED or DISABLED, not ${state}` };
    }
  },
  create: async (context, given) => {
    await putRule(context, given);
    await tagRule(context, given, {});
    return given.name ?? "";
  },
  read: async (context, id) => {
    const found = await unlessMissing(clientsOf(context).events.send(new DescribeRuleCommand({ Name: id })));
    return found && { arn: found.Arn };
  },
  drift: async (context, id, { state = "ENABLED" }) => {
    const { State } = await clientsOf(context).events.send(new DescribeRuleCommand({ Name: id }));
    return State === state ? {} : { state: State };
  },
  update: async (context, _id, news, olds) => {
    await putRule(context, news);
    await tagRule(context, news, olds);
  },
  delete: async (context, id) => {
    const { events } = clientsOf(context);
    const found = await unlessMissing(events.send(new ListTargetsByRuleCommand({ Rule: id })));
    // The emulator would delete the targets with the rule.
    if ((found?.Targets ?? []).length > 0) throw new Error(`Rule can't be deleted since it has targets: ${id}`);
    await ignoreMissing(events.send(new DeleteRuleCommand({ Name: id })));
  },
});

async function putRule(context: AwsContext, given: Infer<typeof ruleInputs>): Promise<void> {
  await clientsOf(context).events.send(
    new PutRuleCommand({
      Name: given.name,
      Description: given.description ?? "",
      ScheduleExpression: given.scheduleExpression,
      State: (given.state ?? "ENABLED") as RuleState,
    }),
  );
}

/** PutRule does not change the tags of an existing rule. */
async function tagRule(context: AwsContext, news: Infer<typeof ruleInputs>, olds: object): Promise<void> {
  const { events } = clientsOf(context);
  const ResourceARN = arnOf(context, "events", `rule/${news.name}`);
  const TagKeys = removedTags(tagsAllOf(news), tagsAllOf(olds));
  if (TagKeys.length > 0) await events.send(new UntagResourceCommand({ ResourceARN, TagKeys }));
  const Tags = tagList(tagsAllOf(news));
  if (Tags.length > 0) await events.send(new TagResourceCommand({ ResourceARN, Tags }));
}

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rate-expressions.html; the emulator parses cron expressions. */
function isSchedule(expression: string): boolean {
  const [, value, plural] = /^rate\((\d+) (?:minute|hour|day)(s?)\)$/.exec(expression) ?? [];
  if (value === undefined) return /^cron\(.+\)$/.test(expression);
  return Number(value) > 0 && (Number(value) === 1) === (plural === "");
}

const targetInputs = {
  "rule!": "string",
  "arn!": "string",
  targetId: "string",
  input: "json",
  retryPolicy: { maximumEventAgeInSeconds: "number", maximumRetryAttempts: "number" },
} as const;

/** The target is a function. The emulator calls it once, without retries, and does not check its policy. */
export const eventTarget = resource({
  token: "aws:cloudwatch/eventTarget:EventTarget",
  inputs: targetInputs,
  computed: [],
  autoname: { property: "targetId", maxLength: 64 },
  replaceOn: ["rule", "targetId", "region"],
  check: function* ({ arn }) {
    if (!/^arn:[\w-]+:lambda:[\w-]+:\d{12}:function:[\w:-]+$/.test(arn)) {
      yield { property: "arn", reason: `${arn}: the local cloud has Lambda functions as targets only` };
    }
  },
  create: async (context, given) => {
    await putTarget(context, given);
    return `${given.rule}-${given.targetId}`;
  },
  read: async (context, _id, { rule: Rule, targetId }) => {
    const found = await unlessMissing(clientsOf(context).events.send(new ListTargetsByRuleCommand({ Rule })));
    return found?.Targets?.some((target) => target.Id === targetId) ? {} : undefined;
  },
  update: (context, _id, news) => putTarget(context, news),
  delete: (context, _id, { rule: Rule, targetId = "" }) =>
    ignoreMissing(clientsOf(context).events.send(new RemoveTargetsCommand({ Rule, Ids: [targetId] }))),
});

async function putTarget(context: AwsContext, given: Infer<typeof targetInputs>): Promise<void> {
  const { rule: Rule, targetId: Id, arn: Arn, input: Input, retryPolicy } = given;
  const RetryPolicy = retryPolicy && {
    MaximumEventAgeInSeconds: retryPolicy.maximumEventAgeInSeconds,
    MaximumRetryAttempts: retryPolicy.maximumRetryAttempts,
  };
  const answer = await clientsOf(context).events.send(
    new PutTargetsCommand({ Rule, Targets: [{ Id, Arn, Input, RetryPolicy }] }),
  );
  const [failed] = answer.FailedEntries ?? [];
  if (failed !== undefined) throw new Error(`${failed.ErrorCode}: ${failed.ErrorMessage} (target ${Id} of rule ${Rule})`);
}
