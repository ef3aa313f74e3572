/**
 * The pusher's role: carries out one step of a workflow execution and returns the state with the next step. An execution ends in three cases:
 * the destination is proven equal to the source, the key is out of scope, or the key is parked with its reason.
 *
 * The workflow repeats a step that did not answer. The old try may still be running, but it can no longer write a small object: the workflow
 * waits for the hard end of such writes first. The lease protects a large object.
 */

import type { PusherConfig } from "../../protocol/env";
import type { Difference } from "../../protocol/messages";
import { type Clock, type DeadLetterQueue, type Deadline, type Logger, type Metrics, systemRandom } from "../../protocol/ports";
import type { PushState } from "../../protocol/push";
import type { ObjectSnapshot } from "../../protocol/snapshot";
import { type CopyDeps, type CopyResult, copyUnderLease } from "../../replication/copy-under-lease";
import { lookUnderLease } from "../../replication/destination";
import { type DestinationState, describeDifference, firstDifference } from "../../replication/equality";
import { isLive, type LeaseStore } from "../../replication/lease";
import { readProvenance, sourceVersionOf } from "../../replication/provenance";
import { attempt, type LeasedCopy, type ReplicationResult, replicate } from "../../replication/replicate";
import { eligible } from "../../replication/scope";
import type { Slots } from "../../replication/slots";
import { takeSnapshot } from "../../replication/snapshot";
import { storeSource } from "../../replication/source";
import { type Status, setStatusTag } from "../../replication/status-tags";
import { BridgeError, isPermanent } from "../../stores/errors";
import type { ObjectStore } from "../../stores/object-store";
import { advance, createTransitions, type Transitions } from "./transitions";

export interface PusherDeps {
  config: PusherConfig;
  source: ObjectStore;
  destination: ObjectStore;
  leases: LeaseStore;
  slots: Slots;
  deadLetters: DeadLetterQueue;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
  newId(): string;
  /** In [0, 1). */
  random?: (() => number) | undefined;
  /** Waits between two tries of one part. */
  sleep?: ((ms: number) => Promise<void>) | undefined;
}

const CHANGED = "the source keeps changing";

export class Pusher {
  private readonly deps: PusherDeps & Pick<CopyDeps, "random" | "sleep">;
  private readonly transitions: Transitions;

  constructor(deps: PusherDeps) {
    const random = deps.random ?? systemRandom;
    const sleep = deps.sleep ?? ((ms) => new Promise((resolve) => setTimeout(resolve, ms)));
    this.deps = { ...deps, random, sleep };
    const { maxAttempts, inlineTimeoutSeconds } = deps.config;
    this.transitions = createTransitions({ maxAttempts, inlineTimeoutSeconds, random, now: () => deps.clock.now() });
  }

  /** Carries out the step that `state.next` names. */
  async step(state: PushState, deadline: Deadline): Promise<PushState> {
    const following = await this.carryOut(state, deadline);
    const { key, execution, next, attempt: failed, rounds, waitSeconds, result, reason } = following;
    const fields = { key, execution, step: state.next, next, attempt: failed, rounds, waitSeconds, result, reason };
    this.deps.logger.info("step done", fields);
    return following;
  }

  private async carryOut(state: PushState, deadline: Deadline): Promise<PushState> {
    switch (state.next) {
      case "inspect":
        // A wait without a reason is the dispatcher's: another execution is at work on the same state, and goes first.
        if (state.waitSeconds !== undefined && state.reason === undefined)
          return { ...state, next: "wait", reason: "another execution found the same state" };
        return await this.orRetry(state, () => this.inspect(state));
      case "wait": // The workflow has waited.
        return await this.orRetry(state, () => this.inspect(state));
      case "copy":
        return await this.orRetry(state, () => this.copy(state, deadline));
      case "verify":
        return await this.orRetry(state, () => this.verify(state));
      case "record":
        return await this.record(state);
      case "park":
        return await this.park(state);
      case "done":
        return state;
    }
  }

