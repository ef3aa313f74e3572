/**
 * The pusher's role: carries out one step of a workflow execution and returns the state with the next step. An execution ends in four cases:
 * the destination is proven equal to the source, the key is out of scope, the key waits in a queue, or it is parked with its reason.
 *
 * The workflow repeats a step that did not answer. The old try may still be running, but it can no longer write a small object: the workflow
 * waits for the hard end of such writes first. The lease protects a large object.
 */

import type { PusherConfig } from "../../protocol/env";
import {
  type Clock,
  type DeadLetterQueue,
  type Deadline,
  type Logger,
  type LookStarter,
  type Metrics,
  type OutageQueue,
  systemRandom,
  type WorkQueue,
} from "../../protocol/ports";
import type { PushState } from "../../protocol/push";
import type { ObjectSnapshot } from "../../protocol/snapshot";
import { Breaker } from "../../replication/breaker";
import { type CopyDeps, type CopyResult, copyUnderLease } from "../../replication/copy-under-lease";
import { lookUnderLease } from "../../replication/destination";
import { type DestinationState, describeDifference } from "../../replication/equality";
import { verdictOn } from "../../replication/failure";
import { isLive, type LeaseStore } from "../../replication/lease";
import { attempt, type LeasedCopy, type ReplicationResult, replicate } from "../../replication/replicate";
import { eligible } from "../../replication/scope";
import type { Slots } from "../../replication/slots";
import { stateName, takeSnapshot } from "../../replication/snapshot";
import { storeSource } from "../../replication/source";
import { type Status, setStatusTag } from "../../replication/status-tags";
import { BridgeError, isBridgeError } from "../../stores/errors";
import type { ObjectStore } from "../../stores/object-store";
import { differenceOf, isMadeFrom } from "./proof";
import { PusherTick } from "./tick";
import { advance, createTransitions, lookOf, type Told, type Transitions, waitsOutside } from "./transitions";
import { watchedStore } from "./watched-store";

export interface PusherDeps {
  config: PusherConfig;
  source: ObjectStore;
  destination: ObjectStore;
  leases: LeaseStore;
  slots: Slots;
  /** Keys that wait for long. */
  queue: WorkQueue;
  /** Keys that wait for the destination to come back. */
  outage: OutageQueue;
  /** Starts the dispatcher. */
  starter: LookStarter;
  deadLetters: DeadLetterQueue;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
  newId(): string;
  /** What the instance knows of the destination. @default a new one */
  breaker?: Breaker | undefined;
  /** In [0, 1). */
  random?: (() => number) | undefined;
  /** Waits between two tries of one part. */
  sleep?: ((ms: number) => Promise<void>) | undefined;
}

const CHANGED = "the source keeps changing";
const DOWN: Told = { reason: "the destination is down: keys wait until a probe reaches it", place: "destination" };
/** Calls that read a body from the source: their failure may be the source's. */
const CARRIES_A_BODY: ReadonlySet<PropertyKey> = new Set(["put", "uploadPart"]);
/** The wait when no queue takes the key: it goes on in its execution. */
const NO_QUEUE_SECONDS = 300;

export class Pusher {
  private readonly deps: PusherDeps & Pick<CopyDeps, "random" | "sleep">;
  private readonly transitions: Transitions;
  private readonly breaker: Breaker;
  private readonly ticker: PusherTick;

  constructor(given: PusherDeps) {
    const random = given.random ?? systemRandom;
    const sleep = given.sleep ?? ((ms) => new Promise((resolve) => setTimeout(resolve, ms)));
    const now = () => given.clock.now();
    this.breaker = given.breaker ?? new Breaker(given);
    const source = watchedStore(given.source, { failed: (error) => void error.locate({ place: "source" }) });
    this.deps = { ...given, source, destination: this.watchedDestination(given.destination), random, sleep };
    this.transitions = createTransitions({ ...given.config, random, now });
    this.ticker = new PusherTick({ ...this.deps, breaker: this.breaker });
  }

  /** Carries out the step that `state.next` names. */
  async step(state: PushState, deadline: Deadline): Promise<PushState> {
    const following = await this.carryOut(state, deadline);
    const { key, execution, next, attempt: failures, rounds, waits, waitSeconds, result, reason } = following;
    const fields = { key, execution, step: state.next, next, failures, rounds, waits, waitSeconds, result, reason };
    this.deps.logger.info("step done", fields);
    return following;
  }

  /** Once a minute. Never rejects. */
  async tick(deadline: Deadline): Promise<void> {
    await this.ticker.run(deadline);
  }

  private async carryOut(state: PushState, deadline: Deadline): Promise<PushState> {
    switch (state.next) {
      case "inspect":
        // A wait without a reason is the dispatcher's: another execution is at work on the same state, and goes first.
        if (state.waitSeconds !== undefined && state.reason === undefined)
          return { ...state, next: "wait", reason: "another execution found the same state" };
        return await this.unlessDown(state, () => this.inspect(state));
      case "wait": // The workflow has waited.
        return await this.unlessDown(state, () => this.inspect(state));
      case "copy":
        return await this.unlessDown(state, () => this.copy(state, deadline));
      case "verify":
        return await this.unlessDown(state, () => this.verify(state));
      case "record":
        return await this.record(state);
      case "park":
        return await this.park(state);
      case "done":
        return state;
    }
  }

