/** How far the clocks of the two sides are apart. Pure. */

/** A reading of another clock, between two readings of one's own. */
export interface ClockReading {
  askedAtMs: number;
  answeredAtMs: number;
  theirsMs: number;
}

export interface ClockDifference {
  ms: number;
  /** The true difference is within this much of `ms`. */
  uncertaintyMs: number;
}

/** Readings are of whole milliseconds. */
const STEP_MS = 1;

/**
 * How far the other clock is ahead of ours, by the reading of the shortest round trip: it was taken at some moment between the question
 * and the answer. Cristian's algorithm. https://doi.org/10.1007/BF01784024
 */
function aheadOfOurs(readings: readonly ClockReading[]): ClockDifference | undefined {
  const [best] = readings.toSorted((a, b) => roundTripMs(a) - roundTripMs(b));
  if (best === undefined) return undefined;
  const halfMs = roundTripMs(best) / 2;
  return { ms: best.theirsMs - best.askedAtMs - halfMs, uncertaintyMs: halfMs + STEP_MS };
}

const roundTripMs = ({ askedAtMs, answeredAtMs }: ClockReading) => answeredAtMs - askedAtMs;

/** How far the destination's clock is ahead of the source's; undefined while one of them has not been read. */
export function compareClocks(readings: Record<"source" | "destination", readonly ClockReading[]>): ClockDifference | undefined {
  const [source, destination] = [aheadOfOurs(readings.source), aheadOfOurs(readings.destination)];
  if (source === undefined || destination === undefined) return undefined;
  return {
    ms: Math.round(destination.ms - source.ms),
    uncertaintyMs: Math.ceil(destination.uncertaintyMs + source.uncertaintyMs),
  };
}

/**
 * Whether the difference is worth taking out of a duration: clouds keep their clocks to milliseconds, so one that is within its own
 * uncertainty is most likely that of the ways there and back, and one below the resolution changes nothing that was measured.
 */
export function isTold({ ms, uncertaintyMs }: ClockDifference, resolutionMs: number): boolean {
  return Math.abs(ms) > Math.max(uncertaintyMs, resolutionMs);
}
