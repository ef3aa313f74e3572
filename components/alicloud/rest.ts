/**
 * Lets new roles, policies and log stores rest before their first use. RAM and Simple Log Service need seconds until the other services know
 * them, and the provider does not try a refused function or trigger again. See docs/adr/0050-new-roles-rest-before-their-first-use.md.
 */
import * as pulumi from "@pulumi/pulumi";

/** A deployment that is slow or throttled needs up to this long from the creation of a resource to its use. */
const SLACK_SECONDS = 60;

export interface Rest {
  /** When the resources were created: in seconds since the epoch, or as a text. Undefined if the provider does not say. */
  created: pulumi.Output<string | number | undefined>[];
  /** Resources of the same deployment that have no time of their own. */
  after: pulumi.CustomResource[];
  seconds: number;
}

/** Resolves to the value when the resources have rested. Earlier deployments' resources need no rest, and a preview never waits. */
export function afterRest(value: pulumi.Output<string>, { created, after, seconds }: Rest): pulumi.Output<string> {
  if (seconds === 0 || pulumi.runtime.isDryRun()) return value;
  return pulumi.all([value, pulumi.all(created), pulumi.all(after.map(({ id }) => id))]).apply(async ([known, times]) => {
    const ms = restMs(times, { nowMs: Date.now(), seconds });
    if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
    return known;
  });
}

/** The whole rest if one of the resources was created just now, else 0. */
export function restMs(
  times: readonly (string | number | undefined)[],
  { nowMs, seconds }: { nowMs: number; seconds: number },
): number {
  const sinceMs = nowMs - (seconds + SLACK_SECONDS) * 1000;
  return times.some((time) => createdMs(time) > sinceMs) ? seconds * 1000 : 0;
}

function createdMs(time: string | number | undefined): number {
  const ms = typeof time === "number" ? time * 1000 : Date.parse(time ?? "");
  return Number.isNaN(ms) ? 0 : ms;
}
