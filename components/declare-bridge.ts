/** Refuses bridges of one program that cannot be deployed beside each other. */
import * as pulumi from "@pulumi/pulumi";
import { onlyPlain } from "./cloud";
import type { BridgeConfig } from "./config";
import { ConfigInvalid } from "./config/errors";
import { LIMITS } from "./config/limits";

type Declared = Pick<BridgeConfig, "source" | "destination" | "scope" | "mode">;

interface Bridge {
  name: string;
  config: Declared;
}

/** The bridges of each run of a program. Several runs may share a process. */
const bridgesOf = new WeakMap<object, Bridge[]>();

/** @throws ConfigInvalid that names both bridges when this one and an earlier one cannot be deployed together */
export function declareBridge(name: string, config: Declared): void {
  // Each run has a connection to the engine of its own.
  const run = pulumi.runtime.getMonitor() ?? bridgesOf;
  const earlier = bridgesOf.get(run) ?? [];
  const bridge = { name, config };
  const problems = [
    ...earlier.flatMap((one) => (areOpposite(one.config, config) ? [problemOf(one, bridge)] : [])),
    ...earlier.flatMap((one) => createdTwice(one, bridge)),
    ...triggerProblems(earlier, bridge),
  ];
  if (problems.length > 0) throw new ConfigInvalid(problems);
  bridgesOf.set(run, [...earlier, bridge]);
}

/**
 * Whether each bridge writes keys that the other one reads. Where both sides write such a key at the same time, each bridge overwrites the object
 * that the other one was to copy, and afterwards each bucket holds the other's object.
 */
export function areOpposite(a: Declared, b: Declared): boolean {
  const isSwapped = bucketOf(a.source) === bucketOf(b.destination) && bucketOf(a.destination) === bucketOf(b.source);
  return isSwapped && overlap(written(a), read(b)) && overlap(written(b), read(a));
}

function bucketOf({ cloud, bucket }: { cloud: string; bucket: string }): string {
  return `${cloud}:${bucket}`;
}

/** The prefixes of the source keys that the bridge copies. */
function read({ scope }: Declared): readonly string[] {
  return scope.prefixes.length === 0 ? [""] : scope.prefixes;
}

/** The prefixes of the keys that the bridge writes. */
function written(config: Declared): readonly string[] {
  return read(config).map((prefix) => `${config.destination.prefix}${prefix}`);
}

function overlap(some: readonly string[], others: readonly string[]): boolean {
  return some.some((one) => others.some((other) => one.startsWith(other) || other.startsWith(one)));
}

function problemOf(first: Bridge, second: Bridge): string {
  const arrow = ({ name, config }: Bridge) =>
    `${JSON.stringify(name)} copies ${bucketOf(config.source)} to ${bucketOf(config.destination)} ` +
    `(scope.prefixes ${JSON.stringify(read(config))})`;
  return (
    `the bridges ${JSON.stringify(first.name)} and ${JSON.stringify(second.name)} copy the same keys in opposite directions: ${arrow(first)}, and ` +
    `${arrow(second)}. Where both sides write one key, each bridge would overwrite the other's object. Give each direction scope.prefixes of its ` +
    "own; inside one partition of AWS one bridge with mode native and direction two-way copies both ways"
  );
}

const SIDES = ["source", "destination"] as const;

/** A bucket can be created once. */
function createdTwice(first: Bridge, second: Bridge): string[] {
  const created = SIDES.filter((side) => !first.config[side].adopt).map((side) => bucketOf(first.config[side]));
  return SIDES.filter((side) => !second.config[side].adopt && created.includes(bucketOf(second.config[side]))).map(
    (side) =>
      `the bridges ${JSON.stringify(first.name)} and ${JSON.stringify(second.name)} both create the bucket ${bucketOf(second.config[side])}; ` +
      "allowed: another bucket, or adopt: true in both with a bucket that exists",
  );
}

const hasTrigger = ({ source, mode }: Declared): boolean => source.cloud === "alicloud" && mode !== "native";

/** Whether the filters of both triggers let one event pass. */
function shareEvents({ scope: one }: Declared, { scope: other }: Declared): boolean {
  const [prefix, otherPrefix] = [one.prefixes, other.prefixes].map((list) => onlyPlain(list) ?? "") as [string, string];
  const [suffix, otherSuffix] = [one.suffixes, other.suffixes].map((list) => onlyPlain(list) ?? "") as [string, string];
  return overlap([prefix], [otherPrefix]) && (suffix.endsWith(otherSuffix) || otherSuffix.endsWith(suffix));
}

/** OSS refuses a trigger beside another one with the same event and an overlapping prefix and suffix, and more than a number of triggers. */
function triggerProblems(earlier: readonly Bridge[], next: Bridge): string[] {
  if (!hasTrigger(next.config)) return [];
  const beside = earlier.filter(({ config }) => hasTrigger(config) && bucketOf(config.source) === bucketOf(next.config.source));
  const overlapping = beside.filter(({ config }) => shareEvents(config, next.config));
  const { most } = LIMITS.ossTriggers;
  return [
    ...overlapping.map(
      ({ name }) =>
        `the bridges ${JSON.stringify(name)} and ${JSON.stringify(next.name)} both take events of the same keys of ${bucketOf(next.config.source)}, ` +
        "and OSS refuses the second trigger; allowed: one entry in each bridge's scope.prefixes, of which none begins with the other",
    ),
    ...(beside.length >= most
      ? [
          `${JSON.stringify(next.name)} is bridge ${beside.length + 1} with the source ${bucketOf(next.config.source)}, and an OSS bucket has at most ${most} triggers; ` +
            "allowed: another source bucket, or fewer bridges with more prefixes",
        ]
      : []),
  ];
}
