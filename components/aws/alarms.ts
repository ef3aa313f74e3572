/**
 * Alarms for an operator. One alarm for each kind of trouble, each in time to act: within 10 minutes. docs/runbook.md has a section for each,
 * named as the end of the alarm's name. tests/components/aws/alarms.test.ts rings every one.
 */
import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { seeRunbook } from "../alarm-text";
import type { BridgeContext, Side } from "../cloud";
import { inSourceAccount, PROBER_PARTS } from "../prober";
import { physicalName } from "./account";
import { BRIDGE_NAMESPACE } from "./dashboard-body";
import type { Queues } from "./queues";

/** SQS and the tick report once a minute. */
const PERIOD_SECONDS = 60;
/**
 * A key that fails again and again is put back after 2, 4, 8 ... s (5, 10, 20 ... s for some causes), each between its half and itself. One of
 * these times is always between 3 and 9 minutes. The runtime leaves out keys whose copy runs or waits for its turn.
 */
const LATE_AFTER_MS = 180_000;
/** The longest delay of a put-back, and some minutes more: the alarm does not end between two tries. */
const LATE_MINUTES = 20;

type MetricQuery = aws.types.input.cloudwatch.MetricAlarmMetricQuery;
type Input = pulumi.Input<string>;

interface Watched {
  namespace: Input;
  metricName: string;
  dimensions: Record<string, Input>;
  statistic: "Maximum" | "Sum" | "SampleCount";
}

interface Alarm {
  /** The end of the alarm's name, and the section of the runbook. */
  suffix: string;
  /** Says the fact and the action for the operator. */
  text: string;
  /** One metric, or several with an expression of their names. */
  metrics: Record<string, Watched>;
  expression?: string;
  /** @default 0 */
  above?: number;
  /** Instead of `above`. */
  below?: number;
  /** The alarm fires when this many of the last minutes are bad. */
  bad: number;
  of: number;
  /** Missing minutes are bad. @default false */
  missingIsBad?: boolean;
  /** The end of the logical name in an earlier release. The physical name is the same, so a second resource would delete the alarm. */
  formerly?: string;
}

export interface AlarmArgs {
  queues: Queues;
  senderFunctionName: pulumi.Output<string>;
  /** The alarms are created after it: a bridge without ticks would ring. */
  tick: pulumi.Resource;
}

/** Returns the ARNs of the alarms. */
export function createAlarms(
  context: BridgeContext,
  parent: pulumi.Resource,
  { tick, ...watched }: AlarmArgs,
): pulumi.Output<string>[] {
  const topic =
    context.alarmTopicArn === undefined ? {} : { alarmActions: [context.alarmTopicArn], okActions: [context.alarmTopicArn] };
  return alarmsOf(context.config, watched).map((alarm) => {
    const { suffix, text, above = 0, below, bad, of, missingIsBad = false, formerly } = alarm;
    const created = new aws.cloudwatch.MetricAlarm(
      `${context.name}-${suffix}-alarm`,
      {
        ...topic,
        ...queriesOf(alarm),
        name: `crossborderbridge-${context.config.name}-${suffix}`,
        alarmDescription: `Bridge ${context.config.name}: ${text} ${seeRunbook(context.config, suffix)}`,
        comparisonOperator: below === undefined ? "GreaterThanThreshold" : "LessThanThreshold",
        threshold: below ?? above,
        datapointsToAlarm: bad,
        evaluationPeriods: of,
        treatMissingData: missingIsBad ? "breaching" : "notBreaching",
      },
      {
        parent,
        provider: context.provider,
        dependsOn: [tick],
        ...(formerly === undefined ? {} : { aliases: [{ name: `${context.name}-${formerly}` }] }),
      },
    );
    return created.arn;
  });
}

