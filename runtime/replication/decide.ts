/** Decides what makes the destination equal to a source state, given the destination object and its lease. Pure. */
import type { ObjectSnapshot } from "../protocol/snapshot";
import type { ObjectHead } from "../stores/object-store";
import { type DestinationState, firstDifference } from "./equality";
import { type CopyOutcome, isLive, type Lease } from "./lease";
import { readProvenance } from "./provenance";
import { snapshotId } from "./snapshot";

export type Plan =
  /** The destination is equal already. */
  | { step: "unchanged"; reason?: string | undefined }
  /** A copy of this very snapshot is running. */
  | { step: "wait" }
  /** A copy of another snapshot is running: mark it to stop, and wait. */
  | { step: "stop-copy" }
  /** The last copy of this snapshot failed, and its failure has not been reported. */
  | { step: "report"; outcome: CopyOutcome }
  /** Only the tags differ. */
  | { step: "tag"; snapshot: ObjectSnapshot }
  | { step: "delete" }
  /** Stream it now. */
  | { step: "write"; snapshot: ObjectSnapshot }
  /** Too large for one request: start a copy. */
  | { step: "copy"; snapshot: ObjectSnapshot };

export interface Situation {
  /** The source state; undefined stands for absent. */
  snapshot: ObjectSnapshot | undefined;
  destination: DestinationState | undefined;
  lease: Lease | undefined;
  nowMs: number;
  bridge: { bridgeId: string };
  inlineLimitBytes: number;
}

export function decide({ snapshot, destination, lease, nowMs, bridge, inlineLimitBytes }: Situation): Plan {
  const id = snapshot && snapshotId(snapshot);

  // A running copier may still complete and change the destination, so nothing else is decided.
  if (lease && isLive(lease, nowMs)) return lease.snapshotId === id && !lease.stop ? { step: "wait" } : { step: "stop-copy" };

  if (snapshot === undefined) return decideAbsent(destination?.head, bridge);

  if (destination) {
    const difference = firstDifference(snapshot, destination, bridge);
    if (difference === undefined) return { step: "unchanged" };
    if (difference.what === "tags") return { step: "tag", snapshot };
  }
  if (snapshot.sizeBytes <= inlineLimitBytes) return { step: "write", snapshot };

  const failure = lease && lease.snapshotId === id && !lease.reported ? failureOf(lease) : undefined;
  return failure ? { step: "report", outcome: failure } : { step: "copy", snapshot };
}

function decideAbsent(head: ObjectHead | undefined, bridge: { bridgeId: string }): Plan {
  if (head === undefined) return { step: "unchanged" };
  if (readProvenance(head.metadata)?.bridgeId !== bridge.bridgeId) {
    return { step: "unchanged", reason: "the destination object was not written by this bridge and stays" };
  }
  return { step: "delete" };
}

/** The failure of a copy that has ended; undefined where it did not fail. */
function failureOf(lease: Lease): CopyOutcome | undefined {
  const { outcome } = lease;
  if (outcome === undefined) return { result: "retry", reason: "the copier ended without a result; the next ask resumes it" };
  return outcome.result === "retry" || outcome.result === "rejected" ? outcome : undefined;
}
