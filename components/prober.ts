/** The prober's settings and schedule, the same for both sides and every cloud. */
import type { ProberConfig } from "../runtime/protocol/env";
import { type BridgeContext, identity, type Side } from "./cloud";
import { probePrefixOf } from "./config";
import type { ResolvedConfig } from "./late-config";

/** The maximum of Lambda. The probe command may watch longer than the schedule waits for a canary. */
export const PROBER_SECONDS = 900;
/** Enough for the largest object of a probe and the copies of it that exist while it is sent. */
export const PROBER_MEMORY_MB = 512;

/** Last part of a prober's physical names. It is short, because a role's name has 64 characters and the bridge's own name may take 32. */
export const PROBER_PARTS = { source: "prober-source", destination: "prober-dest" } as const satisfies Record<Side, string>;
export type ProberPart = (typeof PROBER_PARTS)[Side];

type Config = BridgeContext["config"];

/** Whether this side puts canaries, and whether it watches for them. */
export function dutiesOf({ direction }: Pick<Config, "direction">, side: Side): { puts: boolean; watches: boolean } {
  const both = direction === "two-way";
  return { puts: both || side === "source", watches: both || side === "destination" };
}

/** Prefix of every key that the side's prober may use. */
export const proberPrefix = (
  { destination, scope }: { destination: { prefix: string }; scope: Config["scope"] },
  side: Side,
): string => keyPrefixAt(destination, side) + probePrefixOf(scope);

const keyPrefixAt = (destination: { prefix: string }, side: Side): string => (side === "destination" ? destination.prefix : "");

export function proberSettings(config: ResolvedConfig, side: Side): Omit<ProberConfig, "store"> {
  const { everyMinutes, sizeBytes, giveUpAfterSeconds } = config.probe;
  return {
    ...identity(config),
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
 * Minutes and hours of a cron expression in UTC. Both sides must run in the same minute. An interval would begin at the time of each
 * side's deployment, so the schedule is a cron expression.
 * @param everyMinutes a divisor of 60, or whole hours that divide the day
 * @param step how the cloud writes "every value that is divisible by n"
 */
export function slots(everyMinutes: number, step: (n: number) => string): { minutes: string; hours: string } {
  const field = (n: number, length: number) => (n === length ? "0" : n === 1 ? "*" : step(n));
  return everyMinutes <= 60
    ? { minutes: field(everyMinutes, 60), hours: "*" }
    : { minutes: "0", hours: field(everyMinutes / 60, 24) };
}

/** Whether this side is in the source's account, which has the topic or the contact groups of the alarms. */
export const inSourceAccount = ({ source, destination }: Pick<Config, "source" | "destination">, side: Side): boolean =>
  side === "source" || (source.cloud === destination.cloud && source.accountId === destination.accountId);
