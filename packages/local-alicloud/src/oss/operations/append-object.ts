/** https://www.alibabacloud.com/help/en/oss/developer-reference/appendobject */
import { appendCrc64 } from "../../crc64";
import { aclOf, attributesOf, encryptionHeaders, versionHeader } from "../attributes";
import type { Operation } from "../operation";
import { invalidArgument, OssError } from "../oss-error";
import type { Received } from "../store/data-files";
import { type Attributes, isDeleteMarker, type StoredObject, type Version } from "../store/model";
import { NULL_VERSION, withVersion } from "../store/versions";
import { permitAttributes } from "./commit";
import { etagOfMd5 } from "./put-object";
import { discardOnError, MAX_BODY_BYTES, receiveBody } from "./receive-body";

function positionOf(operation: Operation): number {
  const text = operation.exchange.query.get("position") ?? "";
  if (!/^\d+$/.test(text)) throw invalidArgument("The position must be an integer from 0.", { name: "position", value: text });
  return Number(text);
}

/** The object to append to; undefined when this append creates it. */
function appendable(operation: Operation, versions: readonly Version[], position: number): StoredObject | undefined {
  // After a delete marker an append creates a version, as aliyun-oss-go-sdk's tests expect.
  const newest = versions[0] === undefined || isDeleteMarker(versions[0]) ? undefined : versions[0];
  if (newest !== undefined && newest.type !== "Appendable")
    throw new OssError(409, "ObjectNotAppendable", "The object is not appendable.");
  const length = newest?.sizeBytes ?? 0;
  if (position !== length)
    throw new OssError(409, "PositionNotEqualToLength", "Position is not equal to file length", {
      details: { Position: String(position), ObjectLength: String(length) },
      headers: {
        "x-oss-next-append-position": String(length),
        "x-oss-hash-crc64ecma": newest === undefined ? "0" : newest.crc64,
        "x-oss-object-type": operation.exchange.header("x-oss-object-type") ?? "Appendable",
      },
    });
  return newest;
}

interface Wished {
  /** For the append that creates the object. */
  attributes(): Attributes;
  /** A later append sets the ACL too. */
  acl: StoredObject["acl"] | undefined;
}

function appended(
  before: StoredObject | undefined,
  { attributes, acl }: Wished,
  received: Received,
  now: number,
): Omit<StoredObject, "versionId"> {
  // Each append changes the ETag. The ETag of an appendable object is not a digest of its content.
  const etag = `${etagOfMd5(received.md5).slice(0, 24)}${now.toString(16).toUpperCase().padStart(16, "0").slice(-8)}`;
  const { md5: _ofThisBodyOnly, ...content } = received;
  const fresh = { type: "Appendable" as const, etag, lastModified: now };
  if (before === undefined) return { ...attributes(), ...content, ...fresh };
  const { replicaOf: _noMore, ...own } = before;
  return {
    ...own,
    ...fresh,
    ...(acl === undefined ? {} : { acl }),
    segments: [...before.segments, ...received.segments],
    sizeBytes: before.sizeBytes + received.sizeBytes,
    crc64: appendCrc64(before.crc64, received.crc64, received.sizeBytes),
  };
}

export async function appendObject(operation: Operation): Promise<void> {
  operation.permit("oss:PutObject");
  permitAttributes(operation);
  const { exchange, bucket, key } = operation;
  const position = positionOf(operation);
  const known = appendable(operation, bucket.keys.versions(key), position);
  // Only the append that creates the object sets its attributes. OSS ignores those of a later one but the ACL, also when they are not valid.
  const attributes = () => attributesOf(exchange.headers, bucket.record);
  const wantedAcl = exchange.header("x-oss-object-acl") || undefined;
  const wished: Wished = { attributes, acl: wantedAcl === undefined ? undefined : aclOf(wantedAcl) };
  if (known === undefined) attributes();
  const received = await receiveBody(operation);
  const object = await discardOnError(operation, received, () =>
    bucket.keys.update(key, async (versions) => {
      const before = appendable(operation, versions, position);
      const versionId = before?.versionId ?? operation.newVersionId();
      const next: StoredObject = { ...appended(before, wished, received, operation.now), versionId };
      if (next.sizeBytes > MAX_BODY_BYTES)
        throw new OssError(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed object size.");
      // An append creates no version: it replaces the version that it appends to.
      const others = before === undefined ? versions : versions.slice(1);
      return { versions: versionId === NULL_VERSION ? withVersion(others, next) : [next, ...others], result: next };
    }),
  );
  operation.emit("ObjectCreated:AppendObject", {
    sizeBytes: object.sizeBytes,
    deltaSizeBytes: object.sizeBytes - (known?.sizeBytes ?? 0),
    etag: object.etag,
  });
  exchange.send(200, {
    etag: `"${object.etag}"`,
    "x-oss-next-append-position": object.sizeBytes,
    "x-oss-hash-crc64ecma": object.crc64,
    "x-oss-version-id": versionHeader(bucket.record, object.versionId),
    ...encryptionHeaders(object, bucket.record),
  });
}
