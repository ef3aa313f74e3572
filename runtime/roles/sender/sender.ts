/**
 * The sender's role: turns "look at key K" into a destination that equals the source at K. A message is done only when the destination
 * was proven equal and the source, looked at once more, is still the same; or when the key waits in a queue with its reason.
 */
import pLimit from "p-limit";
import type { SenderConfig } from "../../protocol/env";
import type { DecodedRecord } from "../../protocol/events";
import type { Receipt } from "../../protocol/messages";
import {
  type Clock,
  type DeadLetterQueue,
  type Deadline,
  type Logger,
  type Look,
  type Metrics,
  type ReceiverClient,
  systemRandom,
  type WorkQueue,
} from "../../protocol/ports";
import type { ObjectSnapshot } from "../../protocol/snapshot";
import { type BackoffPolicy, createBackoff } from "../../replication/backoff";
import { eligible } from "../../replication/eligible";
import { inScopeByKey } from "../../replication/scope";
import { sameState, takeSnapshot } from "../../replication/snapshot";
import { type Status, setStatusTag } from "../../replication/status-tags";
import { BridgeError } from "../../stores/errors";
import type { ObjectStore } from "../../stores/object-store";
import { type Asked, askReceiver } from "./ask";

export interface SenderDeps {
  config: SenderConfig;
  source: ObjectStore;
  receiver: ReceiverClient;
  /** Absent with `buffer: none`: the platform's own asynchronous retries bring failed keys back. */
  queue?: WorkQueue;
  deadLetters: DeadLetterQueue;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
  /** In [0, 1). */
  random?(): number;
  /** Waits between asks where there is no queue to wait in. */
  sleep?(ms: number): Promise<void>;
}

/** A record that must come back; empty `messageId` where the platform gave none. */
export interface SenderFailure {
  messageId: string;
  reason: string;
}

export type Sender = (records: readonly DecodedRecord[], context: Deadline) => Promise<{ failures: SenderFailure[] }>;

/** Source reads side by side. */
const SIDE_BY_SIDE = 8;
/** How often a key is gone round for within one attempt before it waits in the queue. */
const ROUNDS = 4;
/** Time one more round needs besides the receiver's own. */
const ROUND_MARGIN_MS = 3_000;
/** Between two asks for a copy that is running. */
const POLL_SECONDS = 5;

/** One key of this attempt and the messages that wait for it. */
interface Work {
  look: Look;
  messageIds: Set<string>;
  snapshot?: ObjectSnapshot | undefined;
}

/** What is left to do with a key after a round. */
type Next =
  | { step: "done"; status?: Status }
  | { step: "again" }
  | { step: "later"; delaySeconds: number; attempt: number; reason: string }
  | { step: "park"; reason: string };

