import type { Operation } from "../operation";
import { noSuchKey, noSuchVersion, OssError } from "../oss-error";
import type { Bucket } from "../store/bucket";
import { isDeleteMarker, type StoredObject } from "../store/model";

/**
 * Finds the version by its id, or the current one without an id.
 * @throws OssError `NoSuchKey`, `NoSuchVersion`, `MethodNotAllowed` when the id is that of a delete marker.
 */
export function findObject(bucket: Bucket, key: string, versionId: string | undefined): StoredObject {
  const versions = bucket.keys.versions(key);
  const version = versionId === undefined ? versions[0] : versions.find((one) => one.versionId === versionId);
  if (version === undefined) throw versionId === undefined ? noSuchKey(key) : noSuchVersion(key, versionId);
  if (!isDeleteMarker(version)) return version;
  const headers = { "x-oss-delete-marker": "true", "x-oss-version-id": version.versionId };
  if (versionId === undefined) throw noSuchKey(key, headers);
  throw new OssError(405, "MethodNotAllowed", "The specified method is not allowed against this resource.", {
    headers: { ...headers, allow: "DELETE" },
  });
}

/** The RAM action, which differs when the request has a version id, e.g. `oss:GetObjectVersion`. */
export function versionedAction(operation: Operation, verb: string, noun: string): string {
  return operation.exchange.query.has("versionId") ? `oss:${verb}ObjectVersion${noun}` : `oss:${verb}Object${noun}`;
}

/** Checks the permission and finds the request's object. */
export function permittedObject(operation: Operation, verb: string, noun = ""): StoredObject {
  operation.permit(versionedAction(operation, verb, noun));
  return findObject(operation.bucket, operation.key, operation.exchange.query.get("versionId"));
}
