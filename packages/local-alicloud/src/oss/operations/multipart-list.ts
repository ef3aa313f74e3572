/**
 * https://www.alibabacloud.com/help/en/oss/developer-reference/listparts
 * https://www.alibabacloud.com/help/en/oss/developer-reference/listmultipartuploads
 */

import type { Operation } from "../operation";
import { commonPrefixOf, nameEncoder, numberParameter } from "../paging";
import type { Upload } from "../store/model";
import { compareKeys } from "../store/sorted-keys";
import { type XmlFields, xmlTime } from "../xml";
import { namedUpload } from "./multipart-start";

export async function listParts(operation: Operation): Promise<void> {
  operation.permit("oss:ListParts");
  const { exchange, bucket, key } = operation;
  const { type, encode } = nameEncoder(exchange.query);
  const upload = namedUpload(operation);
  const limit = numberParameter(exchange.query, "max-parts", { min: 1, max: 1000, fallback: 1000 });
  const marker = numberParameter(exchange.query, "part-number-marker", { min: 0, max: 10_000, fallback: 0 });
  const rest = Object.values(upload.parts)
    .filter(({ partNumber }) => partNumber > marker)
    .sort((a, b) => a.partNumber - b.partNumber);
  const page = rest.slice(0, limit);
  exchange.sendXml("ListPartsResult", {
    EncodingType: type,
    Bucket: bucket.name,
    Key: encode(key),
    UploadId: upload.uploadId,
    StorageClass: upload.attributes.storageClass,
    PartNumberMarker: marker,
    NextPartNumberMarker: page.at(-1)?.partNumber ?? marker,
    MaxParts: limit,
    IsTruncated: rest.length > page.length,
    ...clientEncryption(upload),
    Part: page.map((part) => ({
      PartNumber: part.partNumber,
      LastModified: xmlTime(part.lastModified),
      ETag: `"${part.etag}"`,
      HashCrc64ecma: part.crc64,
      Size: part.sizeBytes,
    })),
  });
}

/** What a client that encrypts by itself wrote into the metadata of its upload: alibabacloud-oss-go-sdk-v2 reads these elements. */
function clientEncryption({ attributes: { metadata } }: Upload): XmlFields {
  const of = (name: string) => metadata[`client-side-encryption-${name}`];
  return {
    ClientEncryptionKey: of("key"),
    ClientEncryptionStart: of("start"),
    ClientEncryptionCekAlg: of("cek-alg"),
    ClientEncryptionWrapAlg: of("wrap-alg"),
    ClientEncryptionDataSize: of("data-size"),
    ClientEncryptionPartSize: of("part-size"),
  };
}

const compareUploads = (a: Pick<Upload, "key" | "uploadId">, b: Pick<Upload, "key" | "uploadId">) =>
  compareKeys(a.key, b.key) || compareKeys(a.uploadId, b.uploadId);

export async function listMultipartUploads(operation: Operation): Promise<void> {
  operation.permit("oss:ListMultipartUploads");
  const { exchange, bucket } = operation;
  const { query } = exchange;
  const { type, encode } = nameEncoder(query);
  const limit = numberParameter(query, "max-uploads", { min: 1, max: 1000, fallback: 1000 });
  const prefix = query.get("prefix") ?? "";
  const delimiter = query.get("delimiter") ?? "";
  const keyMarker = query.get("key-marker") ?? "";
  const uploadIdMarker = query.get("upload-id-marker") ?? "";
  // A key marker without an upload id skips every upload of that key.
  const after = ({ key, uploadId }: Upload) =>
    keyMarker === "" ||
    (uploadIdMarker === ""
      ? compareKeys(key, keyMarker) > 0
      : compareUploads({ key, uploadId }, { key: keyMarker, uploadId: uploadIdMarker }) > 0);
  const uploads: Upload[] = [];
  const prefixes = new Set<string>();
  let truncated = false;
  let last: Pick<Upload, "key" | "uploadId"> | undefined;
  for (const upload of [...bucket.uploads.all()].sort(compareUploads)) {
    if (!upload.key.startsWith(prefix) || !after(upload)) continue;
    const common = commonPrefixOf(upload.key, prefix, delimiter);
    if (common !== undefined && (prefixes.has(common) || common === keyMarker)) continue;
    if (uploads.length + prefixes.size === limit) {
      truncated = true;
      break;
    }
    if (common === undefined) uploads.push(upload);
    else prefixes.add(common);
    last = common === undefined ? upload : { key: common, uploadId: "" };
  }
  exchange.sendXml("ListMultipartUploadsResult", {
    EncodingType: type,
    Bucket: bucket.name,
    KeyMarker: encode(keyMarker),
    UploadIdMarker: uploadIdMarker,
    // Also for the last page, as in the example of the documentation.
    NextKeyMarker: encode(last?.key ?? ""),
    NextUploadIdMarker: last?.uploadId ?? "",
    Prefix: encode(prefix),
    Delimiter: encode(delimiter),
    MaxUploads: limit,
    IsTruncated: truncated,
    Upload: uploads.map((upload) => ({
      Key: encode(upload.key),
      UploadId: upload.uploadId,
      StorageClass: upload.attributes.storageClass,
      Initiated: xmlTime(upload.initiated),
    })),
    CommonPrefixes: [...prefixes].map((common) => ({ Prefix: encode(common) })),
  });
}
