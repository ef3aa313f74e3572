/** What the functions logged about their work: how much crossed, how late, and which keys were last. Pure functions. */
import { quantile } from "simple-statistics";
import { at, textAt } from "../../runtime/protocol/json";
import type { LogLine } from "../operated-bridge";

/** The lag, from the source's Last-Modified to the verification. */
export interface Lag {
  count: number;
  p50Ms: number;
  p95Ms: number;
  p99Ms: number;
  maxMs: number;
}

export interface Minute {
  startMs: number;
  /** Keys copied or deleted, and verified. */
  objects: number;
  bytes: number;
  p50Ms?: number | undefined;
  p95Ms?: number | undefined;
}

/** The work of the last minutes. */
export interface Flow {
  windowMs: number;
  replicated: number;
  unchanged: number;
  deleted: number;
  retried: number;
  bytes: number;
  /** Undefined if nothing was replicated. */
  lag?: Lag | undefined;
  /** Oldest first, with the minutes without work. */
  minutes: Minute[];
  /** Whether every line of the time was read. Else the newest were. */
  complete: boolean;
}

/** The last result for a key. */
export interface RecentKey {
  key: string;
  atMs: number;
  result: string;
  bytes?: number | undefined;
  reason?: string | undefined;
}

export const FLOW_WINDOW_MS = 20 * 60_000;
const MINUTE_MS = 60_000;

/** @param lines of the source, where keys are verified */
export function flowOf(lines: readonly LogLine[], { nowMs, complete }: { nowMs: number; complete: boolean }): Flow {
  const metrics = lines.filter(({ message, atMs }) => message === "metrics" && atMs > nowMs - FLOW_WINDOW_MS);
  const all = (name: string) => metrics.flatMap((line) => valuesOf(line, name));
  const sum = (name: string) => total(all(name));
  return {
    windowMs: FLOW_WINDOW_MS,
    replicated: sum("Replicated"),
    unchanged: sum("Unchanged"),
    deleted: sum("Deleted"),
    retried: sum("Retried"),
    bytes: sum("BytesMoved"),
    lag: lagOf(all("LagMs")),
    minutes: minutesOf(metrics, nowMs),
    complete,
  };
}

function minutesOf(metrics: readonly LogLine[], nowMs: number): Minute[] {
  const last = Math.floor(nowMs / MINUTE_MS) * MINUTE_MS;
  const count = FLOW_WINDOW_MS / MINUTE_MS;
  return Array.from({ length: count }, (_, index) => {
    const startMs = last - (count - 1 - index) * MINUTE_MS;
    const mine = metrics.filter(({ atMs }) => atMs >= startMs && atMs < startMs + MINUTE_MS);
    const all = (name: string) => mine.flatMap((line) => valuesOf(line, name));
    const lag = lagOf(all("LagMs"));
    const objects = total(all("Replicated")) + total(all("Deleted"));
    return { startMs, objects, bytes: total(all("BytesMoved")), p50Ms: lag?.p50Ms, p95Ms: lag?.p95Ms };
  });
}

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

/** A line has one value of a metric, or a list of them. */
function valuesOf({ fields }: LogLine, name: string): number[] {
  return [at(fields.metrics, name)].flat().filter((value) => typeof value === "number");
}

function lagOf(values: readonly number[]): Lag | undefined {
  if (values.length === 0) return undefined;
  const [p50Ms = 0, p95Ms = 0, p99Ms = 0, maxMs = 0] = quantile([...values], [0.5, 0.95, 0.99, 1]);
  return { count: values.length, p50Ms, p95Ms, p99Ms, maxMs };
}

/** Steps that say nothing new about a key. */
const QUIET_RESULTS: ReadonlySet<string> = new Set(["in-progress", "continue", "skipped"]);

/** @param lines oldest first @returns one entry for each key, the newest first */
export function recentOf(lines: readonly LogLine[], limit: number): RecentKey[] {
  const byKey = new Map<string, RecentKey>();
  for (const line of lines) {
    const found = resultOf(line);
    if (found === undefined || QUIET_RESULTS.has(found.result)) continue;
    // The bridge looks again after a copy, and finds the destination equal.
    if (found.result === "unchanged" && byKey.get(found.key)?.result === "replicated") continue;
    byKey.delete(found.key);
    byKey.set(found.key, found);
  }
  return [...byKey.values()].slice(-limit).reverse();
}

function resultOf({ atMs, message, fields }: LogLine): RecentKey | undefined {
  const { key, bytesMoved } = fields;
  const result = textAt(fields, "result");
  const isResult = message === "notice" || message === "copy ends" || (message === "step done" && fields.next === "done");
  if (!isResult || typeof key !== "string" || result === undefined) return undefined;
  return { key, atMs, result, bytes: typeof bytesMoved === "number" ? bytesMoved : undefined, reason: textAt(fields, "reason") };
}
