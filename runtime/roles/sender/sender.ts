/**
 * The sender: for each key that an event names, asks the receiver to make the destination equal to the source. A message is
 * acknowledged in three cases: the destination was proven equal and the source, read once more, has not changed; the key is stored in a
 * queue; or the key is out of scope.
 */
import pLimit from "p-limit";
import type { SenderConfig } from "../../protocol/env";
import type { DecodedRecord } from "../../protocol/events";
import {
  type Clock,
  type DeadLetterQueue,
  type Deadline,
  type Logger,
  type MetricName,
  type Metrics,
  type ReceiverClient,
  systemRandom,
  type WorkQueue,
} from "../../protocol/ports";
import type { ObjectSnapshot } from "../../protocol/snapshot";
import { createBackoff } from "../../replication/backoff";
import { type Failure, Failures, Intake, reasonOf } from "../../replication/intake";
import { takeSnapshot } from "../../replication/snapshot";
import { type Status, setStatusTag } from "../../replication/status-tags";
import type { ObjectStore } from "../../stores/object-store";
import { type Answer, type Asked, askReceiver } from "./ask";
import {
  buildNotice,
  groupByKey,
  metricsOf,
  type RetryPolicy,
  type Step,
  stepAfterAnswer,
  stepAfterFailure,
  stepAfterVerify,
  type Verify,
  type Work,
  waitBeforeRound,
} from "./steps";

export interface SenderDeps {
  config: SenderConfig;
  source: ObjectStore;
  receiver: ReceiverClient;
  /** Absent with `buffer: none`: the platform's own asynchronous retries deliver failed keys again. */
  queue?: WorkQueue | undefined;
  deadLetters: DeadLetterQueue;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
  /** In [0, 1). */
  random?(): number;
  /** Used only without a queue. */
  sleep?(ms: number): Promise<void>;
}

/** Keys whose source is read at the same time. */
const CONCURRENT_READS = 8;

/** A key and the step that follows its round. */
interface Outcome {
  work: Work;
  next: Step;
}

export class Sender {
  readonly #deps: SenderDeps;
  readonly #intake: Intake;
  readonly #policy: RetryPolicy;
  readonly #limit = pLimit(CONCURRENT_READS);
  readonly #sleep: (ms: number) => Promise<void>;

  constructor(deps: SenderDeps) {
    const { receiverTimeoutSeconds, maxAttempts } = deps.config;
    this.#deps = deps;
    this.#intake = new Intake(deps);
    this.#policy = { maxAttempts, backoff: createBackoff({ receiverTimeoutSeconds, random: deps.random ?? systemRandom }) };
    this.#sleep = deps.sleep ?? ((ms) => new Promise((resolve) => setTimeout(resolve, ms)));
  }

