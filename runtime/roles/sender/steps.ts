/** The sender's decisions, without I/O: one work item per key, the step that follows an answer, and when another round may start. */
import type { Notice, Receipt } from "../../protocol/messages";
import type { Look, MetricName } from "../../protocol/ports";
import type { ObjectSnapshot } from "../../protocol/snapshot";
import type { BackoffPolicy } from "../../replication/backoff";
import type { AcceptedLook } from "../../replication/intake";
import { sameState } from "../../replication/snapshot";
import type { Status } from "../../replication/status-tags";
import type { Answer } from "./ask";

/** Rounds for one key within one invocation; after them the key waits in the queue. */
const MAX_ROUNDS = 4;
/** Time that one more round needs beyond the receiver's timeout. */
const ROUND_MARGIN_MS = 3_000;
/** Between two requests for a copy that is running. */
const POLL_SECONDS = 5;

/** One key of an invocation and the messages that asked for it. */
export interface Work {
  look: Look;
  messageIds: ReadonlySet<string>;
  /** The source as the last round found it; undefined stands for absent, or not read yet. */
  snapshot?: ObjectSnapshot | undefined;
}

/**
 * - `acknowledge`: the key needs nothing more; its messages are done.
 * - `repeat`: the source changed; inspect it again.
 * - `put-back`: ask again after a delay.
 * - `park`: asking again cannot help.
 */
export type Step =
  | { step: "acknowledge"; status?: Status }
  | { step: "repeat" }
  | { step: "put-back"; delaySeconds: number; failures: number; reason: string }
  | { step: "park"; reason: string };

/** The destination equals the snapshot; the source must be read again before the key is acknowledged. */
export interface Verify {
  step: "verify";
  receipt: Receipt;
}

export interface RetryPolicy {
  /** Failed tries after which a key is parked. */
  maxAttempts: number;
  backoff: BackoffPolicy;
}

/** Merges the looks at one key. The fewest attempts count, because a fresh event starts the count anew; and the earliest time. */
export function groupByKey(looks: readonly AcceptedLook[]): Work[] {
  const works = new Map<string, Work>();
  for (const { messageId, look } of looks) {
    const { key, failures, firstSeenMs } = look;
    const known = works.get(key);
    works.set(key, {
      look: {
        key,
        failures: Math.min(failures, known?.look.failures ?? failures),
        firstSeenMs: Math.min(firstSeenMs, known?.look.firstSeenMs ?? firstSeenMs),
      },
      messageIds: new Set(known?.messageIds).add(messageId),
    });
  }
  return [...works.values()];
}

export function buildNotice(key: string, url: string, snapshot: ObjectSnapshot | undefined): Notice {
  return snapshot === undefined ? { key, url, state: "absent" } : { key, url, state: "present", snapshot };
}

export function stepAfterAnswer(look: Look, answer: Answer, policy: RetryPolicy): Step | Verify {
  if ("receipt" in answer) return stepAfterReceipt(look, answer.receipt, policy);
  const { reason, retryable, attemptMayRun } = answer;
  return retryable ? stepAfterFailure(look, reason, policy, attemptMayRun) : { step: "park", reason };
}

function stepAfterReceipt(look: Look, receipt: Receipt, policy: RetryPolicy): Step | Verify {
  switch (receipt.result) {
    case "replicated":
    case "unchanged":
      return { step: "verify", receipt };
    case "superseded":
      return { step: "repeat" };
    case "in-progress": {
      const reason = receipt.reason ?? "a copy is running";
      return { step: "put-back", delaySeconds: POLL_SECONDS, failures: look.failures, reason };
    }
    case "waiting":
    case "retry": {
      const reason = receipt.reason ?? "the receiver asked for another try";
      return stepAfterFailure(look, reason, policy, receipt.unsettled === true);
    }
    case "rejected":
      return { step: "park", reason: receipt.reason ?? "rejected by the receiver" };
  }
}

/**
 * Counts a temporary failure; the last one that is allowed parks the key.
 * @param unsettled an attempt of the receiver may still be running
 */
export function stepAfterFailure(look: Look, reason: string, { maxAttempts, backoff }: RetryPolicy, unsettled = false): Step {
  const failures = look.failures + 1;
  if (failures >= maxAttempts) return { step: "park", reason: `given up after ${failures} attempts: ${reason}` };
  return { step: "put-back", delaySeconds: backoff(failures, unsettled), failures, reason };
}

/** A key is acknowledged only if the source is still in the state that the destination was made equal to. */
export function stepAfterVerify(before: ObjectSnapshot | undefined, now: ObjectSnapshot | undefined): Step {
  return sameState(before, now) ? { step: "acknowledge", status: "COMPLETED" } : { step: "repeat" };
}

export interface RoundLimits {
  /** The round that just ended, from 1. */
  round: number;
  remainingMs: number;
  receiverTimeoutSeconds: number;
  /** Whether keys can wait in a queue. */
  hasQueue: boolean;
}

/** Seconds to wait before another round for this key; undefined where the key gets none in this invocation. */
export function waitBeforeRound(step: Step, limits: RoundLimits): number | undefined {
  const { round, remainingMs, receiverTimeoutSeconds, hasQueue } = limits;
  const hasTime = (waitSeconds: number) => remainingMs > (waitSeconds + receiverTimeoutSeconds) * 1000 + ROUND_MARGIN_MS;
  if (step.step === "repeat" && round < MAX_ROUNDS && hasTime(0)) return 0;
  if (step.step === "put-back" && !hasQueue && hasTime(step.delaySeconds)) return step.delaySeconds;
  return undefined;
}

/** The metrics of an acknowledged key. The lag is measured against the source store's clock. */
export function metricsOf(
  receipt: Receipt,
  snapshot: ObjectSnapshot | undefined,
  nowMs: number,
): Partial<Record<MetricName, number>> {
  const replicated = receipt.result === "replicated";
  return {
    [replicated ? (snapshot ? "Replicated" : "Deleted") : "Unchanged"]: 1,
    BytesMoved: receipt.bytesMoved ?? 0,
    ...(replicated && snapshot ? { LagMs: Math.max(0, nowMs - Date.parse(snapshot.lastModified)) } : {}),
  };
}
