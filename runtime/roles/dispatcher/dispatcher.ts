/**
 * The dispatcher: starts a workflow execution for each key that an event names, and reads nothing. An event is done in four cases: an execution is
 * certain to read the source after the event, the key is out of scope, the key waits in the work queue, or it is parked with its reason. The
 * platform delivers every other event again.
 */
import { createHash } from "node:crypto";
import pLimit from "p-limit";
import type { DispatcherConfig } from "../../protocol/env";
import type { DecodedRecord } from "../../protocol/events";
import { parseJson } from "../../protocol/json";
import { differenceSchema, LIMITS } from "../../protocol/messages";
import {
  type Clock,
  type DeadLetterQueue,
  type Deadline,
  type FlowStarter,
  type Logger,
  type Look,
  type Metrics,
  systemRandom,
  type WorkQueue,
} from "../../protocol/ports";
import type { PushState } from "../../protocol/push";
import { exponentialDelay, withRetries } from "../../replication/backoff";
import { type AcceptedLook, type Failure, Failures, Intake, reasonOf } from "../../replication/intake";
import { inScopeByEvent } from "../../replication/scope";
import { isBridgeError, isPermanent } from "../../stores/errors";

export interface DispatcherDeps {
  config: DispatcherConfig;
  flow: FlowStarter;
  /** Keys for which no execution could be started now. */
  queue: WorkQueue;
  deadLetters: DeadLetterQueue;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
  /** Replaces the id of an event that has none. */
  newId(): string;
  /** In [0, 1). */
  random?(): number;
  sleep?(ms: number): Promise<void>;
}

const CONCURRENT_STARTS = 8;
/** CloudFlow starts 100 executions a second by default. */
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 2_000;
/** After this many tries the key waits in the queue, not in the function. */
const TRIES = 4;
/** Seconds in the queue: the first time, and the longest. */
const QUEUE_SECONDS = { base: 10, max: 300 } as const;
/** No try begins when less than this is left to the function, so that a failure can still be reported. */
const LAST_TRY_MS = 5_000;
/** https://www.alibabacloud.com/help/en/serverless-workflow/latest/api-fnf-2019-03-15-describeexecution */
const SUCCEEDED = "Succeeded";

export class Dispatcher {
  readonly #deps: DispatcherDeps;
  readonly #intake: Intake;

  constructor(deps: DispatcherDeps) {
    this.#deps = deps;
    this.#intake = new Intake(deps);
  }

  /** @returns the messages that must be delivered again; all others are done */
  async handle(records: readonly DecodedRecord[], deadline: Deadline): Promise<{ failures: Failure[] }> {
    const limit = pLimit(CONCURRENT_STARTS);
    const failures = new Failures();
    const accepted = await this.#intake.accept(records, failures);
    await Promise.all(accepted.map((one) => limit(() => this.#dispatchOrFail(one, deadline, failures))));
    return { failures: failures.list() };
  }

  async #dispatchOrFail({ messageId, look }: AcceptedLook, deadline: Deadline, failures: Failures): Promise<void> {
    try {
      await this.#dispatch(look, deadline);
    } catch (error) {
      this.#deps.logger.error("dispatching failed", { error });
      failures.add([messageId], reasonOf(error, "dispatcher"));
    }
  }

  /** Starts an execution for a key, with a few retries. After them the key waits in the queue; a permanent failure parks it. */
  async #dispatch(look: AcceptedLook["look"], deadline: Deadline): Promise<void> {
    const { config, newId, random = systemRandom, sleep = wait, logger, metrics } = this.#deps;
    const verdict = inScopeByEvent(config.scope, look);
    if (!verdict.inScope) return this.#intake.skip(look.key, verdict.reason);
    // One id for all tries, and for all deliveries of one message: a repeated start must have the same name.
    const occasion = look.eventId ?? occasionOf(look) ?? newId();
    try {
      await withRetries(() => this.#startExecution(look, occasion), {
        firstWaitMs: FIRST_WAIT_MS,
        longestWaitMs: LONGEST_WAIT_MS,
        random,
        sleep,
        mayRetry: (error, { attempt, waitMs }) => {
          if (!isBridgeError(error) || !error.retryable || attempt >= TRIES) return false;
          if (deadline.remainingMs() < waitMs + LAST_TRY_MS) return false;
          logger.warn("starting an execution is tried again", { waitMs, error });
          return true;
        },
      });
    } catch (error) {
      if (isPermanent(error)) return await this.#intake.park(storable(look), error.message);
      if (!isBridgeError(error) || !error.retryable) throw error;
      metrics.add("Waited", 1);
      await this.#keepWaiting(look, error.message);
    }
  }

