/** Where each sample lies in the chart, and in which units. Pure. */
import { DIRECTIONS, type Direction } from "./plan";
import type { ProbeRecord } from "./records";

/** Beyond this ratio the small ones would lie on the axis. */
const LINEAR_UP_TO = 30;
const SECONDS_FROM_MS = 2_000;

/** How a lane lies beside the middle of its size; all in widths of one size. */
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
  /** Bytes, the smallest first; each has a column. */
  sizes: readonly number[];
  present: readonly Direction[];
  sizeWidthPx: number;
  scale: Scale;
}

/** Room for the samples of one direction: side by side where there are two of them, and never so wide that they look scattered. */
export function laneOf(direction: Direction, present: readonly Direction[], sizeWidthPx: number): Lane {
  if (present.length === 1) return { centre: 0, halfWidth: Math.min(0.24, 110 / sizeWidthPx) };
  const halfWidth = Math.min(0.16, 80 / sizeWidthPx);
  const centre = 1.4 * halfWidth;
  return { centre: direction === present[0] ? -centre : centre, halfWidth };
}

/** From left to right in the order they were sent. */
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

/** To three digits, in the chart's unit; where the axis spans orders of magnitude, in the one that suits the value. */
export function durationText(ms: number, { unit, msPerUnit, isLogarithmic }: Scale): string {
  const [shownUnit, shown] = isLogarithmic && ms < 1000 ? ["ms", ms] : [unit, ms / msPerUnit];
  const digits = shownUnit === "ms" ? 0 : shown < 10 ? 2 : shown < 100 ? 1 : 0;
  return `${shown.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits })} ${shownUnit}`;
}

export const directionsIn = (records: readonly ProbeRecord[]): Direction[] =>
  DIRECTIONS.filter((direction) => records.some((record) => record.direction === direction));