  /** While the destination is down, the key goes to the outage queue and nothing is asked. */
  private async unlessDown(state: PushState, work: () => Promise<PushState>): Promise<PushState> {
    if (!state.released && (await this.isDown())) return await this.keepWaiting(state, this.transitions.hold(state, DOWN));
    let following: PushState;
    try {
      following = await work();
    } catch (error) {
      if (!(error instanceof BridgeError)) throw error;
      this.deps.logger.warn("step failed", { key: state.key, step: state.next, error });
      following = this.afterError(state, error);
    }
    return await this.keepWaiting(state, following);
  }

  /** The destination fails when it does not answer. A refusal is a sign of life. */
  private watchedDestination(store: ObjectStore): ObjectStore {
    const { breaker } = this;
    return watchedStore(store, {
      succeeded: () => breaker.succeeded(),
      failed: (error, call) => {
        if (!isBridgeError(error, "Unavailable", "NoSuchBucket")) breaker.succeeded();
        else if (!CARRIES_A_BODY.has(call)) breaker.failed(error.message);
      },
    });
  }

  private async isDown(): Promise<boolean> {
    try {
      return await this.breaker.isOpen();
    } catch (error) {
      this.deps.logger.warn("the outage queue cannot be read: the key is tried", { error });
      return false;
    }
  }

  /** A store that does not work, or that asks for fewer requests, is waited for. Any other failure of a store counts. */
  private afterError(state: PushState, error: BridgeError): PushState {
    const { result, waitsFor = "store", reason, place = "destination", retryAfterSeconds } = verdictOn(error, "pusher");
    const told: Told = { reason, place, retryAfterSeconds };
    if (result === "rejected") return this.transitions.park(state, reason);
    return result === "waiting" ? this.transitions.waitFor(state, waitsFor, told) : this.transitions.fail(state, told, undefined);
  }

  /** Moves a key that waits for long, or for the destination to come back, out of its execution and into a queue. */
  private async keepWaiting(before: PushState, state: PushState): Promise<PushState> {
    const isHeld = state.result === "waiting" && state.next === "record";
    if (state.next !== "wait" && !isHeld) return state;
    const { metrics, clock, logger, queue, outage } = this.deps;
    const look = lookOf(state, clock.now());
    const isDown = isHeld || (this.breaker.hasOpened && state.last?.place === "destination");
    const hasFailed = state.attempt > before.attempt;
    metrics.add(hasFailed ? "Retried" : "Waited", 1);
    metrics.add("OldestUnprovenAgeMs", clock.now() - state.firstSeenMs);
    await this.tag(state.key, "PENDING");
    if (!isDown && !waitsOutside(state)) return state;
    const { reason } = state;
    try {
      if (isDown) await outage.add([{ ...look, nextTryMs: undefined }]);
      else await queue.enqueue(look, state.waitSeconds ?? 0);
    } catch (error) {
      if (!(error instanceof BridgeError)) throw error;
      logger.warn("the key could not be put into a queue and waits in its execution", { key: state.key, error });
      return { ...advance(state, "wait", { reason }), waitSeconds: NO_QUEUE_SECONDS };
    }
    logger.info(isDown ? "held" : "put back", { ...look, delaySeconds: state.waitSeconds, ...look.last });
    return advance(state, "record", { result: "waiting", reason });
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
    const found = stateName(snapshot);
    const slow = state.slow === true && state.state === found;
    return await this.afterCopy(state, found, await this.replicateNow(state.key, snapshot, { inline, deadline, slow }));
  }

  /** Replicates a small object within the inline time. A large one is copied at once, in the time that is left to the function. */
  private async replicateNow(
    key: string,
    snapshot: ObjectSnapshot | undefined,
    { inline, deadline, slow }: { inline: Deadline; deadline: Deadline; slow: boolean },
  ): Promise<Outcome> {
    const { clock, logger } = this.deps;
    const source = storeSource(this.deps.source, key);
    const done = await attempt((signal, time) => replicate(key, snapshot, source, { ...this.deps, ...time, signal, slow }), {
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

  /** @param found the state of the source that was copied */
  private async afterCopy(state: PushState, found: string, outcome: Outcome): Promise<PushState> {
    const { result, bytesMoved = 0, unsettled = false, difference, retryAfterSeconds, slow } = outcome;
    const { place = "destination", waitsFor = "store", reason = "another try is needed" } = outcome;
    const moved = { ...state, bytesMoved: state.bytesMoved + bytesMoved };
    const told: Told = { reason, place, unsettled, retryAfterSeconds, slow, difference };
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
        const atMostSeconds = Math.max(1, Math.ceil((await this.leaseEndsInMs(state.key)) / 1000));
        const busy = { ...told, reason: outcome.reason ?? "a copy of this key is running", atMostSeconds };
        return this.transitions.waitFor(moved, "copy", busy);
      }
      case "waiting":
        if (waitsFor === "room") this.deps.metrics.add("WaitingForRoom", 1);
        return this.transitions.waitFor(moved, waitsFor, told, found);
      case "retry":
        return this.transitions.fail(moved, told, found);
      case "rejected":
        return this.transitions.park(moved, outcome.reason ?? "rejected");
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
    return this.transitions.fail(state, { reason, place: "destination", difference }, stateName(snapshot));
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
    if (result === "waiting") return advance(state, "done", { result, reason });
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
    const { deadLetters, logger, metrics, clock } = this.deps;
    const { key, reason = "the workflow gave no reason" } = state;
    logger.error("parked", { key, reason });
    await deadLetters.park(lookOf(state, clock.now()), reason);
    metrics.add("Parked", 1);
    await this.tag(key, "FAILED");
    return advance(state, "done", { result: "parked", reason });
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
