/** Makes the destination have what the source has of a key, version by version, under the same version ids. */
import { isDeepStrictEqual } from "node:util";
import type { Bucket } from "../store/bucket";
import { type Encryption, isDeleteMarker, type ReplicationRule, type StoredObject, type Version } from "../store/model";
import { currentObject, NULL_VERSION, withoutVersion } from "../store/versions";
import { replicaEncryption } from "./encryption";
import type { Permit } from "./role";

export interface KeyTask {
  source: Bucket;
  destination: Bucket;
  key: string;
  rule: ReplicationRule;
  permit: Permit;
  /** Of the destination. */
  emit: (eventName: string, object: { key: string; sizeBytes: number; deltaSizeBytes: number; etag: string }) => void;
}

const deletes = ({ actions }: ReplicationRule) => actions.includes("ALL") || actions.includes("DELETE");

/**
 * Looks at the versions that are named, which may be gone.
 * @returns those that need no more; the others were refused to the rule's role
 */
export async function replicateKey(task: KeyTask, versionIds: readonly string[], seen: readonly Version[]): Promise<string[]> {
  const { source } = task;
  // The oldest first, so that versions of the same millisecond stay in their order.
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

/** False when it was refused. */
async function replicateVersion(task: KeyTask, version: Version): Promise<boolean> {
  const { source, destination, key, rule, permit } = task;
  const known = destination.keys.versions(key).find(({ versionId }) => versionId === version.versionId);
  if (known === undefined && rule.historical === undefined && version.lastModified < rule.createdAt) return true;
  if (isDeleteMarker(version)) {
    if (known !== undefined) return true;
    // Markers are replicated under either policy; only one that deletes needs the right to.
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

/** False when it was refused. */
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

/** What comes back to where it was made is no replica there. */
function replicaFor({ source, destination }: KeyTask, version: StoredObject, encryption: Encryption | undefined): StoredObject {
  const { encryption: _own, replicaOf, ...rest } = version;
  return {
    ...rest,
    ...(encryption === undefined ? {} : { encryption }),
    ...(replicaOf === destination.name ? {} : { replicaOf: source.name }),
  };
}

/** All but whose replica it is and in which files its bytes are. */
function isEqual(known: Version, wanted: StoredObject): boolean {
  if (isDeleteMarker(known)) return false;
  const { segments: _1, replicaOf: _2, ...a } = known;
  const { segments: _3, replicaOf: _4, ...b } = wanted;
  return isDeepStrictEqual(a, b);
}

const sameBytes = (a: StoredObject, b: StoredObject) =>
  a.etag === b.etag && a.crc64 === b.crc64 && a.sizeBytes === b.sizeBytes && a.lastModified === b.lastModified;

/**
 * In two directions and without versions the newer of two writes stays, or each bucket would end with the other's. OSS does not say
 * what it does there; in one direction the replica goes over whatever is there.
 */
function isOvertaken({ source, destination }: KeyTask, known: Version, wanted: Version): boolean {
  const ownsBoth = known.replicaOf === undefined && wanted.replicaOf === source.name && known.versionId === NULL_VERSION;
  if (!ownsBoth || !destination.rules.some((rule) => rule.destination.bucket === source.name)) return false;
  return known.lastModified === wanted.lastModified ? destination.name > source.name : known.lastModified > wanted.lastModified;
}

/** Puts a version where its time belongs; its creation time is that of the source. */
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
