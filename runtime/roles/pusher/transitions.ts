/**
 * Computes the next state of an execution. Pure.
 *
 * A failure counts toward `maxAttempts` at one state of the source. A wait counts as nothing: it ends by the age of the key. A short wait is a
 * step of the execution; for a longer one the caller ends the execution, and the key waits in a queue.
 */
import { type Difference, LIMITS } from "../../protocol/messages";
import type { Look } from "../../protocol/ports";
import type { PushState } from "../../protocol/push";
import { exponentialDelay, HARD_END_MARGIN_SECONDS, LONGEST_DELAY_SECONDS, WAIT_DELAYS } from "../../replication/backoff";

/** An execution starts over this often without a wait. */
const ROUNDS_WITHOUT_WAIT = 20;
/** A longer wait is spent in a queue. */
const LONGEST_WAIT_INSIDE_SECONDS = 60;
/** After this many waits in a row the key goes to a queue. A workflow keeps at most 5,000 events of one execution. */
const WAITS_INSIDE = 6;

/** Seconds between two looks at a key that waits: the first delay, and the longest. */
const DELAYS = {
  ...WAIT_DELAYS,
  copy: { base: 5, max: 300 },
  change: { base: 5, max: 300 },
  failure: { base: 2, max: 900 },
} as const;
export type Cause = Exclude<keyof typeof DELAYS, "failure">;

export interface Told {
  reason: string;
  place: "source" | "destination";
  /** A write may still land: the wait covers its hard end. */
  unsettled?: boolean | undefined;
  retryAfterSeconds?: number | undefined;
  /** An attempt ran out of time: the object is copied in parts, whatever its size. */
  slow?: true | undefined;
  /** The lease of the copy that runs ends then. */
  atMostSeconds?: number | undefined;
  /** What differed after a write that nothing disturbed. */
  difference?: Difference | undefined;
}

export interface TransitionOptions {
  maxAttempts: number;
  giveUpAfterSeconds: number;
  /** Hard end of one write of a small object. */
  inlineTimeoutSeconds: number;
  sourceId: string;
  destinationId: string;
  random(): number;
  /** Ms since the epoch. */
  now(): number;
}

export interface Transitions {
  /** An attempt at this state was made and failed. The last one that is allowed parks the key. */
  fail(state: PushState, told: Told, snapshot: string | undefined): PushState;
  /** Nothing was tried, or it is not over. `next` is `wait`, however long the wait is. */
  waitFor(state: PushState, cause: Cause, told: Told, snapshot?: string): PushState;
  /** The source has changed: inspect again. */
  startOver(state: PushState, reason: string): PushState;
  /** The state to hold while the destination is down, or to park where the key is too old. */
  hold(state: PushState, told: Told): PushState;
  park(state: PushState, reason: string): PushState;
}

export function createTransitions(options: TransitionOptions): Transitions {
  const { maxAttempts, random } = options;
  const park = (state: PushState, reason: string) => advance(state, "park", { reason });
  const tried = (state: PushState, told: Told) => ({ ...state, released: undefined, last: lastReason(told, options) });
  const tooOld = (state: PushState) => {
    const reason = givenUp(state, options);
    return reason === undefined ? undefined : park(state, reason);
  };
  const delayOf = (seconds: number, { unsettled, retryAfterSeconds = 0, atMostSeconds = LONGEST_DELAY_SECONDS }: Told) => {
    const earliest = Math.max(retryAfterSeconds, unsettled ? options.inlineTimeoutSeconds + HARD_END_MARGIN_SECONDS : 1);
    return Math.min(LONGEST_DELAY_SECONDS, Math.max(Math.min(seconds, atMostSeconds), earliest));
  };
  const wait = (state: PushState, waitSeconds: number, reason: string): PushState => ({
    ...advance(state, "wait", { reason }),
    waitSeconds,
  });
  const waitFor: Transitions["waitFor"] = (state, cause, told, snapshot) => {
    const waits = (state.waits ?? 0) + 1;
    const slow = told.slow && snapshot !== undefined ? { slow: told.slow, state: snapshot } : {};
    const next = { ...tried(state, told), ...slow, waits };
    return tooOld(next) ?? wait(next, delayOf(exponentialDelay(waits, { ...DELAYS[cause], random }), told), told.reason);
  };

  return {
    park,
    waitFor,
    fail(state, told, snapshot) {
      const isSameState = state.state === undefined || snapshot === undefined || state.state === snapshot;
      const attempt = (isSameState ? state.attempt : 0) + 1;
      const { difference } = told;
      const next = {
        ...tried(state, told),
        attempt,
        waits: 0,
        state: snapshot ?? state.state,
        slow: isSameState ? state.slow : undefined,
        difference,
      };
      // The write was repeated, and it made no difference: another one would move the same bytes in vain.
      if (difference !== undefined && isSameState && isEqual(state.difference, difference))
        return park(next, `the destination does not keep the object as it was written: ${told.reason}`);
      if (attempt >= maxAttempts) return park(next, `given up after ${attempt} failed attempts: ${told.reason}`);
      return tooOld(next) ?? wait(next, delayOf(exponentialDelay(attempt, { ...DELAYS.failure, random }), told), told.reason);
    },
    startOver(state, reason) {
      const rounds = state.rounds + 1;
      if (rounds < ROUNDS_WITHOUT_WAIT) return advance({ ...state, rounds }, "inspect");
      return waitFor({ ...state, rounds }, "change", { reason, place: "source" });
    },
    hold(state, told) {
      // The cause that was seen is worth more than the fact that nothing is tried.
      const next = state.last?.place === "destination" ? { ...state, released: undefined } : tried(state, told);
      return tooOld(next) ?? advance(next, "record", { result: "waiting", reason: told.reason });
    },
  };
}

