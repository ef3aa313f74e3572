/**
 * The pusher's role: carries out one step of a workflow execution and says which one follows. An execution ends only when the
 * destination was proven equal to the source, or the key was parked with its reason.
 *
 * A step may be repeated, and may run beside an earlier try of itself that the workflow no longer waits for: the workflow repeats a step
 * only after the hard end of its writes.
 */

import type { PusherConfig } from "../../protocol/env";
import { type Clock, type DeadLetterQueue, type Deadline, type Logger, type Metrics, systemRandom } from "../../protocol/ports";
import type { PushState } from "../../protocol/push";
import { eligible } from "../../replication/eligible";
import { isLive, type LeaseStore } from "../../replication/lease";
import { takeSnapshot } from "../../replication/snapshot";
import { BridgeError, isPermanent } from "../../stores/errors";
import type { ObjectStore } from "../../stores/object-store";
import { createCopy } from "./copy";
import { claimsToHold, differenceOf, lookAtDestination } from "./look";
import { createRecord } from "./record";
import { createTransitions, onward } from "./transitions";

export interface PusherDeps {
  config: PusherConfig;
  source: ObjectStore;
  destination: ObjectStore;
  leases: LeaseStore;
  deadLetters: DeadLetterQueue;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
  newId(): string;
  /** In [0, 1). */
  random?(): number;
  /** Waits between two tries of one part. */
  sleep?(ms: number): Promise<void>;
}

export type Pusher = (state: PushState, context: Deadline) => Promise<PushState>;

const CHANGED = "the source keeps changing";

export function createPusher(deps: PusherDeps): Pusher {
  const { config, source, clock, logger, metrics } = deps;
  const random = deps.random ?? systemRandom;
  const { maxAttempts, inlineTimeoutSeconds } = config;
  const transitions = createTransitions({ maxAttempts, inlineTimeoutSeconds, random, now: () => clock.now() });
  const copyOnce = createCopy({ ...deps, random });
  const { record, tag } = createRecord(deps);

  return async (state, context) => {
    const following = await step(state, context);
    const { key, execution, next, attempt, rounds, waitSeconds, result, reason } = following;
    logger.info("step done", { key, execution, step: state.next, next, attempt, rounds, waitSeconds, result, reason });
    return following;
  };

  async function step(state: PushState, context: Deadline): Promise<PushState> {
    switch (state.next) {
      case "inspect":
        // So from the dispatcher: an execution that is at work on the same state comes first. Every other wait has its reason.
        if (state.waitSeconds !== undefined && state.reason === undefined)
          return { ...state, next: "wait", reason: "another execution found the same state" };
        return await orRetry(state, () => inspect(state));
      case "wait": // The workflow has waited.
        return await orRetry(state, () => inspect(state));
      case "copy":
        return await orRetry(state, () => copy(state, context));
      case "verify":
        return await orRetry(state, () => verify(state));
      case "record":
        await record(state);
        return {
          ...onward(state, "done"),
          ...(state.result && { result: state.result }),
          ...(state.reason && { reason: state.reason }),
        };
      case "park":
        return await park(state);
      case "done":
        return state;
    }
  }

  /** Failures of a store are counted here; anything else is the workflow's to repeat. */
  async function orRetry(state: PushState, work: () => Promise<PushState>): Promise<PushState> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof BridgeError)) throw error;
      logger.warn("step failed", { key: state.key, step: state.next, error });
      const { message } = error;
      return await waiting(isPermanent(error) ? transitions.park(state, message) : transitions.retry(state, message, false));
    }
  }

  async function inspect(state: PushState): Promise<PushState> {
    const snapshot = await takeSnapshot(source, state.key);
    const verdict = eligible(config, state.key, snapshot);
    if (!verdict.inScope) return { ...onward(state, "record"), result: "skipped", reason: verdict.reason };
    const { copyRuns, state: seen } = await lookAtDestination(deps, state.key);
    if (!copyRuns && differenceOf(snapshot, seen, config) === undefined)
      return { ...onward(state, "record"), result: "unchanged" };
    const { waitSeconds } = state;
    return { ...onward(state, "copy"), ...(waitSeconds === undefined ? {} : { waitSeconds }) };
  }

  async function copy(state: PushState, context: Deadline): Promise<PushState> {
    // From the beginning of the step, so that whoever repeats it knows when the last of its small writes has ended.
    const inlineEndMs = clock.now() + inlineTimeoutSeconds * 1000;
    const inlineMs = () => Math.min(inlineEndMs - clock.now(), context.remainingMs());
    const snapshot = await takeSnapshot(source, state.key, { signal: clock.after(inlineMs()) });
    if (!eligible(config, state.key, snapshot).inScope) return transitions.again(state, CHANGED);

    const {
      result,
      reason,
      unsettled = false,
      bytesMoved,
    } = await copyOnce(state.key, snapshot, {
      inlineMs,
      remainingMs: () => context.remainingMs(),
    });
    const moved = { ...state, bytesMoved: state.bytesMoved + bytesMoved };
    switch (result) {
      case "replicated":
      case "unchanged":
        return { ...onward(moved, "verify"), result };
      case "superseded":
        return transitions.again(moved, CHANGED);
      case "continue":
        return onward(moved, "copy");
      case "in-progress":
      case "not-mine":
        return await waiting(transitions.busy(moved, reason ?? "a copy of this key is running", await leaseEndsInMs(state.key)));
      case "retry":
        return await waiting(transitions.retry(moved, reason ?? "another try is needed", unsettled));
      case "rejected":
        return transitions.park(moved, reason ?? "rejected");
    }
  }

  async function leaseEndsInMs(sourceKey: string): Promise<number> {
    const held = await deps.leases.read(config.destinationPrefix + sourceKey);
    const nowMs = clock.now();
    return held && isLive(held.lease, nowMs) ? held.lease.leaseUntilMs - nowMs : 0;
  }

  /** The proof: both sides looked at anew, by somebody who has written nothing. The source comes last, as it is what may move. */
  async function verify(state: PushState): Promise<PushState> {
    const { copyRuns, state: seen } = await lookAtDestination(deps, state.key);
    const snapshot = await takeSnapshot(source, state.key);
    const difference = differenceOf(snapshot, seen, config);
    if (copyRuns || !eligible(config, state.key, snapshot).inScope) return transitions.again(state, CHANGED);
    if (difference === undefined) return { ...onward(state, "record"), ...(state.result && { result: state.result }) };
    const claims = snapshot !== undefined && seen !== undefined && claimsToHold(snapshot, seen, config);
    if (!claims || difference === "tags") return transitions.again(state, CHANGED);
    return await waiting(
      transitions.retry(state, `the destination's ${difference} differs from the source's, which did not change`, false),
    );
  }

  async function park(state: PushState): Promise<PushState> {
    const { key, firstSeenMs, reason = "the workflow gave no reason" } = state;
    logger.error("parked", { key, reason });
    // Redriven, the key has all its attempts again.
    await deps.deadLetters.park({ key, attempt: 0, firstSeenMs }, reason);
    metrics.add("Parked", 1);
    await tag(key, "FAILED");
    return { ...onward(state, "done"), result: "parked", reason };
  }

  async function waiting(state: PushState): Promise<PushState> {
    if (state.next !== "wait") return state;
    metrics.add("Retried", 1);
    await tag(state.key, "PENDING");
    return state;
  }
}
