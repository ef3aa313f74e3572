/** Replicates one key, version by version. Replicas have the version ids of the source. */
import { isDeepStrictEqual } from "node:util";
import type { Bucket } from "../store/bucket";
import { type Encryption, isDeleteMarker, type ReplicationRule, type StoredObject, type Version } from "../store/model";
import { currentObject, NULL_VERSION, withoutVersion } from "../store/versions";
import type { Permit } from "./role";

export interface KeyTask {
  source: Bucket;
  destination: Bucket;
  key: string;
  rule: ReplicationRule;
  permit: Permit;
  /** Emits an event of the destination bucket. */
  emit: (eventName: string, object: { key: string; sizeBytes: number; deltaSizeBytes: number; etag: string }) => void;
}

const deletes = ({ actions }: ReplicationRule) => actions.includes("ALL") || actions.includes("DELETE");

/**
 * Replicates the given versions, or their deletion.
 * @param seen all versions that the source has
 * @returns the versions that are done; the rule's role had no permission for the others
 */
export async function replicateKey(task: KeyTask, versionIds: readonly string[], seen: readonly Version[]): Promise<string[]> {
  const { source } = task;
  // Oldest first, so that versions of the same millisecond keep their order.
  const present = seen.filter(({ versionId }) => versionIds.includes(versionId)).reverse();
  const gone = versionIds.filter((versionId) => !present.some((version) => version.versionId === versionId));
  const hold = source.data.hold(present.flatMap((version) => (isDeleteMarker(version) ? [] : version.segments)));
  const done: string[] = [];
  try {
    for (const version of present) if (await replicateVersion(task, version)) done.push(version.versionId);
    for (const versionId of gone) if (await replicateRemoval(task, versionId)) done.push(versionId);
  } finally {
    await hold.release();
  }
  return done;
}

/** False when the rule's role has no permission. */
async function replicateVersion(task: KeyTask, version: Version): Promise<boolean> {
  const { source, destination, key, rule, permit } = task;
  const known = destination.keys.versions(key).find(({ versionId }) => versionId === version.versionId);
  if (known === undefined && rule.historical === undefined && version.lastModified < rule.createdAt) return true;
  if (isDeleteMarker(version)) {
    if (known !== undefined) return true;
    // Every rule replicates delete markers. Only a rule that replicates deletions needs oss:ReplicateDelete for them.
    if (!permit(deletes(rule) ? "oss:ReplicateDelete" : "oss:ReplicatePut", destination, key)) return false;
    await put(task, { ...version, replicaOf: source.name });
    return true;
  }
  const encryption = replicaEncryption(version, rule, destination.record.encryption);
  if (encryption === "never") return true;
  const wanted = replicaFor(task, version, encryption);
  if (known !== undefined && isEqual(known, wanted)) return true;
  const allowed =
    permit("oss:ReplicateGet", source, key) &&
    permit("oss:ReplicateGet", destination, key) &&
    permit("oss:ReplicatePut", destination, key);
  if (allowed) await put(task, wanted);
  return allowed;
}

/** False when the rule's role has no permission. */
async function replicateRemoval({ destination, key, rule, permit, emit }: KeyTask, versionId: string): Promise<boolean> {
  const known = destination.keys.versions(key).find((version) => version.versionId === versionId);
  if (known === undefined || !deletes(rule)) return true;
  if (!permit("oss:ReplicateDelete", destination, key)) return false;
  await destination.keys.update(key, (versions) => ({ versions: withoutVersion(versions, versionId), result: undefined }), {
    byReplication: true,
  });
  const { sizeBytes, etag } = isDeleteMarker(known) ? { sizeBytes: 0, etag: "" } : known;
  emit("ObjectReplication:ObjectRemoved", { key, sizeBytes: 0, deltaSizeBytes: -sizeBytes, etag });
  return true;
}

