import { createHash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { invalidArgument, OssError } from "./oss-error";
import type { Acl, Attributes, BucketRecord, Encryption, StoredObject } from "./store/model";
import { parseTagging } from "./tags";

const CONTENT_HEADERS = [
  "content-type",
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "expires",
];
const META = "x-oss-meta-";
const MAX_METADATA_BYTES = 8192;
const STORAGE_CLASSES = new Set(["Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive"]);
/** The others can be read only after a restore. */
export const READABLE_CLASSES: ReadonlySet<string> = new Set(["Standard", "IA"]);
const ALGORITHMS = new Set(["AES256", "KMS", "SM4"]);
const DEFAULT_TYPE = "application/octet-stream";

export const isAcl = (text: string): text is Acl => ["private", "public-read", "public-read-write"].includes(text);

export function assertStorageClass(storageClass: string): string {
  if (!STORAGE_CLASSES.has(storageClass))
    throw invalidArgument("The storage class you specified is invalid.", { name: "x-oss-storage-class", value: storageClass });
  return storageClass;
}

/** Only KMS has another cipher than its own; OSS ignores `dataAlgorithm` beside any other algorithm. */
export function assertEncryption(algorithm: string, keyId: string | undefined, dataAlgorithm?: string): Encryption {
  if (!ALGORITHMS.has(algorithm))
    throw new OssError(
      400,
      "InvalidEncryptionAlgorithmError",
      "The Encryption request you specified is not valid. Supported value: AES256/KMS/SM4.",
    );
  if (keyId !== undefined && algorithm !== "KMS")
    throw invalidArgument("A key id is for KMS only.", { name: "x-oss-server-side-encryption-key-id", value: keyId });
  if (algorithm === "KMS" && dataAlgorithm !== undefined && dataAlgorithm !== "SM4")
    throw invalidArgument("KMS encrypts with AES256 or SM4.", { name: "KMSDataEncryption", value: dataAlgorithm });
  return {
    algorithm,
    ...(keyId === undefined ? {} : { keyId }),
    ...(algorithm !== "KMS" || dataAlgorithm === undefined ? {} : { dataAlgorithm: "SM4" as const }),
  };
}

const text = (headers: IncomingHttpHeaders, name: string): string | undefined => {
  const value = headers[name];
  return Array.isArray(value) ? value.join(", ") : value;
};

export function contentHeadersOf(headers: IncomingHttpHeaders): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of CONTENT_HEADERS) {
    const value = text(headers, name);
    if (value !== undefined) kept[name] = value;
  }
  kept["content-type"] ??= DEFAULT_TYPE;
  return kept;
}

export function metadataOf(headers: IncomingHttpHeaders): Record<string, string> {
  const metadata: Record<string, string> = {};
  let bytes = 0;
  for (const header of Object.keys(headers)) {
    if (!header.startsWith(META)) continue;
    const name = header.slice(META.length);
    if (!/^[a-z0-9-]+$/.test(name))
      throw invalidArgument("A metadata name has only letters, digits and hyphens.", { name: header, value: name });
    const value = text(headers, header) ?? "";
    bytes += name.length + value.length;
    metadata[name] = value;
  }
  if (bytes > MAX_METADATA_BYTES)
    throw new OssError(400, "InvalidArgument", "The total size of the user metadata exceeds 8 KB.", {
      details: { MaxSizeAllowed: String(MAX_METADATA_BYTES), Size: String(bytes) },
    });
  return metadata;
}

/** Undefined for `default`: the ACL of the bucket applies. @throws OssError `InvalidArgument` */
export function aclOf(value: string): Acl | undefined {
  if (value === "default") return undefined;
  if (!isAcl(value)) throw invalidArgument("The acl you specified is invalid.", { name: "x-oss-object-acl", value });
  return value;
}

