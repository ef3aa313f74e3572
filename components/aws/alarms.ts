/** What must wake an operator: something was given up, or work does not get done. */
import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import type { BridgeContext } from "../platform";
import { make } from "../transforms";
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
  const transforms = context.transform.trigger;
  const common = {
    namespace: "AWS/SQS",
    statistic: "Maximum",
    period: PERIOD_SECONDS,
    evaluationPeriods: 1,
    comparisonOperator: "GreaterThanThreshold",
    treatMissingData: "notBreaching",
    ...(context.alarmTopicArn === undefined ? {} : { alarmActions: [context.alarmTopicArn], okActions: [context.alarmTopicArn] }),
  };
  make(
    aws.cloudwatch.MetricAlarm,
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
    transforms?.deadLetterAlarm,
  );
  if (queues.queue === undefined) return;
  make(
    aws.cloudwatch.MetricAlarm,
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
    transforms?.ageAlarm,
  );
}