export function createSender(deps: SenderDeps): Sender {
  const { config, source, clock, logger, metrics } = deps;
  const backoff: BackoffPolicy = createBackoff({
    receiverTimeoutSeconds: config.receiverTimeoutSeconds,
    random: deps.random ?? systemRandom,
  });
  const limit = pLimit(SIDE_BY_SIDE);
  const sleep = deps.sleep ?? ((ms) => new Promise((resolve) => setTimeout(resolve, ms)));

  return async (records, context) => {
    const failures = new Map<string, string>();
    const fail = (messageIds: Iterable<string>, reason: string) => {
      for (const id of messageIds) failures.set(id, reason);
    };
    let open = await collect(records, fail);
    for (let round = 1; open.length > 0; round++) {
      const again: Work[] = [];
      const waits: number[] = [];
      await Promise.all(
        (await goRound(open)).map(async ([work, next]) => {
          const canGoOn = context.remainingMs() > config.receiverTimeoutSeconds * 1000 + ROUND_MARGIN_MS;
          if (next.step === "again" && round < ROUNDS && canGoOn) again.push(work);
          else if (next.step === "later" && deps.queue === undefined && canWait(next, context)) {
            work.look = { ...work.look, attempt: next.attempt };
            again.push(work);
            waits.push(next.delaySeconds);
          } else await settle(work, next, fail);
        }),
      );
      if (waits.length > 0) await sleep(Math.max(...waits) * 1000);
      open = again;
    }
    return { failures: [...failures].map(([messageId, reason]) => ({ messageId, reason })) };
  };

  /** One work item per key; what cannot be understood is parked at once. */
  async function collect(
    records: readonly DecodedRecord[],
    fail: (ids: Iterable<string>, reason: string) => void,
  ): Promise<Work[]> {
    const works = new Map<string, Work>();
    for (const { messageId = "", looks, problem, original } of records) {
      if (problem !== undefined) await parkRecord(messageId, problem, original, fail);
      for (const { bucket, key, attempt, firstSeenMs = clock.now() } of looks) {
        if (bucket !== undefined && bucket !== config.source.bucket) {
          const reason = `the event is of bucket ${bucket}, this bridge serves ${config.source.bucket}`;
          await parkRecord(messageId, reason, original, fail, key);
          continue;
        }
        const known = works.get(key);
        // A fresh event for a key that was put back earlier starts counting anew.
        const look = {
          key,
          attempt: Math.min(attempt, known?.look.attempt ?? attempt),
          firstSeenMs: Math.min(firstSeenMs, known?.look.firstSeenMs ?? firstSeenMs),
        };
        works.set(key, { look, messageIds: (known?.messageIds ?? new Set()).add(messageId) });
      }
    }
    return [...works.values()];
  }

  async function parkRecord(
    messageId: string,
    reason: string,
    original: string | undefined,
    fail: (ids: Iterable<string>, reason: string) => void,
    key = "",
  ): Promise<void> {
    const look = { key, attempt: 0, firstSeenMs: clock.now() };
    try {
      await park(look, reason, original);
    } catch (error) {
      logger.error("parking failed", { key, error });
      fail([messageId], reason);
    }
  }

  /** Snapshot, ask, look again: for all keys side by side, with one request to the receiver. */
  async function goRound(works: readonly Work[]): Promise<[Work, Next][]> {
    const results = new Map<Work, Next>();
    const asked: Asked<Work>[] = [];
    await Promise.all(
      works.map((work) =>
        limit(async () => {
          const outcome = await prepare(work);
          if ("notice" in outcome) asked.push(outcome);
          else results.set(work, outcome);
        }),
      ),
    );
    const answers = await askReceiver(deps.receiver, config.bridgeId, asked);
    await Promise.all(
      answers.map(([{ item }, answer]) =>
        limit(async () => {
          results.set(item, "receipt" in answer ? await next(item, answer.receipt) : unreachable(item, answer));
        }),
      ),
    );
    return [...results];
  }

  async function prepare(work: Work): Promise<Asked<Work> | Next> {
    const { key } = work.look;
    const byKey = inScopeByKey(config.scope, key);
    if (!byKey.inScope) return skipped(key, byKey.reason);
    try {
      const snapshot = await takeSnapshot(source, key);
      work.snapshot = snapshot;
      const verdict = eligible(config, key, snapshot);
      if (!verdict.inScope) return skipped(key, verdict.reason);
      const url = await source.presignGet(key, { expiresInSeconds: config.urlExpiresInSeconds });
      return {
        item: work,
        notice: snapshot === undefined ? { key, url, state: "absent" } : { key, url, state: "present", snapshot },
      };
    } catch (error) {
      return temporary(work, `the source cannot be read: ${messageOf(error)}`, error);
    }
  }

  function skipped(key: string, reason: string): Next {
    logger.debug("skipped", { key, reason });
    metrics.add("Skipped", 1);
    return { step: "done" };
  }

  async function next(work: Work, receipt: Receipt): Promise<Next> {
    const { look, snapshot } = work;
    switch (receipt.result) {
      case "superseded":
        return { step: "again" };
      case "in-progress":
        return {
          step: "later",
          delaySeconds: POLL_SECONDS,
          attempt: look.attempt,
          reason: receipt.reason ?? "a copy is running",
        };
      case "rejected":
        return { step: "park", reason: receipt.reason ?? "rejected by the receiver" };
      case "retry":
        return retry(work, receipt.reason ?? "the receiver asked for another try", receipt.unsettled === true);
      case "replicated":
      case "unchanged": {
        // Acknowledging is only right while the source still is what the destination was made equal to.
        let now: ObjectSnapshot | undefined;
        try {
          now = await takeSnapshot(source, look.key);
        } catch (error) {
          return temporary(work, `the source cannot be read again: ${messageOf(error)}`, error);
        }
        if (!sameState(snapshot, now)) return { step: "again" };
        record(receipt, snapshot);
        return { step: "done", status: "COMPLETED" };
      }
    }
  }

  function record(receipt: Receipt, snapshot: ObjectSnapshot | undefined): void {
    if (receipt.result === "unchanged") metrics.add("Unchanged", 1);
    else metrics.add(snapshot === undefined ? "Deleted" : "Replicated", 1);
    metrics.add("BytesMoved", receipt.bytesMoved ?? 0);
    if (snapshot && receipt.result === "replicated")
      metrics.add("LagMs", Math.max(0, clock.now() - Date.parse(snapshot.lastModified)));
  }

  function unreachable(work: Work, answer: { reason: string; attemptMayRun: boolean; retryable: boolean }): Next {
    return answer.retryable ? retry(work, answer.reason, answer.attemptMayRun) : { step: "park", reason: answer.reason };
  }

  function temporary(work: Work, reason: string, error: unknown): Next {
    logger.warn("look failed", { key: work.look.key, reason, error });
    return retry(work, reason, false);
  }

  function retry({ look }: Work, reason: string, unsettled: boolean): Next {
    const attempt = look.attempt + 1;
    if (attempt >= config.maxAttempts) return { step: "park", reason: `given up after ${attempt} attempts: ${reason}` };
    return { step: "later", delaySeconds: backoff(attempt, unsettled), attempt, reason };
  }

  function canWait(next: { delaySeconds: number }, context: Deadline): boolean {
    return context.remainingMs() > (next.delaySeconds + config.receiverTimeoutSeconds) * 1000 + ROUND_MARGIN_MS;
  }

  /** Lets go of a key: acknowledged, waiting in the queue, or parked. Whatever cannot be stored makes its messages come back. */
  async function settle(work: Work, next: Next, fail: (ids: Iterable<string>, reason: string) => void): Promise<void> {
    const { look, messageIds } = work;
    try {
      switch (next.step) {
        case "done":
          await tag(work, next.status);
          return;
        case "park":
          // Redriven, the key has all its attempts again.
          await park({ ...look, attempt: 0 }, next.reason);
          await tag(work, "FAILED");
          return;
        case "again":
          return await putBack(work, { delaySeconds: 1, attempt: look.attempt, reason: "the source keeps changing" }, fail);
        case "later":
          return await putBack(work, next, fail);
      }
    } catch (error) {
      logger.error("settling failed", { key: look.key, error });
      fail(messageIds, `the key could not be put back or parked: ${messageOf(error)}`);
    }
  }

  async function putBack(
    work: Work,
    { delaySeconds, attempt, reason }: { delaySeconds: number; attempt: number; reason: string },
    fail: (ids: Iterable<string>, reason: string) => void,
  ): Promise<void> {
    if (deps.queue === undefined) return fail(work.messageIds, reason);
    logger.info("asked again later", { key: work.look.key, delaySeconds, attempt, reason });
    metrics.add("Retried", 1);
    // Stored before the old message is acknowledged: the key is never in no queue.
    await deps.queue.enqueue({ ...work.look, attempt }, delaySeconds);
    await tag(work, "PENDING");
  }

  async function park(look: Look, reason: string, original?: string): Promise<void> {
    logger.error("parked", { key: look.key, reason });
    metrics.add("Parked", 1);
    await deps.deadLetters.park(look, reason, original);
  }

  /** Status tags are for people: failing to set one delays nothing. */
  async function tag({ look, snapshot }: Work, status: Status | undefined): Promise<void> {
    if (!config.statusTags || status === undefined || snapshot === undefined) return;
    try {
      await setStatusTag(source, look.key, snapshot, status);
    } catch (error) {
      logger.warn("status tag not set", { key: look.key, status, error });
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof BridgeError ? error.message : "unexpected failure in the sender";
}
