/** The replication status of one object, in the terms of S3 replication, in every mode. Pure functions. */
import type { Difference } from "../runtime/protocol/messages";
import type { Place } from "../runtime/protocol/ports";
import { REPLICATION_STATUSES } from "../runtime/protocol/replication-status";
import type { ObjectSnapshot } from "../runtime/protocol/snapshot";
import { type DestinationState, firstDifference, recordsEqual } from "../runtime/replication/equality";
import { readProvenance } from "../runtime/replication/provenance";
import { type EligibilityRules, inScope, inScopeByKey, type ScopeVerdict } from "../runtime/replication/scope";
import { withoutHidden } from "../runtime/stores/content-headers";
import type { ObjectHead } from "../runtime/stores/object-store";

/** `NONE`: the object is not at the destination, and nothing will replicate it by itself. */
export const OBJECT_STATUSES = [...REPLICATION_STATUSES, "NONE", "OUT_OF_SCOPE"] as const;
export type ObjectStatus = (typeof OBJECT_STATUSES)[number];

export interface StatusVerdict {
  status: ObjectStatus;
  /** Why the status is not `COMPLETED`. */
  reason?: string | undefined;
  /** The bridge's last statement about a key that is on its way. */
  progress?: Known | undefined;
  /** With `COMPLETED`: the difference between the Last-Modified of the two stores, so by two clocks and to the second. */
  lagMs?: number | undefined;
}

/** Why the key was given up. */
export interface Parked {
  reason: string;
  /** By the clock of the source's cloud. */
  parkedAt: Date | undefined;
}

/** The bridge's last statement about a key. Times are ms since the epoch, by the clock of the source's cloud. */
export interface Known {
  /** `queued`: in the work queue. `held`: in the outage queue. `runs`: a workflow execution has it. `parked`: in the dead-letter queue. */
  state: "queued" | "held" | "runs" | "parked";
  atMs: number;
  /** The first event of the key, or the first line about it. */
  sinceMs?: number | undefined;
  failures: number;
  waits: number;
  reason?: string | undefined;
  /** Where the reason comes from, and the store that it concerns. */
  place?: Place | undefined;
  store?: string | undefined;
  nextTryMs?: number | undefined;
}

/** The keys that the bridge works on, with the last statement about each. */
export interface InHand {
  known?: Known | undefined;
  /** Messages of the work queue. Undefined if it cannot be counted. */
  queued: number | undefined;
  /** Whether a key that is not `known` was certainly not tried lately. */
  complete: boolean;
  nowMs: number;
}

/** The state of a key on both sides, in modes pull and push. */
export interface BridgeView {
  bridge: EligibilityRules & { bridgeId: string };
  key: string;
  /** Undefined if the source has no such object. */
  snapshot: ObjectSnapshot | undefined;
  /** Undefined if the destination has no such object. */
  destination: DestinationState | undefined;
  parked?: Parked | undefined;
  inHand: InHand;
}

export function bridgeStatus({ bridge, key, snapshot, destination, parked, inHand }: BridgeView): StatusVerdict {
  if (snapshot === undefined) return absentStatus({ bridge, key, destination, parked, inHand });
  if (readProvenance(snapshot.metadata)?.origin === bridge.destinationId)
    return { status: "REPLICA", reason: "it came from the destination" };
  const verdict = inScope(bridge.scope, key, snapshot);
  if (!verdict.inScope) return { status: "OUT_OF_SCOPE", reason: verdict.reason };
  const difference = destination === undefined ? "object" : firstDifference(snapshot, destination, bridge)?.what;
  if (destination !== undefined && difference === undefined)
    return { status: "COMPLETED", lagMs: lagBetween(snapshot.lastModified, destination.head) };
  // A dead letter about an earlier state does not count. Both times are by the clock of the source's cloud.
  const isOfThisState = parked?.parkedAt === undefined || parked.parkedAt.getTime() >= Date.parse(snapshot.lastModified);
  if (parked !== undefined && isOfThisState) return { status: "FAILED", reason: parked.reason };
  return waitingStatus(WHAT_IS_MISSING[difference ?? "object"], inHand, Date.parse(snapshot.lastModified));
}

/** The time in which an event of a write arrives at the bridge, with room to spare. */
const EVENT_MS = 5 * 60_000;
/** Without a work queue a platform keeps the events, and nobody can count them. */
const UNSEEN_EVENT_MS = 20 * 60_000;
/** A try that is due for longer than this has been made, or waits behind others: what was said before it no longer counts. */
const OVERDUE_MS = 2 * 60_000;

const BACKFILL = "nothing is queued for it: run a backfill with --prefix of this key";

