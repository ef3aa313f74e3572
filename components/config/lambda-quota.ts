/** How many Lambda functions a bridge runs at once, and what an operator should know when the account allows fewer. */
import { isAws } from "./clouds";
import { LIMITS } from "./limits";
import type { BridgeConfig } from "./parse";

/** "Concurrent executions": one number for every function of an account in a region. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
export const LAMBDA_QUOTA = { serviceCode: "lambda", quotaCode: "L-B99A9384" } as const;
/** Lambda keeps this many for functions that reserve none. */
const UNRESERVED = LIMITS.lambdaUnreserved.most;

type Side = "source" | "destination";
type Config = Pick<BridgeConfig, "mode" | "buffer" | "concurrency" | "copy" | "probe" | "reserveConcurrency"> &
  Readonly<Record<Side, Pick<BridgeConfig["source"], "cloud" | "region" | "accountId">>>;

/** The sides whose Lambda functions count against the quota of this side's account and region. */
function sidesAt(config: Config, side: Side): Side[] {
  const { source, destination } = config;
  const isOnePlace = (["cloud", "region", "accountId"] as const).every((name) => source[name] === destination[name]);
  return isOnePlace ? ["source", "destination"] : [side];
}

/**
 * The most senders at once that the bridge itself starts: those that the queue feeds, and the tick. With `buffer: none` S3 invokes senders
 * too, and only a reservation bounds them: as many again.
 */
export function senderExecutions({ buffer, concurrency }: Pick<Config, "buffer" | "concurrency">): number {
  return (buffer === "none" ? 2 : 1) * concurrency + 1;
}

/** The functions that may run at once in this side's account and region, by kind. */
export function lambdaExecutions(config: Config, side: Side): Readonly<Record<string, number>> {
  const { mode, concurrency, copy, probe } = config;
  const sides = sidesAt(config, side).filter((one) => isAws(config[one].cloud));
  const used: Record<string, number> = {};
  if (mode === "pull" && sides.includes("source")) used.senders = senderExecutions(config);
  if (mode === "pull" && sides.includes("destination")) Object.assign(used, { receivers: concurrency, copies: copy.concurrency });
  if (probe.enabled) used.probers = sides.length;
  return used;
}

const total = (used: Readonly<Record<string, number>>): number => Object.values(used).reduce((sum, count) => sum + count, 0);

const listOf = (used: Readonly<Record<string, number>>): string =>
  Object.entries(used)
    .map(([kind, count]) => `${count} ${kind}`)
    .join(", ");

const increaseCommand = (region: string, desired: number) =>
  `aws service-quotas request-service-quota-increase --region ${region} --service-code ${LAMBDA_QUOTA.serviceCode} --quota-code ${LAMBDA_QUOTA.quotaCode} --desired-value ${desired}`;

/**
 * Notices about the quota of this side's account.
 * @param quota concurrent executions that the account allows in the side's region
 */
export function lambdaQuotaNotices(config: Config, side: Side, quota: number): string[] {
  const { region } = config[side];
  const used = lambdaExecutions(config, side);
  const notices: string[] = [];
  if (total(used) > quota) {
    notices.push(
      `The account of the ${side} runs at most ${quota} Lambda functions at once in ${region}, for everything in it. This bridge may run ` +
        `${total(used)} there: ${listOf(used)}. What does not fit is throttled and waits, the account's other functions too. Have the quota raised ` +
        `(${increaseCommand(region, UNRESERVED + total(used))}), or lower concurrency or copy.concurrency.`,
    );
  }
  const reserved = senderExecutions(config);
  if (side === "source" && config.reserveConcurrency && quota < UNRESERVED + reserved) {
    notices.push(
      `reserveConcurrency reserves ${reserved} executions for the sender, and Lambda keeps ${UNRESERVED} unreserved, but the account has ` +
        `${quota} in ${region}: Lambda refuses the reservation. Have the quota raised (${increaseCommand(region, UNRESERVED + reserved)}), or set ` +
        "reserveConcurrency: false.",
    );
  }
  return notices;
}

/** For an account whose quota cannot be read. */
export function unknownQuota(config: Config, side: Side): string {
  const used = lambdaExecutions(config, side);
  return (
    `The quota of concurrent Lambda functions in ${config[side].region} could not be read (servicequotas:GetServiceQuota). It must allow ` +
    `${total(used)} for this bridge (${listOf(used)}), besides the account's other functions.`
  );
}

/** Whether the quota was asked for at the other side already. */
export const isCheckedAtSource = (config: Config): boolean => sidesAt(config, "destination").length > 1;
