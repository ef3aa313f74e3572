/** Metrics as log lines, which Simple Log Service counts, charts and alarms on: no call and no permission. */
import type { Logger, MetricName, Metrics } from "../../protocol/ports";

export interface FlushableMetrics extends Metrics {
  /** Writes what was added since the last flush; once per invocation. */
  flush(): void;
}

/** Of these the greatest is told; of all others the sum. */
const GREATEST: ReadonlySet<MetricName> = new Set(["LagMs", "ProbeLagMs"]);

/** @param logger must write lines of level info, whatever the configured level: an alarm reads them */
export function createMetrics(logger: Pick<Logger, "info">): FlushableMetrics {
  const added = new Map<MetricName, number>();
  return {
    add(name, value) {
      const before = added.get(name);
      added.set(name, before === undefined ? value : GREATEST.has(name) ? Math.max(before, value) : before + value);
    },
    flush() {
      if (added.size === 0) return;
      logger.info("metrics", { metrics: Object.fromEntries(added) });
      added.clear();
    },
  };
}
