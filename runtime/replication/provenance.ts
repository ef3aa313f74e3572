/**
 * The provenance that a bridge writes into the user metadata of every replica. It is the only record of a replication: it proves which bridge
 * wrote the replica, which source state it holds, and where the object was first written (so that no replica is sent back).
 */
import { createHash } from "node:crypto";
import type { Metadata, ObjectSnapshot } from "../protocol/snapshot";

const NAMES = {
  bridgeId: "bridge-id",
  sourceVersion: "bridge-source-version",
  sourceModified: "bridge-source-modified",
  origin: "bridge-origin",
  key: "bridge-key",
} as const;

export interface Provenance {
  bridgeId: string;
  /** The source's versionId, or its etag where the versionId does not name one state. */
  sourceVersion: string;
  /** The source's Last-Modified, ISO 8601. */
  sourceModified: string;
  /** The store that the object was first written to, `<cloud>:<bucket>`. */
  origin: string;
}

export function readProvenance(metadata: Metadata): Provenance | undefined {
  const bridgeId = metadata[NAMES.bridgeId];
  const sourceVersion = metadata[NAMES.sourceVersion];
  const sourceModified = metadata[NAMES.sourceModified];
  const origin = metadata[NAMES.origin];
  if (bridgeId === undefined || sourceVersion === undefined || sourceModified === undefined || origin === undefined) {
    return undefined;
  }
  return { bridgeId, sourceVersion, sourceModified, origin };
}

/** The user metadata as the owner of the object wrote it. */
export function withoutProvenance(metadata: Metadata): Metadata {
  const own: ReadonlySet<string> = new Set(Object.values(NAMES));
  return Object.fromEntries(Object.entries(metadata).filter(([name]) => !own.has(name)));
}

/** While versioning is suspended every write of a key gets this versionId, and replaces the version before. */
const REUSED_VERSION_ID = "null";

/**
 * Removes a provenance that belongs to another key. If a user copies a replica to another key, the copy carries the provenance of the original.
 * The copy is no replica. If the bridge believed its provenance, it would delete the copy or not replicate it.
 */
export function genuineMetadata(metadata: Metadata, key: string): Metadata {
  return metadata[NAMES.key] === keyDigest(key) ? metadata : withoutProvenance(metadata);
}

/** Keys may be longer than metadata may be, and may hold characters that a header may not. */
function keyDigest(key: string): string {
  return createHash("sha256").update(key).digest("hex").slice(0, 16);
}

/** The name of this state of the source object. */
export function sourceVersionOf({ versionId, etag }: ObjectSnapshot): string {
  return versionId === undefined || versionId === REUSED_VERSION_ID ? etag : versionId;
}

/** The metadata of the replica of `snapshot` at `key`. An object that is a replica itself keeps its first origin. */
export function replicaMetadata(snapshot: ObjectSnapshot, bridge: { bridgeId: string; sourceId: string }, key: string): Metadata {
  return {
    ...withoutProvenance(snapshot.metadata),
    [NAMES.bridgeId]: bridge.bridgeId,
    [NAMES.sourceVersion]: sourceVersionOf(snapshot),
    [NAMES.sourceModified]: snapshot.lastModified,
    [NAMES.origin]: readProvenance(snapshot.metadata)?.origin ?? bridge.sourceId,
    [NAMES.key]: keyDigest(key),
  };
}
