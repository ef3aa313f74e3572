/**
 * The dispatcher's role: turns "look at key K" into one workflow execution. An event is done when an execution is certain to look at the
 * source after it, or when it is parked with its reason; everything else the platform brings back.
 */
import pLimit from "p-limit";
import type { DispatcherConfig } from "../../protocol/env";
import type { DecodedLook, DecodedRecord } from "../../protocol/events";
import { type Clock, type DeadLetterQueue, type Deadline, type Logger, type Metrics, systemRandom } from "../../protocol/ports";
import { type PushState, parsePushState } from "../../protocol/push";
import { eligible } from "../../replication/eligible";
import { inScopeByKey } from "../../replication/scope";
import { takeSnapshot } from "../../replication/snapshot";
import { BridgeError, isBridgeError, isPermanent } from "../../stores/errors";
import type { ObjectStore } from "../../stores/object-store";
import { executionName, executionNameFor } from "./execution-name";
import type { FlowStarter } from "./flow-starter";

export interface DispatcherDeps {
  config: DispatcherConfig;
  source: ObjectStore;
  flow: FlowStarter;
  deadLetters: DeadLetterQueue;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
  /** Stands in for the id of an event that has none. */
  newId(): string;
  /** In [0, 1). */
  random?(): number;
  sleep?(ms: number): Promise<void>;
}

/** A record that must come back; empty `messageId` where the platform gave none. */
export interface DispatcherFailure {
  messageId: string;
  reason: string;
}

export type Dispatcher = (records: readonly DecodedRecord[], context: Deadline) => Promise<{ failures: DispatcherFailure[] }>;

const SIDE_BY_SIDE = 8;
/** The first wait after a temporary failure, and the longest; ms. The vendor starts 100 executions a second by default. */
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 10_000;
/** No try is begun later than this before the hard end: the failure must still be told. */
const LAST_TRY_MS = 5_000;
/** Lets the execution that is at work on the same state come first, so that the second finds it done. */
const SECOND_COMES_LATER_SECONDS = 5;
/** https://www.alibabacloud.com/help/en/serverless-workflow/latest/api-fnf-2019-03-15-describeexecution */
const UNDER_WAY: ReadonlySet<string> = new Set(["Starting", "Running"]);

export function createDispatcher(deps: DispatcherDeps): Dispatcher {
  const { config, source, flow, clock, logger, metrics } = deps;
  const random = deps.random ?? systemRandom;
  const sleep = deps.sleep ?? ((ms) => new Promise((resolve) => setTimeout(resolve, ms)));

  return async (records, context) => {
    const limit = pLimit(SIDE_BY_SIDE);
    const failures = new Map<string, string>();
    await Promise.all(
      records.flatMap(({ messageId = "", looks, problem, original }) => {
        const settle = (work: () => Promise<void>) =>
          limit(async () => {
            const reason = await failureOf(work);
            if (reason !== undefined) failures.set(messageId, reason);
          });
        const all = looks.map((look) => settle(() => handle(look, original, context)));
        return problem === undefined ? all : [...all, settle(() => park("", problem, clock.now(), original))];
      }),
    );
    return { failures: [...failures].map(([messageId, reason]) => ({ messageId, reason })) };
  };

  async function failureOf(work: () => Promise<void>): Promise<string | undefined> {
    try {
      await work();
      return undefined;
    } catch (error) {
      logger.error("dispatching failed", { error });
      return error instanceof BridgeError ? error.message : "unexpected failure in the dispatcher";
    }
  }

  async function handle(look: DecodedLook, original: string | undefined, context: Deadline): Promise<void> {
    const { bucket, key, firstSeenMs = clock.now() } = look;
    if (bucket !== undefined && bucket !== config.source.bucket) {
      const reason = `the event is of bucket ${bucket}, this bridge serves ${config.source.bucket}`;
      return await park(key, reason, firstSeenMs, original);
    }
    // Made up once: a second try of the same start must have the same name.
    const standIn = deps.newId();
    try {
      await patiently(() => dispatch(look, firstSeenMs, standIn), context);
    } catch (error) {
      if (!isPermanent(error)) throw error;
      await park(key, error.message, firstSeenMs);
    }
  }

  async function dispatch({ key, eventId, removal }: DecodedLook, firstSeenMs: number, standIn: string): Promise<void> {
    const byKey = inScopeByKey(config.scope, key);
    if (!byKey.inScope) return skip(key, byKey.reason);
    const snapshot = await takeSnapshot(source, key);
    const verdict = eligible(config, key, snapshot);
    if (!verdict.inScope) return skip(key, verdict.reason);
    const occasion = eventId ?? standIn;
    const execution = executionName({ bridgeId: config.bridgeId, key, snapshot, removal: removal === true, eventId: occasion });
    const input: PushState = {
      version: 1,
      next: "inspect",
      key,
      execution,
      ...(eventId === undefined ? {} : { eventId }),
      firstSeenMs,
      attempt: 0,
      rounds: 0,
      bytesMoved: 0,
    };
    await ensureLookedAt(execution, input, occasion);
  }

  /**
   * An execution of the same name may have taken its last look before this event: it says nothing about this one, unless this very event
   * started it. The same bytes can be written again, and an older version can come back.
   */
  async function ensureLookedAt(execution: string, input: PushState, occasion: string): Promise<void> {
    const { key, eventId } = input;
    const outcome = await flow.start(execution, input);
    if (outcome === "started") return logger.info("execution started", { key, execution });
    const known = await flow.describe(execution);
    const underWay = known === undefined ? outcome === "running" : UNDER_WAY.has(known.status);
    const ofThisEvent = eventId !== undefined && known !== undefined && eventOf(known.input) === eventId;
    if (ofThisEvent && (underWay || known.status === "Succeeded"))
      return logger.debug("event handled already", { key, execution });

    const second = executionNameFor(execution, occasion);
    // Whatever the answer: an execution of that name is of this event alone.
    await flow.start(second, {
      ...input,
      execution: second,
      ...(underWay ? { waitSeconds: SECOND_COMES_LATER_SECONDS } : {}),
    });
    logger.info("execution started", { key, execution: second });
  }

  async function patiently<T>(work: () => Promise<T>, context: Deadline): Promise<T> {
    for (let tried = 1; ; tried++) {
      try {
        return await work();
      } catch (error) {
        const ceilingMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (tried - 1));
        const waitMs = Math.ceil(ceilingMs / 2 + (ceilingMs / 2) * random());
        if (!isBridgeError(error) || !error.retryable || context.remainingMs() < waitMs + LAST_TRY_MS) throw error;
        logger.warn("dispatching is tried again", { waitMs, error });
        metrics.add("Retried", 1);
        await sleep(waitMs);
      }
    }
  }

  function skip(key: string, reason: string): void {
    logger.debug("skipped", { key, reason });
    metrics.add("Skipped", 1);
  }

  async function park(key: string, reason: string, firstSeenMs: number, original?: string): Promise<void> {
    logger.error("parked", { key, reason });
    metrics.add("Parked", 1);
    await deps.deadLetters.park({ key, attempt: 0, firstSeenMs }, reason, original);
  }
}

/** The event that started an execution; undefined where its input is none of this version, or a redrive's. */
function eventOf(input: string): string | undefined {
  try {
    return parsePushState(JSON.parse(input)).eventId;
  } catch {
    return undefined;
  }
}
