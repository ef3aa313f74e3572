import { DIRECTIONS, type Direction } from "../../../operator/probe/plan";
import type { ProbeRecord } from "../../../operator/probe/records";
import type { RunFacts } from "../../../operator/probe/summary";

const STORES = { source: "aws/us-east-1/assets-us", destination: "aws-cn/cn-north-1/assets-cn" };

/** @param durationMs null for one that was given up */
export function record(durationMs: number | null, changes: Partial<ProbeRecord> = {}): ProbeRecord {
  const direction: Direction = changes.direction ?? DIRECTIONS[0];
  const [from, to] = direction.split("->") as ["source" | "destination", "source" | "destination"];
  const postedAtMs = Date.parse("2026-03-01T10:00:00.000Z");
  return {
    file_size_in_bytes: 131_072,
    post_date: new Date(postedAtMs).toISOString(),
    get_date: durationMs === null ? null : new Date(postedAtMs + durationMs).toISOString(),
    duration_in_ms: durationMs,
    direction,
    from: STORES[from],
    to: STORES[to],
    gave_up: durationMs === null,
    attempts: durationMs === null ? 600 : 3,
    resolution_in_ms: 500,
    clock_offset_in_ms: null,
    clock_offset_uncertainty_in_ms: null,
    mode: "pull",
    stack: "aws-to-china",
    key: "crossborderbridge-probe/run/from-source-131072-1",
    ...changes,
  };
}

export const FACTS: RunFacts = {
  stack: "aws-to-china",
  mode: "pull",
  startedAt: new Date("2026-03-01T09:59:58Z"),
  options: { attempts: 600, intervalMs: 500, parallel: 1, pauseMs: 0 },
  clocks: { ms: 12, uncertaintyMs: 140 },
};
