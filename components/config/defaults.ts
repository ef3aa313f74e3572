/** Defaults that follow from the clouds at both ends. Each answers undefined where the configuration does not say enough. */
import { BOUNDS } from "../../runtime/protocol/env";
import { type Acceleration, type Cloud, isAws, type Mode } from "./clouds";
import type { LenientConfig } from "./schema";

/** A copy may wait this long for its function to start; the copier's event age. */
export const COPIER_EVENT_AGE_SECONDS = 60;
/** Time to sign, to send and to disagree about the clock. */
const URL_MARGIN_SECONDS = 60;
/** Beyond the least that a copier needs: a copy that is asked for again soon may join with the URL it has. */
const URL_EXPIRY_SLACK_SECONDS = 180;
export const URL_EXPIRY_MAX_SECONDS = BOUNDS.urlExpirySeconds.max;

type Sides = Pick<LenientConfig, "mode" | "source" | "destination">;

/** The mode of a pair of clouds where the configuration names none. */
export function defaultMode(source: string | undefined, destination: string | undefined): Mode {
  if (source !== destination) return "pull";
  return source === "alicloud" ? "push" : "native";
}

export function modeOf({ mode, source, destination }: Sides): Mode | undefined {
  if (mode !== undefined) return mode;
  if (source?.cloud === undefined || destination?.cloud === undefined) return undefined;
  return defaultMode(source.cloud, destination.cloud);
}

/** Whether requests cross the border. A pair that knows no other mode is held to pull's rules, the way out of its error. */
export function isPull(config: Sides): boolean {
  const ofOneCloud = config.source?.cloud !== undefined && config.source.cloud === config.destination?.cloud;
  return !ofOneCloud || modeOf(config) === "pull";
}

/** Whether a cloud replicates by itself, and which one. */
export function nativeCloud(config: Sides): Cloud | undefined {
  return isPull(config) || modeOf(config) !== "native" ? undefined : config.source?.cloud;
}

/** S3's own replication, inside one partition. */
export const isS3Native = (config: Sides): boolean => isAws(nativeCloud(config));

/** Of the latency probe's keys, after the first prefix of the scope. Outside the control prefix, which nothing replicates. */
const PROBE_FOLDER = "crossborderbridge-probe/";

/** Where the latency probe's objects are at the source; at the destination its prefix comes in front. */
export const probePrefixOf = ({ prefixes }: { prefixes: readonly string[] }): string => `${prefixes[0] ?? ""}${PROBE_FOLDER}`;

/** OSS hands its events straight to Function Compute, whose asynchronous invocation keeps them. */
export const defaultBuffer = (source: Cloud): "sqs" | "none" => (source === "alicloud" ? "none" : "sqs");

/** Without a queue to put a key back into, the sender itself waits for a long copy to end. */
export const defaultSenderSeconds = (source: Cloud | undefined): number => (source === "alicloud" ? 3600 : 90);

export function minimumUrlExpirySeconds(copyTimeoutSeconds: number): number {
  return copyTimeoutSeconds + COPIER_EVENT_AGE_SECONDS + URL_MARGIN_SECONDS;
}

export const defaultUrlExpirySeconds = (copyTimeoutSeconds: number): number =>
  Math.min(minimumUrlExpirySeconds(copyTimeoutSeconds) + URL_EXPIRY_SLACK_SECONDS, URL_EXPIRY_MAX_SECONDS);

/** Of the receiver on Function Compute: one for each sender, but never so many that one could not let a single request pass. */
export const receiverInstances = ({ concurrency, rateLimit }: Pick<LenientConfig, "concurrency" | "rateLimit">): number =>
  Math.min(concurrency, rateLimit.requestsPerSecond, rateLimit.burst);

/** Inside a region its own network is faster than any acceleration, and free. */
export const defaultPushAcceleration = (source: string, destination: string): Acceleration =>
  source === destination ? "none" : "global";

/** Each once, without those that lie inside another one: they say nothing new. */
export function outermost(prefixes: readonly string[]): string[] {
  const distinct = [...new Set(prefixes)];
  return distinct.filter((prefix) => !distinct.some((other) => other !== prefix && prefix.startsWith(other)));
}
