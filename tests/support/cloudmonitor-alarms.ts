/** Turns the alarms of CloudMonitor that a program declares into rules of `alarms.ts`. */
import type { AlarmRule, MetricRecord, Statistic } from "./alarms";

/** CloudMonitor evaluates a period after its values have arrived. */
const LATENCY_MS = 120_000;

export interface CloudMonitorAlarm {
  name: string;
  project: string;
  metric: string;
  /** JSON: a list with one object. */
  metricDimensions: string;
  period: number;
  escalationsCritical: { statistics: string; comparisonOperator: string; threshold: string; times: number };
}

/** The name of a metric in a `MetricRecord`. */
export const metricName = (project: string, metric: string, dimensions: Record<string, string>): string =>
  `${project}/${metric} ${JSON.stringify(Object.fromEntries(Object.entries(dimensions).sort()))}`;

/** Function Compute and CloudFlow report one value per minute and call it `Value`. Any of them may ring. */
const STATISTICS: Readonly<Record<string, Statistic>> = {
  Maximum: "Maximum",
  Minimum: "Minimum",
  Average: "Average",
  Value: "Maximum",
};

/** @throws Error for an alarm that CloudMonitor would not take, or that this file does not know */
export function ruleOf({ name, project, metric, metricDimensions, period, escalationsCritical }: CloudMonitorAlarm): AlarmRule {
  const { statistics, comparisonOperator, threshold, times } = escalationsCritical;
  const statistic = STATISTICS[statistics];
  if (statistic === undefined || comparisonOperator !== ">")
    throw new Error(`${name}: ${statistics} ${comparisonOperator} is not known`);
  // SMQ reports every 300 s.
  if (project === "acs_mns_new" && period % 300 !== 0) throw new Error(`${name}: a period of ${period} s is too short`);
  const [dimensions = {}] = JSON.parse(metricDimensions) as Record<string, string>[];
  const periodMs = period * 1000;
  return {
    name,
    periodMs,
    values: (record: MetricRecord, starts) =>
      starts.map((fromMs) => record.statistic(metricName(project, metric, dimensions), statistic, fromMs, fromMs + periodMs)),
    isBad: (value) => value > Number(threshold),
    bad: times,
    periods: times,
    // Without data an alarm keeps its state, so a metric that is not reported never rings.
    missing: "good",
    latencyMs: LATENCY_MS,
    lookBackPeriods: times,
  };
}
