/** Estimates the difference between the clocks of the two sides. */

/** A reading of a remote clock between two readings of the local one. */
export interface ClockReading {
  askedAtMs: number;
  answeredAtMs: number;
  remoteMs: number;
}

export interface ClockDifference {
  ms: number;
  /** The true difference is within `ms` plus or minus this. */
  uncertaintyMs: number;
}

/** Clocks are read in whole milliseconds. */
const STEP_MS = 1;

/**
 * How far the remote clock is ahead of the local one, by Cristian's algorithm: the reading with the shortest round trip was taken between
 * its request and its answer. https://doi.org/10.1007/BF01784024
 */
function aheadOfLocal(readings: readonly ClockReading[]): ClockDifference | undefined {
  const [best] = readings.toSorted((a, b) => roundTripMs(a) - roundTripMs(b));
  if (best === undefined) return undefined;
  const halfMs = roundTripMs(best) / 2;
  return { ms: best.remoteMs - best.askedAtMs - halfMs, uncertaintyMs: halfMs + STEP_MS };
}

const roundTripMs = ({ askedAtMs, answeredAtMs }: ClockReading) => answeredAtMs - askedAtMs;

/** How far the destination's clock is ahead of the source's. Undefined if one of them was not read. */
export function compareClocks(readings: Record<"source" | "destination", readonly ClockReading[]>): ClockDifference | undefined {
  const [source, destination] = [aheadOfLocal(readings.source), aheadOfLocal(readings.destination)];
  if (source === undefined || destination === undefined) return undefined;
  return {
    ms: Math.round(destination.ms - source.ms),
    uncertaintyMs: Math.ceil(destination.uncertaintyMs + source.uncertaintyMs),
  };
}

/**
 * Whether durations should be corrected by the difference. A difference within its uncertainty is most likely due to the network, and one
 * below the resolution is too small to matter.
 */
export function isSignificant({ ms, uncertaintyMs }: ClockDifference, resolutionMs: number): boolean {
  return Math.abs(ms) > Math.max(uncertaintyMs, resolutionMs);
}
