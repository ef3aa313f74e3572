/**
 * The sender: for each key that an event names, asks the receiver to make the destination equal to the source. A message is
 * acknowledged in three cases: the destination was proven equal and the source, read once more, has not changed; the key is stored in a
 * queue; or the key is out of scope.
 */
import pLimit from "p-limit";
import type { SenderConfig } from "../../protocol/env";
import type { DecodedRecord } from "../../protocol/events";
import { LIMITS } from "../../protocol/messages";
import {
  type Clock,
  type DeadLetterQueue,
  type Deadline,
  type HeldMessage,
  type Logger,
  type Look,
  type MetricName,
  type Metrics,
  type OutageQueue,
  type ReceiverClient,
  systemRandom,
  type WorkQueue,
} from "../../protocol/ports";
import type { ObjectSnapshot } from "../../protocol/snapshot";
import { createBackoff, HARD_END_MARGIN_SECONDS } from "../../replication/backoff";
import { Breaker, releaseHeld } from "../../replication/breaker";
import { type Failure, Failures, Intake, reasonOf } from "../../replication/intake";
import { inScopeByKey } from "../../replication/scope";
import { takeSnapshot } from "../../replication/snapshot";
import { type Status, setStatusTag } from "../../replication/status-tags";
import { isBridgeError, isPermanent } from "../../stores/errors";
import type { ObjectStore } from "../../stores/object-store";
import { type Answer, type Asked, askReceiver, LinkRate } from "./ask";
import {
  buildNotice,
  givenUp,
  groupByKey,
  hold,
  lookAgain,
  metricsOf,
  type NoticeUrls,
  type Step,
  type StepPolicy,
  stepAfterAnswer,
  stepAfterFailure,
  stepAfterVerify,
  type Told,
  type Verify,
  type Work,
  waitFor,
} from "./steps";

export interface SenderDeps {
  config: SenderConfig;
  source: ObjectStore;
  receiver: ReceiverClient;
  /** Keys that have to wait. */
  queue: WorkQueue;
  /** Keys that wait for the receiver to come back. */
  outage: OutageQueue;
  deadLetters: DeadLetterQueue;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
  /** In [0, 1). */
  random?(): number;
  /** @default a new one */
  memory?: SenderMemory | undefined;
}

/** What one instance of the function remembers between its invocations. */
export interface SenderMemory {
  breaker: Breaker;
  link: LinkRate;
}

/** Keys whose source is read at the same time: those of one request to the receiver. */
const CONCURRENT_READS = LIMITS.notices;
/** Rounds for one key within one invocation; after them the key waits in the queue. */
const MAX_ROUNDS = 4;
/** Time that one more round needs beyond the receiver's timeout. */
const ROUND_MARGIN_MS = 3_000;
/** A copy that runs, or that waits for others, and a restore take hours without a fault: the age of such a key is not reported. */
const NORMAL_WAITS: ReadonlySet<string> = new Set(["copy", "room", "restore"]);

type PutBack = Extract<Step, { step: "put-back" }>;

/** A key and the step that follows its round. */
interface Outcome {
  work: Work;
  next: Step;
}

export class Sender {
  readonly #deps: SenderDeps;
  readonly #intake: Intake;
  readonly #policy: StepPolicy;
  readonly #memory: SenderMemory;
  readonly #limit = pLimit(CONCURRENT_READS);

