import { isReadable } from "../attributes";
import { assertBucketName, assertObjectName, percentDecode } from "../names";
import type { Operation } from "../operation";
import { accessDenied, invalidArgument, invalidObjectState, noSuchBucket } from "../oss-error";
import type { Bucket } from "../store/bucket";
import type { StoredObject } from "../store/model";
import { assertConditions } from "./conditions";
import { findObject } from "./find-version";

export interface CopySource {
  bucket: Bucket;
  key: string;
  object: StoredObject;
}

/** A condition on the source that fails answers 412, or 304 when it means "unchanged". */
function assertSourceConditions(operation: Operation, object: StoredObject): void {
  assertConditions(object, (name) => operation.exchange.header(`x-oss-copy-source-${name.toLowerCase()}`));
}

/**
 * Finds the object of `x-oss-copy-source: /bucket/key[?versionId=..]` and checks that the caller may read it.
 * @throws OssError `AccessDenied` also when its bucket is in another region.
 */
export function copySource(operation: Operation): CopySource {
  const { exchange, store } = operation;
  const header = exchange.header("x-oss-copy-source") ?? "";
  const [, rawBucket, rawKey, versionId] = /^\/?([^/?]+)\/([^?]+)(?:\?versionId=(.+))?$/.exec(header) ?? [];
  if (rawBucket === undefined || rawKey === undefined)
    throw invalidArgument("Copy Source must mention the source bucket and key: /sourcebucket/sourcekey.", {
      name: "x-oss-copy-source",
      value: header,
    });
  const name = percentDecode(rawBucket, "x-oss-copy-source");
  const key = percentDecode(rawKey, "x-oss-copy-source");
  assertBucketName(name);
  assertObjectName(key);
  const bucket = store.find(name);
  if (bucket === undefined) throw noSuchBucket(name);
  if (bucket.record.region !== operation.bucket.record.region)
    throw accessDenied("Target object does not reside in the same data center as source object.");
  operation.permit(versionId === undefined ? "oss:GetObject" : "oss:GetObjectVersion", bucket, key);
  const object = findObject(bucket, key, versionId);
  // A link is copied itself, whatever its class: it has no content that could be archived.
  if (object.type !== "Symlink" && !isReadable(object, operation.now)) throw invalidObjectState();
  assertSourceConditions(operation, object);
  return { bucket, key, object };
}