/**
 * Whether an attempt may have been made before, which may have left a copy or a write that still runs: then the lease is read. The first call of
 * an execution comes soon after its event.
 */
export function wasTried(
  { askedBefore, attempt, waits, last, released, rounds, firstSeenMs }: PushState,
  { nowMs, hardEndMs }: { nowMs: number; hardEndMs: number },
): boolean {
  const hasHistory = attempt > 0 || rounds > 0 || waits !== undefined || last !== undefined || released === true;
  return askedBefore === true || hasHistory || nowMs - firstSeenMs >= hardEndMs;
}

/** Whether the key waits in a queue instead of in its execution. */
export const waitsOutside = ({ waitSeconds = 0, waits = 0 }: PushState): boolean =>
  waitSeconds > LONGEST_WAIT_INSIDE_SECONDS || waits > WAITS_INSIDE;

/** Why a key that waits is given up; undefined while it is young enough. */
export function givenUp(
  { firstSeenMs, last }: Pick<Look, "firstSeenMs" | "last">,
  { giveUpAfterSeconds, now }: Pick<TransitionOptions, "giveUpAfterSeconds" | "now">,
): string | undefined {
  const ageMs = now() - firstSeenMs;
  if (ageMs < giveUpAfterSeconds * 1000) return undefined;
  const where = last === undefined ? "" : `, the last reason at the ${last.place}: ${last.reason}`;
  return `given up after ${Math.round(ageMs / 3_600_000)} hours of waiting${where}`;
}

function lastReason({ reason, place }: Told, { sourceId, destinationId, now }: TransitionOptions): NonNullable<Look["last"]> {
  const store = place === "source" ? sourceId : destinationId;
  return { reason: reason.slice(0, LIMITS.reasonCharacters), place, store, atMs: now() };
}

const isEqual = (one: Difference | undefined, other: Difference): boolean => JSON.stringify(one) === JSON.stringify(other);

/** The queue message of a key that leaves its execution. */
export function lookOf(
  { key, firstSeenMs, attempt, waits, state, slow, difference, last, waitSeconds }: PushState,
  nowMs: number,
): Look {
  return {
    ...{ key, firstSeenMs, failures: attempt, waits, state, slow, last },
    difference: difference && JSON.stringify(difference).slice(0, LIMITS.reasonCharacters),
    nextTryMs: waitSeconds === undefined ? undefined : nowMs + waitSeconds * 1000,
  };
}

/** The state with its next step, and without the result, the reason and the wait of the step before. */
export function advance(
  state: PushState,
  next: PushState["next"],
  { result, reason }: Pick<PushState, "result" | "reason"> = {},
): PushState {
  const { waitSeconds: _waited, reason: _reason, result: _result, ...kept } = state;
  return { ...kept, next, result, reason: reason?.slice(0, LIMITS.reasonCharacters) };
}
