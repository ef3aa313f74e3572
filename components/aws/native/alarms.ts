/** Alarms for an operator: replication falls behind, or S3 gave objects up. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { seeRunbook } from "../../alarm-text";
import { isCrossAccount } from "./accounts";
import type { ReplicatedBucket, ReplicationRule } from "./rules";

const PERIOD_SECONDS = 300;

export interface ReplicationAlarmArgs {
  rule: ReplicationRule;
  source: ReplicatedBucket;
  destination: ReplicatedBucket;
  lagAlarmSeconds: number;
  /** The operator's own copy of the runbook, which the alarms' texts link. */
  runbookUrl?: string | undefined;
  /** Prefix of the physical names. @default generated names */
  physicalName: string | undefined;
  parent: pulumi.Resource;
}

/**
 * Each rule has its own metrics. S3 reports the latency in the destination's region and failures in the source's. An alarm sends only to
 * topics of its own region. Returns the ARNs.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/metrics-dimensions.html
 */
export function createReplicationAlarms(name: string, args: ReplicationAlarmArgs): pulumi.Output<string>[] {
  const { rule, source, destination, parent } = args;
  const way = pulumi.interpolate`${source.bucketName} to ${destination.bucketName} by rule ${rule.id}`;
  const common = {
    namespace: "AWS/S3",
    dimensions: { SourceBucket: source.bucketName, DestinationBucket: destination.bucketName, RuleId: rule.id },
    period: PERIOD_SECONDS,
    evaluationPeriods: 1,
    comparisonOperator: "GreaterThanThreshold",
  };
  const see = (section: string) => seeRunbook(args, section);
  const actions = ({ alarmTopicArn }: ReplicatedBucket) =>
    alarmTopicArn === undefined ? {} : { alarmActions: [alarmTopicArn], okActions: [alarmTopicArn] };
  const named = (what: string) =>
    args.physicalName === undefined ? {} : { name: `${args.physicalName}-${rule.priority}-${what}` };
  const lag = new aws.cloudwatch.MetricAlarm(
    `${name}-${rule.priority}-lag-alarm`,
    {
      ...common,
      ...named("lag"),
      // The alarm belongs to the source's account, which the provider of a destination in another account cannot use.
      ...(isCrossAccount(source, destination) ? { region: destination.region } : {}),
      alarmDescription: pulumi.interpolate`Replication from ${way} is more than ${args.lagAlarmSeconds} s behind. S3 works on it by itself: see how much is pending, and whether S3 is allowed to write. ${see("replication-lag")}`,
      metricName: "ReplicationLatency",
      statistic: "Maximum",
      threshold: args.lagAlarmSeconds,
      // AWS recommends this: the metric has no data while nothing is replicated.
      treatMissingData: "ignore",
      ...actions(destination),
    },
    { parent, provider: isCrossAccount(source, destination) ? source.provider : destination.provider },
  );
  const failures = new aws.cloudwatch.MetricAlarm(
    `${name}-${rule.priority}-failure-alarm`,
    {
      ...common,
      ...named("failures"),
      alarmDescription: pulumi.interpolate`Replication from ${way} gave up on objects: their replication status is FAILED. S3 does not try them again: mend the cause, then send them again by a backfill. ${see("replication-failures")}`,
      metricName: "OperationsFailedReplication",
      statistic: "Sum",
      threshold: 0,
      treatMissingData: "notBreaching",
      ...actions(source),
    },
    { parent, provider: source.provider },
  );
  return [lag.arn, failures.arn];
}