function queriesOf({ metrics, expression, suffix }: Alarm): Partial<aws.cloudwatch.MetricAlarmArgs> {
  const [only, ...others] = Object.values(metrics);
  if (expression === undefined && only !== undefined && others.length === 0) return { ...only, period: PERIOD_SECONDS };
  const inputs = Object.entries(metrics).map(
    ([id, { statistic, ...metric }]): MetricQuery => ({ id, metric: { ...metric, stat: statistic, period: PERIOD_SECONDS } }),
  );
  return { metricQueries: [{ id: "result", expression, label: suffix, returnData: true }, ...inputs] };
}

function alarmsOf(
  { name, timeouts }: Pick<BridgeContext["config"], "name" | "timeouts">,
  { queues, senderFunctionName }: Omit<AlarmArgs, "tick">,
): Alarm[] {
  const dimensions = { service: "sender", BridgeId: name };
  const sender = (metricName: string, statistic: Watched["statistic"]): Watched => ({
    namespace: BRIDGE_NAMESPACE,
    metricName,
    dimensions,
    statistic,
  });
  const sqs = (queue: aws.sqs.Queue, metricName: string, statistic: Watched["statistic"]): Watched => ({
    namespace: "AWS/SQS",
    metricName,
    dimensions: { QueueName: queue.name },
    statistic,
  });
  const visible = "ApproximateNumberOfMessagesVisible";
  return [
    {
      suffix: "receiver-unreachable",
      text: "the receiver cannot be reached, so keys wait in the outage queue. Nothing is lost, and they go on by themselves. Is the destination up, and does it accept the sender's address and signature?",
      // Not the outage queue's own metrics: each probe hides messages, and SQS leaves a message out of the age after three deliveries.
      metrics: { open: sender("BreakerOpen", "Maximum") },
      bad: 4,
      of: 6,
    },
    {
      suffix: "sender-silent",
      text: "the sender has not run for minutes, though a schedule invokes it every minute. Is the account out of concurrent executions, or the schedule disabled?",
      // CloudWatch looks back over more periods than it counts before it takes data for missing.
      metrics: { ticks: sender("BreakerOpen", "SampleCount") },
      below: 1,
      ...every(3),
      missingIsBad: true,
    },
    {
      suffix: "sender-crashes",
      text: "the sender ended more than once without an answer: out of time, out of memory, or by a fault. A key may do this to every sender that gets it. Its log names the last key.",
      metrics: {
        errors: {
          namespace: "AWS/Lambda",
          metricName: "Errors",
          dimensions: { FunctionName: senderFunctionName },
          statistic: "Sum",
        },
      },
      bad: 2,
      of: 10,
    },
    {
      suffix: "queue-stuck",
      formerly: "age-alarm",
      text: "keys are in the work queue, and none of them is finished. Is the event source mapping enabled, and may the sender read the queue?",
      // Only visible messages: delayed ones are keys that wait on purpose.
      metrics: { waiting: sqs(queues.work, visible, "Maximum"), finished: sqs(queues.work, "NumberOfMessagesDeleted", "Sum") },
      expression: "IF(FILL(finished, 0) > 0, 0, waiting)",
      // A batch may take as long as the sender may run.
      ...every(Math.max(5, Math.ceil(timeouts.senderSeconds / PERIOD_SECONDS) + 1)),
    },
    {
      suffix: "no-success",
      text: "keys are tried and fail, and none succeeds. Read the reason with `npm run bridge -- status`, or in the sender's log.",
      metrics: {
        retried: sender("Retried", "Sum"),
        replicated: sender("Replicated", "Sum"),
        unchanged: sender("Unchanged", "Sum"),
        deleted: sender("Deleted", "Sum"),
      },
      expression: "IF(replicated + unchanged + deleted > 0, 0, retried)",
      bad: 3,
      of: 10,
    },
    {
      suffix: "late",
      text: `a key is not at the destination ${LATE_AFTER_MS / 60_000} minutes after its event. Read the reason with \`npm run bridge -- status\`, or in the sender's log.`,
      metrics: { age: sender("OldestUnprovenAgeMs", "Maximum") },
      above: LATE_AFTER_MS,
      bad: 1,
      of: LATE_MINUTES,
    },
    {
      suffix: "waiting-for-room",
      text: "large objects wait because copy.concurrency copies run already. Raise copy.concurrency if the account has concurrent executions left.",
      // A single key is put back in 4 of the first 6 minutes, and then less and less often.
      metrics: { waiting: sender("WaitingForRoom", "Sum") },
      bad: 4,
      of: 10,
    },
    {
      suffix: "key-parked",
      text: "a key was given up just now. Its letter in the dead-letter queue has the reason. Fix that, then send the letter again.",
      // SQS reports a queue that was idle for hours up to 15 minutes late.
      metrics: { parked: sender("Parked", "Sum") },
      bad: 1,
      of: 1,
    },
    {
      suffix: "dead-letters-not-empty",
      formerly: "dead-letter-alarm",
      text: "there are dead letters. Each names its key and the reason. Fix that, then send the letters again.",
      metrics: { letters: sqs(queues.deadLetters, visible, "Maximum") },
      bad: 1,
      of: 1,
    },
  ];
}

