/**
 * https://www.alibabacloud.com/help/en/oss/developer-reference/deleteobject
 * https://www.alibabacloud.com/help/en/oss/developer-reference/deletemultipleobjects
 */
import { percentEncode } from "../names";
import type { Operation } from "../operation";
import { invalidArgument, malformedXml, OssError } from "../oss-error";
import { isDeleteMarker } from "../store/model";
import { currentObject, withDeletion, withoutVersion } from "../store/versions";
import { parseXmlBody } from "../xml-body";

const MAX_KEYS = 1000;
/** As the versions of this server. */
const VERSION_ID = /^(?:null|CAEQ[0-9a-f]+)$/;

interface Deleted {
  /** The version that was removed. For a delete without a version id: the delete marker that was created. */
  versionId: string | undefined;
  deleteMarker: boolean;
}

/** Deleting a missing key succeeds. */
async function deleteOne(operation: Operation, key: string, versionId: string | undefined, eventName: string): Promise<Deleted> {
  const { bucket } = operation;
  const { deletion, removedObject } = await bucket.keys.update(key, async (versions) => {
    const current = currentObject(versions);
    if (versionId !== undefined) {
      const named = versions.find((version) => version.versionId === versionId);
      const deleteMarker = named !== undefined && isDeleteMarker(named);
      const namedObject = named !== undefined && !isDeleteMarker(named) ? named : undefined;
      return {
        versions: named === undefined ? versions : withoutVersion(versions, versionId),
        result: { deletion: { versionId, deleteMarker }, removedObject: namedObject },
      };
    }
    const { versions: left, marker } = withDeletion(versions, bucket.record.versioning, () => ({
      versionId: operation.newVersionId(),
      lastModified: operation.now,
      deleteMarker: true,
    }));
    return {
      versions: left,
      result: { deletion: { versionId: marker?.versionId, deleteMarker: marker !== undefined }, removedObject: current },
    };
  });
  operation.emit(eventName, {
    key,
    sizeBytes: 0,
    deltaSizeBytes: -(removedObject?.sizeBytes ?? 0),
    etag: removedObject?.etag ?? "",
  });
  return deletion;
}

export async function deleteObject(operation: Operation): Promise<void> {
  const { exchange, key } = operation;
  const versionId = exchange.query.get("versionId");
  operation.permit(versionId === undefined ? "oss:DeleteObject" : "oss:DeleteObjectVersion");
  const { bucket } = operation;
  const deleted = await deleteOne(operation, key, versionId, "ObjectRemoved:DeleteObject");
  exchange.send(204, {
    "x-oss-version-id": bucket.record.versioning === undefined ? undefined : deleted.versionId,
    "x-oss-delete-marker": deleted.deleteMarker ? "true" : undefined,
  });
}

export async function deleteObjects(operation: Operation): Promise<void> {
  const { exchange, bucket } = operation;
  // Clients of S3 send another checksum.
  if (exchange.header("content-md5") === undefined && !exchange.answersS3)
    throw new OssError(400, "MissingArgument", "Missing Some Required Arguments: Content-MD5.");
  const document = await parseXmlBody(await exchange.readDocument(), "Delete");
  const quiet = document.first("Quiet")?.text.trim().toLowerCase() === "true";
  const named = document.all("Object").map((object) => ({
    key: object.required("Key").text,
    versionId: object.first("VersionId")?.text || undefined,
  }));
  if (named.length === 0 || named.length > MAX_KEYS)
    throw malformedXml(`Delete takes 1 to ${MAX_KEYS} objects, not ${named.length}.`);
  for (const { key, versionId } of named)
    operation.permit(versionId === undefined ? "oss:DeleteObject" : "oss:DeleteObjectVersion", bucket, key);
  for (const { versionId } of named)
    if (versionId !== undefined && !VERSION_ID.test(versionId))
      throw invalidArgument("Invalid version id specified.", { name: "versionId", value: versionId });
  const encoded = exchange.query.get("encoding-type") === "url";
  const results = [];
  for (const { key, versionId } of named) {
    const deleted = await deleteOne(operation, key, versionId, "ObjectRemoved:DeleteObjects");
    results.push({
      Key: encoded ? percentEncode(key) : key,
      VersionId: versionId,
      DeleteMarker: deleted.deleteMarker ? true : undefined,
      DeleteMarkerVersionId: deleted.deleteMarker ? deleted.versionId : undefined,
    });
  }
  exchange.sendXml("DeleteResult", { EncodingType: encoded ? "url" : undefined, Deleted: quiet ? [] : results });
}
