/** How the state of an execution goes on. Pure. */
import { LIMITS } from "../../protocol/messages";
import { MAX_WAIT_SECONDS, type PushState } from "../../protocol/push";
import { type BackoffPolicy, createBackoff } from "../../replication/backoff";

/** A source that moves on is followed so often at once; then there is a wait in between, growing up to the longest. */
const ROUNDS_AT_ONCE = 20;
const ROUND_WAIT_SECONDS = 5;
/** A workflow keeps at most 5,000 events of one execution: before it dies of them the key is parked with its reason. */
const LAST_ROUND = 110;
/** Between two looks at a copy that another execution carries out: the first wait, and the longest. */
const FIRST_POLL_SECONDS = 5;
const LONGEST_POLL_SECONDS = 300;
/** The longest wait between two rounds. */
const LONGEST_ROUND_WAIT_SECONDS = 60;
/** A copy that runs for longer is waited for no more, for the same reason. */
const LONGEST_BUSY_MS = 12 * 3_600_000;

export interface Transitions {
  /** A temporary failure. `unsettled`: a write may still land, so there is no other look before its hard end. */
  retry(state: PushState, reason: string, unsettled: boolean): PushState;
  /** What was done is not the source's state any more: from the beginning, and no failure. */
  again(state: PushState, reason: string): PushState;
  /** Somebody else's copy of the key is running, at the latest for this long. */
  busy(state: PushState, reason: string, longestMs: number): PushState;
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

  function park(state: PushState, reason: string): PushState {
    return { ...onward(state, "park"), reason: reason.slice(0, LIMITS.reasonCharacters) };
  }

  return {
    park,
    retry(state, reason, unsettled) {
      const attempt = state.attempt + 1;
      if (attempt >= options.maxAttempts) return park(state, `given up after ${attempt} attempts: ${reason}`);
      return wait({ ...notBusy(state), attempt }, backoff(attempt, unsettled), reason);
    },
    again(state, reason) {
      const rounds = state.rounds + 1;
      if (rounds >= LAST_ROUND) return park(state, `given up after ${rounds} rounds: ${reason}`);
      if (rounds < ROUNDS_AT_ONCE) return { ...onward(notBusy(state), "inspect"), rounds };
      const waitSeconds = Math.min(LONGEST_ROUND_WAIT_SECONDS, ROUND_WAIT_SECONDS * (rounds - ROUNDS_AT_ONCE + 1));
      return wait({ ...notBusy(state), rounds }, waitSeconds, reason);
    },
    busy(state, reason, longestMs) {
      const busySinceMs = state.busySinceMs ?? options.now();
      if (options.now() - busySinceMs > LONGEST_BUSY_MS) return park(state, `given up after 12 hours: ${reason}`);
      // The last wait stays in the state while nothing else comes of it.
      const waitSeconds = state.waitSeconds === undefined ? FIRST_POLL_SECONDS : state.waitSeconds * 2;
      // When a copier has died, nothing tells of it but the end of its lease.
      const leaseSeconds = Math.max(1, Math.ceil(longestMs / 1000));
      return wait({ ...state, busySinceMs }, Math.min(LONGEST_POLL_SECONDS, waitSeconds, leaseSeconds), reason);
    },
  };
}

function notBusy({ busySinceMs: _since, ...state }: PushState): PushState {
  return state;
}

function wait(state: PushState, waitSeconds: number, reason: string): PushState {
  return {
    ...onward(state, "wait"),
    waitSeconds: Math.min(MAX_WAIT_SECONDS, waitSeconds),
    reason: reason.slice(0, LIMITS.reasonCharacters),
  };
}

/** Without what belonged to the step before. */
export function onward(state: PushState, next: PushState["next"]): PushState {
  const { waitSeconds: _waited, reason: _reason, result: _result, ...kept } = state;
  return { ...kept, next };
}
