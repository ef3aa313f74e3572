/** The quantiles of a run, and its summary as text. */
import Table from "cli-table3";
import { quantile } from "simple-statistics";
import { counted, grouped, PLAIN, sizeText } from "../text";
import { type ClockDifference, isSignificant } from "./clocks";
import type { MeasureOptions } from "./measure";
import { DIRECTIONS, type Direction } from "./plan";
import type { ProbeRecord } from "./records";

export interface RunFacts {
  stack: string;
  mode: string;
  startedAt: Date;
  options: MeasureOptions;
  clocks: ClockDifference | undefined;
}

const FEW = "*";

/** @param records at least one */
export function summaryText(records: readonly ProbeRecord[], facts: RunFacts): string {
  const groups = groupsOf(records);
  return [
    `Replication latency of stack ${facts.stack} (mode ${facts.mode}), ${facts.startedAt.toISOString()}`,
    ...new Set(records.map(({ direction, from, to }) => `${direction}: ${from} -> ${to}`)),
    "",
    table(groups),
    "",
    ...remarks(records, groups, facts),
    "",
  ].join("\n");
}

function table(groups: readonly Group[]): string {
  const rows = new Table({
    head: ["direction", "size", "n", "p50 (ms)", "p95 (ms)", "p99 (ms)", "max (ms)", "gave up"],
    colAligns: ["left", "right", "right", "right", "right", "right", "right", "right"],
    style: PLAIN,
  });
  for (const { direction, sizeBytes, durationsMs, gaveUp, quantiles } of groups) {
    const n = durationsMs.length;
    const { p50Ms, p95Ms, p99Ms, maxMs } = quantiles ?? {};
    rows.push([
      direction,
      sizeText(sizeBytes),
      n,
      msText(p50Ms),
      `${msText(p95Ms)}${n > 0 && n < ENOUGH_FOR_P95 ? FEW : ""}`,
      `${msText(p99Ms)}${n > 0 && n < ENOUGH_FOR_P99 ? FEW : ""}`,
      msText(maxMs),
      gaveUp,
    ]);
  }
  return rows.toString();
}

function remarks(records: readonly ProbeRecord[], groups: readonly Group[], { options, clocks }: RunFacts): string[] {
  const { attempts, intervalMs, parallel } = options;
  const isFew = groups.some(({ durationsMs: { length } }) => length > 0 && length < ENOUGH_FOR_P99);
  const atFirstCheck = records.filter((record) => !record.gave_up && record.attempts === 1).length;
  const beforePosted = records.filter(isBeforePosted).length;
  return [
    "A duration begins when the near store has acknowledged the object, and ends when a check on the far side finds it.",
    `Each object was checked for every ${msText(intervalMs)} ms, so a duration may be too long by that much. It was given up after ${attempts} checks.`,
    parallel === 1
      ? "One object at a time was on its way."
      : `Up to ${parallel} objects at a time were on their way, and may have delayed each other.`,
    clocksText(clocks, intervalMs),
    `p50, p95, p99: ${QUANTILE_DEFINITION}.`,
    ...(isFew
      ? [
          `${FEW} fewer than ${ENOUGH_FOR_P95} samples for p95 or ${ENOUGH_FOR_P99} for p99: the value follows the largest samples and says little about the tail.`,
        ]
      : []),
    ...(atFirstCheck > 0
      ? [`${counted(atFirstCheck, "object was", "objects were")} there at the first check: the true duration may be shorter.`]
      : []),
    ...(beforePosted > 0
      ? [
          `${counted(beforePosted, "object was", "objects were")} seen before the put was acknowledged, by these clocks: the duration is given as 0.`,
        ]
      : []),
  ];
}

function isBeforePosted({ post_date, get_date, clock_offset_in_ms }: ProbeRecord): boolean {
  return get_date !== null && Date.parse(get_date) - Date.parse(post_date) - (clock_offset_in_ms ?? 0) < 0;
}

function clocksText(clocks: ClockDifference | undefined, resolutionMs: number): string {
  if (clocks === undefined) return "The clocks of the two sides were not compared: no object was on both sides.";
  const way = clocks.ms < 0 ? "behind" : "ahead of";
  const difference = `The destination's clock is ${msText(Math.abs(clocks.ms))} ms ${way} the source's, plus or minus ${msText(clocks.uncertaintyMs)} ms`;
  return isSignificant(clocks, resolutionMs)
    ? `${difference}: every duration is corrected by it.`
    : `${difference}: too small or too uncertain to correct any duration.`;
}

const msText = (ms: number | undefined): string => (ms === undefined ? "-" : grouped(Math.round(ms)));

/** With fewer samples the quantile only repeats the largest ones. */
export const ENOUGH_FOR_P95 = 20;
export const ENOUGH_FOR_P99 = 100;
export const QUANTILE_DEFINITION = "linear interpolation between the two nearest samples (type 7 of Hyndman and Fan)";

/** The samples of one size in one direction. */
export interface Group {
  direction: Direction;
  sizeBytes: number;
  /** Durations of the objects that arrived, in the order in which they were sent. */
  durationsMs: number[];
  gaveUp: number;
  /** Undefined if nothing arrived. */
  quantiles?: { p50Ms: number; p95Ms: number; p99Ms: number; maxMs: number };
}

/** Groups by direction and ascending size. */
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