  constructor(deps: SenderDeps) {
    const { receiverTimeoutSeconds, maxAttempts, giveUpAfterSeconds, sourceId, destinationId } = deps.config;
    const { clock, random = systemRandom } = deps;
    this.#deps = deps;
    this.#intake = new Intake(deps);
    this.#memory = deps.memory ?? createSenderMemory(deps);
    this.#policy = {
      maxAttempts,
      giveUpAfterMs: giveUpAfterSeconds * 1000,
      backoff: createBackoff({ receiverTimeoutSeconds, random }),
      hardEndSeconds: receiverTimeoutSeconds + HARD_END_MARGIN_SECONDS,
      sourceId,
      destinationId,
      random,
      nowMs: () => clock.now(),
      isDown: () => this.#memory.breaker.hasOpened,
    };
  }

  /** @returns the messages that must be delivered again; all others are done */
  async handle(records: readonly DecodedRecord[], deadline: Deadline): Promise<{ failures: Failure[] }> {
    const failures = new Failures();
    let works = await this.#holdWhileDown(groupByKey(await this.#intake.accept(records, failures)), failures);
    for (let round = 1; works.length > 0; round++) {
      const outcomes = await this.#replicateRound(works);
      works = await this.#finishRound(outcomes, { round, deadline }, failures);
    }
    return { failures: failures.list() };
  }

  /**
   * Once a minute: tries keys of the outage queue, with one request at most. If the receiver answers, the breaker closes: all keys go back to
   * work. If it does not, they stay, and those that are too old are parked.
   */
  async tick(deadline: Deadline): Promise<void> {
    const { outage, queue, metrics, logger } = this.#deps;
    const held = await outage.receive();
    const isOpen = held.length > 0 || !(await outage.isEmpty());
    metrics.add("BreakerOpen", isOpen ? 1 : 0);
    if (held.length === 0) return;
    if (await this.#probe(held, outage)) {
      const released = await releaseHeld({ outage, release: (looks) => queue.enqueueAll(looks), deadline });
      return logger.info("breaker closed", { released });
    }
    const { reason } = this.#memory.breaker;
    logger.warn("breaker stays open", { reason });
    if (held.some(({ look }) => this.#isOverdue(look))) await this.#parkOverdue(outage, deadline);
  }

  /** Parks keys that have waited too long, until it finds a batch without one. */
  async #parkOverdue(outage: OutageQueue, deadline: Deadline): Promise<void> {
    const { reason = "the receiver is down" } = this.#memory.breaker;
    while (deadline.remainingMs() > ROUND_MARGIN_MS) {
      const messages = await outage.receive();
      const overdue = messages.filter(({ look }) => this.#isOverdue(look));
      for (const { look } of overdue) {
        const next = hold({ look, messageIds: new Set(), askedBefore: true }, { reason, place: "border" }, this.#policy);
        if (next.step === "park") await this.#intake.park(look, next.reason);
      }
      await outage.remove(overdue);
      if (overdue.length === 0) return;
    }
  }

  #isOverdue(look: Look): boolean {
    return givenUp(look, this.#policy) !== undefined;
  }

  /** @returns whether the receiver answered; then the keys are settled and out of the outage queue */
  async #probe(held: readonly HeldMessage[], outage: OutageQueue): Promise<boolean> {
    const works = groupByKey(held.map(({ look, handle }) => ({ messageId: handle, look })));
    this.#memory.breaker.halfOpen();
    const outcomes = await this.#replicateRound(works);
    const isDown = this.#memory.breaker.probe !== "succeeded";
    // Without an answer a key stays, unless its step needs no receiver: it is out of scope, or its source cannot be read.
    const settled = outcomes.filter(({ next }) => !isDown || !staysHeld(next));
    if (isDown) for (const { work } of outcomes) this.#reportAge(work.look);
    const failures = new Failures();
    await this.#finishRound(settled, undefined, failures);
    const failed = new Set(failures.list().map(({ messageId }) => messageId));
    const done = new Set(settled.flatMap(({ work }) => [...work.messageIds]).filter((handle) => !failed.has(handle)));
    await outage.remove(held.filter(({ handle }) => done.has(handle)));
    return !isDown;
  }

  /** While the breaker is open the keys go to the outage queue, and nothing is asked. */
  async #holdWhileDown(works: readonly Work[], failures: Failures): Promise<Work[]> {
    const { config, logger } = this.#deps;
    const waiting = works.filter(({ look }) => !look.released && inScopeByKey(config.scope, look.key).inScope);
    const { breaker } = this.#memory;
    // A probe of the tick reached the receiver: that is newer than what this instance saw.
    if (breaker.hasOpened && works.some(({ look }) => look.released)) breaker.halfOpen();
    if (waiting.length === 0 || !(await this.#isOpen())) return [...works];
    const told: Told = { reason: breaker.reason ?? "the receiver is down", place: "border" };
    logger.info("keys are held: the receiver is down", { keys: waiting.length });
    const outcomes = waiting.map((work): Outcome => ({ work, next: hold(work, told, this.#policy) }));
    await this.#finishRound(outcomes, undefined, failures);
    return works.filter((work) => !waiting.includes(work));
  }

  async #isOpen(): Promise<boolean> {
    try {
      return await this.#memory.breaker.isOpen();
    } catch (error) {
      this.#deps.logger.warn("the outage queue cannot be read: the keys are sent", { error });
      return false;
    }
  }

  /** Reads every key, asks the receiver about all of them, and reads the replicated ones again. */
  async #replicateRound(works: readonly Work[]): Promise<Outcome[]> {
    // The handshake with the receiver runs while the source is read.
    this.#deps.receiver.warm?.();
    const inspected = await Promise.all(works.map((work) => this.#limit(() => this.#inspect(work))));
    const outcomes = inspected.filter((one) => "next" in one);
    const asked = inspected.filter((one) => "notice" in one);
    const wasOpen = this.#memory.breaker.hasOpened;
    const answers = await askReceiver(asked, { ...this.#deps, ...this.#memory });
    if (!wasOpen && this.#memory.breaker.hasOpened) this.#deps.logger.error("breaker opened", { keys: asked.length });
    const answered = await Promise.all(
      answers.map(([{ item }, answer]) => this.#limit(async () => ({ work: item, next: await this.#evaluate(item, answer) }))),
    );
    return [...outcomes, ...answered];
  }

  async #inspect(work: Work): Promise<Asked<Work> | Outcome> {
    const { key } = work.look;
    let item = work;
    try {
      const inspected = await this.#intake.inspect(this.#deps.source, key, { asksAboutReturned: true });
      if (inspected === undefined) return { work, next: { step: "acknowledge" } };
      item = { ...work, ...inspected };
      return { item, notice: buildNotice(item, await this.#presign(key)) };
    } catch (error) {
      return { work: item, next: this.#readFailed(item, "the source cannot be read", error) };
    }
  }

  async #presign(key: string): Promise<NoticeUrls> {
    const { source, config } = this.#deps;
    const lifetime = { expiresInSeconds: config.urlExpiresInSeconds };
    return {
      url: await source.presignGet(key, lifetime),
      tagsUrl: await source.presignGet(key, { ...lifetime, reads: "tags" }),
    };
  }

  async #evaluate(work: Work, answer: Answer): Promise<Step> {
    const next = stepAfterAnswer(work, answer, this.#policy);
    if (work.isReturned && next.step === "verify") {
      this.#deps.metrics.add("Skipped", 1);
      return { step: "acknowledge" };
    }
    return next.step === "verify" ? await this.#verify(work, next) : next;
  }

  /** Reads the source again after the receiver proved the destination equal to the snapshot. */
  async #verify(work: Work, { receipt }: Verify): Promise<Step> {
    let now: ObjectSnapshot | undefined;
    try {
      now = await takeSnapshot(this.#deps.source, work.look.key);
    } catch (error) {
      return this.#readFailed(work, "the source cannot be read again", error);
    }
    const next = stepAfterVerify(work.snapshot, now);
    if (next.step === "acknowledge") {
      const added = metricsOf(receipt, work.snapshot, this.#deps.clock.now());
      for (const [name, value] of Object.entries(added)) this.#deps.metrics.add(name as MetricName, value);
      if (receipt.unsettled) return lookAgain(work, this.#policy);
    }
    return next;
  }

  #readFailed(work: Work, what: string, error: unknown): Step {
    const reason = `${what}: ${reasonOf(error, "sender")}`;
    this.#deps.logger.warn("reading the source failed", { key: work.look.key, reason, error });
    if (isPermanent(error)) return { step: "park", reason };
    const told: Told = { reason, place: "source" };
    if (isBridgeError(error, "RateLimited")) return waitFor(work, "throttling", told, this.#policy);
    if (isBridgeError(error, "Unavailable", "HostRefused")) return waitFor(work, "store", told, this.#policy);
    return stepAfterFailure(work, told, this.#policy);
  }

  /**
   * Settles the keys that get no other round in this invocation.
   * @param limits undefined where no key gets another round
   * @returns the keys of the next round
   */
  async #finishRound(
    outcomes: readonly Outcome[],
    limits: { round: number; deadline: Deadline } | undefined,
    failures: Failures,
  ): Promise<Work[]> {
    const again: Work[] = [];
    const held: { work: Work; look: Look }[] = [];
    await Promise.all(
      outcomes.map(async ({ work, next }) => {
        if (next.step === "repeat" && limits !== undefined && this.#hasTime(limits)) again.push({ ...work, askedBefore: true });
        else if (next.step === "hold") held.push({ work, look: next.look });
        else await this.#settle(work, next, failures);
      }),
    );
    if (held.length > 0) await this.#hold(held, failures);
    return again;
  }

  #hasTime({ round, deadline }: { round: number; deadline: Deadline }): boolean {
    const neededMs = this.#deps.config.receiverTimeoutSeconds * 1000 + ROUND_MARGIN_MS;
    return round < MAX_ROUNDS && deadline.remainingMs() > neededMs;
  }

  /** Acknowledges, puts back or parks a key. If the key cannot be stored, its messages are delivered again. */
  async #settle(work: Work, next: Step, failures: Failures): Promise<void> {
    try {
      switch (next.step) {
        case "acknowledge":
          return await this.#setStatus(work, next.status);
        case "park":
          await this.#intake.park(work.look, next.reason);
          return await this.#setStatus(work, "FAILED");
        case "repeat": {
          const told: Told = { reason: "the source keeps changing", place: "source" };
          return await this.#settle(work, waitFor(work, "change", told, this.#policy), failures);
        }
        case "hold":
          return await this.#hold([{ work, look: next.look }], failures);
        case "put-back":
          return await this.#putBack(work, next);
      }
    } catch (error) {
      this.#deps.logger.error("settling failed", { key: work.look.key, error });
      failures.add(work.messageIds, `the key could not be put back or parked: ${reasonOf(error, "sender")}`);
    }
  }

  async #putBack(work: Work, { look, failed, delaySeconds, cause }: PutBack): Promise<void> {
    const { queue, logger, metrics } = this.#deps;
    const { key, firstSeenMs, failures: failedAttempts, waits, last, nextTryMs } = look;
    logger.info("put back", { key, firstSeenMs, delaySeconds, failures: failedAttempts, waits, ...last, nextTryMs });
    metrics.add(failed ? "Retried" : "Waited", 1);
    if (cause === "room") metrics.add("WaitingForRoom", 1);
    if (!NORMAL_WAITS.has(cause)) this.#reportAge(look);
    // The new message is stored before the old one is acknowledged, so the queue holds the key at every moment.
    await queue.enqueue(look, delaySeconds);
    await this.#setStatus(work, "PENDING");
  }

  /** Stores the keys in the outage queue. Without that their messages are delivered again. */
  async #hold(held: readonly { work: Work; look: Look }[], failures: Failures): Promise<void> {
    const { outage, logger, metrics } = this.#deps;
    try {
      await outage.add(held.map(({ look }) => look));
    } catch (error) {
      logger.error("holding failed", { keys: held.length, error });
      for (const { work } of held) failures.add(work.messageIds, `the key could not be held: ${reasonOf(error, "sender")}`);
      return;
    }
    metrics.add("Waited", held.length);
    for (const { look } of held) {
      logger.info("held", { key: look.key, firstSeenMs: look.firstSeenMs, ...look.last });
      this.#reportAge(look);
    }
    await Promise.all(held.map(({ work }) => this.#limit(() => this.#setStatus(work, "PENDING"))));
  }

  #reportAge({ firstSeenMs }: Look): void {
    this.#deps.metrics.add("OldestUnprovenAgeMs", Math.max(0, this.#deps.clock.now() - firstSeenMs));
  }

  /** A status tag is information for people: a failure to set it is logged and delays nothing. */
  async #setStatus({ look, snapshot, isReturned }: Work, status: Status | undefined): Promise<void> {
    const { config, source, logger } = this.#deps;
    // A tag on a replica would be a difference for the bridge that wrote it.
    if (!config.statusTags || status === undefined || snapshot === undefined || isReturned) return;
    try {
      await setStatusTag(source, { bridgeId: config.bridgeId, key: look.key, snapshot }, status);
    } catch (error) {
      logger.warn("status tag not set", { key: look.key, status, error });
    }
  }
}

export function createSenderMemory({ outage, clock }: Pick<SenderDeps, "outage" | "clock">): SenderMemory {
  return { breaker: new Breaker({ outage, clock }), link: new LinkRate() };
}

/** Whether the key of a probe stays in the outage queue: it was not asked, or nobody answered. */
function staysHeld(next: Step): boolean {
  return next.step === "hold" || (next.step === "put-back" && (next.cause === "border" || next.cause === "store"));
}
