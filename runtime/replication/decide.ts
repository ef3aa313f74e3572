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
  /** The last copy of this snapshot ended without success, and that has not been reported. */
  | { step: "report"; outcome: CopyOutcome }
  /** Only the tags differ. */
  | { step: "tag"; snapshot: ObjectSnapshot }
  | { step: "delete" }
  /** Stream it now. */
  | { step: "write"; snapshot: ObjectSnapshot }
  /** Too large or too slow for one request: start a copy. */
  | { step: "copy"; snapshot: ObjectSnapshot; reason?: string | undefined };

export interface Situation {
  /** The source state; undefined stands for absent. */
  snapshot: ObjectSnapshot | undefined;
  destination: DestinationState | undefined;
  lease: Lease | undefined;
  nowMs: number;
  bridge: { bridgeId: string };
  inlineLimitBytes: number;
  /** An attempt at this snapshot ran out of time. */
  slow?: boolean | undefined;
}

export function decide({ snapshot, destination, lease, nowMs, bridge, inlineLimitBytes, slow = false }: Situation): Plan {
  const id = snapshot && snapshotId(snapshot);

  // A running copier may still complete and change the destination, so nothing else is decided.
  if (lease && isLive(lease, nowMs)) return lease.snapshotId === id && !lease.stop ? { step: "wait" } : { step: "stop-copy" };

  if (snapshot === undefined) return decideAbsent(destination?.head, bridge);

  if (destination) {
    const difference = firstDifference(snapshot, destination, bridge);
    if (difference === undefined) return { step: "unchanged" };
    if (difference.what === "tags") return { step: "tag", snapshot };
  }
  const own = lease?.snapshotId === id ? lease : undefined;
  // An upload that has begun is not given up for a write that was too slow before.
  const fitsInline = snapshot.sizeBytes <= inlineLimitBytes && !slow && own?.upload === undefined;
  // An upload needs a part, so an empty object is always written.
  if (fitsInline || snapshot.sizeBytes === 0) return { step: "write", snapshot };
  return own && !own.reported ? afterCopy(own, snapshot) : { step: "copy", snapshot };
}

function decideAbsent(head: ObjectHead | undefined, bridge: { bridgeId: string }): Plan {
  if (head === undefined) return { step: "unchanged" };
  if (readProvenance(head.metadata)?.bridgeId !== bridge.bridgeId) {
    return { step: "unchanged", reason: "the destination object was not written by this bridge and stays" };
  }
  return { step: "delete" };
}

/** The last copy of the same snapshot has ended, or has not begun in time. Only a run that took the lease can have failed. */
function afterCopy({ outcome, run, stop }: Lease, snapshot: ObjectSnapshot): Plan {
  if (outcome === undefined && run === undefined)
    return {
      step: "copy",
      snapshot,
      reason: "the copy did not begin in time, probably no instance was free: it is started again",
    };
  switch (outcome?.result) {
    case undefined:
      return {
        step: "report",
        outcome: { result: "retry", reason: "the copier ended without a result; the next ask resumes it" },
      };
    case "retry":
    case "rejected":
    case "waiting":
      return { step: "report", outcome };
    case "superseded":
      // Without a stop mark it was the source that refused the reads of this snapshot.
      return stop ? { step: "copy", snapshot } : { step: "report", outcome };
    case "replicated":
    case "continue":
      return { step: "copy", snapshot };
  }
}
