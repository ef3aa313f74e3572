/**
 * Two bridges in opposite directions. Where both sides write one key at the same time, each bridge overwrites the object that the other one was to
 * copy: each bucket then holds a replica of the other's object, both originals are gone, and no bridge sends a replica back. The receiver finds
 * this when its sender asks about such a replica. It costs one notice for each replica that the opposite bridge writes, and one look at the
 * destination; a bridge alone has no such replicas.
 */
import type { ObjectSnapshot } from "../protocol/snapshot";
import type { ObjectStore } from "../stores/object-store";
import { lookAt } from "./destination";
import { readProvenance } from "./provenance";
import { type BoundSource, isStill } from "./source";
import { type ReplicationResult, SUPERSEDED } from "./write";

export interface ReturnedDeps {
  config: { bridgeId: string; sourceId: string; destinationId: string; destinationPrefix: string };
  destination: ObjectStore;
  signal: AbortSignal;
}

/** Whether the source object is a replica of the destination's own object. It is never sent back. */
export function isReturned(snapshot: ObjectSnapshot, { destinationId }: { destinationId: string }): boolean {
  return readProvenance(snapshot.metadata)?.origin === destinationId;
}

/** Writes nothing. Rejects the key when the destination has lost the object that the source holds a replica of. */
export async function checkReturned(
  key: string,
  snapshot: ObjectSnapshot,
  source: BoundSource,
  { config, destination, signal }: ReturnedDeps,
): Promise<ReplicationResult> {
  const seen = await lookAt(destination, config.destinationPrefix + key, signal);
  const provenance = seen && readProvenance(seen.head.metadata);
  const isOurs = provenance?.bridgeId === config.bridgeId && provenance.origin === config.sourceId;
  if (!isOurs) return { result: "unchanged", reason: "a replica of the destination's own object" };
  // The source may have a newer object by now, and the replica at the destination may be of that one.
  if (!(await isStill(source, snapshot, signal))) return SUPERSEDED;
  const reason =
    "two bridges in opposite directions have overwritten each other's object: the source holds a replica of the destination's object, and the " +
    "destination a replica of the source's. Write the right object again on one side, and give each direction scope.prefixes of its own";
  return { result: "rejected", place: "destination", reason };
}
