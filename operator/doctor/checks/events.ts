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
import { awsCommand, bridgeCommandOf, configCommand, inOrder, quoted, refreshCommand, upCommand } from "../paste";

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
  const fix = ownRuleFix(view, configuration, required);
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

/** A deployment writes the whole configuration of a bucket that the program created, without the rules of others. */
function ownRuleFix(view: View, configuration: NotificationConfiguration, required: NotificationConfiguration): string {
  const { stack } = view;
  if (stack.config.source.adopt)
    return awsCommand(view, "s3api put-bucket-notification-configuration", {
      bucket: bucketOf(view),
      "notification-configuration": JSON.stringify(merged(configuration, required, targetName(stack))),
    });
  const hasOthers = rulesOf(configuration).some((rule) => !isOurs(rule, targetName(stack)));
  if (!hasOthers) return refreshCommand(view);
  return `${adoptCommands(view)}\n# then this check prints the command that adds the bridge's rule to those of others: ${bridgeCommandOf(view, "doctor")}`;
}

/**
 * Leaves the bucket and its notifications to the operator. Without the first steps the deployment would delete the bucket or the whole
 * configuration, because the program no longer declares them.
 */
function adoptCommands(view: View): string {
  const { name, config } = view.stack;
  const stack = `--stack ${quoted(name)}`;
  const urn = `.deployment.resources[] | select(.type == "aws:s3/bucketNotification:BucketNotification" and .id == "${bucketOf(view)}") | .urn`;
  return inOrder(
    ...(config.retainBuckets ? [] : [configCommand(view, "retainBuckets", "true"), upCommand(view)]),
    `pulumi state delete ${stack} "$(pulumi stack export ${stack} | jq -r ${quoted(urn)})"`,
    configCommand(view, "source.adopt", "true"),
    upCommand(view),
  );
}

const filterText = ({ prefix, suffix }: EventRule): string =>
  `prefix ${JSON.stringify(prefix)} and suffix ${JSON.stringify(suffix)}`;

/** `s3:ObjectCreated:*` covers `s3:ObjectCreated:Put`. */
const coversEvent = (pattern: string, event: string): boolean =>
  pattern === event || (pattern.endsWith("*") && event.startsWith(pattern.slice(0, -1)));
const covers = (rules: readonly EventRule[], event: string): boolean =>
  rules.some(({ events }) => events.some((pattern) => coversEvent(pattern, event)));

/** The configuration with the required rules in the place of the bridge's own. The rules of others stay. */
function merged(
  configuration: NotificationConfiguration,
  required: NotificationConfiguration,
  ownTarget: string,
): NotificationConfiguration {
  const { QueueConfigurations: queues = [], LambdaFunctionConfigurations: functions = [] } = configuration;
  const { QueueConfigurations: newQueues = [], LambdaFunctionConfigurations: newFunctions = [] } = required;
  const isOther = (arn = "") => arn.split(":").at(-1) !== ownTarget;
  return {
    ...configuration,
    QueueConfigurations: [...queues.filter(({ QueueArn }) => isOther(QueueArn)), ...newQueues],
    LambdaFunctionConfigurations: [...functions.filter(({ LambdaFunctionArn }) => isOther(LambdaFunctionArn)), ...newFunctions],
  };
}

const foreignProblem = (view: View, others: readonly EventRule[]): Problem => ({
  what: `${bucketText(view)} also has the notifications ${others.map(({ id, target }) => `${id} (to ${target})`).join(", ")}, which are not in the program`,
  why: "The program owns the whole notification configuration of a bucket that it created: the next `pulumi up` that touches it removes them.",
  fix: adoptCommands(view),
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
    const configuration = await readNotification(view);
    const inTheWay = rulesOf(configuration).filter((rule) => overlap(planned, rule));
    // EventBridge gets every event of the bucket beside the rules. They stay until their listeners get events from there.
    const added = { ...configuration, EventBridgeConfiguration: {} };
    const fix = [
      awsCommand(view, "s3api put-bucket-notification-configuration", {
        bucket: bucketOf(view),
        "notification-configuration": JSON.stringify(added),
      }),
      `# then make a rule of EventBridge for each of them, with the same target, and take ${inTheWay.map(({ id }) => id).join(", ")} out of the bucket's configuration`,
    ].join("\n");
    return inTheWay.map(({ id, target, events }) => ({
      what: `the notification ${id} of ${bucketText(view)} sends ${events.join(", ")} to ${target}, and overlaps with the bridge's`,
      fix,
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