/** An object that returns to the bucket where it was written is not marked as a replica there. */
function replicaFor({ source, destination }: KeyTask, version: StoredObject, encryption: Encryption | undefined): StoredObject {
  const { encryption: _own, replicaOf, ...rest } = version;
  return {
    ...rest,
    ...(encryption === undefined ? {} : { encryption }),
    ...(replicaOf === destination.name ? {} : { replicaOf: source.name }),
  };
}

/** Compares everything but `replicaOf` and the files that hold the bytes. */
function isEqual(known: Version, wanted: StoredObject): boolean {
  if (isDeleteMarker(known)) return false;
  const { segments: _1, replicaOf: _2, ...a } = known;
  const { segments: _3, replicaOf: _4, ...b } = wanted;
  return isDeepStrictEqual(a, b);
}

const sameBytes = (a: StoredObject, b: StoredObject) =>
  a.etag === b.etag && a.crc64 === b.crc64 && a.sizeBytes === b.sizeBytes && a.lastModified === b.lastModified;

/**
 * With replication in both directions and without versioning, the newer of two writes stays; otherwise the two buckets would swap their
 * objects. The documentation says nothing about this case. In one direction the replica always overwrites.
 */
function isOvertaken({ source, destination }: KeyTask, known: Version, wanted: Version): boolean {
  const ownsBoth = known.replicaOf === undefined && wanted.replicaOf === source.name && known.versionId === NULL_VERSION;
  if (!ownsBoth || !destination.rules.some((rule) => rule.destination.bucket === source.name)) return false;
  return known.lastModified === wanted.lastModified ? destination.name > source.name : known.lastModified > wanted.lastModified;
}

/** Inserts a version by its time, which is that of the source. */
async function put(task: KeyTask, wanted: Version): Promise<void> {
  const { source, destination, key, emit } = task;
  const { before, moved } = await destination.keys.update(
    key,
    async (versions) => {
      const known = versions.find(({ versionId }) => versionId === wanted.versionId);
      const before = currentObject(versions);
      if (known !== undefined && isOvertaken(task, known, wanted)) return { versions, result: { before, moved: false } };
      if (known !== undefined && !isDeleteMarker(known) && !isDeleteMarker(wanted) && sameBytes(known, wanted)) {
        const next: StoredObject = { ...wanted, segments: known.segments };
        return { versions: versions.map((version) => (version === known ? next : version)), result: { before, moved: false } };
      }
      const next: Version = isDeleteMarker(wanted)
        ? wanted
        : { ...wanted, segments: await destination.data.share(wanted.segments, source.data) };
      const others = withoutVersion(versions, wanted.versionId);
      const index = others.findIndex(({ lastModified }) => lastModified <= wanted.lastModified);
      const at = index === -1 ? others.length : index;
      return { versions: [...others.slice(0, at), next, ...others.slice(at)], result: { before, moved: true } };
    },
    { byReplication: true },
  );
  if (!moved) return;
  const { sizeBytes, etag } = isDeleteMarker(wanted) ? { sizeBytes: 0, etag: before?.etag ?? "" } : wanted;
  const eventName = isDeleteMarker(wanted) ? "ObjectRemoved" : before === undefined ? "ObjectCreated" : "ObjectModified";
  emit(`ObjectReplication:${eventName}`, { key, sizeBytes, deltaSizeBytes: sizeBytes - (before?.sizeBytes ?? 0), etag });
}

const isCustomersKey = (encryption: Encryption | undefined) => encryption?.algorithm === "KMS" && encryption.keyId !== undefined;

/**
 * The encryption of a replica; "never" when the rule does not replicate the object.
 * https://www.alibabacloud.com/help/en/oss/user-guide/crr-in-specific-scenarios
 * @param fallback the default encryption of the destination bucket
 */
export function replicaEncryption(
  { encryption }: StoredObject,
  { kms }: ReplicationRule,
  fallback: Encryption | undefined,
): Encryption | undefined | "never" {
  const underKey = isCustomersKey(encryption ?? fallback);
  if (underKey && kms?.enabled !== true) return "never";
  if (encryption === undefined) return fallback;
  return underKey && kms?.replicaKeyId !== undefined ? { ...encryption, keyId: kms.replicaKeyId } : encryption;
}
