/**
 * Writes CloudWatch metrics in the embedded metric format: log lines become metrics, so no call and no permission is needed.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
import { type Clock, type MetricName, systemClock } from "../../protocol/ports";
import type { FlushableMetrics } from "../handlers";
import { type LogDestination, stdout } from "../logger";

export const METRIC_NAMESPACE = "CrossBorderBridge";

/** Every metric that a function writes. */
export const METRIC_UNITS: Record<MetricName, "Count" | "Milliseconds" | "Bytes"> = {
  Replicated: "Count",
  Unchanged: "Count",
  Deleted: "Count",
  Parked: "Count",
  Retried: "Count",
  Waited: "Count",
  WaitingForRoom: "Count",
  OldestUnprovenAgeMs: "Milliseconds",
  BreakerOpen: "Count",
  Skipped: "Count",
  BytesMoved: "Bytes",
  LagMs: "Milliseconds",
  ProbeLagMs: "Milliseconds",
  ProbeGaveUp: "Count",
};

/** What the sender's alarms compare with each other. */
export const COMPARED_METRICS: readonly MetricName[] = ["Replicated", "Unchanged", "Deleted", "Retried", "Parked"];

export interface MetricsOptions {
  bridgeId: string;
  role: string;
  /**
   * Metrics that every invocation writes, as 0 where it has no value. An alarm that compares metrics needs a value of each: CloudWatch
   * does not take a metric without any data for 0, not even with FILL.
   */
  always?: readonly MetricName[] | undefined;
  clock?: Pick<Clock, "now"> | undefined;
  /** @default stdout */
  destination?: LogDestination | undefined;
}

/** The most values of one metric in one line. */
const MAX_VALUES = 100;

/** Every metric has two dimensions: `BridgeId`, and `service` with the role. */
export function createMetrics(options: MetricsOptions): FlushableMetrics {
  const { bridgeId, role, always = [], clock = systemClock, destination = stdout } = options;
  const values = new Map<MetricName, number[]>();
  const add = (name: MetricName, value: number): void => {
    const known = values.get(name);
    if (known === undefined) values.set(name, [value]);
    else known.push(value);
  };

  function writeLine(): void {
    const taken: [MetricName, number[]][] = [];
    for (const [name, all] of values) {
      taken.push([name, all.splice(0, MAX_VALUES)]);
      if (all.length === 0) values.delete(name);
    }
    const definition = {
      Namespace: METRIC_NAMESPACE,
      Dimensions: [["service", "BridgeId"]],
      Metrics: taken.map(([Name]) => ({ Name, Unit: METRIC_UNITS[Name] })),
    };
    const line = {
      _aws: { Timestamp: clock.now(), CloudWatchMetrics: [definition] },
      service: role,
      BridgeId: bridgeId,
      ...Object.fromEntries(taken.map(([name, some]) => [name, some.length === 1 ? some[0] : some])),
    };
    destination.write(`${JSON.stringify(line)}\n`);
  }

  return {
    add,
    flush() {
      for (const name of always) if (!values.has(name)) add(name, 0);
      while (values.size > 0) writeLine();
    },
  };
}
