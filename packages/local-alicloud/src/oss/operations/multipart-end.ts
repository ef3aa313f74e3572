/**
 * https://www.alibabacloud.com/help/en/oss/developer-reference/completemultipartupload
 * https://www.alibabacloud.com/help/en/oss/developer-reference/abortmultipartupload
 */
import { createHash } from "node:crypto";
import { appendCrc64, CRC64_OF_NOTHING } from "../../crc64";
import { aclOf, encryptionHeaders, refuseEncryption, versionHeader } from "../attributes";
import { EC } from "../error-codes";
import type { Operation } from "../operation";
import { invalidArgument, malformedXml, noSuchUpload, OssError } from "../oss-error";
import { nameEncoder } from "../paging";
import type { Part, StoredObject, Upload } from "../store/model";
import { parseXmlBody } from "../xml-body";
import { callBack, readCallback } from "./callback";
import { commitObject, type NewObject } from "./commit";
import { namedUpload } from "./multipart-start";

/** The least size of every part but the last. */
const MIN_PART_BYTES = 100 * 1024;
const MAX_PARTS = 10_000;

interface NamedPart {
  partNumber: number;
  etag: string;
}

/** An upload may be completed without parts: the object is empty then. */
async function readParts(operation: Operation): Promise<NamedPart[]> {
  const document = await parseXmlBody(await operation.exchange.readDocument(), "CompleteMultipartUpload");
  const parts = document.all("Part").map((part) => {
    const number = part.required("PartNumber").text.trim();
    if (!/^\d+$/.test(number)) throw malformedXml();
    return {
      partNumber: Number(number),
      etag: part
        .required("ETag")
        .text.trim()
        .replace(/^"(.*)"$/, "$1")
        .toUpperCase(),
    };
  });
  if (parts.length > MAX_PARTS) throw malformedXml();
  return parts;
}

/** The parts that the request lists. With `x-oss-complete-all: yes`, all uploaded parts, and the request must have no list. */
async function chosenParts(operation: Operation, upload: Upload): Promise<Part[]> {
  const { exchange } = operation;
  const all = exchange.header("x-oss-complete-all");
  if (all === undefined) return verifiedParts(upload, await readParts(operation));
  if (all !== "yes") throw invalidArgument("x-oss-complete-all must be yes.", { name: "x-oss-complete-all", value: all });
  if ((await exchange.readDocument()).byteLength > 0)
    // The spelling is OSS's own.
    throw invalidArgument(
      "Should not speficy both complete all header and http body.",
      { name: "x-oss-complete-all", value: all },
      EC.completeAllWithBody,
    );
  const parts = Object.values(upload.parts).sort((a, b) => a.partNumber - b.partNumber);
  if (parts.length === 0) throw new OssError(400, "InvalidPart", "One or more of the specified parts could not be found.");
  return parts;
}

function verifiedParts(upload: Upload, named: NamedPart[]): Part[] {
  return named.map(({ partNumber, etag }, index) => {
    if (index > 0 && partNumber <= (named[index - 1]?.partNumber ?? 0))
      throw new OssError(
        400,
        "InvalidPartOrder",
        "The list of parts was not in ascending order. Parts list must specified in order by part number.",
      );
    const part = upload.parts[partNumber];
    if (part === undefined || part.etag !== etag)
      throw new OssError(
        400,
        "InvalidPart",
        "One or more of the specified parts could not be found or the specified entity tag might not have matched the part's entity tag.",
        { details: { UploadId: upload.uploadId, PartNumber: String(partNumber), PartEtag: etag } },
      );
    return part;
  });
}

function assertSizes(parts: readonly Part[]): void {
  const small = parts.slice(0, -1).find(({ sizeBytes }) => sizeBytes < MIN_PART_BYTES);
  if (small === undefined) return;
  throw new OssError(400, "EntityTooSmall", "Your proposed upload smaller than the minimum allowed size.", {
    details: {
      ProposedSize: String(small.sizeBytes),
      MinSizeAllowed: String(MIN_PART_BYTES),
      PartNumber: String(small.partNumber),
      ETag: small.etag,
    },
  });
}

function assemble(upload: Upload, parts: readonly Part[]): NewObject {
  const md5 = createHash("md5");
  // OSS digests the ETags as text, in upper case: its SDK for Go has an ETag of the real service in its tests.
  for (const { etag } of parts) md5.update(etag);
  return {
    ...upload.attributes,
    segments: parts.flatMap(({ segments }) => segments),
    sizeBytes: parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    crc64: parts.reduce((whole, { crc64, sizeBytes }) => appendCrc64(whole, crc64, sizeBytes), CRC64_OF_NOTHING),
    type: "Multipart",
    etag: `${md5.digest("hex").toUpperCase()}-${parts.length}`,
  };
}

export async function completeMultipartUpload(operation: Operation): Promise<void> {
  operation.permit("oss:PutObject");
  const { exchange, bucket, key } = operation;
  const { type, encode } = nameEncoder(exchange.query);
  const { uploadId } = namedUpload(operation);
  const acl = exchange.header("x-oss-object-acl");
  if (acl !== undefined) operation.permit("oss:PutObjectAcl");
  const ownAcl = acl === undefined ? {} : { acl: aclOf(acl) };
  refuseEncryption(exchange.headers);
  const callback = readCallback(operation);
  const chosen = await chosenParts(operation, namedUpload(operation));
  const object: StoredObject = await bucket.uploads.end(uploadId, async (upload) => {
    if (upload === undefined) throw noSuchUpload(uploadId);
    // Verify again: a part may have been replaced while the request body was read.
    const parts = verifiedParts(upload, chosen);
    assertSizes(parts);
    const object = { ...assemble(upload, parts), ...ownAcl };
    const result = await commitObject(operation, object, "ObjectCreated:CompleteMultipartUpload");
    return { used: new Set(parts.map(({ partNumber }) => partNumber)), result };
  });
  const headers = {
    etag: `"${object.etag}"`,
    "x-oss-hash-crc64ecma": object.crc64,
    "x-oss-version-id": versionHeader(bucket.record, object.versionId),
    ...encryptionHeaders(object, bucket.record),
  };
  if (callback !== undefined) {
    await callBack(operation, callback, { object, operation: "CompleteMultipartUpload" }, headers);
    return;
  }
  exchange.sendXml(
    "CompleteMultipartUploadResult",
    {
      EncodingType: type,
      Location: `${exchange.secure ? "https" : "http"}://${exchange.header("host")}/${encode(key)}`,
      Bucket: bucket.name,
      Key: encode(key),
      ETag: `"${object.etag}"`,
    },
    headers,
  );
}

export async function abortMultipartUpload(operation: Operation): Promise<void> {
  operation.permit("oss:AbortMultipartUpload");
  const { uploadId } = namedUpload(operation);
  await operation.bucket.uploads.end(uploadId, async (upload) => {
    if (upload === undefined) throw noSuchUpload(uploadId);
    return { used: new Set(), result: undefined };
  });
  operation.emit("ObjectRemoved:AbortMultipartUpload", { sizeBytes: 0, deltaSizeBytes: 0, etag: "" });
  operation.exchange.send(204);
}
