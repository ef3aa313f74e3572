/** Looks at a destination object, and says what a write of it carries. */
import type { ObjectSnapshot } from "../protocol/snapshot";
import { keptHeaders } from "../stores/content-headers";
import { isBridgeError } from "../stores/errors";
import type { ObjectAttributes, ObjectStore, WriteCondition } from "../stores/object-store";
import type { DestinationState } from "./equality";
import type { HeldLease, LeaseStore } from "./lease";
import { replicaMetadata, type Seal } from "./provenance";
import { metadataWithProvenance, type ProvenanceRecord, placeProvenance, recordedEtag, writeRecord } from "./provenance-record";
import { tagsOf } from "./snapshot";

/** The identity that a bridge writes into its replicas. */
export interface BridgeIdentity {
  bridgeId: string;
  sourceId: string;
}

/**
 * The destination object at this moment; undefined where there is none.
 * @param record the provenance record of the key, if it is known: otherwise it is read where it is needed
 */
export async function lookAt(
  store: ObjectStore,
  key: string,
  signal?: AbortSignal,
  record?: ProvenanceRecord,
): Promise<DestinationState | undefined> {
  const head = await store.head(key, { signal });
  if (head === undefined) return undefined;
  try {
    const options = { signal, record };
    const metadata = await metadataWithProvenance(store, key, head, options);
    const sealedEtag = await recordedEtag(store, key, metadata, options);
    return { head: { ...head, metadata }, tags: await tagsOf(store, key, head, { signal }), sealedEtag };
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

/** What a write of a replica carries. */
export interface Replica {
  attributes: ObjectAttributes;
  /** The provenance for the key's record; undefined where no record is needed. */
  recorded: string | undefined;
}

/** Everything that belongs to the object, and the provenance: the same for a single write and a multipart upload. */
export function planReplica(
  { destination, bridge, key }: { destination: ObjectStore; bridge: BridgeIdentity; key: string },
  snapshot: ObjectSnapshot,
  seal: Seal | undefined,
): Replica {
  const all = replicaMetadata(snapshot, bridge, key, seal);
  const { metadata, recorded } = placeProvenance(destination.capabilities, all);
  return { attributes: { headers: keptHeaders(snapshot.headers), metadata, tags: snapshot.tags }, recorded };
}

/** Writes the provenance record of the replica with this etag, where it needs one. */
export async function recordReplica(
  { destination, key }: { destination: ObjectStore; key: string },
  { recorded }: Replica,
  etag: string,
  signal?: AbortSignal,
): Promise<ProvenanceRecord | undefined> {
  if (recorded === undefined) return undefined;
  const record: ProvenanceRecord = { version: 1, key, etag, provenance: recorded };
  await writeRecord(destination, record, { signal });
  return record;
}
