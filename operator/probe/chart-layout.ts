/** The look of the chart, the place of each sample, and the units. */

import { DIRECTIONS, type Direction } from "./plan";
import type { ProbeRecord } from "./records";

/** The PNG uses the first font. Verdana is as wide. */
export const FONT = "DejaVu Sans, Verdana, Arial, sans-serif";
export const INK = "#24292f";
export const PALE = "#57606a";
export const LINE = "#d8dee4";
/** Height of a line of text. */
export const ROW_PX = 20;

/** Okabe and Ito's colours, which colour-blind people can distinguish. https://jfly.uni-koeln.de/color/ */
export const LOOKS: Record<Direction, { color: string; symbol: "circle" | "diamond" }> = {
  "source->destination": { color: "#0072B2", symbol: "circle" },
  "destination->source": { color: "#D55E00", symbol: "diamond" },
};
export const MEDIAN = "median";
export const P95 = "95th percentile";
export const GAVE_UP = "gave up";
/** A filled cross. */
export const CROSS = "path://M2,0L5,3L8,0L10,2L7,5L10,8L8,10L5,7L2,10L0,8L3,5L0,2Z";

/** The two grids: the plot, and above it the strip of objects that never arrived. */
export const MAIN = 0;
export const STRIP = 1;

/** Above this ratio the axis is logarithmic: otherwise small values would lie on the axis. */
const LINEAR_UP_TO = 30;
const SECONDS_FROM_MS = 2_000;

/** The place of a direction's samples, relative to the middle of their size. Unit: the width of one size. */
interface Lane {
  centre: number;
  halfWidth: number;
}

export interface Scale {
  unit: "s" | "ms";
  msPerUnit: number;
  isLogarithmic: boolean;
}

export interface Layout {
  /** In bytes, ascending. Each has a column. */
  sizes: readonly number[];
  present: readonly Direction[];
  sizeWidthPx: number;
  scale: Scale;
}

/** The lane of one direction. Two directions lie side by side. The width is bounded, so that the samples do not look scattered. */
export function laneOf(direction: Direction, present: readonly Direction[], sizeWidthPx: number): Lane {
  if (present.length === 1) return { centre: 0, halfWidth: Math.min(0.24, 110 / sizeWidthPx) };
  const halfWidth = Math.min(0.16, 80 / sizeWidthPx);
  const centre = 1.4 * halfWidth;
  return { centre: direction === present[0] ? -centre : centre, halfWidth };
}

/** Samples lie from left to right in the order in which they were sent. */
export function placeInLane({ centre, halfWidth }: Lane, index: number, count: number): number {
  return count === 1 ? centre : centre + halfWidth * ((2 * index) / (count - 1) - 1);
}

export function scaleOf(durationsMs: readonly number[]): Scale {
  const most = durationsMs.reduce((a, b) => Math.max(a, b), 0);
  const least = durationsMs.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const inSeconds = most >= SECONDS_FROM_MS;
  return {
    unit: inSeconds ? "s" : "ms",
    msPerUnit: inSeconds ? 1000 : 1,
    isLogarithmic: least > 0 && most / least > LINEAR_UP_TO,
  };
}

/** Shows three digits in the chart's unit. On a logarithmic axis, values below 1 s are in milliseconds. */
export function durationText(ms: number, { unit, msPerUnit, isLogarithmic }: Scale): string {
  const [shownUnit, shown] = isLogarithmic && ms < 1000 ? ["ms", ms] : [unit, ms / msPerUnit];
  const digits = shownUnit === "ms" ? 0 : shown < 10 ? 2 : shown < 100 ? 1 : 0;
  return `${shown.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits })} ${shownUnit}`;
}

export const directionsIn = (records: readonly ProbeRecord[]): Direction[] =>
  DIRECTIONS.filter((direction) => records.some((record) => record.direction === direction));