/** Reads an object's attributes from the headers of its upload. */
export function attributesOf(headers: IncomingHttpHeaders, bucket: Readonly<BucketRecord>): Attributes {
  const tagging = text(headers, "x-oss-tagging");
  const acl = aclOf(text(headers, "x-oss-object-acl") ?? "default");
  const algorithm = text(headers, "x-oss-server-side-encryption");
  const encryption =
    algorithm === undefined
      ? bucket.encryption
      : assertEncryption(
          algorithm,
          text(headers, "x-oss-server-side-encryption-key-id"),
          text(headers, "x-oss-server-side-data-encryption"),
        );
  return {
    headers: contentHeadersOf(headers),
    metadata: metadataOf(headers),
    tags: tagging === undefined ? {} : parseTagging(tagging),
    storageClass: assertStorageClass(text(headers, "x-oss-storage-class") ?? bucket.storageClass),
    ...(acl === undefined ? {} : { acl }),
    ...(encryption === undefined ? {} : { encryption }),
  };
}

/** The id of the key that KMS manages for OSS: one for each account and region. It encrypts what names no key of the customer. */
function managedKeyId({ ownerId, region }: Readonly<BucketRecord>): string {
  const hex = createHash("sha256").update(`${ownerId}/${region}`).digest("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join("-");
}

export const encryptionHeaders = (
  { encryption }: Pick<Attributes, "encryption">,
  bucket: Readonly<BucketRecord>,
): Record<string, string | undefined> => ({
  "x-oss-server-side-encryption": encryption?.algorithm,
  "x-oss-server-side-encryption-key-id": encryption?.algorithm === "KMS" ? (encryption.keyId ?? managedKeyId(bucket)) : undefined,
  "x-oss-server-side-data-encryption": encryption?.dataAlgorithm,
});

/** The encryption of an upload is chosen when it is initiated. @throws OssError `InvalidArgument` */
export function refuseEncryption(headers: IncomingHttpHeaders): void {
  const name = Object.keys(headers).find((header) => /^x-oss-server-side-(?:data-)?encryption/.test(header));
  if (name !== undefined)
    throw invalidArgument(`${name} is for InitiateMultipartUpload only.`, { name, value: text(headers, name) ?? "" });
}

/** The value of `x-oss-version-id`; undefined when versioning was never enabled. */
export const versionHeader = (bucket: Readonly<BucketRecord>, versionId: string): string | undefined =>
  bucket.versioning === undefined ? undefined : versionId;

export function restoreStateOf({ restore }: Pick<StoredObject, "restore">, now: number): "none" | "ongoing" | "done" {
  if (restore === undefined || now >= restore.readableUntil) return "none";
  return now < restore.readableFrom ? "ongoing" : "done";
}

export const isReadable = (object: Pick<StoredObject, "storageClass" | "restore">, now: number): boolean =>
  READABLE_CLASSES.has(object.storageClass) || restoreStateOf(object, now) === "done";

/** The value of `x-oss-restore`, or undefined without a restore. */
export function restoreHeader(object: StoredObject, now: number): string | undefined {
  const state = restoreStateOf(object, now);
  if (state === "none" || object.restore === undefined) return undefined;
  if (state === "ongoing") return 'ongoing-request="true"';
  return `ongoing-request="false", expiry-date="${new Date(object.restore.readableUntil).toUTCString()}"`;
}

/** `x-oss-meta-*`. */
export const metadataHeaders = (metadata: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(metadata).map(([name, value]) => [META + name, value]));

/** The headers that describe an object, on GET and HEAD. */
export function objectHeaders(
  object: StoredObject,
  bucket: Readonly<BucketRecord>,
  now: number,
): Record<string, string | number | undefined> {
  const isLink = object.type === "Symlink";
  const tagCount = Object.keys(object.tags).length;
  return {
    ...object.headers,
    ...metadataHeaders(object.metadata),
    etag: `"${object.etag}"`,
    "last-modified": new Date(object.lastModified).toUTCString(),
    "content-md5": object.md5,
    // Of a link, the documentation does not say whose checksum it would be.
    "x-oss-hash-crc64ecma": isLink ? undefined : object.crc64,
    "x-oss-object-type": object.type,
    "x-oss-storage-class": object.storageClass,
    "x-oss-restore": isLink ? undefined : restoreHeader(object, now),
    "x-oss-tagging-count": tagCount === 0 ? undefined : tagCount,
    "x-oss-version-id": versionHeader(bucket, object.versionId),
    "x-oss-next-append-position": object.type === "Appendable" ? object.sizeBytes : undefined,
    ...encryptionHeaders(object, bucket),
  };
}
