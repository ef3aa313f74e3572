/** Figures of runs that took turns. */
import { median } from "simple-statistics";

export interface Spread {
  min: number;
  median: number;
  max: number;
}

/** @param values at least one */
export function spreadOf(values: readonly number[]): Spread {
  return { min: Math.min(...values), median: median([...values]), max: Math.max(...values) };
}

export interface Ratio {
  /** The ratio of the medians. */
  value: number;
  /** The smallest and the largest ratio of two runs of the same round. */
  least: number;
  most: number;
}

/**
 * @param own one value of each round
 * @param other the same; only those of its first rounds, if it was too slow for more
 */
export function ratioOf(own: readonly number[], other: readonly number[]): Ratio {
  if (other.length === 0 || own.length < other.length) throw new Error(`${own.length} runs have no pairs with ${other.length}`);
  const pairs = other.map((value, round) => (own[round] as number) / value);
  return { value: median([...own]) / median([...other]), least: Math.min(...pairs), most: Math.max(...pairs) };
}