  /** Counts a failure of a store as an attempt. Any other error leaves the function: the workflow repeats the step. */
  private async orRetry(state: PushState, work: () => Promise<PushState>): Promise<PushState> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof BridgeError)) throw error;
      this.deps.logger.warn("step failed", { key: state.key, step: state.next, error });
      const { message } = error;
      return isPermanent(error)
        ? this.transitions.park(state, message)
        : await this.recordWait(this.transitions.retry(state, message, false));
    }
  }

  /** Looks at both sides. If there is nothing to do, the next step is `record`. */
  private async inspect(state: PushState): Promise<PushState> {
    const { config, source } = this.deps;
    const snapshot = await takeSnapshot(source, state.key);
    const verdict = eligible(config, state.key, snapshot);
    if (!verdict.inScope) return advance(state, "record", { result: "skipped", reason: verdict.reason });
    const { isCopyRunning, seen } = await this.lookAtDestination(state.key);
    if (!isCopyRunning && differenceOf(snapshot, seen, config) === undefined)
      return advance(state, "record", { result: "unchanged" });
    return { ...advance(state, "copy"), waitSeconds: state.waitSeconds };
  }

  private async copy(state: PushState, deadline: Deadline): Promise<PushState> {
    const { config, source, clock } = this.deps;
    // Small writes end at a time counted from the beginning of the step, so that the workflow knows when it may repeat the step.
    const inlineEndMs = clock.now() + config.inlineTimeoutSeconds * 1000;
    const inline: Deadline = { remainingMs: () => Math.min(inlineEndMs - clock.now(), deadline.remainingMs()) };
    const snapshot = await takeSnapshot(source, state.key, { signal: clock.after(inline.remainingMs()) });
    if (!eligible(config, state.key, snapshot).inScope) return this.transitions.startOver(state, CHANGED);
    return await this.afterCopy(state, await this.replicateNow(state.key, snapshot, { inline, deadline }));
  }

  /** Replicates a small object within the inline time. A large one is copied at once, in the time that is left to the function. */
  private async replicateNow(
    key: string,
    snapshot: ObjectSnapshot | undefined,
    { inline, deadline }: { inline: Deadline; deadline: Deadline },
  ): Promise<Outcome> {
    const { clock, logger } = this.deps;
    const source = storeSource(this.deps.source, key);
    const done = await attempt((signal) => replicate(key, snapshot, source, { ...this.deps, signal }), {
      deadline: inline,
      clock,
      role: "pusher",
      onFailure: (error, result) => logger.warn("replication failed", { key, ...result, error }),
    });
    if (done.result !== "copy-leased") return done;
    const outcome = await copyUnderLease(done.copy, () => source, this.deps, deadline);
    if (outcome.result === "retry" || outcome.result === "rejected" || outcome.result === "waiting")
      await this.markReported(done.copy);
    return outcome;
  }

  private async afterCopy(state: PushState, outcome: Outcome): Promise<PushState> {
    const { result, reason, bytesMoved = 0, unsettled = false, difference } = outcome;
    const moved = { ...state, bytesMoved: state.bytesMoved + bytesMoved };
    switch (result) {
      case "replicated":
      case "unchanged":
        return advance(moved, "verify", { result });
      case "superseded":
        return this.transitions.startOver(moved, CHANGED);
      case "continue":
        return advance(moved, "copy");
      case "in-progress":
      case "not-mine": {
        const leaseEndsInMs = await this.leaseEndsInMs(state.key);
        return await this.recordWait(
          this.transitions.waitForCopy(moved, reason ?? "a copy of this key is running", leaseEndsInMs),
        );
      }
      case "waiting":
        // Nothing was tried, so it counts as no failure. No lease ends this wait.
        if (outcome.waitsFor === "restore")
          return await this.recordWait(this.transitions.waitForCopy(moved, reason ?? "being restored", Number.POSITIVE_INFINITY));
        return await this.recordWait(this.transitions.retry(moved, reason ?? "another try is needed", unsettled));
      case "retry":
        return await this.recordWait({
          ...this.transitions.retry(moved, reason ?? "another try is needed", unsettled),
          difference,
        });
      case "rejected":
        return this.transitions.park(moved, reason ?? "rejected");
    }
  }

  /** Marks the failure of a copy as reported: otherwise the next replication would report it again, as another failure. */
  private async markReported({ key, execution }: LeasedCopy): Promise<void> {
    const { leases, logger } = this.deps;
    try {
      const held = await leases.read(key);
      if (held?.lease.execution !== execution || held.lease.outcome === undefined) return;
      await leases.write({ ...held.lease, reported: true }, held);
    } catch (error) {
      if (!(error instanceof BridgeError)) throw error;
      logger.warn("the failure will count twice", { key, error });
    }
  }

  /** The time until the lease of a running copy ends; 0 when no copy is running. */
  private async leaseEndsInMs(key: string): Promise<number> {
    const { config, leases, clock } = this.deps;
    const held = await leases.read(config.destinationPrefix + key);
    const nowMs = clock.now();
    return held && isLive(held.lease, nowMs) ? held.lease.leaseUntilMs - nowMs : 0;
  }

  /**
   * The proof: reads both sides again and compares them. The destination is read first and the source last, because the source may change at
   * any time. Nothing is written to the destination. With `statusTags` a key that has to wait gets its tag at the source.
   */
  private async verify(state: PushState): Promise<PushState> {
    const { config, source } = this.deps;
    const { isCopyRunning, seen } = await this.lookAtDestination(state.key);
    const snapshot = await takeSnapshot(source, state.key);
    const difference = differenceOf(snapshot, seen, config);
    if (isCopyRunning || !eligible(config, state.key, snapshot).inScope) return this.transitions.startOver(state, CHANGED);
    if (difference === undefined) return advance(state, "record", { result: state.result });
    if (!isMadeFrom(seen, snapshot, config) || difference.what === "tags") return this.transitions.startOver(state, CHANGED);
    const reason = `the destination's ${describeDifference(difference)}; the source did not change`;
    return await this.recordWait({ ...this.transitions.retry(state, reason, false), difference });
  }

  /** `isCopyRunning`: a copier may still change what was seen. */
  private async lookAtDestination(key: string): Promise<{ isCopyRunning: boolean; seen: DestinationState | undefined }> {
    const { config, clock } = this.deps;
    const { held, seen } = await lookUnderLease(this.deps, config.destinationPrefix + key);
    return { isCopyRunning: held !== undefined && isLive(held.lease, clock.now()), seen };
  }

  /** Metrics and the status tag at the end of an execution. A failure of a store is logged, and the step succeeds. */
  private async record(state: PushState): Promise<PushState> {
    const { config, metrics } = this.deps;
    const { key, result, reason, bytesMoved } = state;
    metrics.add("BytesMoved", bytesMoved);
    if (result === "skipped") metrics.add("Skipped", 1);
    if (result === "unchanged") metrics.add("Unchanged", 1);
    if (result === "replicated" || (result !== "skipped" && config.statusTags)) await this.recordSource(key, result);
    return advance(state, "done", { result, reason });
  }

  private async recordSource(key: string, result: PushState["result"]): Promise<void> {
    const { config, source, clock, metrics } = this.deps;
    let snapshot: ObjectSnapshot | undefined;
    const isKnown = await this.unlessStoreFails(key, async () => {
      snapshot = await takeSnapshot(source, key);
    });
    if (result === "replicated") metrics.add(isKnown && snapshot === undefined ? "Deleted" : "Replicated", 1);
    if (snapshot === undefined) return;
    if (result === "replicated") metrics.add("LagMs", Math.max(0, clock.now() - Date.parse(snapshot.lastModified)));
    if (config.statusTags) await this.tagCompleted(key, snapshot);
  }

  private async tagCompleted(key: string, snapshot: ObjectSnapshot): Promise<void> {
    const { config, source } = this.deps;
    await this.unlessStoreFails(key, async () => {
      const { seen } = await this.lookAtDestination(key);
      // A newer state has an execution of its own, which sets the tag when it ends.
      if (differenceOf(snapshot, seen, config) === undefined)
        await setStatusTag(source, { bridgeId: config.bridgeId, key, snapshot }, "COMPLETED");
    });
  }

  private async park(state: PushState): Promise<PushState> {
    const { deadLetters, logger, metrics } = this.deps;
    const { key, firstSeenMs, reason = "the workflow gave no reason" } = state;
    logger.error("parked", { key, reason });
    // A redriven key has all its attempts again.
    await deadLetters.park({ key, failures: 0, firstSeenMs }, reason);
    metrics.add("Parked", 1);
    await this.tag(key, "FAILED");
    return advance(state, "done", { result: "parked", reason });
  }

  /** Counts and tags a key that waits for another try. */
  private async recordWait(state: PushState): Promise<PushState> {
    if (state.next !== "wait") return state;
    this.deps.metrics.add("Retried", 1);
    await this.tag(state.key, "PENDING");
    return state;
  }

  private async tag(key: string, status: Status): Promise<void> {
    const { config, source } = this.deps;
    if (!config.statusTags) return;
    await this.unlessStoreFails(key, async () => {
      const snapshot = await takeSnapshot(source, key);
      if (snapshot) await setStatusTag(source, { bridgeId: config.bridgeId, key, snapshot }, status);
    });
  }

  /** @returns whether it succeeded */
  private async unlessStoreFails(key: string, work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      if (!(error instanceof BridgeError)) throw error;
      this.deps.logger.warn("not everything was recorded", { key, error });
      return false;
    }
  }
}

