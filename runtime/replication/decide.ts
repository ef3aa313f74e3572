/**
 * What to do about one notice, given what the destination and the lease look like. Pure: the receiver's whole policy.
 */
import type { Notice } from "../protocol/messages";
import type { ObjectHead } from "../stores/object-store";
import { type DestinationState, firstDifference } from "./equality";
import { type CopyOutcome, isLive, type Lease } from "./lease";
import { readProvenance } from "./provenance";
import { snapshotId } from "./snapshot";

export type Plan =
  /** The destination is what the notice asks for. */
  | { step: "unchanged"; reason?: string }
  /** A copy of this very snapshot is running. */
  | { step: "wait" }
  /** A copy of another snapshot is running: mark it, and wait. */
  | { step: "stop-copy" }
  /** The last copy of this snapshot failed and nobody has been told. */
  | { step: "report"; outcome: CopyOutcome }
  /** Only the tags differ. */
  | { step: "tag"; notice: PresentNotice }
  | { step: "delete" }
  /** Stream it now. */
  | { step: "write"; notice: PresentNotice }
  /** Too large for one request: start a copy. */
  | { step: "copy"; notice: PresentNotice };

export type PresentNotice = Extract<Notice, { state: "present" }>;

export interface Situation {
  notice: Notice;
  destination: DestinationState | undefined;
  lease: Lease | undefined;
  nowMs: number;
  bridge: { bridgeId: string };
  inlineLimitBytes: number;
}

export function decide({ notice, destination, lease, nowMs, bridge, inlineLimitBytes }: Situation): Plan {
  const id = notice.state === "present" ? snapshotId(notice.snapshot) : undefined;

  // A live copier may still complete: whatever the destination looks like now can change, so nothing else is decided.
  if (lease && isLive(lease, nowMs)) return lease.snapshotId === id && !lease.stop ? { step: "wait" } : { step: "stop-copy" };

  if (notice.state === "absent") return decideAbsent(destination?.head, bridge);

  if (destination) {
    const difference = firstDifference(notice.snapshot, destination, bridge);
    if (difference === undefined) return { step: "unchanged" };
    if (difference === "tags") return { step: "tag", notice };
  }
  if (notice.snapshot.sizeBytes <= inlineLimitBytes) return { step: "write", notice };

  const failure = lease && lease.snapshotId === id && !lease.reported ? failureOf(lease) : undefined;
  return failure ? { step: "report", outcome: failure } : { step: "copy", notice };
}

function decideAbsent(head: ObjectHead | undefined, bridge: { bridgeId: string }): Plan {
  if (head === undefined) return { step: "unchanged" };
  if (readProvenance(head.metadata)?.bridgeId !== bridge.bridgeId) {
    return { step: "unchanged", reason: "the destination object was not written by this bridge and stays" };
  }
  return { step: "delete" };
}

/** What to tell about a copy that is over, if anything went wrong. */
function failureOf(lease: Lease): CopyOutcome | undefined {
  const { outcome } = lease;
  if (outcome === undefined) return { result: "retry", reason: "the copier ended without a result; the next ask resumes it" };
  return outcome.result === "retry" || outcome.result === "rejected" ? outcome : undefined;
}
