/** Alarms for an operator: a key was given up, work is not done, or work takes too long. */
import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import type { BridgeContext, Side } from "../cloud";
import { inSourceAccount, PROBER_PARTS } from "../prober";
import { physicalName } from "./account";

const PERIOD_SECONDS = 300;
/** The longest delay between two attempts at a key is 15 minutes; older work is stuck. */
const STUCK_AFTER_SECONDS = 1800;

export function createAlarms(
  context: BridgeContext,
  parent: pulumi.Resource,
  queues: { queue: aws.sqs.Queue | undefined; deadLetters: aws.sqs.Queue },
): void {
  const { name, config, provider } = context;
  const common = {
    namespace: "AWS/SQS",
    statistic: "Maximum",
    period: PERIOD_SECONDS,
    evaluationPeriods: 1,
    comparisonOperator: "GreaterThanThreshold",
    treatMissingData: "notBreaching",
    ...(context.alarmTopicArn === undefined ? {} : { alarmActions: [context.alarmTopicArn], okActions: [context.alarmTopicArn] }),
  };
  new aws.cloudwatch.MetricAlarm(
    `${name}-dead-letter-alarm`,
    {
      ...common,
      name: `${physicalName(config.name, "dead-letters")}-not-empty`,
      alarmDescription: `Bridge ${config.name} gave up on objects: read their reasons in the dead-letter queue`,
      metricName: "ApproximateNumberOfMessagesVisible",
      dimensions: { QueueName: queues.deadLetters.name },
      threshold: 0,
    },
    { parent, provider },
  );
  if (queues.queue === undefined) return;
  new aws.cloudwatch.MetricAlarm(
    `${name}-age-alarm`,
    {
      ...common,
      name: `${physicalName(config.name, "queue")}-stuck`,
      alarmDescription: `Bridge ${config.name} has work older than ${STUCK_AFTER_SECONDS} s: is the receiver reachable?`,
      metricName: "ApproximateAgeOfOldestMessage",
      dimensions: { QueueName: queues.queue.name },
      threshold: STUCK_AFTER_SECONDS,
    },
    { parent, provider },
  );
}

/** Namespace of the functions' metrics. A test compares it with the runtime's. */
const PROBER_NAMESPACE = "CrossBorderBridge";
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
    namespace: PROBER_NAMESPACE,
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
      alarmDescription: `A canary of bridge ${config.name} took more than ${lagAlarmSeconds} s to the ${side}`,
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
        `A canary of bridge ${config.name} did not come to the ${side} within ${giveUpAfterSeconds} s; ` +
        "without data nobody watches for them",
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
