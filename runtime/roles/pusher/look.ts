/** What a step looks at: the source's state, whether a copy may still write, and what differs at the destination. */

import type { PusherConfig } from "../../protocol/env";
import type { Clock } from "../../protocol/ports";
import type { ObjectSnapshot } from "../../protocol/snapshot";
import { lookAt } from "../../replication/destination";
import { type DestinationState, type Difference, firstDifference } from "../../replication/equality";
import { isLive, type LeaseStore } from "../../replication/lease";
import { readProvenance, sourceVersionOf } from "../../replication/provenance";
import type { ObjectStore } from "../../stores/object-store";

export interface DestinationLook {
  /** A copier may be at work: whatever the destination looks like now can change. */
  copyRuns: boolean;
  state: DestinationState | undefined;
}

export async function lookAtDestination(
  { config, destination, leases, clock }: { config: PusherConfig; destination: ObjectStore; leases: LeaseStore; clock: Clock },
  sourceKey: string,
): Promise<DestinationLook> {
  const key = config.destinationPrefix + sourceKey;
  // One after the other: a copy writes before its lease is over, so only a look that follows the one at the lease has seen it all.
  const held = await leases.read(key);
  return { copyRuns: held !== undefined && isLive(held.lease, clock.now()), state: await lookAt(destination, key) };
}

/**
 * What still differs; undefined when the destination is proven equal, or has nothing of this bridge to delete.
 * @param snapshot undefined stands for absent
 */
export function differenceOf(
  snapshot: ObjectSnapshot | undefined,
  state: DestinationState | undefined,
  bridge: { bridgeId: string },
): Difference | "object" | undefined {
  if (snapshot !== undefined) return state === undefined ? "object" : firstDifference(snapshot, state, bridge);
  const isOurs = state !== undefined && readProvenance(state.head.metadata)?.bridgeId === bridge.bridgeId;
  return isOurs ? "object" : undefined;
}

/** Whether the destination object says that it was made from this very state of the source. Tags change without leaving a trace in it. */
export function claimsToHold(snapshot: ObjectSnapshot, state: DestinationState, bridge: { bridgeId: string }): boolean {
  const provenance = readProvenance(state.head.metadata);
  return (
    provenance?.bridgeId === bridge.bridgeId &&
    provenance.sourceVersion === sourceVersionOf(snapshot) &&
    provenance.sourceModified === snapshot.lastModified
  );
}
