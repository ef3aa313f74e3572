/** Converts attributes, tags and checksums of the port to the headers and documents of S3, and answers back. */
import type { AnswerHeaders } from "../../http/exchange";
import { escapeXml, type XmlElement } from "../../http/xml";
import type { ReplicationStatus } from "../../protocol/replication-status";
import type { Checksum, ChecksumAlgorithm, ContentHeaders, Metadata, Tags } from "../../protocol/snapshot";
import { decodeHeaderText, encodeHeaderText, isAscii } from "../header-text";
import type { ObjectAttributes, ObjectHead, PutResult, WriteCondition } from "../object-store";
import { type Archive, restoreOf } from "../unreadable";
import { unexpectedAnswer } from "./errors";

/** The checksums that S3 verifies. CRC32 is the first, and thus computed where the caller gives none: Node has it natively. */
export const S3_CHECKSUMS = ["CRC32", "CRC64NVME", "CRC32C", "SHA256", "SHA1"] as const satisfies readonly ChecksumAlgorithm[];
export type S3ChecksumAlgorithm = (typeof S3_CHECKSUMS)[number];

export const FULL_OBJECT = "FULL_OBJECT";
const COMPOSITE = "COMPOSITE";

const HEADERS = {
  contentType: "content-type",
  cacheControl: "cache-control",
  contentDisposition: "content-disposition",
  contentEncoding: "content-encoding",
  contentLanguage: "content-language",
  expires: "expires",
  websiteRedirectLocation: "x-amz-website-redirect-location",
} as const satisfies Record<keyof ContentHeaders, string>;
const HEADER_NAMES = Object.entries(HEADERS) as [keyof ContentHeaders, string][];

export function isS3Checksum(algorithm: ChecksumAlgorithm): algorithm is S3ChecksumAlgorithm {
  return (S3_CHECKSUMS as readonly ChecksumAlgorithm[]).includes(algorithm);
}

export function checksumHeader(algorithm: ChecksumAlgorithm): string {
  return `x-amz-checksum-${algorithm.toLowerCase()}`;
}

/** The header that carries the checksum. No header for an algorithm that S3 does not know. */
export function checksumHeaders(checksum: Checksum | undefined): Record<string, string> {
  if (checksum === undefined || !isS3Checksum(checksum.algorithm)) return {};
  return { [checksumHeader(checksum.algorithm)]: checksum.value };
}

function checksumElement(algorithm: ChecksumAlgorithm): string {
  return `Checksum${algorithm}`;
}

/** The element of a document that carries the checksum. */
export function checksumDocument(checksum: Checksum | undefined): string {
  if (checksum === undefined || !isS3Checksum(checksum.algorithm)) return "";
  const name = checksumElement(checksum.algorithm);
  return `<${name}>${escapeXml(checksum.value)}</${name}>`;
}

/** A part's own checksum, or that of a copy; S3 reports at most one. */
export function checksumIn(element: XmlElement): Checksum | undefined {
  for (const algorithm of S3_CHECKSUMS) {
    const value = element.textOf(checksumElement(algorithm));
    if (value !== undefined) return { algorithm, value };
  }
  return undefined;
}

/**
 * The checksums of the whole object. Those over part checksums are left out, because they depend on the sizes of the parts.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
 */
export function fullObjectChecksums(headers: AnswerHeaders): Checksum[] {
  return checksumTypeOf(headers) === FULL_OBJECT ? allChecksums(headers) : [];
}

/** Without this header HEAD answers no checksums. */
export const WITH_CHECKSUMS = { "x-amz-checksum-mode": "ENABLED" };

export function checksumTypeOf(headers: AnswerHeaders): string | undefined {
  return headers["x-amz-checksum-type"];
}

export function allChecksums(headers: AnswerHeaders): Checksum[] {
  return S3_CHECKSUMS.flatMap((algorithm) => {
    const value = headers[checksumHeader(algorithm)];
    return value === undefined ? [] : [{ algorithm, value }];
  });
}

/** Every header as it was stored, one character a byte. Metadata and the redirect are signed, so they are ASCII. */
export function attributeHeaders({ headers, metadata, tags }: ObjectAttributes): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const [name, header] of HEADER_NAMES) {
    const value = headers[name];
    if (value !== undefined && (name !== "websiteRedirectLocation" || isAscii(value))) fields[header] = value;
  }
  for (const [name, value] of Object.entries(metadata)) fields[METADATA_PREFIX + name] = encodeHeaderText(value);
  return Object.assign(fields, taggingHeader(tags));
}

/**
 * S3 counts names and values, without the prefix of the names.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
 */
export const S3_METADATA = {
  maxBytes: 2048,
  bytesOf: (metadata: Metadata): number =>
    Object.entries(metadata).reduce((sum, [name, value]) => sum + name.length + encodeHeaderText(value).length, 0),
} as const;

export function taggingHeader(tags: Tags): Record<string, string> {
  const pairs = Object.entries(tags).map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
  return pairs.length === 0 ? {} : { "x-amz-tagging": pairs.join("&") };
}

