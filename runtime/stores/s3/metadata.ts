/** Converts attributes, tags and checksums of the port to the fields of S3's requests, and answers back. */
import type { PutObjectCommandInput } from "@aws-sdk/client-s3";
import type { ReplicationStatus } from "../../protocol/replication-status";
import type { Checksum, ChecksumAlgorithm, ContentHeaders, Metadata, Tags } from "../../protocol/snapshot";
import { decodeHeaderText, encodeHeaderText, isAscii } from "../header-text";
import type { ObjectAttributes, ObjectHead } from "../object-store";
import { type Archive, restoreOf } from "../unreadable";

/** The checksums that S3 verifies. */
const CHECKSUM_FIELDS = {
  // CRC32 is the first, and thus computed where the caller gives none: Node has it natively.
  CRC32: "ChecksumCRC32",
  CRC64NVME: "ChecksumCRC64NVME",
  CRC32C: "ChecksumCRC32C",
  SHA256: "ChecksumSHA256",
  SHA1: "ChecksumSHA1",
} as const;
export type S3ChecksumAlgorithm = keyof typeof CHECKSUM_FIELDS;
export type S3ChecksumFields = { [K in S3ChecksumAlgorithm as (typeof CHECKSUM_FIELDS)[K]]?: string | undefined };

export const S3_CHECKSUMS = Object.keys(CHECKSUM_FIELDS) as S3ChecksumAlgorithm[];

const HEADER_FIELDS = {
  contentType: "ContentType",
  cacheControl: "CacheControl",
  contentDisposition: "ContentDisposition",
  contentEncoding: "ContentEncoding",
  contentLanguage: "ContentLanguage",
  websiteRedirectLocation: "WebsiteRedirectLocation",
} as const satisfies Partial<Record<keyof ContentHeaders, string>>;

export function isS3Checksum(algorithm: ChecksumAlgorithm): algorithm is S3ChecksumAlgorithm {
  return algorithm in CHECKSUM_FIELDS;
}

/** The request field that carries the checksum. No field for an algorithm that S3 does not know. */
export function checksumFields(checksum: Checksum | undefined): S3ChecksumFields {
  if (checksum === undefined || !isS3Checksum(checksum.algorithm)) return {};
  return { [CHECKSUM_FIELDS[checksum.algorithm]]: checksum.value };
}

/** A part's own checksum; S3 reports at most one. */
export function partChecksum(fields: S3ChecksumFields): Checksum | undefined {
  return allChecksums(fields)[0];
}

/**
 * The checksums of the whole object. Those over part checksums are left out, because they depend on the sizes of the parts.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
 */
export function fullObjectChecksums(fields: S3ChecksumFields & { ChecksumType?: string | undefined }): Checksum[] {
  return fields.ChecksumType === "FULL_OBJECT" ? allChecksums(fields) : [];
}

function allChecksums(fields: S3ChecksumFields): Checksum[] {
  return S3_CHECKSUMS.flatMap((algorithm) => {
    const value = fields[CHECKSUM_FIELDS[algorithm]];
    return value === undefined ? [] : [{ algorithm, value }];
  });
}

type AttributeFields = Pick<PutObjectCommandInput, (typeof HEADER_FIELDS)[keyof typeof HEADER_FIELDS] | "Metadata" | "Tagging">;

