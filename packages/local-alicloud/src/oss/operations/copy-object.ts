/**
 * https://www.alibabacloud.com/help/en/oss/developer-reference/copyobject
 * https://www.alibabacloud.com/help/en/oss/developer-reference/uploadpartcopy
 */

import { attributesOf, contentHeadersOf, encryptionHeaders, metadataOf, versionHeader } from "../attributes";
import type { Operation } from "../operation";
import { invalidArgument, OssError } from "../oss-error";
import type { Attributes, StoredObject } from "../store/model";
import { xmlTime } from "../xml";
import { assertMayOverwrite, commitObject } from "./commit";
import { type CopySource, copySource } from "./copy-source";
import { namedPart, namedUpload, storePart } from "./multipart-start";
import { MAX_BODY_BYTES } from "./receive-body";

function directive(operation: Operation, name: string): "COPY" | "REPLACE" {
  const value = operation.exchange.header(name) ?? "COPY";
  const upper = value.toUpperCase();
  if (upper !== "COPY" && upper !== "REPLACE") throw invalidArgument(`${name} must be COPY or REPLACE.`, { name, value });
  return upper;
}

/** Headers, metadata and tags of the copy: from the source or from the request, by the two directives. */
function copiedAttributes(operation: Operation, source: StoredObject): Attributes {
  const { exchange, bucket } = operation;
  const { headers } = exchange;
  const own = attributesOf(headers, bucket.record);
  const replaceTags = directive(operation, "x-oss-tagging-directive") === "REPLACE";
  if (directive(operation, "x-oss-metadata-directive") === "COPY") {
    own.headers = source.headers;
    own.metadata = source.metadata;
  } else {
    // The suite of alibabacloud-oss-v2 (Python): a type that is not given, and what a client encrypted the object by, are the source's.
    const type = headers["content-type"] ?? source.headers["content-type"];
    own.headers = contentHeadersOf({ ...headers, ...(type === undefined ? {} : { "content-type": type }) });
    const encrypted = Object.entries(source.metadata).filter(([name]) => name.startsWith("client-side-encryption-"));
    own.metadata = { ...Object.fromEntries(encrypted), ...metadataOf(headers) };
  }
  if (!replaceTags) own.tags = source.tags;
  if (exchange.header("x-oss-storage-class") === undefined) own.storageClass = bucket.record.storageClass;
  return own;
}

function permitTags(operation: Operation, source: CopySource): void {
  if (directive(operation, "x-oss-tagging-directive") === "REPLACE") {
    if (operation.exchange.header("x-oss-tagging") !== undefined) operation.permit("oss:PutObjectTagging");
  } else if (Object.keys(source.object.tags).length > 0) {
    operation.permit("oss:GetObjectTagging", source.bucket, source.key);
    operation.permit("oss:PutObjectTagging");
  }
}

export async function copyObject(operation: Operation): Promise<void> {
  operation.permit("oss:PutObject");
  const { exchange, bucket, key } = operation;
  const source = copySource(operation);
  permitTags(operation, source);
  if (exchange.header("x-oss-object-acl") !== undefined) operation.permit("oss:PutObjectAcl");
  const { sizeBytes, crc64, md5, etag, segments, versionId, symlinkTarget } = source.object;
  if (sizeBytes > MAX_BODY_BYTES)
    throw new OssError(400, "InvalidArgument", "The source object is larger than 5 GB: copy it with UploadPartCopy.");
  const attributes = copiedAttributes(operation, source.object);
  assertMayOverwrite(operation, bucket.keys.versions(key));
  const hold = source.bucket.data.hold(segments);
  // The copy of a symbolic link is a link to the same key; what it leads to is not copied.
  const kind = symlinkTarget === undefined ? { type: "Normal" as const } : { type: "Symlink" as const, symlinkTarget };
  const content = { sizeBytes, crc64, ...(md5 === undefined ? {} : { md5 }), ...kind };
  let copy: StoredObject;
  try {
    const shared = await bucket.data.share(segments, source.bucket.data);
    try {
      copy = await commitObject(operation, { ...attributes, ...content, etag, segments: shared }, "ObjectCreated:CopyObject");
    } catch (error) {
      await bucket.data.remove(shared);
      throw error;
    }
  } finally {
    await hold.release();
  }
  exchange.sendXml(
    "CopyObjectResult",
    { ETag: `"${copy.etag}"`, LastModified: xmlTime(copy.lastModified) },
    {
      etag: `"${copy.etag}"`,
      "x-oss-hash-crc64ecma": copy.crc64,
      "x-oss-version-id": versionHeader(bucket.record, copy.versionId),
      "x-oss-copy-source-version-id": versionHeader(source.bucket.record, versionId),
      ...encryptionHeaders(copy, bucket.record),
    },
  );
}

/** @throws OssError 416 `InvalidRange` */
function sourceRange(operation: Operation, sizeBytes: number): { start: number; end: number } {
  const header = operation.exchange.header("x-oss-copy-source-range");
  if (header === undefined) return { start: 0, end: sizeBytes - 1 };
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(header) ?? [];
  const start = Number(first);
  const end = last === "" ? sizeBytes - 1 : Number(last);
  if (first === undefined || start > end || end >= sizeBytes)
    throw new OssError(416, "InvalidRange", "The requested range cannot be satisfied.", { details: { RangeRequested: header } });
  return { start, end };
}

export async function uploadPartCopy(operation: Operation): Promise<void> {
  operation.permit("oss:PutObject");
  const { exchange, bucket } = operation;
  const partNumber = namedPart(operation);
  const upload = namedUpload(operation);
  const source = copySource(operation);
  if (source.object.type === "Symlink")
    throw new OssError(400, "InvalidTargetType", "A part cannot be copied from a symbolic link.");
  const { segments, sizeBytes, versionId } = source.object;
  const { start, end } = sourceRange(operation, sizeBytes);
  const hold = source.bucket.data.hold(segments);
  const received = await bucket.data.receive(source.bucket.data.read(segments, start, end)).finally(() => hold.release());
  const part = await storePart(operation, upload, partNumber, received);
  operation.emit("ObjectCreated:UploadPartCopy", { sizeBytes: part.sizeBytes, deltaSizeBytes: part.sizeBytes, etag: part.etag });
  exchange.sendXml(
    "CopyPartResult",
    { LastModified: xmlTime(part.lastModified), ETag: `"${part.etag}"` },
    {
      etag: `"${part.etag}"`,
      "x-oss-hash-crc64ecma": part.crc64,
      "x-oss-copy-source-version-id": versionHeader(source.bucket.record, versionId),
    },
  );
}