  /** @returns the messages that must be delivered again; all others are done */
  async handle(records: readonly DecodedRecord[], deadline: Deadline): Promise<{ failures: Failure[] }> {
    const failures = new Failures();
    let works = groupByKey(await this.#intake.accept(records, failures));
    for (let round = 1; works.length > 0; round++) {
      const outcomes = await this.#replicateRound(works);
      works = await this.#finishRound(outcomes, { round, deadline }, failures);
    }
    return { failures: failures.list() };
  }

  /** Reads every key, asks the receiver about all of them, and reads the replicated ones again. */
  async #replicateRound(works: readonly Work[]): Promise<Outcome[]> {
    const inspected = await Promise.all(works.map((work) => this.#limit(() => this.#inspect(work))));
    const outcomes = inspected.filter((one) => "next" in one);
    const asked = inspected.filter((one) => "notice" in one);
    const answers = await askReceiver(this.#deps.receiver, this.#deps.config.bridgeId, asked);
    const answered = await Promise.all(
      answers.map(([{ item }, answer]) => this.#limit(async () => ({ work: item, next: await this.#evaluate(item, answer) }))),
    );
    return [...outcomes, ...answered];
  }

  async #inspect(work: Work): Promise<Asked<Work> | Outcome> {
    const { key } = work.look;
    let item = work;
    try {
      const inspected = await this.#intake.inspect(key);
      if (inspected === undefined) return { work, next: { step: "acknowledge" } };
      const { snapshot } = inspected;
      item = { ...work, snapshot };
      const url = await this.#deps.source.presignGet(key, { expiresInSeconds: this.#deps.config.urlExpiresInSeconds });
      return { item, notice: buildNotice(key, url, snapshot) };
    } catch (error) {
      return { work: item, next: this.#readFailed(item, "the source cannot be read", error) };
    }
  }

  async #evaluate(work: Work, answer: Answer): Promise<Step> {
    const next = stepAfterAnswer(work.look, answer, this.#policy);
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
    }
    return next;
  }

  #readFailed({ look }: Work, what: string, error: unknown): Step {
    const reason = `${what}: ${reasonOf(error, "sender")}`;
    this.#deps.logger.warn("reading the source failed", { key: look.key, reason, error });
    return stepAfterFailure(look, reason, this.#policy);
  }

  /** Settles the keys that get no other round in this invocation. @returns the keys of the next round, after the wait before it */
  async #finishRound(
    outcomes: readonly Outcome[],
    { round, deadline }: { round: number; deadline: Deadline },
    failures: Failures,
  ): Promise<Work[]> {
    const { config, queue } = this.#deps;
    const again: Work[] = [];
    let longestWaitSeconds = 0;
    await Promise.all(
      outcomes.map(async ({ work, next }) => {
        const waitSeconds = waitBeforeRound(next, {
          round,
          remainingMs: deadline.remainingMs(),
          receiverTimeoutSeconds: config.receiverTimeoutSeconds,
          hasQueue: queue !== undefined,
        });
        if (waitSeconds === undefined) return await this.#settle(work, next, failures);
        longestWaitSeconds = Math.max(longestWaitSeconds, waitSeconds);
        again.push(next.step === "put-back" ? { ...work, look: { ...work.look, failures: next.failures } } : work);
      }),
    );
    if (longestWaitSeconds > 0) await this.#sleep(longestWaitSeconds * 1000);
    return again;
  }

  /** Acknowledges, puts back or parks a key. If the key cannot be stored, its messages are delivered again. */
  async #settle(work: Work, next: Step, failures: Failures): Promise<void> {
    const { look, messageIds } = work;
    try {
      switch (next.step) {
        case "acknowledge":
          return await this.#setStatus(work, next.status);
        case "park":
          // A redriven key starts with all its attempts.
          await this.#intake.park({ ...look, failures: 0 }, next.reason);
          return await this.#setStatus(work, "FAILED");
        case "repeat":
          return await this.#putBack(
            work,
            { delaySeconds: 1, failures: look.failures, reason: "the source keeps changing" },
            failures,
          );
        case "put-back":
          return await this.#putBack(work, next, failures);
      }
    } catch (error) {
      this.#deps.logger.error("settling failed", { key: look.key, error });
      failures.add(messageIds, `the key could not be put back or parked: ${reasonOf(error, "sender")}`);
    }
  }

  async #putBack(
    work: Work,
    { delaySeconds, failures: failed, reason }: { delaySeconds: number; failures: number; reason: string },
    failures: Failures,
  ): Promise<void> {
    const { queue, logger, metrics } = this.#deps;
    if (queue === undefined) return failures.add(work.messageIds, reason);
    logger.info("put back into the queue", { key: work.look.key, delaySeconds, failures: failed, reason });
    metrics.add("Retried", 1);
    // The new message is stored before the old one is acknowledged, so the queue holds the key at every moment.
    await queue.enqueue({ ...work.look, failures: failed }, delaySeconds);
    await this.#setStatus(work, "PENDING");
  }

  /** A status tag is information for people: a failure to set it is logged and delays nothing. */
  async #setStatus({ look, snapshot }: Work, status: Status | undefined): Promise<void> {
    const { config, source, logger } = this.#deps;
    if (!config.statusTags || status === undefined || snapshot === undefined) return;
    try {
      await setStatusTag(source, { bridgeId: config.bridgeId, key: look.key, snapshot }, status);
    } catch (error) {
      logger.warn("status tag not set", { key: look.key, status, error });
    }
  }
}
