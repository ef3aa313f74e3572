/**
 * The pusher's role. One call does all that fits into one attempt: it looks at both sides, copies, proves the object and records the result. An
 * execution ends in four cases: the destination is proven equal to the source, the key is out of scope, the key waits in a queue, or it is parked
 * with its reason. What the first call of an execution cannot end, it hands to the workflow with `Unfinished`.
 *
 * The workflow repeats a call that did not answer. The old one may still be running, but it can no longer write a small object: the workflow
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
import { type PushCall, type PushState, readUnfinished, Unfinished } from "../../protocol/push";
import type { ObjectSnapshot } from "../../protocol/snapshot";
import { HARD_END_MARGIN_SECONDS } from "../../replication/backoff";
import { Breaker } from "../../replication/breaker";
import { type CopyDeps, type CopyResult, copyUnderLease } from "../../replication/copy-under-lease";
import { verdictOn } from "../../replication/failure";
import { KeptAttributes } from "../../replication/kept-attributes";
import { isLive, type LeaseStore } from "../../replication/lease";
import { attempt, type LeasedCopy, type ReplicationResult, replicate } from "../../replication/replicate";
import { eligible } from "../../replication/scope";
import type { Slots } from "../../replication/slots";
import { sameState, stateName, takeSnapshot } from "../../replication/snapshot";
import { storeSource } from "../../replication/source";
import { BridgeError, DOWN_KINDS, isBridgeError } from "../../stores/errors";
import type { ObjectStore } from "../../stores/object-store";
import { Recorder, type SeenSource } from "./recorder";
import { PusherTick } from "./tick";
import { advance, createTransitions, lookOf, type Told, type Transitions, waitsOutside, wasTried } from "./transitions";
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
  /** What the instance knows of the headers that the destination keeps. @default nothing */
  kept?: KeptAttributes | undefined;
  /** In [0, 1). */
  random?: (() => number) | undefined;
  /** Waits between two tries of one part. */
  sleep?: ((ms: number) => Promise<void>) | undefined;
}

const CHANGED = "the source keeps changing";
const DOWN: Told = { reason: "the destination is down: keys wait until a probe reaches it", place: "destination" };
/** Calls that read a body from the source: their failure may be the source's. */
const CARRIES_A_BODY: ReadonlySet<PropertyKey> = new Set(["put", "uploadPart"]);
/** Another round is begun in the same call only when this much time is left for its small write. */
const ANOTHER_ROUND_MS = 10_000;
/** The wait when no queue takes the key: it goes on in its execution. */
const NO_QUEUE_SECONDS = 300;

export class Pusher {
  private readonly deps: PusherDeps & Pick<CopyDeps, "random" | "sleep">;
  private readonly transitions: Transitions;
  private readonly breaker: Breaker;
  private readonly recorder: Recorder;
  private readonly ticker: PusherTick;

  constructor(given: PusherDeps) {
    const random = given.random ?? systemRandom;
    const sleep = given.sleep ?? ((ms) => new Promise((resolve) => setTimeout(resolve, ms)));
    const now = () => given.clock.now();
    this.breaker = given.breaker ?? new Breaker(given);
    const source = watchedStore(given.source, { failed: (error) => void error.locate({ place: "source" }) });
    const kept = given.kept ?? new KeptAttributes();
    this.deps = { ...given, source, destination: this.watchedDestination(given.destination), kept, random, sleep };
    this.transitions = createTransitions({ ...given.config, random, now });
    this.recorder = new Recorder(this.deps);
    this.ticker = new PusherTick({ ...this.deps, breaker: this.breaker });
  }

  /**
   * Answers a task of the workflow with the next step.
   * @throws Unfinished if the first call of an execution cannot end it
   */
  async answer({ why, state, detail }: PushCall, deadline: Deadline): Promise<PushState> {
    const begin = why === "resume" ? this.handedOver(state, detail) : state;
    if (why === "resume" && (begin.next === "wait" || begin.next === "park")) return begin;
    const { state: attempted, source } = await this.carryOut(why === "first" ? begin : { ...begin, askedBefore: true }, deadline);
    const hasEnded = attempted.next === "record";
    // The workflow of an older version has a task of its own for the record.
    const following = hasEnded && why !== "step" ? await this.recorder.record(attempted, source) : attempted;
    if (hasEnded && source?.snapshot) await this.recorder.tag(attempted.key, source.snapshot, "COMPLETED");
    const { key, execution, next, attempt: failures, rounds, waits, waitSeconds, result, reason } = following;
    const fields = { key, execution, step: begin.next, next, failures, rounds, waits, waitSeconds, result, reason };
    this.deps.logger.info("step done", fields);
    if (why === "first" && next !== "done") throw new Unfinished(following);
    return following;
  }

  /** Once a minute. Never rejects. */
  async tick(deadline: Deadline): Promise<void> {
    await this.ticker.run(deadline);
  }

  /** How the first call ended. If the workflow has not kept that, a write of it may still be running. */
  private handedOver(state: PushState, detail = ""): PushState {
    const handed = readUnfinished(state, detail);
    if (handed !== undefined) return handed;
    this.deps.logger.warn("the workflow has not kept how the first call ended", { key: state.key, execution: state.execution });
    const waitSeconds = this.deps.config.inlineTimeoutSeconds + HARD_END_MARGIN_SECONDS;
    return { ...advance(state, "wait", { reason: "how the first attempt ended is not known" }), waitSeconds };
  }

