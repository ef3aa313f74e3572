/** Settings that the mode has no use for: a stack that swaps its clouds or its mode may keep them. */
import type { BridgeConfig } from "../config";
import { defaultBuffer, defaultSenderSeconds, defaultUrlExpirySeconds, isS3Native } from "./defaults";
import { lenientSchema } from "./schema";

/** One sentence, or none where there is nothing to say. */
export function unusedSettings(config: BridgeConfig, tokenIsGiven: boolean): string | undefined {
  const { mode } = config;
  if (mode === "pull") return undefined;
  const unused = [
    ...ofRequests(config, tokenIsGiven),
    ...(mode === "native" ? [...ofFunctions(config), ...ofAlarms(config)] : ofSenders(config)),
  ];
  const why = mode === "native" ? "leaves the work to the store itself" : "sends no request across the border";
  return unused.length === 0
    ? undefined
    : `Mode ${mode} ${why}: ${unused.join(", ")} ${unused.length === 1 ? "is" : "are"} not used.`;
}

function ofRequests({ auth, allowedCidrs }: BridgeConfig, tokenIsGiven: boolean): string[] {
  return [
    ...(tokenIsGiven ? ["token"] : []),
    ...(auth.tokenParameter === undefined ? [] : ["auth.tokenParameter"]),
    ...(auth.kind === "iam" ? ["auth.kind"] : []),
    ...(allowedCidrs.length > 0 ? ["allowedCidrs"] : []),
  ];
}

/** Alarms on how far behind the destination is: those of the canaries, and of S3's own metrics. */
export const hasLagAlarms = (config: BridgeConfig): boolean =>
  config.probe.everyMinutes > 0 || (isS3Native(config) && config.replication.metrics);

function ofAlarms(config: BridgeConfig): string[] {
  if (hasLagAlarms(config)) return [];
  return [
    ...(config.alarmTopicArn === undefined ? [] : ["alarmTopicArn"]),
    ...(config.alarmContactGroups.length > 0 ? ["alarmContactGroups"] : []),
  ];
}

function ofSenders(config: BridgeConfig): string[] {
  const { rateLimit, timeouts } = defaultsFor(config);
  return [
    ...(isSame(config.rateLimit, rateLimit) ? [] : ["rateLimit"]),
    ...(["senderSeconds", "urlExpirySeconds"] as const)
      .filter((name) => config.timeouts[name] !== timeouts[name])
      .map((name) => `timeouts.${name}`),
  ];
}

function ofFunctions(config: BridgeConfig): string[] {
  const defaults = defaultsFor(config);
  return (Object.keys(defaults) as (keyof typeof defaults)[]).filter((key) => !isSame(config[key], defaults[key]));
}

/** Only what differs from these counts: the configuration does not tell what was written out. */
function defaultsFor(config: BridgeConfig) {
  const { rateLimit, egress, inlineLimitBytes, copy, concurrency, maxAttempts, timeouts } = lenientSchema.parse({});
  return {
    buffer: defaultBuffer(config.source.cloud),
    egress,
    rateLimit,
    inlineLimitBytes,
    copy,
    timeouts: {
      ...timeouts,
      senderSeconds: defaultSenderSeconds(config.source.cloud),
      urlExpirySeconds: defaultUrlExpirySeconds(config.copy.timeoutSeconds),
    },
    concurrency,
    maxAttempts,
  } satisfies Partial<BridgeConfig>;
}

/** Of values and of flat sections. */
function isSame(value: unknown, fallback: unknown): boolean {
  if (typeof value !== "object" || value === null || typeof fallback !== "object" || fallback === null) return value === fallback;
  return Object.entries(fallback).every(([key, inside]) => (value as Record<string, unknown>)[key] === inside);
}
