/**
 * Rings the alarms that a deployment put into the local CloudWatch. The emulator stores alarms and evaluates none, so that is done here: on the metrics that the
 * sender wrote into its log, with the periods that CloudWatch has. A minute may be shorter than a real one; then all times are scaled.
 */
import { type CloudWatchClient, DescribeAlarmsCommand, type MetricAlarm } from "@aws-sdk/client-cloudwatch";
import { METRIC_NAMESPACE } from "../../../../runtime/platforms/aws-lambda/metrics";
import { firingTimes, MetricRecord } from "../../../support/alarms";
import { cloudWatchRule, metricName } from "../../../support/cloudwatch-alarms";

const MINUTE_MS = 60_000;

export interface RungAlarm {
  name: string;
  /** As the operator gets it. */
  text: string;
  /** Minutes of CloudWatch's clock. */
  afterMinutes: number;
}

export interface DeployedAlarms {
  /** The alarms that rang since a moment, by real time, the first one first. */
  rungSince(sinceMs: number, nowMs: number): Promise<RungAlarm[]>;
  close(): void;
}

export interface DeployedAlarmsOptions {
  cloudwatch: CloudWatchClient;
  /** Every line of the sender's log. */
  readLog(): Promise<string[]>;
  /** How long a minute of the schedules takes, in real ms. */
  minuteMs: number;
}

export async function readDeployedAlarms({ cloudwatch, readLog, minuteMs }: DeployedAlarmsOptions): Promise<DeployedAlarms> {
  const { MetricAlarms = [] } = await cloudwatch.send(new DescribeAlarmsCommand({ MaxRecords: 100 }));
  // The other ones watch metrics of SQS and Lambda, which the local clouds do not have.
  const watched = MetricAlarms.filter((alarm) => namespacesOf(alarm).every((name) => name === METRIC_NAMESPACE));
  if (watched.length === 0) throw new Error("the local CloudWatch has no alarm on the bridge's metrics");
  const factor = MINUTE_MS / minuteMs;
  return {
    async rungSince(sinceMs, nowMs) {
      const record = recordOf(await readLog(), factor);
      const rung = watched.flatMap((alarm) => {
        const rule = cloudWatchRule(inputsOf(alarm));
        const [atMs] = firingTimes(rule, record, { fromMs: sinceMs * factor, toMs: nowMs * factor });
        if (atMs === undefined) return [];
        const afterMinutes = (atMs - sinceMs * factor) / MINUTE_MS;
        return [{ name: rule.name, text: alarm.AlarmDescription ?? "", afterMinutes }];
      });
      return rung.sort((a, b) => a.afterMinutes - b.afterMinutes);
    },
    close: () => cloudwatch.destroy(),
  };
}

const namespacesOf = ({ Namespace, Metrics = [] }: MetricAlarm): (string | undefined)[] =>
  Namespace === undefined
    ? Metrics.flatMap(({ MetricStat }) => (MetricStat === undefined ? [] : [MetricStat.Metric?.Namespace]))
    : [Namespace];

interface SdkMetric {
  Namespace?: string | undefined;
  MetricName?: string | undefined;
  Dimensions?: { Name?: string | undefined; Value?: string | undefined }[] | undefined;
}

const metricOf = ({ Namespace = "", MetricName = "", Dimensions = [] }: SdkMetric) => ({
  namespace: Namespace,
  metricName: MetricName,
  dimensions: Object.fromEntries(Dimensions.map(({ Name = "", Value = "" }) => [Name, Value])),
});

/** The alarm as the model of CloudWatch takes it. */
function inputsOf(alarm: MetricAlarm): Parameters<typeof cloudWatchRule>[0] {
  const { Metrics = [], Period, Statistic, DatapointsToAlarm } = alarm;
  const queries = Metrics.map(({ Id = "", Expression, ReturnData = true, MetricStat }) => ({
    id: Id,
    returnData: ReturnData,
    ...(Expression === undefined ? {} : { expression: Expression }),
    ...(MetricStat === undefined
      ? {}
      : { metric: { ...metricOf(MetricStat.Metric ?? {}), period: MetricStat.Period ?? 60, stat: MetricStat.Stat as "Sum" } }),
  }));
  return {
    name: alarm.AlarmName ?? "",
    alarmDescription: alarm.AlarmDescription ?? "",
    comparisonOperator: alarm.ComparisonOperator ?? "",
    threshold: alarm.Threshold ?? 0,
    evaluationPeriods: alarm.EvaluationPeriods ?? 1,
    treatMissingData: alarm.TreatMissingData ?? "",
    ...(DatapointsToAlarm === undefined ? {} : { datapointsToAlarm: DatapointsToAlarm }),
    ...(queries.length > 0
      ? { metricQueries: queries }
      : { ...metricOf(alarm), period: Period ?? 60, statistic: Statistic ?? "Sum" }),
  };
}

interface EmbeddedMetrics {
  _aws: {
    Timestamp: number;
    CloudWatchMetrics: { Namespace: string; Dimensions: string[][]; Metrics: { Name: string; Unit: string }[] }[];
  };
  [field: string]: unknown;
}

/**
 * The metrics of these lines, as CloudWatch extracts them:
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
function recordOf(lines: readonly string[], factor: number): MetricRecord {
  const record = new MetricRecord();
  for (const line of lines) {
    const start = line.indexOf('{"_aws"');
    if (start === -1) continue;
    const found = JSON.parse(line.slice(start)) as EmbeddedMetrics;
    for (const { Namespace, Dimensions, Metrics } of found._aws.CloudWatchMetrics)
      for (const names of Dimensions) {
        const dimensions = Object.fromEntries(names.map((name) => [name, String(found[name])]));
        for (const { Name, Unit } of Metrics) {
          const name = metricName({ namespace: Namespace, metricName: Name, dimensions });
          const scale = Unit === "Milliseconds" ? factor : 1;
          for (const value of [found[Name]].flat()) record.add(name, Number(value) * scale, found._aws.Timestamp * factor);
        }
      }
  }
  return record;
}