  private async carryOut(state: PushState, deadline: Deadline): Promise<Attempted> {
    switch (state.next) {
      case "inspect":
        // A wait without a reason is of a dispatcher of an older version: another execution is at work on the same state, and goes first.
        if (state.waitSeconds !== undefined && state.reason === undefined)
          return { state: { ...state, next: "wait", reason: "another execution found the same state" } };
        return await this.attempt(state, deadline);
      case "wait":
      case "copy":
      case "verify":
        return await this.attempt(state, deadline);
      case "record":
        return { state: await this.recorder.record(state) };
      case "park":
        return { state: await this.park(state) };
      case "done":
        return { state };
    }
  }

  /** While the destination is down, the key goes to the outage queue and nothing is asked. */
  private async attempt(state: PushState, deadline: Deadline): Promise<Attempted> {
    if (!state.released && (await this.isDown()))
      return { state: await this.keepWaiting(state, this.transitions.hold(state, DOWN)) };
    const progress = { state };
    try {
      const attempted = await this.replicateInRounds(progress, deadline);
      return { ...attempted, state: await this.keepWaiting(state, attempted.state) };
    } catch (error) {
      if (!(error instanceof BridgeError)) throw error;
      this.deps.logger.warn("step failed", { key: state.key, step: state.next, error });
      return { state: await this.keepWaiting(state, this.afterError(progress.state, error)) };
    }
  }

  /** Begins again when the source has changed, as long as there is time for another small write. */
  private async replicateInRounds(progress: { state: PushState }, deadline: Deadline): Promise<Attempted> {
    const { config, clock } = this.deps;
    // Small writes end at a time counted from the beginning of the call, so that the workflow knows when it may repeat the call.
    const inlineEndMs = clock.now() + config.inlineTimeoutSeconds * 1000;
    const inline: Deadline = { remainingMs: () => Math.min(inlineEndMs - clock.now(), deadline.remainingMs()) };
    for (;;) {
      const attempted = await this.replicateOnce(progress, { inline, deadline });
      if (attempted.state.next !== "inspect" || inline.remainingMs() < ANOTHER_ROUND_MS) return attempted;
    }
  }

  /**
   * Reads the source, makes the destination equal, and reads the source again. The second look comes last, because the source may change at any
   * time. If nothing was written, there is nothing to prove.
   * @param progress keeps what is known when a call of a store fails
   */
  private async replicateOnce(progress: { state: PushState }, time: CallTime): Promise<Attempted> {
    const { config, source, clock } = this.deps;
    const begun = progress.state;
    const signal = clock.after(time.inline.remainingMs());
    const snapshot = await takeSnapshot(source, begun.key, { signal });
    const verdict = eligible(config, begun.key, snapshot);
    if (!verdict.inScope) return { state: advance(begun, "record", { result: "skipped", reason: verdict.reason }) };
    const outcome = await this.replicateNow(begun, snapshot, time);
    progress.state = await this.afterCopy(begun, stateName(snapshot), outcome);
    if (progress.state.next !== "record") return { state: progress.state };
    if (outcome.result === "unchanged") return { state: progress.state, source: { snapshot } };
    const now = await takeSnapshot(source, begun.key);
    if (sameState(now, snapshot)) return { state: progress.state, source: { snapshot: now } };
    progress.state = this.transitions.startOver(progress.state, CHANGED);
    return { state: progress.state };
  }

  /** The destination fails when it does not answer. A refusal is a sign of life. */
  private watchedDestination(store: ObjectStore): ObjectStore {
    const { breaker } = this;
    return watchedStore(store, {
      succeeded: () => breaker.succeeded(),
      failed: (error, call) => {
        if (!isBridgeError(error, ...DOWN_KINDS)) breaker.succeeded();
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
    await this.recorder.tagNow(state.key, "PENDING");
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

  /** Replicates a small object within the inline time. A large one is copied at once, in the time that is left to the function. */
  private async replicateNow(
    state: PushState,
    snapshot: ObjectSnapshot | undefined,
    { inline, deadline }: CallTime,
  ): Promise<Outcome> {
    const { clock, logger, config } = this.deps;
    const { key } = state;
    const source = storeSource(this.deps.source, key);
    const slow = state.slow === true && state.state === stateName(snapshot);
    const askedBefore = wasTried(state, { nowMs: clock.now(), hardEndMs: config.inlineTimeoutSeconds * 1000 });
    const done = await attempt(
      (signal, time) => replicate(key, snapshot, source, { ...this.deps, ...time, slow, askedBefore, signal }),
      {
        deadline: inline,
        clock,
        role: "pusher",
        onFailure: (error, result) => logger.warn("replication failed", { key, ...result, error }),
      },
    );
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
        return advance(moved, "record", { result });
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

  private async park(state: PushState): Promise<PushState> {
    const { deadLetters, logger, metrics, clock } = this.deps;
    const { key, reason = "the workflow gave no reason" } = state;
    logger.error("parked", { key, reason });
    await deadLetters.park(lookOf(state, clock.now()), reason);
    metrics.add("Parked", 1);
    await this.recorder.tagNow(key, "FAILED");
    return advance(state, "done", { result: "parked", reason });
  }
}

/** The next step, and the source as the attempt saw it last. */
interface Attempted {
  state: PushState;
  source?: SeenSource | undefined;
}

interface CallTime {
  /** Until the last small write has ended. */
  inline: Deadline;
  /** Until the function ends. */
  deadline: Deadline;
}

/** The result of `replicate`, or of the copy of a large object. */
interface Outcome extends Omit<ReplicationResult, "result"> {
  result: ReplicationResult["result"] | CopyResult["result"];
}