export function conditionHeaders(condition: WriteCondition | undefined): Record<string, string> {
  if (condition?.ifMatch !== undefined) return { "if-match": `"${condition.ifMatch}"` };
  return condition?.ifAbsent ? { "if-none-match": "*" } : {};
}

/** The header that names an object as the source of a copy. */
export function copySource(bucket: string, key: string): string {
  return `${bucket}/${key.split("/").map(encodeURIComponent).join("/")}`;
}

/** The header says `COMPLETED`, the API's model `COMPLETE`. https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html */
const REPLICATION_STATUS: Readonly<Record<string, ReplicationStatus>> = {
  PENDING: "PENDING",
  COMPLETE: "COMPLETED",
  COMPLETED: "COMPLETED",
  FAILED: "FAILED",
  REPLICA: "REPLICA",
};

/**
 * The etag without its quotes.
 * @throws BridgeError `Unexpected` without one: then it is no answer of S3, and proves no write
 */
export function etagOf(op: string, etag: string | undefined): string {
  const unquoted = (etag ?? "").replace(/^"|"$/g, "");
  if (unquoted === "") throw unexpectedAnswer(op, "no ETag");
  return unquoted;
}

/** @throws BridgeError `Unexpected` when the answer lacks what every S3 sends. */
export function parseHead(op: string, headers: AnswerHeaders): Omit<ObjectHead, "checksums"> {
  const { etag, "last-modified": lastModified = "" } = headers;
  const modified = new Date(lastModified);
  const sizeBytes = sizeOf(headers);
  if (etag === undefined || Number.isNaN(modified.getTime()) || Number.isNaN(sizeBytes))
    throw unexpectedAnswer(op, "no ETag, Last-Modified or length");
  const replication = REPLICATION_STATUS[headers["x-amz-replication-status"] ?? ""];
  const archive = archiveOf(headers);
  return {
    ...versionOf(headers),
    etag: etagOf(op, etag),
    sizeBytes,
    lastModified: modified,
    headers: parseHeaders(headers),
    metadata: parseMetadata(headers),
    ...(replication !== undefined && { replication }),
    ...(archive !== undefined && { archive }),
  };
}

/** Absent in a bucket whose versioning was never enabled; "null" names a version from before it was enabled. */
function versionOf(headers: AnswerHeaders): { versionId?: string } {
  const versionId = headers["x-amz-version-id"];
  return versionId === undefined || versionId === "" ? {} : { versionId };
}

/** The result of a write. A write of the whole object has no checksum over parts. */
export function putResult(op: string, headers: AnswerHeaders, etag = headers.etag): PutResult {
  const result: PutResult = { etag: etagOf(op, etag), ...versionOf(headers) };
  const checksums = checksumTypeOf(headers) === COMPOSITE ? [] : allChecksums(headers);
  if (checksums.length > 0) result.checksums = checksums;
  return result;
}

/** The size of the whole object, also where the answer holds a range of it. */
function sizeOf(headers: AnswerHeaders): number {
  const total = headers["content-range"]?.split("/")[1];
  return Number(total ?? headers["content-length"]);
}

/** Classes whose objects are read only after a restore. GLACIER_IR is none of them. */
const ARCHIVE_CLASSES: ReadonlySet<string> = new Set(["GLACIER", "DEEP_ARCHIVE"]);

/**
 * An object of INTELLIGENT_TIERING has an archive status only in its archive tiers. After a restore it is in another tier, and has none.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/archived-objects.html
 */
function archiveOf(headers: AnswerHeaders): Archive | undefined {
  const { "x-amz-storage-class": storageClass = "", "x-amz-archive-status": status, "x-amz-restore": restore } = headers;
  if (status !== undefined) return { storageClass: `${storageClass} ${status}`.trim(), restore: restoreOf(restore) };
  return ARCHIVE_CLASSES.has(storageClass) ? { storageClass, restore: restoreOf(restore) } : undefined;
}

function parseHeaders(fields: AnswerHeaders): ContentHeaders {
  const headers: ContentHeaders = {};
  for (const [name, header] of HEADER_NAMES) {
    const value = fields[header];
    if (value !== undefined) headers[name] = value;
  }
  return headers;
}

const METADATA_PREFIX = "x-amz-meta-";

function parseMetadata(headers: AnswerHeaders): Metadata {
  const entries: [string, string][] = [];
  for (const header in headers)
    if (header.startsWith(METADATA_PREFIX))
      entries.push([header.slice(METADATA_PREFIX.length), decodeHeaderText(headers[header] as string)]);
  // Assigning the entry `__proto__` would change the prototype instead.
  return Object.fromEntries(entries);
}

export function taggingDocument(tags: Tags): Buffer {
  const set = Object.entries(tags).map(
    ([name, value]) => `<Tag><Key>${escapeXml(name)}</Key><Value>${escapeXml(value)}</Value></Tag>`,
  );
  return Buffer.from(`<Tagging xmlns="${S3_NAMESPACE}"><TagSet>${set.join("")}</TagSet></Tagging>`);
}

export const S3_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/";

/** A key of a listing with `encoding-type: url`, which writes a space as a plus. */
export function decodeListedKey(key: string, encoding: string | undefined): string {
  return encoding === "url" ? decodeURIComponent(key.replaceAll("+", "%20")) : key;
}
