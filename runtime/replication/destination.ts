/** Looking at a destination object and writing one, as both the receiver and the copier do it. */
import type { ObjectSnapshot } from "../protocol/snapshot";
import { isBridgeError } from "../stores/errors";
import type { ObjectAttributes, ObjectStore, WriteCondition } from "../stores/object-store";
import type { DestinationState } from "./equality";
import { genuineMetadata, replicaMetadata } from "./provenance";

/** The destination object at this moment; undefined where there is none. */
export async function lookAt(store: ObjectStore, key: string, signal?: AbortSignal): Promise<DestinationState | undefined> {
  const options = signal === undefined ? {} : { signal };
  const head = await store.head(key, options);
  if (head === undefined) return undefined;
  try {
    return { head: { ...head, metadata: genuineMetadata(head.metadata, key) }, tags: await store.getTags(key, options) };
  } catch (error) {
    if (isBridgeError(error, "NotFound")) return undefined;
    throw error;
  }
}

/** "Only if it still is what I saw", where the store can say so. */
export function unchangedSince(store: ObjectStore, seen: DestinationState | undefined): { condition?: WriteCondition } {
  if (!store.capabilities.conditionalWrites) return {};
  return { condition: seen === undefined ? { ifAbsent: true } : { ifMatch: seen.head.etag } };
}

/** The same on inline and multipart writes: everything that belongs to the object, and the provenance. */
export function replicaAttributes(
  snapshot: ObjectSnapshot,
  bridge: { bridgeId: string; sourceId: string },
  key: string,
): ObjectAttributes {
  return { headers: snapshot.headers, metadata: replicaMetadata(snapshot, bridge, key), tags: snapshot.tags };
}
