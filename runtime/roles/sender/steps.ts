/** The sender's decisions, without I/O: one work item per key, and the step that follows an answer. */
import { type Difference, LIMITS, type Notice, type Receipt } from "../../protocol/messages";
import type { LastReason, Look, MetricName, Place, Random } from "../../protocol/ports";
import type { ObjectSnapshot } from "../../protocol/snapshot";
import { type BackoffPolicy, exponentialDelay, LONGEST_DELAY_SECONDS, WAIT_DELAYS } from "../../replication/backoff";
import { type AcceptedLook, wasAsked } from "../../replication/intake";
import { sameState, stateName } from "../../replication/snapshot";
import type { Status } from "../../replication/status-tags";
import type { Answer } from "./ask";

/** One key of an invocation and the messages that asked for it. */
export interface Work {
  look: Look;
  messageIds: ReadonlySet<string>;
  /** An attempt may have been made before, for one of the messages or in an earlier round. */
  askedBefore: boolean;
  /** The source as the last round found it; undefined stands for absent, or not read yet. */
  snapshot?: ObjectSnapshot | undefined;
  /** The source object is a replica of the destination's own object: the receiver only says whether the two buckets hold each other's objects. */
  isReturned?: true | undefined;
}

/**
 * - `acknowledge`: the key needs nothing more; its messages are done.
 * - `repeat`: the source changed; inspect it again.
 * - `put-back`: ask again after a delay. `failed`: it counts toward `maxAttempts`.
 * - `hold`: the other side is down; the key waits in the outage queue.
 * - `park`: asking again cannot help.
 */
export type Step =
  | { step: "acknowledge"; status?: Status }
  | { step: "repeat" }
  | { step: "put-back"; look: Look; delaySeconds: number; failed: boolean; cause: Cause | "failure" }
  | { step: "hold"; look: Look }
  | { step: "park"; reason: string };

/** The destination equals the snapshot; the source must be read again before the key is acknowledged. */
export interface Verify {
  step: "verify";
  receipt: Receipt;
}

export interface StepPolicy {
  /** Failed attempts at one state after which a key is parked. */
  maxAttempts: number;
  /** A key that is this old is parked. */
  giveUpAfterMs: number;
  backoff: BackoffPolicy;
  /** The platform may need this long to end an attempt of unknown outcome. */
  hardEndSeconds: number;
  sourceId: string;
  destinationId: string;
  random: Random;
  nowMs(): number;
  /** Whether this instance saw that the other side is down, and there is an outage queue. */
  isDown(): boolean;
}

/** Seconds between two tries of a key that waits: the first delay, and the longest. */
const DELAYS = {
  ...WAIT_DELAYS,
  copy: { base: 2, max: 60 },
  change: { base: 1, max: 300 },
  border: { base: 2, max: 60 },
} as const;
export type Cause = keyof typeof DELAYS;

/**
 * Merges the looks at one key. The most tries are kept: they count only for the state that they name, so a fresh event of a new state starts
 * anew by itself. The earliest time is kept.
 */
export function groupByKey(looks: readonly AcceptedLook[]): Work[] {
  const works = new Map<string, Work>();
  for (const { messageId, look } of looks) {
    const known = works.get(look.key);
    works.set(look.key, {
      look: known === undefined ? lookOf(look) : merged(known.look, lookOf(look)),
      messageIds: new Set(known?.messageIds).add(messageId),
      askedBefore: known?.askedBefore === true || wasAsked(look),
    });
  }
  return [...works.values()];
}

function lookOf({ key, firstSeenMs, failures, waits, state, slow, difference, last, released }: AcceptedLook["look"]): Look {
  return { key, firstSeenMs, failures, waits, state, slow, difference, last, released };
}

function merged(a: Look, b: Look): Look {
  const more = b.failures > a.failures || (b.failures === a.failures && (b.waits ?? 0) > (a.waits ?? 0)) ? b : a;
  return {
    ...more,
    firstSeenMs: Math.min(a.firstSeenMs, b.firstSeenMs),
    released: a.released ?? b.released,
  };
}

export interface NoticeUrls {
  url: string;
  tagsUrl: string;
}