/** All but `expires` and values that are no ASCII; see `withRawHeaders`. */
export function attributeFields({ headers, metadata, tags }: ObjectAttributes): AttributeFields {
  const fields: AttributeFields = {};
  for (const [name, field] of Object.entries(HEADER_FIELDS) as [
    keyof typeof HEADER_FIELDS,
    (typeof HEADER_FIELDS)[keyof typeof HEADER_FIELDS],
  ][]) {
    const value = headers[name];
    if (value !== undefined && isAscii(value)) fields[field] = value;
  }
  const encoded = Object.entries(metadata).map(([name, value]) => [name, encodeHeaderText(value)] as const);
  if (encoded.length > 0) fields.Metadata = Object.fromEntries(encoded);
  return { ...fields, ...taggingField(tags) };
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

export function taggingField(tags: Tags): { Tagging?: string } {
  const tagging = Object.entries(tags).map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
  return tagging.length > 0 ? { Tagging: tagging.join("&") } : {};
}

interface HeadFields {
  VersionId?: string | undefined;
  ETag?: string | undefined;
  LastModified?: Date | undefined;
  ContentType?: string | undefined;
  CacheControl?: string | undefined;
  ContentDisposition?: string | undefined;
  ContentEncoding?: string | undefined;
  ContentLanguage?: string | undefined;
  WebsiteRedirectLocation?: string | undefined;
  ExpiresString?: string | undefined;
  ReplicationStatus?: string | undefined;
  StorageClass?: string | undefined;
  ArchiveStatus?: string | undefined;
  Restore?: string | undefined;
}

/** The header says `COMPLETED`, the API's model `COMPLETE`. https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html */
const REPLICATION_STATUS: Readonly<Record<string, ReplicationStatus>> = {
  PENDING: "PENDING",
  COMPLETE: "COMPLETED",
  COMPLETED: "COMPLETED",
  FAILED: "FAILED",
  REPLICA: "REPLICA",
};

export function unquote(etag: string | undefined): string {
  return (etag ?? "").replace(/^"|"$/g, "");
}

/**
 * @param raw the headers of the answer
 * @throws Error when the answer lacks what every S3 sends.
 */
export function parseHead(
  fields: HeadFields,
  raw: Readonly<Record<string, string>>,
  sizeBytes: number | undefined,
): Omit<ObjectHead, "checksums"> {
  const { ETag, LastModified, VersionId, ReplicationStatus } = fields;
  if (ETag === undefined || LastModified === undefined || sizeBytes === undefined || Number.isNaN(sizeBytes))
    throw new Error("the answer has no ETag, Last-Modified or length: this is no S3 endpoint");
  const replication = ReplicationStatus === undefined ? undefined : REPLICATION_STATUS[ReplicationStatus];
  const archive = archiveOf(fields);
  return {
    // Absent in a bucket whose versioning was never enabled; "null" names a version from before it was enabled.
    ...(VersionId !== undefined && VersionId !== "" && { versionId: VersionId }),
    etag: unquote(ETag),
    sizeBytes,
    lastModified: LastModified,
    headers: parseHeaders(fields),
    metadata: parseMetadata(raw),
    ...(replication !== undefined && { replication }),
    ...(archive !== undefined && { archive }),
  };
}

/** Classes whose objects are read only after a restore. GLACIER_IR is none of them. */
const ARCHIVE_CLASSES: ReadonlySet<string> = new Set(["GLACIER", "DEEP_ARCHIVE"]);

/**
 * An object of INTELLIGENT_TIERING has an archive status only in its archive tiers. After a restore it is in another tier, and has none.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/archived-objects.html
 */
function archiveOf({ StorageClass = "", ArchiveStatus, Restore }: HeadFields): Archive | undefined {
  if (ArchiveStatus !== undefined)
    return { storageClass: `${StorageClass} ${ArchiveStatus}`.trim(), restore: restoreOf(Restore) };
  return ARCHIVE_CLASSES.has(StorageClass) ? { storageClass: StorageClass, restore: restoreOf(Restore) } : undefined;
}

function parseHeaders(fields: HeadFields): ContentHeaders {
  const headers: ContentHeaders = {};
  for (const [name, field] of Object.entries(HEADER_FIELDS) as [
    keyof typeof HEADER_FIELDS,
    (typeof HEADER_FIELDS)[keyof typeof HEADER_FIELDS],
  ][]) {
    const value = fields[field];
    if (value !== undefined) headers[name] = value;
  }
  if (fields.ExpiresString !== undefined) headers.expires = fields.ExpiresString;
  return headers;
}

const METADATA_PREFIX = "x-amz-meta-";

function parseMetadata(raw: Readonly<Record<string, string>>): Metadata {
  return Object.fromEntries(
    Object.entries(raw)
      .filter(([header]) => header.startsWith(METADATA_PREFIX))
      .map(([header, value]) => [header.slice(METADATA_PREFIX.length), decodeHeaderText(value)]),
  );
}

export function parseTags(set: readonly { Key?: string | undefined; Value?: string | undefined }[] | undefined): Tags {
  return Object.fromEntries((set ?? []).map(({ Key = "", Value = "" }) => [Key, Value]));
}

/** A key of a listing with `encoding-type: url`, which writes a space as a plus. */
export function decodeListedKey(key: string, encoding: string | undefined): string {
  return encoding === "url" ? decodeURIComponent(key.replaceAll("+", "%20")) : key;
}
