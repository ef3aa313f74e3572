/** Whether a listed object has to be replicated, in every mode. */
import type { Scope } from "../runtime/protocol/env";
import type { Difference } from "../runtime/protocol/messages";
import type { Metadata, ObjectSnapshot } from "../runtime/protocol/snapshot";
import { firstDifference } from "../runtime/replication/equality";
import { readProvenance } from "../runtime/replication/provenance";
import { metadataWithProvenance, recordedEtag } from "../runtime/replication/provenance-record";
import type { ListedObject, ObjectHead, ObjectStore } from "../runtime/stores/object-store";
import type { OperatedBridge } from "./operated-bridge";
import { isNativeReplica } from "./replication-status";
import { isInAnyScope } from "./scopes";

/**
 * - `due`: not at the destination; handed over, or only counted in a dry run.
 * - `present`: at the destination in this state, or on its way there.
 * - `outOfScope`: the bridge does not replicate it.
 * - `archived`: cannot be read before it is restored.
 * - `gone`: deleted between the listing and the check.
 * - `failed`: refused by the store for good; the reason is in the outcome.
 */
export const OUTCOMES = ["due", "present", "outOfScope", "archived", "gone", "failed"] as const;
export type ObjectOutcome = (typeof OUTCOMES)[number];

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
export function isArchived({ archive }: ObjectHead): boolean {
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

async function bridgeVerdict(bridge: Sides, key: string, head: ObjectHead, signal: AbortSignal): Promise<Verdict> {
  const metadata = await metadataWithProvenance(bridge.source.store, key, head, { signal });
  if (cameFromDestination(bridge, metadata)) return { outcome: "outOfScope" };
  const replica = await atDestination(bridge, key, signal);
  if (replica === undefined) return { outcome: "due", etag: head.etag };
  const difference = await replicaDifference(bridge, key, { source: { ...head, metadata }, replica }, signal);
  return difference === undefined ? { outcome: "present" } : { outcome: "due", etag: head.etag };
}

/** A replica from the destination is never sent back to it. @param metadata with its provenance */
export function cameFromDestination({ config }: Pick<Sides, "config">, metadata: Metadata): boolean {
  return readProvenance(metadata)?.origin === `${config.destination.cloud}:${config.destination.bucket}`;
}

/**
 * The first difference of a replica that the bridge itself wrote. Compares no tags: reading them would double the requests, and a change of tags
 * has an event of its own.
 * @param objects the metadata of `source` includes its provenance
 */
export async function replicaDifference(
  { config, destination }: Sides,
  key: string,
  { source, replica }: { source: ObjectHead; replica: ObjectHead },
  signal: AbortSignal,
): Promise<Difference | undefined> {
  const shared = source.checksums.find(({ algorithm }) => replica.checksums.some((held) => held.algorithm === algorithm));
  const snapshot: ObjectSnapshot = {
    ...(source.versionId === undefined ? {} : { versionId: source.versionId }),
    etag: source.etag,
    sizeBytes: source.sizeBytes,
    lastModified: source.lastModified.toISOString(),
    headers: source.headers,
    metadata: source.metadata,
    tags: {},
    ...(shared === undefined ? {} : { checksum: shared }),
  };
  const { store, keyPrefix } = destination;
  const metadata = await metadataWithProvenance(store, keyPrefix + key, replica, { signal });
  const sealedEtag = await recordedEtag(store, keyPrefix + key, metadata, { signal });
  return firstDifference(snapshot, { head: { ...replica, metadata }, tags: {}, sealedEtag }, { bridgeId: config.name });
}

export function atDestination({ destination }: Sides, key: string, signal: AbortSignal): Promise<ObjectHead | undefined> {
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