function waitingStatus(missing: string, { known, queued, complete, nowMs }: InHand, writtenMs: number): StatusVerdict {
  if (known !== undefined && isInHand(known, nowMs))
    return { status: "PENDING", reason: known.reason ?? missing, progress: known };
  const isFresh = nowMs - writtenMs < (queued === undefined ? UNSEEN_EVENT_MS : EVENT_MS);
  if (!complete || isFresh) return { status: "PENDING", reason: missing };
  if (queued !== undefined && queued > 0)
    return {
      status: "PENDING",
      reason: `${missing}; ${queued === 1 ? "1 message is" : `${queued} messages are`} in the work queue`,
    };
  const then = known?.state === "parked" ? `given up (${known.reason}), and its dead letter was removed` : missing;
  return { status: "NONE", reason: `${then}; ${BACKFILL}` };
}

/** Whether the bridge still has the key for the reason that it gave. */
export function isInHand({ state, atMs, nextTryMs }: Known, nowMs: number): boolean {
  if (state === "held" || state === "runs") return true;
  return state === "queued" && nowMs < (nextTryMs ?? atMs) + OVERDUE_MS;
}

const WHAT_IS_MISSING: Readonly<Record<Difference["what"], string>> = {
  object: "not at the destination yet",
  owner: "the destination has an object that this bridge did not write",
  bytes: "the destination has another state",
  headers: "the destination has other headers",
  metadata: "the destination has other metadata",
  tags: "the destination has other tags",
};

function absentStatus({ bridge, key, destination, parked, inHand }: Omit<BridgeView, "snapshot">): StatusVerdict {
  const verdict = inScopeByKey(bridge.scope, key);
  if (!verdict.inScope) return { status: "OUT_OF_SCOPE", reason: verdict.reason };
  if (destination === undefined) return { status: "NONE", reason: "there is no such object on either side" };
  if (readProvenance(destination.head.metadata)?.bridgeId !== bridge.bridgeId)
    return { status: "NONE", reason: "not at the source, and the destination's object is not of this bridge" };
  if (bridge.deletes === "ignore") return { status: "NONE", reason: "deleted at the source, and deletes are ignored" };
  if (parked !== undefined) return { status: "FAILED", reason: parked.reason };
  // The time of the delete is not known, so it counts as fresh.
  return waitingStatus("deleted at the source, and not at the destination yet", inHand, inHand.nowMs);
}

/** The state of an object that the store itself replicates. */
export interface NativeView {
  source: ObjectHead | undefined;
  scope: ScopeVerdict;
  /** Whether the store reports the status of each object: S3 does, OSS does not. */
  storeReportsStatus: boolean;
  /** Read only if the store reports no status. */
  replica?: ObjectHead | undefined;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-status.html */
export function nativeStatus({ source, scope, storeReportsStatus, replica }: NativeView): StatusVerdict {
  if (source === undefined) return { status: "NONE", reason: "there is no such object" };
  if (source.replication !== undefined) return reportedStatus(source.replication);
  if (!scope.inScope) return { status: "OUT_OF_SCOPE", reason: scope.reason };
  if (storeReportsStatus) return { status: "NONE", reason: "no rule took it in when it was written; a backfill brings it" };
  if (replica === undefined) return { status: "PENDING", reason: WHAT_IS_MISSING.object };
  if (!isNativeReplica(source, replica)) return { status: "PENDING", reason: WHAT_IS_MISSING.bytes };
  return { status: "COMPLETED", lagMs: lagBetween(source.lastModified, replica) };
}

function reportedStatus(status: NonNullable<ObjectHead["replication"]>): StatusVerdict {
  switch (status) {
    case "PENDING":
      return { status, reason: "the store has not replicated it to every destination yet" };
    case "FAILED":
      return { status, reason: "the store gave it up; its replication events say why, and a backfill tries again" };
    case "REPLICA":
      return { status, reason: "it came from the other side" };
    case "COMPLETED":
      return { status };
  }
}

/** The store's own replication keeps bytes, headers and metadata as they are. */
export function isNativeReplica(source: ObjectHead, replica: ObjectHead): boolean {
  const bytes = source.checksums.some(({ algorithm, value }) =>
    replica.checksums.some((held) => held.algorithm === algorithm && held.value === value),
  );
  return (
    bytes &&
    source.sizeBytes === replica.sizeBytes &&
    recordsEqual({ ...withoutHidden(source.headers, source, replica) }, { ...withoutHidden(replica.headers, source, replica) }) &&
    recordsEqual(source.metadata, replica.metadata)
  );
}

/** Undefined if the replica is the older one: its bytes were already there when the object was written again. */
function lagBetween(written: string | Date, { lastModified }: ObjectHead): number | undefined {
  const lagMs = lastModified.getTime() - new Date(written).getTime();
  return lagMs < 0 ? undefined : lagMs;
}
