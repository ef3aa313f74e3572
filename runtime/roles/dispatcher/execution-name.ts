/** Names of workflow executions: the idempotency keys that keep one event from being worked on twice. */
import { createHash } from "node:crypto";
import type { ObjectSnapshot } from "../../protocol/snapshot";
import { snapshotId } from "../../replication/snapshot";

export interface Occasion {
  bridgeId: string;
  key: string;
  /** Undefined stands for absent. */
  snapshot: ObjectSnapshot | undefined;
  /** The event took something away, which may have brought an older state back: one whose execution is long over. */
  removal: boolean;
  /** Of the event, or one that is made up where it has none. */
  eventId: string;
}

/** One name per state that was written; one per event where absence or an older state may come again. */
export function executionName({ bridgeId, key, snapshot, removal, eventId }: Occasion): string {
  const state = snapshot === undefined ? "absent" : snapshotId(snapshot);
  const again = snapshot === undefined || removal ? eventId : null;
  return `k${hexOf(JSON.stringify([bridgeId, key, state, again])).slice(0, 40)}`;
}

/** Another execution of the same state, for another event. */
export function executionNameFor(name: string, eventId: string): string {
  return `${name}-${hexOf(eventId).slice(0, 16)}`;
}

function hexOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
