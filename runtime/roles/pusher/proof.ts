/** Whether the destination is equal to the source, and made from it. Pure. */
import type { Difference } from "../../protocol/messages";
import type { ObjectSnapshot } from "../../protocol/snapshot";
import { type DestinationState, firstDifference } from "../../replication/equality";
import { readProvenance, sourceVersionOf } from "../../replication/provenance";

/**
 * The first difference. Undefined when there is nothing to do: the destination is proven equal, or the source is absent and the destination has
 * no replica of this bridge.
 * @param snapshot undefined stands for absent
 */
export function differenceOf(
  snapshot: ObjectSnapshot | undefined,
  seen: DestinationState | undefined,
  bridge: { bridgeId: string },
): Difference | undefined {
  if (snapshot !== undefined) return seen === undefined ? { what: "object" } : firstDifference(snapshot, seen, bridge);
  const isOurs = seen !== undefined && readProvenance(seen.head.metadata)?.bridgeId === bridge.bridgeId;
  return isOurs ? { what: "object" } : undefined;
}

/** Whether the replica's provenance names this very state of the source. A provenance does not cover tags. */
export function isMadeFrom(
  seen: DestinationState | undefined,
  snapshot: ObjectSnapshot | undefined,
  bridge: { bridgeId: string },
): boolean {
  const provenance = seen && readProvenance(seen.head.metadata);
  return (
    snapshot !== undefined &&
    provenance?.bridgeId === bridge.bridgeId &&
    provenance.sourceVersion === sourceVersionOf(snapshot) &&
    provenance.sourceModified === snapshot.lastModified
  );
}
