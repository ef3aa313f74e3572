/**
 * Decides when an alarm on metrics fires, for the alarms of every cloud. A cloud's own file turns its alarms into `AlarmRule`s:
 * `cloudwatch-alarms.ts`.
 */

interface Sample {
  atMs: number;
  value: number;
}

export type Statistic = "Maximum" | "Minimum" | "Sum" | "Average" | "SampleCount";

/** Metric values with their times, by name. The name holds the dimensions: see the cloud's file. */
export class MetricRecord {
  readonly #samples = new Map<string, Sample[]>();

  add(metric: string, value: number, atMs: number): void {
    const samples = this.#samples.get(metric) ?? [];
    if (samples.length === 0) this.#samples.set(metric, samples);
    samples.push({ atMs, value });
  }

  get names(): string[] {
    return [...this.#samples.keys()].sort();
  }

  /** The statistic of one period. Undefined where the metric has no value in it. */
  statistic(metric: string, statistic: Statistic, fromMs: number, toMs: number): number | undefined {
    const values = (this.#samples.get(metric) ?? [])
      .filter(({ atMs }) => atMs >= fromMs && atMs < toMs)
      .map(({ value }) => value);
    if (values.length === 0) return undefined;
    const sum = values.reduce((total, value) => total + value, 0);
    return {
      Maximum: Math.max(...values),
      Minimum: Math.min(...values),
      Sum: sum,
      Average: sum / values.length,
      SampleCount: values.length,
    }[statistic];
  }
}

export interface AlarmRule {
  name: string;
  periodMs: number;
  /** Each value for one period, oldest first; undefined for a period without data. */
  values(record: MetricRecord, periodStartsMs: readonly number[]): (number | undefined)[];
  isBad(value: number): boolean;
  /** The alarm fires when `bad` of the last `periods` are bad. */
  bad: number;
  periods: number;
  missing: "bad" | "good";
  /** How long after its end the cloud still receives the values of a period. */
  latencyMs: number;
  /**
   * The cloud looks back further than `periods` where values are missing: with as many real values as `periods` it takes the newest real ones.
   * Only where they are fewer it fills up with `missing`.
   */
  lookBackPeriods: number;
}

/**
 * The times in ms at which the alarm starts to fire.
 * @param fromMs the first time that counts. What happened before is known to the alarm, as if it existed for long.
 */
export function firingTimes(rule: AlarmRule, record: MetricRecord, { fromMs, toMs }: { fromMs: number; toMs: number }): number[] {
  const times: number[] = [];
  const { periodMs, latencyMs } = rule;
  let wasFiring = false;
  for (let atMs = Math.ceil(fromMs / periodMs) * periodMs; atMs <= toMs; atMs += periodMs) {
    const isFiring = fires(rule, record, Math.floor((atMs - latencyMs) / periodMs) * periodMs);
    if (isFiring && !wasFiring) times.push(atMs);
    wasFiring = isFiring;
  }
  return times;
}

/** @param endMs the end of the last period */
function fires({ values, isBad, bad, periods, missing, ...rule }: AlarmRule, record: MetricRecord, endMs: number): boolean {
  const starts = Array.from(
    { length: rule.lookBackPeriods },
    (_, index) => endMs - (rule.lookBackPeriods - index) * rule.periodMs,
  );
  const known = values(record, starts).filter((value) => value !== undefined);
  const newest = known.length >= periods ? known.slice(-periods) : known;
  const filled = missing === "bad" ? periods - newest.length : 0;
  return newest.filter(isBad).length + filled >= bad;
}