export function buildNotice({ look, snapshot, askedBefore }: Work, urls: NoticeUrls): Notice {
  const { key } = look;
  const asked = askedBefore ? { askedBefore: true as const } : {};
  if (snapshot === undefined) return { key, url: urls.url, state: "absent", ...asked };
  const isSlow = look.slow === true && look.state === stateName(snapshot);
  return { key, ...urls, state: "present", snapshot, ...asked, ...(isSlow ? { slow: true as const } : {}) };
}

export function stepAfterAnswer(work: Work, answer: Answer, policy: StepPolicy): Step | Verify {
  if ("receipt" in answer) return stepAfterReceipt(work, answer.receipt, policy);
  const { reason, retryable, attemptMayRun, retryAfterSeconds } = answer;
  if (!retryable) return { step: "park", reason };
  return waitFor(work, "border", { reason, place: "border", unsettled: attemptMayRun, retryAfterSeconds }, policy);
}

function stepAfterReceipt(work: Work, receipt: Receipt, policy: StepPolicy): Step | Verify {
  const { waitsFor = "store", place = "destination", retryAfterSeconds, slow } = receipt;
  const unsettled = receipt.unsettled === true;
  switch (receipt.result) {
    case "replicated":
    case "unchanged":
      return { step: "verify", receipt };
    case "superseded":
      return { step: "repeat" };
    case "in-progress": {
      const reason = receipt.reason ?? "a copy is running";
      return waitFor(work, "copy", { reason, place, unsettled, retryAfterSeconds, slow }, policy);
    }
    case "waiting": {
      const reason = receipt.reason ?? `waits for ${waitsFor}`;
      return waitFor(work, waitsFor, { reason, place, unsettled, retryAfterSeconds, slow }, policy);
    }
    case "retry": {
      const reason = receipt.reason ?? "the receiver asked for another try";
      return stepAfterFailure(work, { reason, place, unsettled, retryAfterSeconds, difference: receipt.difference }, policy);
    }
    case "rejected":
      return { step: "park", reason: receipt.reason ?? "rejected by the receiver" };
  }
}

export interface Told {
  reason: string;
  place: Place;
  /** An attempt of the receiver may still be running. */
  unsettled?: boolean | undefined;
  retryAfterSeconds?: number | undefined;
  slow?: true | undefined;
  /** What differed after a write that nothing disturbed. */
  difference?: Difference | undefined;
}

/** The step for a key while the other side is down: it is not tried. */
export function hold({ look }: Work, told: Told, policy: StepPolicy): Step {
  const next = tried(look, told, policy);
  return givenUp(next, policy) ?? { step: "hold", look: next };
}

/** Puts a key back without counting. It ends by the age of the key alone. */
export function waitFor(work: Work, cause: Cause, told: Told, policy: StepPolicy): Step {
  const { look } = work;
  const waits = (look.waits ?? 0) + 1;
  const next: Look = {
    ...tried(look, told, policy),
    ...(told.slow ? { slow: true as const, state: stateName(work.snapshot) } : {}),
    waits,
  };
  const tooOld = givenUp(next, policy);
  if (tooOld !== undefined) return tooOld;
  const isDownCause = cause === "border" || (cause === "store" && told.place === "destination");
  if (isDownCause && told.unsettled !== true && policy.isDown()) return { step: "hold", look: next };
  const { base, max } = DELAYS[cause];
  const delaySeconds = delayOf(exponentialDelay(waits, { base, max, random: policy.random }), told, policy);
  return putBack(next, { delaySeconds, failed: false, cause }, policy);
}

/** The step for a key that is proven equal while an earlier write of it may still land. */
export function lookAgain(work: Work, policy: StepPolicy): Step {
  const reason = "the connection to the receiver broke: the request that was sent first may still be carried out";
  return waitFor(work, "border", { reason, place: "border", unsettled: true }, policy);
}

