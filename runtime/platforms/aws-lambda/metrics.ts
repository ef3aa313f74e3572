/** Writes CloudWatch metrics in the embedded metric format: log lines become metrics, so no call and no permission is needed. */
import { Metrics as EmbeddedMetrics, MetricUnit } from "@aws-lambda-powertools/metrics";
import type { MetricName } from "../../protocol/ports";
import type { FlushableMetrics } from "../handlers";

export const METRIC_NAMESPACE = "CrossBorderBridge";

const UNITS: Record<MetricName, (typeof MetricUnit)[keyof typeof MetricUnit]> = {
  Replicated: MetricUnit.Count,
  Unchanged: MetricUnit.Count,
  Deleted: MetricUnit.Count,
  Parked: MetricUnit.Count,
  Retried: MetricUnit.Count,
  Waited: MetricUnit.Count,
  WaitingForRoom: MetricUnit.Count,
  OldestUnprovenAgeMs: MetricUnit.Milliseconds,
  BreakerOpen: MetricUnit.Count,
  Skipped: MetricUnit.Count,
  BytesMoved: MetricUnit.Bytes,
  LagMs: MetricUnit.Milliseconds,
  ProbeLagMs: MetricUnit.Milliseconds,
  ProbeGaveUp: MetricUnit.Count,
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
}

/** Every metric has two dimensions: `BridgeId`, and `service` with the role. */
export function createMetrics(options: MetricsOptions): FlushableMetrics {
  const { always = [] } = options;
  const metrics = new EmbeddedMetrics({
    namespace: METRIC_NAMESPACE,
    serviceName: options.role,
    defaultDimensions: { BridgeId: options.bridgeId },
  });
  const added = new Set<MetricName>();
  const add = (name: MetricName, value: number) => {
    added.add(name);
    metrics.addMetric(name, UNITS[name], value);
  };
  return {
    add,
    flush() {
      for (const name of always) if (!added.has(name)) add(name, 0);
      // The library writes a warning when there is nothing to publish.
      if (added.size > 0) metrics.publishStoredMetrics();
      added.clear();
    },
  };
}
