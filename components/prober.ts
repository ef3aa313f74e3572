/** What the prober is told and when it is woken: the same on both sides, whatever cloud each is in. */
import type { ProberConfig } from "../runtime/protocol/env";
import { type BridgeContext, identity, type Side } from "./cloud";
import { type BridgeConfig, probePrefixOf } from "./config";

/** As long as Lambda lets a function run: the probe command may watch longer than a canary is waited for. */
export const PROBER_SECONDS = 900;
/** Holds the largest object of a probe, and what is made of it while it is sent. */
export const PROBER_MEMORY_MB = 512;

/** Ends the physical names of a side's prober: those of a role have 64 characters, of which the bridge's own name may take 32. */
export const PROBER_PARTS = { source: "prober-source", destination: "prober-dest" } as const satisfies Record<Side, string>;
export type ProberPart = (typeof PROBER_PARTS)[Side];

type Config = BridgeContext["config"];

/** Where a canary begins, and where it is waited for. */
export function dutiesOf({ direction }: Pick<Config, "direction">, side: Side): { puts: boolean; watches: boolean } {
  const both = direction === "two-way";
  return { puts: both || side === "source", watches: both || side === "destination" };
}

/** In front of every key that the side's prober may touch. */
export const proberPrefix = ({ destination, scope }: Pick<Config, "destination" | "scope">, side: Side): string =>
  keyPrefixAt(destination, side) + probePrefixOf(scope);

const keyPrefixAt = (destination: Config["destination"], side: Side): string =>
  side === "destination" ? destination.prefix : "";

export function proberSettings(context: Pick<BridgeContext, "config">, side: Side): Omit<ProberConfig, "store"> {
  const { config } = context;
  const { everyMinutes, sizeBytes, giveUpAfterSeconds } = config.probe;
  return {
    ...identity(context),
    side,
    keyPrefix: keyPrefixAt(config.destination, side),
    probePrefix: probePrefixOf(config.scope),
    suffix: config.scope.suffixes[0] ?? "",
    tags: config.scope.tags,
    ...(everyMinutes === 0 ? {} : { canary: { everyMinutes, sizeBytes, giveUpAfterSeconds, ...dutiesOf(config, side) } }),
    timeoutSeconds: PROBER_SECONDS,
  };
}

/**
 * Minutes and hours of a cron expression in UTC. Both sides have to be due in the same minute, wherever they are and whenever
 * they were deployed: intervals would each begin at a time of their own.
 * @param everyMinutes a divisor of the hour, or hours that divide the day
 * @param step how the cloud writes "each one that is divisible by n"
 */
export function slots(everyMinutes: number, step: (n: number) => string): { minutes: string; hours: string } {
  const field = (n: number, length: number) => (n === length ? "0" : n === 1 ? "*" : step(n));
  return everyMinutes <= 60
    ? { minutes: field(everyMinutes, 60), hours: "*" }
    : { minutes: "0", hours: field(everyMinutes / 60, 24) };
}

/** Whether what belongs to the source's account is in this side's as well; alarms are sent to such things. */
export const inSourceAccount = ({ source, destination }: Pick<BridgeConfig, "source" | "destination">, side: Side): boolean =>
  side === "source" || (source.cloud === destination.cloud && source.accountId === destination.accountId);
