/** The run in numbers. Pure. */
import { quantile } from "simple-statistics";
import { DIRECTIONS, type Direction } from "./plan";
import type { ProbeRecord } from "./records";

/** Fewer samples than these have none beyond the quantile, so that it only repeats the largest ones. */
export const ENOUGH_FOR_P95 = 20;
export const ENOUGH_FOR_P99 = 100;
export const QUANTILE_DEFINITION = "linear interpolation between the two nearest samples (type 7 of Hyndman and Fan)";

/** The samples of one size in one direction. */
export interface Group {
  direction: Direction;
  sizeBytes: number;
  /** Of those that arrived, in the order they were sent. */
  durationsMs: number[];
  gaveUp: number;
  /** Undefined where nothing arrived. */
  quantiles?: { p50Ms: number; p95Ms: number; p99Ms: number; maxMs: number };
}

/** By direction and size, the smallest first. */
export function groupsOf(records: readonly ProbeRecord[]): Group[] {
  const sizes = [...new Set(records.map((record) => record.file_size_in_bytes))].sort((a, b) => a - b);
  return DIRECTIONS.flatMap((direction) =>
    sizes.flatMap((sizeBytes) => {
      const mine = records.filter((record) => record.direction === direction && record.file_size_in_bytes === sizeBytes);
      return mine.length === 0 ? [] : [groupOf(direction, sizeBytes, mine)];
    }),
  );
}

function groupOf(direction: Direction, sizeBytes: number, records: readonly ProbeRecord[]): Group {
  const durationsMs = records.flatMap(({ duration_in_ms }) => duration_in_ms ?? []);
  const gaveUp = records.filter((record) => record.gave_up).length;
  if (durationsMs.length === 0) return { direction, sizeBytes, durationsMs, gaveUp };
  const [p50Ms = 0, p95Ms = 0, p99Ms = 0, maxMs = 0] = quantile(durationsMs, [0.5, 0.95, 0.99, 1]);
  return { direction, sizeBytes, durationsMs, gaveUp, quantiles: { p50Ms, p95Ms, p99Ms, maxMs } };
}
