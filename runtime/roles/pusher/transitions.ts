/** Computes the next state of an execution. Pure. */
import { LIMITS } from "../../protocol/messages";
import { MAX_WAIT_SECONDS, type PushState } from "../../protocol/push";
import { type BackoffPolicy, createBackoff } from "../../replication/backoff";

/** An execution starts over this often without a wait; then it waits before each round, longer each time. */
const ROUNDS_WITHOUT_WAIT = 20;
const ROUND_WAIT_SECONDS = 5;
const LONGEST_ROUND_WAIT_SECONDS = 60;
/** A workflow keeps at most 5,000 events of one execution: the key is parked with its reason before that. */
const LAST_ROUND = 110;
/** Between two looks at a copy that another execution runs: the first wait, and the longest. */
const FIRST_POLL_SECONDS = 5;
const LONGEST_POLL_SECONDS = 300;
/** The longest wait for the copy of another execution. It also keeps the execution below the 5,000 events. */
const LONGEST_BUSY_MS = 12 * 3_600_000;

export interface Transitions {
  /** After a temporary failure. `unsettled`: a write may still land, so the wait lasts until its hard end. */
  retry(state: PushState, reason: string, unsettled: boolean): PushState;
  /** The source has changed: inspect again. Counts as a round, not as a failed attempt. */
  startOver(state: PushState, reason: string): PushState;
  /** Another execution's copy of the key is running, and its lease ends in `leaseEndsInMs`; or a restore is, which has no lease. */
  waitForCopy(state: PushState, reason: string, leaseEndsInMs: number): PushState;
  park(state: PushState, reason: string): PushState;
}

export function createTransitions(options: {
  maxAttempts: number;
  /** Hard end of one write of a small object. */
  inlineTimeoutSeconds: number;
  random(): number;
  /** Ms since the epoch. */
  now(): number;
}): Transitions {
  const backoff: BackoffPolicy = createBackoff({
    receiverTimeoutSeconds: options.inlineTimeoutSeconds,
    random: options.random,
  });
  const park = (state: PushState, reason: string) => advance(state, "park", { reason });

  return {
    park,
    retry(state, reason, unsettled) {
      const attempt = state.attempt + 1;
      if (attempt >= options.maxAttempts) return park(state, `given up after ${attempt} attempts: ${reason}`);
      return wait({ ...notBusy(state), attempt }, backoff(attempt, unsettled), reason);
    },
    startOver(state, reason) {
      const rounds = state.rounds + 1;
      if (rounds >= LAST_ROUND) return park(state, `given up after ${rounds} rounds: ${reason}`);
      if (rounds < ROUNDS_WITHOUT_WAIT) return advance({ ...notBusy(state), rounds }, "inspect");
      const waitSeconds = Math.min(LONGEST_ROUND_WAIT_SECONDS, ROUND_WAIT_SECONDS * (rounds - ROUNDS_WITHOUT_WAIT + 1));
      return wait({ ...notBusy(state), rounds }, waitSeconds, reason);
    },
    waitForCopy(state, reason, leaseEndsInMs) {
      const busySinceMs = state.busySinceMs ?? options.now();
      if (options.now() - busySinceMs > LONGEST_BUSY_MS) return park(state, `given up after 12 hours: ${reason}`);
      // `inspect` keeps the last wait in the state when it goes on to `copy`.
      const waitSeconds = state.waitSeconds === undefined ? FIRST_POLL_SECONDS : state.waitSeconds * 2;
      // The end of its lease is the only sign of a copier that died.
      const leaseSeconds = Math.max(1, Math.ceil(leaseEndsInMs / 1000));
      return wait({ ...state, busySinceMs }, Math.min(LONGEST_POLL_SECONDS, waitSeconds, leaseSeconds), reason);
    },
  };
}

function notBusy({ busySinceMs: _since, ...state }: PushState): PushState {
  return state;
}

function wait(state: PushState, waitSeconds: number, reason: string): PushState {
  return { ...advance(state, "wait", { reason }), waitSeconds: Math.min(MAX_WAIT_SECONDS, waitSeconds) };
}

/** The state with its next step, and without the result, the reason, the difference and the wait of the step before. */
export function advance(
  state: PushState,
  next: PushState["next"],
  { result, reason }: Pick<PushState, "result" | "reason"> = {},
): PushState {
  const { waitSeconds: _waited, reason: _reason, result: _result, difference: _difference, ...kept } = state;
  return { ...kept, next, result, reason: reason?.slice(0, LIMITS.reasonCharacters) };
}
