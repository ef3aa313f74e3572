/** Defaults that follow from the clouds at both ends. Functions return undefined where the configuration does not say enough. */
import { BOUNDS } from "../../runtime/protocol/env";
import { type Acceleration, type Cloud, isAws, type Mode } from "./clouds";
import { GIVE_UP_MAX_HOURS, type LenientConfig } from "./schema";

/** Longest wait of a copy for its function to start: the copier's event age. */
export const COPIER_EVENT_AGE_SECONDS = 60;
/** Time to sign and to send, and for a difference between the clocks. */
const URL_MARGIN_SECONDS = 60;
/** Added to the minimum: a copy that is requested again soon can then join with the URL that it already has. */
const URL_EXPIRY_SLACK_SECONDS = 180;
export const URL_EXPIRY_MAX_SECONDS = BOUNDS.urlExpirySeconds.max;

type Sides = Pick<LenientConfig, "mode" | "source" | "destination">;

/** The mode of a pair of clouds when the configuration names none. */
export function defaultMode(source: string | undefined, destination: string | undefined): Mode {
  if (source !== destination) return "pull";
  return source === "alicloud" ? "push" : "native";
}

export function modeOf({ mode, source, destination }: Sides): Mode | undefined {
  if (mode !== undefined) return mode;
  if (source?.cloud === undefined || destination?.cloud === undefined) return undefined;
  return defaultMode(source.cloud, destination.cloud);
}

/**
 * Whether the bridge sends requests across the border. A pair of different clouds is always checked by the rules of `pull`, because
 * it has no other mode.
 */
export function isPull(config: Sides): boolean {
  const ofOneCloud = config.source?.cloud !== undefined && config.source.cloud === config.destination?.cloud;
  return !ofOneCloud || modeOf(config) === "pull";
}

/** The cloud whose own replication does the work, or undefined. */
export function nativeCloud(config: Sides): Cloud | undefined {
  return isPull(config) || modeOf(config) !== "native" ? undefined : config.source?.cloud;
}

/** Whether S3's own replication does the work, inside one partition. */
export const isS3Native = (config: Sides): boolean => isAws(nativeCloud(config));

/** Folder of the latency probe's keys, behind the first prefix of the scope. It is outside the control prefix, which is never replicated. */
const PROBE_FOLDER = "crossborderbridge-probe/";

/** How the latency probe's keys begin at the source. At the destination, the destination's prefix comes in front. */
export const probePrefixOf = ({ prefixes }: { prefixes: readonly string[] }): string => `${prefixes[0] ?? ""}${PROBE_FOLDER}`;

/** OSS hands its events straight to Function Compute, whose asynchronous invocation keeps them. */
export const defaultBuffer = (source: Cloud): "sqs" | "none" => (source === "alicloud" ? "none" : "sqs");

/** A key is parked before its queue drops it. */
export const effectiveGiveUpHours = (source: Cloud, hours: number): number =>
  Math.min(hours, isAws(source) ? GIVE_UP_MAX_HOURS.aws : GIVE_UP_MAX_HOURS.alicloud);

export function minimumUrlExpirySeconds(copyTimeoutSeconds: number): number {
  return copyTimeoutSeconds + COPIER_EVENT_AGE_SECONDS + URL_MARGIN_SECONDS;
}

export const defaultUrlExpirySeconds = (copyTimeoutSeconds: number): number =>
  Math.min(minimumUrlExpirySeconds(copyTimeoutSeconds) + URL_EXPIRY_SLACK_SECONDS, URL_EXPIRY_MAX_SECONDS);

/**
 * Instances of the receiver on Function Compute: one for each sender. There are never so many that the share of one in the rate
 * limit is below one request.
 */
export const receiverInstances = ({ concurrency, rateLimit }: Pick<LenientConfig, "concurrency" | "rateLimit">): number =>
  Math.min(concurrency, rateLimit.requestsPerSecond, rateLimit.burst);

/** Requests to the receiver that one sender of an OSS source has at once, see `LANES` in `runtime/platforms/alicloud-fc/batches.ts`. */
export const OSS_SENDER_LANES = 2;

/** As many senders as together have `concurrency` requests at once. A receiver in Alibaba Cloud refuses more than it has instances. */
export const ossSenderInstances = ({ concurrency }: Pick<LenientConfig, "concurrency">): number =>
  Math.floor(concurrency / OSS_SENDER_LANES);

/** Inside one region, the internal network is faster than acceleration, and free. A custom domain is accelerated by its CNAME record alone. */
export const defaultPushAcceleration = (
  source: string,
  { region, customDomain }: { region: string; customDomain?: string | undefined },
): Acceleration => (source === region || customDomain !== undefined ? "none" : "global");

/** Removes repeated prefixes, and those that begin with another prefix of the list. */
export function outermost(prefixes: readonly string[]): string[] {
  const distinct = [...new Set(prefixes)];
  return distinct.filter((prefix) => !distinct.some((other) => other !== prefix && prefix.startsWith(other)));
}
