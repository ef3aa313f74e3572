/** The run for a person: what was measured, how, and the table. Pure. */
import Table from "cli-table3";
import { counted, grouped, PLAIN } from "../text";
import { type ClockDifference, isTold } from "./clocks";
import type { MeasureOptions } from "./measure";
import type { ProbeRecord } from "./records";
import { sizeText } from "./sizes";
import { ENOUGH_FOR_P95, ENOUGH_FOR_P99, type Group, groupsOf, QUANTILE_DEFINITION } from "./statistics";

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
  const atFirstLook = records.filter((record) => !record.gave_up && record.attempts === 1).length;
  const beforePosted = records.filter(isBeforePosted).length;
  return [
    "A duration is from when the near store had acknowledged the object until a look from the far side found it.",
    `An object was looked for every ${msText(intervalMs)} ms, so a duration is up to that much too long, and given up after ${attempts} looks.`,
    parallel === 1
      ? "One object at a time was on its way."
      : `Up to ${parallel} objects at a time were on their way, in the way of each other.`,
    clocksText(clocks, intervalMs),
    `p50, p95, p99: ${QUANTILE_DEFINITION}.`,
    ...(isFew
      ? [
          `${FEW} fewer than ${ENOUGH_FOR_P95} samples for p95 or ${ENOUGH_FOR_P99} for p99: it follows the largest samples and says little of the tail.`,
        ]
      : []),
    ...(atFirstLook > 0
      ? [
          `${counted(atFirstLook, "object was", "objects were")} there at the first look: how much earlier is not known, and the duration is the most it can be.`,
        ]
      : []),
    ...(beforePosted > 0
      ? [
          `${counted(beforePosted, "object was", "objects were")} seen before the put was acknowledged, by these clocks: the duration is told as 0.`,
        ]
      : []),
  ];
}

function isBeforePosted({ post_date, get_date, clock_offset_in_ms }: ProbeRecord): boolean {
  return get_date !== null && Date.parse(get_date) - Date.parse(post_date) - (clock_offset_in_ms ?? 0) < 0;
}

function clocksText(clocks: ClockDifference | undefined, resolutionMs: number): string {
  if (clocks === undefined) return "The clocks of the two sides were not compared: no object was there on both.";
  const way = clocks.ms < 0 ? "behind" : "ahead of";
  const difference = `The destination's clock is ${msText(Math.abs(clocks.ms))} ms ${way} the source's, give or take ${msText(clocks.uncertaintyMs)} ms`;
  return isTold(clocks, resolutionMs)
    ? `${difference}: that is taken out of every duration.`
    : `${difference}: no more than can be told, so durations are as the two clocks have them.`;
}

const msText = (ms: number | undefined): string => (ms === undefined ? "-" : grouped(Math.round(ms)));
