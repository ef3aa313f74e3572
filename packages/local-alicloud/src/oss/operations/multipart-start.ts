/**
 * https://www.alibabacloud.com/help/en/oss/developer-reference/initiatemultipartupload
 * https://www.alibabacloud.com/help/en/oss/developer-reference/uploadpart
 */
import { attributesOf, encryptionHeaders, refuseEncryption } from "../attributes";
import type { Operation } from "../operation";
import { invalidArgument, noSuchUpload } from "../oss-error";
import { nameEncoder } from "../paging";
import type { Received } from "../store/data-files";
import type { Part, Upload } from "../store/model";
import { assertMayOverwrite, permitAttributes } from "./commit";
import { etagOfMd5 } from "./put-object";
import { discardOnError, receiveBody } from "./receive-body";

const MAX_PARTS = 10_000;

export async function initiateMultipartUpload(operation: Operation): Promise<void> {
  operation.permit("oss:PutObject");
  permitAttributes(operation);
  const { exchange, bucket, key } = operation;
  const { type, encode } = nameEncoder(exchange.query);
  const attributes = attributesOf(exchange.headers, bucket.record);
  assertMayOverwrite(operation, bucket.keys.versions(key));
  const upload = await bucket.uploads.create(key, attributes, operation.now);
  operation.emit("ObjectCreated:InitiateMultipartUpload", { sizeBytes: 0, deltaSizeBytes: 0, etag: "" });
  exchange.sendXml(
    "InitiateMultipartUploadResult",
    { EncodingType: type, Bucket: bucket.name, Key: encode(key), UploadId: upload.uploadId },
    encryptionHeaders(attributes, bucket.record),
  );
}

/** Finds the upload by the query parameter `uploadId`. @throws OssError `NoSuchUpload` */
export function namedUpload(operation: Operation): Upload {
  const uploadId = operation.exchange.query.get("uploadId") ?? "";
  const upload = operation.bucket.uploads.find(operation.key, uploadId);
  if (upload === undefined) throw noSuchUpload(uploadId);
  return upload;
}

export function namedPart(operation: Operation): number {
  const text = operation.exchange.query.get("partNumber") ?? "";
  const partNumber = Number(text);
  if (!/^\d+$/.test(text) || partNumber < 1 || partNumber > MAX_PARTS)
    throw invalidArgument(`Part number must be an integer between 1 and ${MAX_PARTS}, inclusive.`, {
      name: "partNumber",
      value: text,
    });
  return partNumber;
}

export async function storePart(operation: Operation, upload: Upload, partNumber: number, received: Received): Promise<Part> {
  const part: Part = { ...received, partNumber, etag: etagOfMd5(received.md5), lastModified: operation.now };
  const stored = await discardOnError(operation, received, () => operation.bucket.uploads.putPart(upload.uploadId, part));
  if (!stored) throw noSuchUpload(upload.uploadId);
  return part;
}

export async function uploadPart(operation: Operation): Promise<void> {
  operation.permit("oss:PutObject");
  const partNumber = namedPart(operation);
  const upload = namedUpload(operation);
  refuseEncryption(operation.exchange.headers);
  const part = await storePart(operation, upload, partNumber, await receiveBody(operation));
  operation.emit("ObjectCreated:UploadPart", { sizeBytes: part.sizeBytes, deltaSizeBytes: part.sizeBytes, etag: part.etag });
  operation.exchange.send(200, {
    etag: `"${part.etag}"`,
    "content-md5": part.md5,
    "x-oss-hash-crc64ecma": part.crc64,
    ...encryptionHeaders(upload.attributes, operation.bucket.record),
  });
}
