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

/** Every metric has two dimensions: `BridgeId`, and `service` with the role. */
export function createMetrics(options: { bridgeId: string; role: string }): FlushableMetrics {
  const metrics = new EmbeddedMetrics({
    namespace: METRIC_NAMESPACE,
    serviceName: options.role,
    defaultDimensions: { BridgeId: options.bridgeId },
  });
  let added = false;
  return {
    add(name, value) {
      added = true;
      metrics.addMetric(name, UNITS[name], value);
    },
    flush() {
      // The library writes a warning when there is nothing to publish.
      if (added) metrics.publishStoredMetrics();
      added = false;
    },
  };
}
