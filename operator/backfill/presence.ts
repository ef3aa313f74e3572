/** Whether a listed object has to be replicated, in every mode. */

import type { Scope } from "../../runtime/protocol/env";
import type { ObjectSnapshot } from "../../runtime/protocol/snapshot";
import { firstDifference } from "../../runtime/replication/equality";
import { readProvenance } from "../../runtime/replication/provenance";
import { metadataWithProvenance, recordedEtag } from "../../runtime/replication/provenance-record";
import type { ListedObject, ObjectHead, ObjectStore } from "../../runtime/stores/object-store";
import type { OperatedBridge } from "../operated-bridge";
import { isNativeReplica } from "../replication-status";
import { isInAnyScope } from "../scopes";

export type Verdict =
  /** `etag` is of the state that the destination lacks. */
  { outcome: "due"; etag: string } | { outcome: "present" | "outOfScope" | "archived" | "gone" };

/** Whether the object is at the destination already. */
export type Presence = (key: string, signal: AbortSignal) => Promise<Verdict>;

type Sides = Pick<OperatedBridge, "config" | "source" | "destination">;

export function presenceOf(bridge: Sides): Presence {
  const verdictOf = bridge.config.mode === "native" ? nativeVerdict : bridgeVerdict;
  return async (key, signal) => {
    const head = await bridge.source.store.head(key, { signal });
    if (head === undefined) return { outcome: "gone" };
    const verdict = await verdictOf(bridge, key, head, signal);
    return verdict.outcome === "due" && isArchived(head) ? { outcome: "archived" } : verdict;
  };
}

/** Whether the store says that the object must be restored before a read. */
function isArchived({ archive }: ObjectHead): boolean {
  return archive !== undefined && archive.restore !== "done";
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-status.html */
async function nativeVerdict(bridge: Sides, key: string, head: ObjectHead, signal: AbortSignal): Promise<Verdict> {
  switch (head.replication) {
    case "PENDING":
    case "COMPLETED":
    case "REPLICA":
      return { outcome: "present" };
    case "FAILED":
      return { outcome: "due", etag: head.etag };
    case undefined:
      break;
  }
  // S3 reports a status for every object that it replicates, so this one was not. OSS reports none.
  if (bridge.config.source.cloud !== "alicloud") return { outcome: "due", etag: head.etag };
  const replica = await atDestination(bridge, key, signal);
  return replica !== undefined && isNativeReplica(head, replica) ? { outcome: "present" } : { outcome: "due", etag: head.etag };
}

/** Compares no tags: reading them would double the requests, and a change of tags has an event of its own. */
async function bridgeVerdict(bridge: Sides, key: string, head: ObjectHead, signal: AbortSignal): Promise<Verdict> {
  const { config } = bridge;
  const metadata = await metadataWithProvenance(bridge.source.store, key, head, { signal });
  // A replica from the destination is never sent back to it.
  if (readProvenance(metadata)?.origin === `${config.destination.cloud}:${config.destination.bucket}`)
    return { outcome: "outOfScope" };
  const replica = await atDestination(bridge, key, signal);
  if (replica === undefined) return { outcome: "due", etag: head.etag };
  const shared = head.checksums.find(({ algorithm }) => replica.checksums.some((held) => held.algorithm === algorithm));
  const snapshot: ObjectSnapshot = {
    ...(head.versionId === undefined ? {} : { versionId: head.versionId }),
    etag: head.etag,
    sizeBytes: head.sizeBytes,
    lastModified: head.lastModified.toISOString(),
    headers: head.headers,
    metadata,
    tags: {},
    ...(shared === undefined ? {} : { checksum: shared }),
  };
  const { store, keyPrefix } = bridge.destination;
  const replicaMetadata = await metadataWithProvenance(store, keyPrefix + key, replica, { signal });
  const sealedEtag = await recordedEtag(store, keyPrefix + key, replicaMetadata, { signal });
  const state = { head: { ...replica, metadata: replicaMetadata }, tags: {}, sealedEtag };
  return firstDifference(snapshot, state, { bridgeId: config.name }) === undefined
    ? { outcome: "present" }
    : { outcome: "due", etag: head.etag };
}

function atDestination({ destination }: Sides, key: string, signal: AbortSignal): Promise<ObjectHead | undefined> {
  return destination.store.head(destination.keyPrefix + key, { signal });
}

export interface ExamineDeps {
  source: Pick<ObjectStore, "getTags">;
  scopes: readonly Scope[];
  presence: Presence;
  signal: AbortSignal;
}

/** Decides what to do about one listed object. */
export async function examine(object: ListedObject, { source, scopes, presence, signal }: ExamineDeps): Promise<Verdict> {
  const { key, sizeBytes } = object;
  const isIn = await isInAnyScope(source, scopes, { key, storeKey: key, sizeBytes }, signal);
  if (isIn === undefined) return { outcome: "gone" };
  if (!isIn) return { outcome: "outOfScope" };
  return await presence(key, signal);
}
