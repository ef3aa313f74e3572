import type { Operation } from "../operation";
import { OssError } from "../oss-error";
import type { StoredObject, Version } from "../store/model";
import { currentObject, withVersion } from "../store/versions";

export type NewObject = Omit<StoredObject, "versionId" | "lastModified">;

/**
 * `x-oss-forbid-overwrite: true`, which OSS honours only where the bucket never kept versions.
 * @throws OssError `FileAlreadyExists`.
 */
export function assertMayOverwrite(operation: Operation, versions: readonly Version[]): void {
  const { exchange, bucket } = operation;
  if (exchange.header("x-oss-forbid-overwrite")?.toLowerCase() !== "true" || bucket.record.versioning !== undefined) return;
  if (currentObject(versions) !== undefined)
    throw new OssError(409, "FileAlreadyExists", "The object you specified already exists and can not be overwritten.");
}

/** Makes a new version visible, and tells so. */
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

/** The permissions that the headers of an upload need besides the upload's own. */
export function permitAttributes(operation: Operation): void {
  const { exchange } = operation;
  if (exchange.header("x-oss-tagging") !== undefined) operation.permit("oss:PutObjectTagging");
  if (exchange.header("x-oss-object-acl") !== undefined) operation.permit("oss:PutObjectAcl");
}