  /** Puts the key into the work queue, or parks it when it has waited too long. */
  async #keepWaiting(look: AcceptedLook["look"], reason: string): Promise<void> {
    const { config, queue, clock, logger, metrics, random = systemRandom } = this.#deps;
    const nowMs = clock.now();
    const ageMs = nowMs - look.firstSeenMs;
    if (ageMs >= config.giveUpAfterSeconds * 1000)
      return await this.#intake.park(
        storable(look),
        `given up after ${Math.round(ageMs / 3_600_000)} hours of waiting: ${reason}`,
      );
    metrics.add("OldestUnprovenAgeMs", ageMs);
    const waits = (look.waits ?? 0) + 1;
    const delaySeconds = exponentialDelay(waits, { ...QUEUE_SECONDS, random });
    const last = { reason: reason.slice(0, LIMITS.reasonCharacters), place: "source", atMs: nowMs } as const;
    const next: Look = { ...storable(look), waits, last, nextTryMs: nowMs + delaySeconds * 1000 };
    await queue.enqueue(next, delaySeconds);
    logger.info("put back", { ...next, delaySeconds, ...last });
  }

  /**
   * Makes certain that an execution reads the source after this event. Only this event starts an execution of this name, so whatever that one
   * reads it reads after the event. If it has failed, one more is started.
   */
  async #startExecution(look: AcceptedLook["look"], occasion: string): Promise<void> {
    const { config, flow, logger } = this.#deps;
    const { key } = look;
    const execution = executionName({ bridgeId: config.bridgeId, key, occasion });
    const outcome = await flow.start(execution, initialState(look, execution));
    if (outcome === "started") return logger.info("execution started", { key, execution });
    const isDone = outcome === "running" || (await flow.describe(execution))?.status === SUCCEEDED;
    if (isDone) return logger.debug("event handled already", { key, execution });
    const second = secondExecutionName(execution);
    // Every outcome of this start is right: two failed executions have left their reasons.
    await flow.start(second, { ...initialState(look, second), askedBefore: true });
    logger.info("execution started", { key, execution: second });
  }
}

function initialState(look: AcceptedLook["look"], execution: string): PushState {
  const { key, eventId, firstSeenMs, failures, waits, state, slow, difference, last, released } = look;
  return {
    ...{ version: 1, next: "inspect", key, execution, eventId, firstSeenMs, rounds: 0, bytesMoved: 0 },
    ...{ attempt: failures, waits, state, slow, last, released },
    difference: difference === undefined ? undefined : readDifference(difference),
  };
}

/** What tells a queue message from every other one of its key: a key that is held keeps the time of its last reason, and is released with it. */
function occasionOf({ firstSeenMs, last, waits = 0, released }: AcceptedLook["look"]): string | undefined {
  return last && ["look", firstSeenMs, last.atMs, waits, released ? "released" : ""].join(" ");
}

/** A difference that was cut in its queue message cannot be compared, and counts as none. */
function readDifference(text: string): PushState["difference"] {
  return differenceSchema.safeParse(parseJson(text)).data;
}

/** The look as a queue stores it: without what concerns one event only. */
function storable({ key, firstSeenMs, failures, waits, state, slow, difference, last }: AcceptedLook["look"]): Look {
  return { key, firstSeenMs, failures, waits, state, slow, difference, last };
}

export interface Occasion {
  bridgeId: string;
  key: string;
  /** The event's id, or its replacement. */
  occasion: string;
}

/** The name of an execution, which is its idempotency key. Each event has one name for each of its keys. */
export function executionName({ bridgeId, key, occasion }: Occasion): string {
  return `k${hexOf(JSON.stringify([bridgeId, key, occasion])).slice(0, 40)}`;
}

/** The name of the execution that follows a failed one of this name. */
export function secondExecutionName(name: string): string {
  return `${name}-again`;
}

function hexOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

async function wait(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
