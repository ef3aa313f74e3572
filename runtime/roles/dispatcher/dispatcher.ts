/**
 * The dispatcher: starts a workflow execution for each key that an event names. An event is done in four cases: an execution is certain to
 * read the source after the event, the key is out of scope, the key waits in the work queue, or it is parked with its reason. The platform
 * delivers every other event again.
 */
import { createHash } from "node:crypto";
import pLimit from "p-limit";
import type { DispatcherConfig } from "../../protocol/env";
import type { DecodedLook, DecodedRecord } from "../../protocol/events";
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
import { type PushState, parsePushState } from "../../protocol/push";
import type { ObjectSnapshot } from "../../protocol/snapshot";
import { exponentialDelay, withRetries } from "../../replication/backoff";
import { type AcceptedLook, type Failure, Failures, Intake, reasonOf } from "../../replication/intake";
import { snapshotId } from "../../replication/snapshot";
import { isBridgeError, isPermanent } from "../../stores/errors";
import type { ObjectStore } from "../../stores/object-store";

export interface DispatcherDeps {
  config: DispatcherConfig;
  source: ObjectStore;
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
/** The second execution waits this long before its first look: another one is at work on the same state, and goes first. */
const SECOND_STARTS_AFTER_SECONDS = 5;
/** https://www.alibabacloud.com/help/en/serverless-workflow/latest/api-fnf-2019-03-15-describeexecution */
const RUNNING: ReadonlySet<string> = new Set(["Starting", "Running"]);

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
    const { newId, random = systemRandom, sleep = wait, logger, metrics } = this.#deps;
    // One id for all tries, and for all deliveries of one message: a repeated start must have the same name.
    const occasion = look.eventId ?? (look.last ? `look ${look.firstSeenMs} ${look.last.atMs}` : newId());
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

  async #startExecution(look: AcceptedLook["look"], occasion: string): Promise<void> {
    const inspected = await this.#intake.inspect(look.key);
    if (inspected === undefined) return;
    const { snapshot } = inspected;
    const { bridgeId } = this.#deps.config;
    const execution = executionName({ bridgeId, key: look.key, snapshot, removal: look.removal === true, eventId: occasion });
    if (look.last === undefined) return await this.#ensureInspected(initialState(look, execution), occasion);
    // The key comes from a queue: it has a name of its own, and asking for another execution of the same state would only cost calls.
    const own = secondExecutionName(execution, occasion);
    await this.#deps.flow.start(own, initialState(look, own));
    this.#deps.logger.info("execution started", { key: look.key, execution: own });
  }

  /**
   * Makes certain that an execution reads the source after this event. If another event started the execution of that name, that one may have
   * read the source before this event: the same bytes can be written again, and an older version can come back. Then a second execution is
   * started. It is also started if the execution that this event started has failed.
   */
  async #ensureInspected(state: PushState, occasion: string): Promise<void> {
    const { flow, logger } = this.#deps;
    const { key, eventId, execution } = state;
    const outcome = await flow.start(execution, state);
    if (outcome === "started") return logger.info("execution started", { key, execution });
    const known = await flow.describe(execution);
    const running = known === undefined ? outcome === "running" : RUNNING.has(known.status);
    const ofThisEvent = eventId !== undefined && known !== undefined && eventOf(known.input) === eventId;
    if (ofThisEvent && (running || known.status === "Succeeded"))
      return logger.debug("event handled already", { key, execution });

    const second = secondExecutionName(execution, occasion);
    // Only this event starts an execution of that name, so every outcome of the start is right.
    await flow.start(second, { ...state, execution: second, waitSeconds: running ? SECOND_STARTS_AFTER_SECONDS : undefined });
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

/** A difference that was cut in its queue message cannot be compared, and counts as none. */
function readDifference(text: string): PushState["difference"] {
  return differenceSchema.safeParse(parseJson(text)).data;
}

/** The look as a queue stores it: without what concerns one event only. */
function storable({ key, firstSeenMs, failures, waits, state, slow, difference, last }: AcceptedLook["look"]): Look {
  return { key, firstSeenMs, failures, waits, state, slow, difference, last };
}

/** The id of the event that started an execution; undefined for an input of another version, or of a redrive. */
function eventOf(input: string): DecodedLook["eventId"] {
  try {
    return parsePushState(JSON.parse(input)).eventId;
  } catch {
    return undefined;
  }
}

export interface Occasion {
  bridgeId: string;
  key: string;
  /** Undefined stands for absent. */
  snapshot: ObjectSnapshot | undefined;
  /** The event reports a removal. An older state may be visible again, and its execution may have ended long ago. */
  removal: boolean;
  /** The event's id, or its replacement. */
  eventId: string;
}

/**
 * The name of an execution, which is its idempotency key. Each state of the source has one name. If the object is absent, or if the event
 * reports a removal, each event has a name of its own.
 */
export function executionName({ bridgeId, key, snapshot, removal, eventId }: Occasion): string {
  const state = snapshot === undefined ? "absent" : snapshotId(snapshot);
  const again = snapshot === undefined || removal ? eventId : null;
  return `k${hexOf(JSON.stringify([bridgeId, key, state, again])).slice(0, 40)}`;
}

/** The name of a second execution for the same state. Only the event with this id starts it. */
export function secondExecutionName(name: string, eventId: string): string {
  return `${name}-${hexOf(eventId).slice(0, 16)}`;
}

function hexOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

async function wait(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
