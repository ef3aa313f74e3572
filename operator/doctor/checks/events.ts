/** The way of an event from the source bucket to its function: notifications, queues, mapping, trigger. */
import {
  GetBucketNotificationConfigurationCommand,
  type LambdaFunctionConfiguration,
  type NotificationConfiguration,
  type QueueConfiguration,
} from "@aws-sdk/client-s3";
import { isAws } from "../../../components/config/clouds";
import { at, parseJson, textAt } from "../../../runtime/protocol/json";
import {
  alicloudOf,
  awsOf,
  bucketOf,
  bucketText,
  type Check,
  type CheckedStack,
  hasBucket,
  type Problem,
  type View,
} from "../check";
import { awsCommand, configCommand, inOrder, refreshCommand, upCommand } from "../paste";

/** The one side that sends events. */
const source = ["source"] as const;
const isPullFromAws = ({ config }: CheckedStack): boolean => config.mode === "pull" && isAws(config.source.cloud);

/** A rule of a notification, whatever it sends to. */
export interface EventRule {
  id: string;
  /** ARN of a queue, function or topic. */
  target: string;
  events: readonly string[];
  prefix: string;
  suffix: string;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketNotificationConfiguration.html */
export function rulesOf(configuration: NotificationConfiguration): EventRule[] {
  const { QueueConfigurations = [], LambdaFunctionConfigurations = [], TopicConfigurations = [] } = configuration;
  const rule = (one: Pick<QueueConfiguration, "Id" | "Events" | "Filter">, target = ""): EventRule => {
    const filterOf = (name: string) =>
      one.Filter?.Key?.FilterRules?.find(({ Name = "" }) => Name.toLowerCase() === name)?.Value ?? "";
    return { id: one.Id ?? "", target, events: one.Events ?? [], prefix: filterOf("prefix"), suffix: filterOf("suffix") };
  };
  return [
    ...QueueConfigurations.map((one) => rule(one, one.QueueArn)),
    ...LambdaFunctionConfigurations.map((one: LambdaFunctionConfiguration) => rule(one, one.LambdaFunctionArn)),
    ...TopicConfigurations.map((one) => rule(one, one.TopicArn)),
  ];
}

const readNotification = async (view: View): Promise<NotificationConfiguration> => {
  const command = new GetBucketNotificationConfigurationCommand({ Bucket: bucketOf(view) });
  const { $metadata: _, ...configuration } = await awsOf(view).s3.send(command, { abortSignal: view.signal });
  return configuration;
};

/** The last part of the ARN of the queue, or with `buffer: none` of the sender, that the events go to. */
function targetName({ outputs, config }: CheckedStack): string {
  const name = config.buffer === "none" ? outputs?.senderFunctionName : outputs?.queueUrl?.split("/").at(-1);
  return name ?? "";
}

const isOurs = (rule: EventRule, name: string): boolean => rule.target.split(":").at(-1) === name;

const notification: Check = {
  name: "notification",
  looksAt:
    "the notification configuration of the source bucket: the bridge's own rule, and rules of others that `pulumi up` would remove",
  why: "A bucket has one notification configuration. Without the bridge's rule in it no event arrives, and nothing is replicated.",
  when: "after",
  needs: ["bucket"],
  sides: (stack) => (isPullFromAws(stack) ? source : []),
  async run(view) {
    const configuration = await readNotification(view);
    const name = targetName(view.stack);
    const rules = rulesOf(configuration);
    const own = rules.filter((rule) => isOurs(rule, name));
    const others = rules.filter((rule) => !isOurs(rule, name));
    const problems = ownRuleProblems(view, configuration, own);
    if (others.length > 0 && !view.stack.config.source.adopt) problems.push(foreignProblem(view, others));
    return problems;
  },
};

/** The rules that an operator merges into the configuration of an adopted bucket. */
const requiredIn = ({ outputs }: CheckedStack): NotificationConfiguration =>
  (parseJson(outputs?.requiredNotification ?? "{}") ?? {}) as NotificationConfiguration;

function ownRuleProblems(view: View, configuration: NotificationConfiguration, own: readonly EventRule[]): Problem[] {
  const { stack } = view;
  const required = stack.config.source.adopt ? requiredIn(stack) : {};
  const wanted = rulesOf(required)[0];
  const merge = awsCommand(view, "s3api put-bucket-notification-configuration", {
    bucket: bucketOf(view),
    "notification-configuration": JSON.stringify(merged(configuration, required)),
  });
  const fix = stack.config.source.adopt ? merge : refreshCommand(view);
  const [rule] = own;
  if (rule === undefined) return [{ what: `the notifications of ${bucketText(view)} send nothing to ${targetName(stack)}`, fix }];
  const missing = (wanted?.events ?? ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]).filter((event) => !covers(own, event));
  if (missing.length > 0)
    return [{ what: `the notification ${rule.id} of ${bucketText(view)} leaves out ${missing.join(", ")}`, fix }];
  if (wanted === undefined || (wanted.prefix === rule.prefix && wanted.suffix === rule.suffix)) return [];
  return [
    {
      what: `the notification ${rule.id} of ${bucketText(view)} filters by ${filterText(rule)}, and the settings need ${filterText(wanted)}`,
      fix,
    },
  ];
}

const filterText = ({ prefix, suffix }: EventRule): string =>
  `prefix ${JSON.stringify(prefix)} and suffix ${JSON.stringify(suffix)}`;