/** The result of `replicate`, or of the copy of a large object. */
interface Outcome extends Omit<ReplicationResult, "result"> {
  result: ReplicationResult["result"] | CopyResult["result"];
}

/**
 * The first difference. Undefined when there is nothing to do: the destination is proven equal, or the source is absent and the destination has
 * no replica of this bridge.
 * @param snapshot undefined stands for absent
 */
export function differenceOf(
  snapshot: ObjectSnapshot | undefined,
  seen: DestinationState | undefined,
  bridge: { bridgeId: string },
): Difference | undefined {
  if (snapshot !== undefined) return seen === undefined ? { what: "object" } : firstDifference(snapshot, seen, bridge);
  const isOurs = seen !== undefined && readProvenance(seen.head.metadata)?.bridgeId === bridge.bridgeId;
  return isOurs ? { what: "object" } : undefined;
}

/** Whether the replica's provenance names this very state of the source. A provenance does not cover tags. */
export function isMadeFrom(
  seen: DestinationState | undefined,
  snapshot: ObjectSnapshot | undefined,
  bridge: { bridgeId: string },
): boolean {
  const provenance = seen && readProvenance(seen.head.metadata);
  return (
    snapshot !== undefined &&
    provenance?.bridgeId === bridge.bridgeId &&
    provenance.sourceVersion === sourceVersionOf(snapshot) &&
    provenance.sourceModified === snapshot.lastModified
  );
}
