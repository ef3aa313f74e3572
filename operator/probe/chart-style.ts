/** What all parts of the chart share. */
import type { Direction } from "./plan";

/** The PNG is drawn with the first; where it is missing, Verdana is as wide. */
export const FONT = "DejaVu Sans, Verdana, Arial, sans-serif";
export const INK = "#24292f";
export const PALE = "#57606a";
export const LINE = "#d8dee4";
/** One line of text. */
export const ROW_PX = 20;

/** Okabe and Ito's, which colour-blind people tell apart. https://jfly.uni-koeln.de/color/ */
export const LOOKS: Record<Direction, { color: string; symbol: "circle" | "diamond" }> = {
  "source->destination": { color: "#0072B2", symbol: "circle" },
  "destination->source": { color: "#D55E00", symbol: "diamond" },
};
export const MEDIAN = "median";
export const P95 = "95th percentile";
export const GAVE_UP = "gave up";
/** A cross, filled. */
export const CROSS = "path://M2,0L5,3L8,0L10,2L7,5L10,8L8,10L5,7L2,10L0,8L3,5L0,2Z";

/** The two grids, in order: the plot, and above it the strip of what was given up. */
export const MAIN = 0;
export const STRIP = 1;