/** `s3:ObjectCreated:*` covers `s3:ObjectCreated:Put`. */
const coversEvent = (pattern: string, event: string): boolean =>
  pattern === event || (pattern.endsWith("*") && event.startsWith(pattern.slice(0, -1)));
const covers = (rules: readonly EventRule[], event: string): boolean =>
  rules.some(({ events }) => events.some((pattern) => coversEvent(pattern, event)));

/** The configuration with the required rules, in the place of those of the same id. */
function merged(configuration: NotificationConfiguration, required: NotificationConfiguration): NotificationConfiguration {
  const { QueueConfigurations: queues = [], LambdaFunctionConfigurations: functions = [] } = configuration;
  const { QueueConfigurations: newQueues = [], LambdaFunctionConfigurations: newFunctions = [] } = required;
  const replaced = new Set([...newQueues, ...newFunctions].map(({ Id }) => Id));
  const kept = <R extends { Id?: string | undefined }>(rules: readonly R[]) => rules.filter(({ Id }) => !replaced.has(Id));
  return {
    ...configuration,
    QueueConfigurations: [...kept(queues), ...newQueues],
    LambdaFunctionConfigurations: [...kept(functions), ...newFunctions],
  };
}

const foreignProblem = (view: View, others: readonly EventRule[]): Problem => ({
  what: `${bucketText(view)} also has the notifications ${others.map(({ id, target }) => `${id} (to ${target})`).join(", ")}, which are not in the program`,
  why: "The program owns the whole notification configuration of a bucket that it created: the next `pulumi up` that touches it removes them.",
  fix: inOrder(configCommand(view, "source.adopt", "true"), upCommand(view)),
});

/** S3 refuses two rules for one event whose prefixes and suffixes overlap. https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html */
const overlap = (one: EventRule, other: EventRule): boolean =>
  one.events.some((event) => covers([other], event) || covers([{ ...one, events: other.events }], event)) &&
  (one.prefix.startsWith(other.prefix) || other.prefix.startsWith(one.prefix)) &&
  (one.suffix.endsWith(other.suffix) || other.suffix.endsWith(one.suffix));

const notificationConflict: Check = {
  name: "notification-conflict",
  looksAt: "rules in the notification configuration of a bucket to be adopted that the bridge's rule would overlap with",
  why: "S3 refuses two rules for the same event whose prefixes and suffixes overlap, so the bridge's rule cannot be merged in.",
  when: "before",
  needs: ["bucket"],
  sides: (stack) => (isPullFromAws(stack) && hasBucket(stack, "source") ? source : []),
  async run(view) {
    const { prefixes, suffixes } = view.stack.config.scope;
    const one = (list: readonly string[]) => (list.length === 1 ? (list[0] ?? "") : "");
    const planned: EventRule = {
      ...{ id: "", target: "", prefix: one(prefixes), suffix: one(suffixes) },
      events: ["s3:ObjectCreated:*", "s3:ObjectTagging:*", "s3:ObjectRemoved:*"],
    };
    const inTheWay = rulesOf(await readNotification(view)).filter((rule) => overlap(planned, rule));
    return inTheWay.map(({ id, target, events }) => ({
      what: `the notification ${id} of ${bucketText(view)} sends ${events.join(", ")} to ${target}, and overlaps with the bridge's`,
      fix:
        "send both from one topic or from EventBridge: move that rule there, then: " +
        awsCommand(view, "s3api put-bucket-notification-configuration", {
          bucket: bucketOf(view),
          "notification-configuration": '{"EventBridgeConfiguration":{}}',
        }),
    }));
  },
};

const trigger: Check = {
  name: "trigger",
  looksAt: "the OSS trigger of the sender or the dispatcher",
  why: "Without its trigger Function Compute gets no event of the bucket, and nothing is replicated.",
  when: "after",
  needs: ["credentials"],
  sides: ({ config }) => (config.source.cloud === "alicloud" && config.mode !== "native" ? source : []),
  async run(view) {
    const { senderFunctionName, dispatcherFunctionName } = view.stack.outputs ?? {};
    const name = senderFunctionName ?? dispatcherFunctionName ?? "";
    // Named by `components/alicloud/oss-events.ts`.
    const triggerName = `crossborderbridge-${view.stack.config.name}-events`;
    const path = `/functions/${encodeURIComponent(name)}/triggers/${triggerName}`;
    const found = await alicloudOf(view).functionCompute("GetTrigger", path, view.signal);
    const fix = refreshCommand(view);
    if (found === undefined) return [{ what: `the function ${name} has no trigger ${triggerName}`, fix }];
    const bucket = textAt(found, "sourceArn")?.split(":").at(-1);
    if (bucket !== undefined && bucket !== bucketOf(view))
      return [{ what: `the trigger ${triggerName} gets the events of the bucket ${bucket}, not of ${bucketOf(view)}`, fix }];
    const config = at(found, "triggerConfig");
    const events = at(typeof config === "string" ? parseJson(config) : config, "events");
    const created = "oss:ObjectCreated:PutObject";
    const isHeard = !Array.isArray(events) || events.some((event) => coversEvent(String(event), created));
    return isHeard ? [] : [{ what: `the trigger ${triggerName} leaves out ${created}`, fix }];
  },
};

export const EVENT_CHECKS: readonly Check[] = [notification, notificationConflict, trigger];