const every = (minutes: number): { bad: number; of: number } => ({ bad: minutes, of: minutes });

/** The section of the runbook for both alarms of a prober. */
const PROBE_SECTION = "the-latency-probe-is-late";
/** Longest delay of the schedule, the log and its metric together. */
const REPORTING_SECONDS = 120;

/** Alarms on the canaries that a side watches for. */
export function createProbeAlarms(
  context: BridgeContext,
  parent: pulumi.Resource,
  { name, side }: { name: string; side: Side },
): void {
  const { config, provider } = context;
  const { everyMinutes, lagAlarmSeconds, giveUpAfterSeconds } = config.probe;
  const physical = physicalName(config.name, PROBER_PARTS[side]);
  // An alarm sends only to topics of its own region and account.
  const reachesTopic = config[side].region === config.source.region && inSourceAccount(config, side);
  const topic = reachesTopic && context.alarmTopicArn !== undefined ? [context.alarmTopicArn] : undefined;
  const period = everyMinutes * 60;
  const common = {
    namespace: BRIDGE_NAMESPACE,
    dimensions: { service: `prober-${side}`, BridgeId: config.name },
    statistic: "Maximum",
    period,
    comparisonOperator: "GreaterThanThreshold",
    ...(topic === undefined ? {} : { alarmActions: topic, okActions: topic }),
  };
  new aws.cloudwatch.MetricAlarm(
    `${name}-lag-alarm`,
    {
      ...common,
      name: `${physical}-late`,
      alarmDescription:
        `Bridge ${config.name}: a canary took more than ${lagAlarmSeconds} s to the ${side}. Read what is late, and why, with ` +
        `\`npm run bridge -- status\`. ${seeRunbook(config, PROBE_SECTION)}`,
      metricName: "ProbeLagMs",
      threshold: lagAlarmSeconds * 1000,
      evaluationPeriods: 1,
      // The alarm ends when a canary is in time, not when there is no canary.
      treatMissingData: "ignore",
    },
    { parent, provider },
  );
  new aws.cloudwatch.MetricAlarm(
    `${name}-gave-up-alarm`,
    {
      ...common,
      name: `${physical}-gave-up`,
      alarmDescription:
        `Bridge ${config.name}: a canary did not come to the ${side} within ${giveUpAfterSeconds} s. Read what waits, and why, with ` +
        `\`npm run bridge -- status\`. Without data the prober at the ${side} does not run: read its log. ` +
        seeRunbook(config, PROBE_SECTION),
      metricName: "ProbeGaveUp",
      threshold: 0,
      // Within this time a working prober reports, whether or not it has found the canary.
      evaluationPeriods: 1 + Math.ceil((giveUpAfterSeconds + REPORTING_SECONDS) / period),
      datapointsToAlarm: 1,
      treatMissingData: "missing",
      ...(topic === undefined ? {} : { insufficientDataActions: topic }),
    },
    { parent, provider },
  );
}
