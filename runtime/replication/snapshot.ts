/** Takes and compares snapshots of source objects. */
import { createHash } from "node:crypto";
import type { Checksum, ChecksumAlgorithm, ObjectSnapshot, Tags } from "../protocol/snapshot";
import { BridgeError, isBridgeError } from "../stores/errors";
import type { CallOptions, ObjectHead, ObjectStore } from "../stores/object-store";
import { metadataWithProvenance } from "./provenance-record";

/** Tags with this name, or with this name and a hyphen at the beginning, belong to bridges. They are never part of a snapshot. */
const STATUS_TAG = "crossborderbridge-status";

/** The tag that `statusTags` sets on source objects. Each bridge has its own, because several bridges may have one source. */
export const statusTagOf = (bridgeId: string): string => `${STATUS_TAG}-${bridgeId}`;

/** Whole-object checksums that a destination can verify, in the order of preference: strong and cheap first. */
const PREFERENCE: readonly ChecksumAlgorithm[] = ["CRC64NVME", "CRC64XZ", "SHA256", "CRC32C", "CRC32", "SHA1"];

/** How often an object is read if it is deleted between HEAD and GetTagging. */
const LOOKS = 5;

/** The current object at `key`, or undefined where there is none. One small read, or two where the object may have tags. No object bytes. */
export async function takeSnapshot(
  store: ObjectStore,
  key: string,
  options: CallOptions = {},
): Promise<ObjectSnapshot | undefined> {
  for (let look = 0; look < LOOKS; look++) {
    const head = await store.head(key, options);
    if (head === undefined) return undefined;
    let tags: Tags;
    try {
      tags = await tagsOf(store, key, head, options);
    } catch (error) {
      // Deleted between the two reads: look again.
      if (isBridgeError(error, "NotFound")) continue;
      throw error;
    }
    const checksum = preferred(head.checksums);
    const archive = unreadable(head.archive);
    return {
      ...(head.versionId === undefined ? {} : { versionId: head.versionId }),
      etag: head.etag,
      sizeBytes: head.sizeBytes,
      lastModified: head.lastModified.toISOString(),
      headers: head.headers,
      metadata: await metadataWithProvenance(store, key, head, options),
      tags: withoutStatusTags(tags),
      ...(checksum === undefined ? {} : { checksum }),
      ...(archive === undefined ? {} : { archive }),
    };
  }
  throw new BridgeError("Unavailable", "snapshot", "the object changes faster than it can be looked at");
}

/** The tags of the object that `head` has described. Reads them only where there may be some. */
export async function tagsOf(
  store: ObjectStore,
  key: string,
  { tagCount }: Pick<ObjectHead, "tagCount">,
  options: CallOptions = {},
): Promise<Tags> {
  return tagCount === 0 ? {} : await store.getTags(key, options);
}

function unreadable(archive: ObjectHead["archive"]): ObjectSnapshot["archive"] {
  if (archive === undefined || archive.restore === "done") return undefined;
  return { storageClass: archive.storageClass, restore: archive.restore };
}

function preferred(checksums: readonly Checksum[]): Checksum | undefined {
  for (const algorithm of PREFERENCE) {
    const found = checksums.find((checksum) => checksum.algorithm === algorithm);
    if (found) return found;
  }
  return undefined;
}

/** The tags without the status tags of all bridges. */
export function withoutStatusTags(tags: Tags): Tags {
  return Object.fromEntries(Object.entries(tags).filter(([name]) => name !== STATUS_TAG && !name.startsWith(`${STATUS_TAG}-`)));
}

/**
 * An id of the snapshot's content: two snapshots with one id have the same version, bytes, headers, metadata and tags. Last-Modified is left
 * out: the rest names the state already.
 * @returns 64 hex digits
 */
export function snapshotId(snapshot: ObjectSnapshot): string {
  const content = [
    snapshot.versionId ?? null,
    snapshot.etag,
    snapshot.sizeBytes,
    sorted(snapshot.headers),
    sorted(snapshot.metadata),
    sorted(snapshot.tags),
  ];
  return createHash("sha256").update(JSON.stringify(content)).digest("hex");
}

function sorted(record: Readonly<Record<string, string | undefined>>): [string, string][] {
  return Object.entries(record)
    .filter((entry): entry is [string, string] => entry[1] !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

/** Enough of a snapshot's id to tell the states of one key apart. */
const STATE_CHARACTERS = 16;

/** The name of a source state in a queue message; undefined stands for absent. */
export function stateName(snapshot: ObjectSnapshot | undefined): string {
  return snapshot === undefined ? "absent" : snapshotId(snapshot).slice(0, STATE_CHARACTERS);
}

/** Whether two snapshots are of the same state; undefined stands for absent. */
export function sameState(a: ObjectSnapshot | undefined, b: ObjectSnapshot | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return snapshotId(a) === snapshotId(b);
}