/** Counts a failure at this state of the source; the last one that is allowed parks the key. */
export function stepAfterFailure(work: Work, told: Told, policy: StepPolicy): Step {
  const { look, snapshot } = work;
  const state = stateName(snapshot);
  const isSameState = look.state === undefined || look.state === state;
  const failures = (isSameState ? look.failures : 0) + 1;
  const difference = told.difference && JSON.stringify(told.difference).slice(0, LIMITS.reasonCharacters);
  const next: Look = {
    ...tried(look, told, policy),
    failures,
    state,
    waits: 0,
    slow: isSameState ? look.slow : undefined,
    difference,
  };
  // The write was repeated, and it made no difference: another one would move the same bytes in vain.
  if (difference !== undefined && isSameState && look.difference === difference)
    return { step: "park", reason: `the destination does not keep the object as it was written: ${told.reason}` };
  if (failures >= policy.maxAttempts) return { step: "park", reason: afterAll(`${failures} failed attempts`, next) };
  const tooOld = givenUp(next, policy);
  if (tooOld !== undefined) return tooOld;
  const delaySeconds = delayOf(policy.backoff(failures, false), told, policy);
  return putBack(next, { delaySeconds, failed: true, cause: "failure" }, policy);
}

function delayOf(seconds: number, { unsettled, retryAfterSeconds = 0 }: Told, { hardEndSeconds }: StepPolicy): number {
  const earliest = Math.max(retryAfterSeconds, unsettled === true ? hardEndSeconds : 0);
  return Math.min(LONGEST_DELAY_SECONDS, Math.max(seconds, earliest));
}

function putBack(
  look: Look,
  rest: { delaySeconds: number; failed: boolean; cause: Cause | "failure" },
  { nowMs }: StepPolicy,
): Step {
  return { step: "put-back", look: { ...look, nextTryMs: nowMs() + rest.delaySeconds * 1000 }, ...rest };
}

function tried(look: Look, { reason, place }: Told, policy: StepPolicy): Look {
  const store = place === "source" ? policy.sourceId : place === "destination" ? policy.destinationId : undefined;
  const last: LastReason = { reason: reason.slice(0, LIMITS.reasonCharacters), place, store, atMs: policy.nowMs() };
  return { ...look, released: undefined, last };
}

/** The step for a key that is too old; undefined where it is not. */
export function givenUp(look: Look, { giveUpAfterMs, nowMs }: Pick<StepPolicy, "giveUpAfterMs" | "nowMs">): Step | undefined {
  const ageMs = nowMs() - look.firstSeenMs;
  return ageMs < giveUpAfterMs ? undefined : { step: "park", reason: afterAll(ageText(ageMs), look) };
}

/** The sentence of a dead letter: what was tried, and where the last try ended with which cause. */
function afterAll(what: string, { last }: Look): string {
  if (last === undefined) return `given up after ${what}`;
  const { place, store, reason } = last;
  const where = place === "border" ? "on the way to the receiver" : `at the ${place}${store === undefined ? "" : ` (${store})`}`;
  return `given up after ${what}, the last ${where}: ${reason}`;
}

function ageText(ms: number): string {
  const hours = Math.floor(ms / 3_600_000);
  const [count, unit] = hours >= 24 ? [Math.floor(hours / 24), "day"] : [hours, "hour"];
  return `${count} ${unit}${count === 1 ? "" : "s"} of waiting`;
}

/** A key is acknowledged only if the source is still in the state that the destination was made equal to. */
export function stepAfterVerify(before: ObjectSnapshot | undefined, now: ObjectSnapshot | undefined): Step {
  return sameState(before, now) ? { step: "acknowledge", status: "COMPLETED" } : { step: "repeat" };
}

/** The metrics of an acknowledged key. The lag is measured against the source store's clock. */
export function metricsOf(
  receipt: Receipt,
  snapshot: ObjectSnapshot | undefined,
  nowMs: number,
): Partial<Record<MetricName, number>> {
  const replicated = receipt.result === "replicated";
  return {
    [replicated ? (snapshot ? "Replicated" : "Deleted") : "Unchanged"]: 1,
    BytesMoved: receipt.bytesMoved ?? 0,
    ...(replicated && snapshot ? { LagMs: Math.max(0, nowMs - Date.parse(snapshot.lastModified)) } : {}),
  };
}
