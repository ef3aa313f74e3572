/** Looks at a destination object, and says what a write of it carries. */
import type { ObjectSnapshot } from "../protocol/snapshot";
import { keptHeaders } from "../stores/content-headers";
import { isBridgeError } from "../stores/errors";
import type { ObjectAttributes, ObjectStore, WriteCondition } from "../stores/object-store";
import type { DestinationState } from "./equality";
import type { HeldLease, LeaseStore } from "./lease";
import { genuineMetadata, replicaMetadata } from "./provenance";

/** The identity that a bridge writes into its replicas. */
export interface BridgeIdentity {
  bridgeId: string;
  sourceId: string;
}

/** The destination object at this moment; undefined where there is none. */
export async function lookAt(store: ObjectStore, key: string, signal?: AbortSignal): Promise<DestinationState | undefined> {
  const head = await store.head(key, { signal });
  if (head === undefined) return undefined;
  try {
    return { head: { ...head, metadata: genuineMetadata(head.metadata, key) }, tags: await store.getTags(key, { signal }) };
  } catch (error) {
    if (isBridgeError(error, "NotFound")) return undefined;
    throw error;
  }
}

/** The lease of the key, and the destination object. */
export interface LeasedState {
  held: HeldLease | undefined;
  seen: DestinationState | undefined;
}

/** Reads the lease before the object: a copier writes the object before it releases the lease. */
export async function lookUnderLease(
  { destination, leases }: { destination: ObjectStore; leases: LeaseStore },
  key: string,
  signal?: AbortSignal,
): Promise<LeasedState> {
  const held = await leases.read(key, signal);
  const seen = await lookAt(destination, key, signal);
  return { held, seen };
}

/** The condition that the object is still the one that was seen, where the store can check it. */
export function unchangedSince(store: ObjectStore, seen: DestinationState | undefined): WriteCondition | undefined {
  if (!store.capabilities.conditionalWrites) return undefined;
  return seen === undefined ? { ifAbsent: true } : { ifMatch: seen.head.etag };
}

/** Everything that belongs to the object, and the provenance: the same for a single write and a multipart upload. */
export function replicaAttributes(snapshot: ObjectSnapshot, bridge: BridgeIdentity, key: string): ObjectAttributes {
  return { headers: keptHeaders(snapshot.headers), metadata: replicaMetadata(snapshot, bridge, key), tags: snapshot.tags };
}
