/** Refuses two bridges of one program that copy the same keys in opposite directions. */
import * as pulumi from "@pulumi/pulumi";
import type { BridgeConfig } from "./config";
import { ConfigInvalid } from "./config/errors";

type Declared = Pick<BridgeConfig, "source" | "destination" | "scope">;

interface Bridge {
  name: string;
  config: Declared;
}

/** The bridges of each run of a program. Several runs may share a process. */
const bridgesOf = new WeakMap<object, Bridge[]>();

/** @throws ConfigInvalid that names both bridges when this one and an earlier one would overwrite each other's objects */
export function declareBridge(name: string, config: Declared): void {
  // Each run has a connection to the engine of its own.
  const run = pulumi.runtime.getMonitor() ?? bridgesOf;
  const earlier = bridgesOf.get(run) ?? [];
  const opposite = earlier.find((one) => areOpposite(one.config, config));
  if (opposite !== undefined) throw new ConfigInvalid([problemOf(opposite, { name, config })]);
  bridgesOf.set(run, [...earlier, { name, config }]);
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
