import type { Operation } from "../operation";
import { OssError } from "../oss-error";
import type { StoredObject, Version } from "../store/model";
import { currentObject, withVersion } from "../store/versions";

export type NewObject = Omit<StoredObject, "versionId" | "lastModified">;

/**
 * Applies `x-oss-forbid-overwrite: true`. OSS ignores the header when the bucket has versioning enabled or suspended.
 * @throws OssError `FileAlreadyExists`.
 */
export function assertMayOverwrite(operation: Operation, versions: readonly Version[]): void {
  const { exchange, bucket } = operation;
  if (exchange.header("x-oss-forbid-overwrite")?.toLowerCase() !== "true" || bucket.record.versioning !== undefined) return;
  if (currentObject(versions) !== undefined)
    throw new OssError(409, "FileAlreadyExists", "The object you specified already exists and can not be overwritten.");
}

/** Makes a new version visible and emits its event. */
export async function commitObject(operation: Operation, object: NewObject, eventName: string): Promise<StoredObject> {
  const { bucket, key } = operation;
  const stored: StoredObject = { ...object, versionId: operation.newVersionId(), lastModified: operation.now };
  const before = await bucket.keys.update(key, async (versions) => {
    assertMayOverwrite(operation, versions);
    return { versions: withVersion(versions, stored), result: currentObject(versions) };
  });
  operation.emit(eventName, {
    sizeBytes: stored.sizeBytes,
    deltaSizeBytes: stored.sizeBytes - (before?.sizeBytes ?? 0),
    etag: stored.etag,
  });
  return stored;
}

/** Asks for the permissions that headers of an upload need in addition. */
export function permitAttributes(operation: Operation): void {
  const { exchange } = operation;
  if (exchange.header("x-oss-tagging") !== undefined) operation.permit("oss:PutObjectTagging");
  if (exchange.header("x-oss-object-acl") !== undefined) operation.permit("oss:PutObjectAcl");
}
