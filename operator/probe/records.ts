/** The measurements of a run, one record per object, as JSON and CSV. */
import { stringify } from "csv-stringify/sync";
import { probePrefixOf } from "../../components/config/defaults";
import { type ProbeSide, probeKey } from "../../runtime/roles/prober/names";
import type { OperatedBridge } from "../operated-bridge";
import { type ClockDifference, isSignificant } from "./clocks";
import type { Measurement, Sample } from "./measure";
import { type Direction, farSide, nearSide } from "./plan";

/** These are the field names in the files: other tools read them. */
export interface ProbeRecord {
  file_size_in_bytes: number;
  /** ISO 8601: when the store acknowledged the object, by the clock of the function that put it. */
  post_date: string;
  /** ISO 8601: when the object was seen, by the clock of the function that watched for it. Null if it never arrived. */
  get_date: string | null;
  /** `get_date - post_date - clock_offset_in_ms`, and never below 0. */
  duration_in_ms: number | null;
  direction: Direction;
  /** `cloud/region/bucket`. */
  from: string;
  to: string;
  gave_up: boolean;
  /** How often the far side was checked. */
  attempts: number;
  /** Time between two checks: a duration may be too long by this much. */
  resolution_in_ms: number;
  /** How far the clock of `get_date` is ahead of the clock of `post_date`. Null if there is no significant difference. */
  clock_offset_in_ms: number | null;
  clock_offset_uncertainty_in_ms: number | null;
  mode: string;
  stack: string;
  /** The object's key on the near side. */
  key: string;
}

const FIELDS: readonly (keyof ProbeRecord)[] = [
  "file_size_in_bytes",
  "post_date",
  "get_date",
  "duration_in_ms",
  "direction",
  "from",
  "to",
  "gave_up",
  "attempts",
  "resolution_in_ms",
  "clock_offset_in_ms",
  "clock_offset_uncertainty_in_ms",
  "mode",
  "stack",
  "key",
];

type Bridge = Pick<OperatedBridge, "stack" | "config" | "source" | "destination">;

export function recordsOf(
  { samples, clocks }: Pick<Measurement, "samples" | "clocks">,
  bridge: Bridge,
  resolutionMs: number,
): ProbeRecord[] {
  return samples.map((sample) => {
    const { direction, name, sizeBytes } = sample.object;
    const offset = offsetOf(clocks, direction, resolutionMs);
    return {
      file_size_in_bytes: sizeBytes,
      post_date: isoOf(sample.postedAtMs),
      get_date: sample.seenAtMs === undefined ? null : isoOf(sample.seenAtMs),
      duration_in_ms: durationOf(sample, offset?.ms ?? 0),
      direction,
      from: storeText(bridge[nearSide(direction)]),
      to: storeText(bridge[farSide(direction)]),
      gave_up: sample.seenAtMs === undefined,
      attempts: sample.attempts,
      resolution_in_ms: resolutionMs,
      clock_offset_in_ms: offset?.ms ?? null,
      clock_offset_uncertainty_in_ms: offset?.uncertaintyMs ?? null,
      mode: bridge.config.mode,
      stack: bridge.stack,
      key: keyOf(bridge, nearSide(direction), name),
    };
  });
}

/** How far the far clock is ahead of the near one, if that is significant. */
function offsetOf(clocks: ClockDifference | undefined, direction: Direction, resolutionMs: number): ClockDifference | undefined {
  if (clocks === undefined || !isSignificant(clocks, resolutionMs)) return undefined;
  return direction === "source->destination" ? clocks : { ...clocks, ms: -clocks.ms };
}

/** An object may be seen before its put is acknowledged. Its duration is then 0. */
function durationOf({ postedAtMs, seenAtMs }: Sample, offsetMs: number): number | null {
  return seenAtMs === undefined ? null : Math.max(0, seenAtMs - postedAtMs - offsetMs);
}

/** The key of a probe's object on one of the sides. */
export function keyOf(bridge: Bridge, side: ProbeSide, name: string): string {
  const { scope } = bridge.config;
  const keyPrefix = side === "destination" ? bridge.config.destination.prefix : "";
  return probeKey({ keyPrefix, probePrefix: probePrefixOf(scope), suffix: scope.suffixes[0] ?? "" }, name);
}

const isoOf = (ms: number) => new Date(ms).toISOString();
const storeText = ({ cloud, region, bucket }: Bridge["source"]) => `${cloud}/${region}/${bucket}`;

export const recordsJson = (records: readonly ProbeRecord[]): string => `${JSON.stringify(records, null, 2)}\n`;

export function recordsCsv(records: readonly ProbeRecord[]): string {
  return stringify([...records], { header: true, columns: [...FIELDS], cast: { boolean: String } });
}
