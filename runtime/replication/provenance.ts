/**
 * What a bridge writes beside every replica, in its user metadata. It is the only record of what was done: it proves
 * whose replica this is, which source state it holds, and where the object first came from (so that no replica goes back).
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
  /** The source's versionId, or its etag where the versionId names no single state. */
  sourceVersion: string;
  /** The source's Last-Modified, ISO 8601. */
  sourceModified: string;
  /** Identity of the store that the object was first written to, `<cloud>:<bucket>`. */
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

/** User metadata as its owner wrote it. */
export function withoutProvenance(metadata: Metadata): Metadata {
  const own: ReadonlySet<string> = new Set(Object.values(NAMES));
  return Object.fromEntries(Object.entries(metadata).filter(([name]) => !own.has(name)));
}

/** While versioning is suspended every write of a key gets this versionId, and takes the place of the one before. */
const REUSED_VERSION_ID = "null";

/**
 * Metadata as it stands for the object at `key`. A copy that somebody made to another key carries the provenance of the original along;
 * it is nobody's replica, and believing it would delete it, or keep it from being replicated.
 */
export function genuineMetadata(metadata: Metadata, key: string): Metadata {
  return metadata[NAMES.key] === keyDigest(key) ? metadata : withoutProvenance(metadata);
}

/** Keys may be longer than metadata may be, and hold what a header may not. */
function keyDigest(key: string): string {
  return createHash("sha256").update(key).digest("hex").slice(0, 16);
}

/** What names this state of the source object. */
export function sourceVersionOf({ versionId, etag }: ObjectSnapshot): string {
  return versionId === undefined || versionId === REUSED_VERSION_ID ? etag : versionId;
}

/** The metadata that the replica of `snapshot` carries at `key`. An object that is a replica itself keeps its first origin. */
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
