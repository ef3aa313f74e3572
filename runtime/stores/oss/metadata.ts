/**
 * Converts attributes, tags and checksums of the port to OSS's headers and documents, and back.
 *
 * OSS accepts metadata names of `a-z0-9-` only, and trims values. Other names and values are stored encoded, and reading decodes them to
 * exactly what was written. Plain ones are stored as they are, so that other readers understand them. The encoding is unambiguous.
 */
import { createHash } from "node:crypto";
import type { AnswerHeaders } from "../../http/exchange";
import { escapeXml, parseXml, type XmlElement } from "../../http/xml";
import type { Checksum, ContentHeaders, Metadata, Tags } from "../../protocol/snapshot";
import { METADATA_NAME } from "../checked-store";
import { BridgeError } from "../errors";
import { decodeHeaderText, encodeHeaderText } from "../header-text";
import type { ObjectHead, PutResult } from "../object-store";
import { type Archive, restoreOf } from "../unreadable";

const PREFIX = "x-oss-meta-";
/** https://www.alibabacloud.com/help/en/oss/user-guide/manage-object-metadata-10 */
const MAX_METADATA_BYTES = 8 * 1024;

/** Every encoded name starts with this. A plain name that starts with it is encoded as well. */
const NAME_MARK = "encoded-";
const PLAIN_NAME = /^[a-z0-9-]+$/;
const WORD = /^=\?UTF-8\?B\?([A-Za-z0-9+/]*={0,2})\?=$/;

const HEADERS = {
  contentType: "content-type",
  cacheControl: "cache-control",
  contentDisposition: "content-disposition",
  contentEncoding: "content-encoding",
  contentLanguage: "content-language",
  expires: "expires",
  // A metadata entry, because OSS redirects no single object. Its name says ":website-redirect-location", which is no name of user metadata.
  websiteRedirectLocation: "x-oss-meta-encoded--3awebsite--redirect--location",
} as const satisfies Record<keyof ContentHeaders, string>;
const HEADER_NAMES = Object.entries(HEADERS) as [keyof ContentHeaders, string][];

/** A hyphen becomes two hyphens. Any other character that OSS forbids becomes a hyphen and two hex digits. */
export function encodeMetadataName(name: string): string {
  if (PLAIN_NAME.test(name) && !name.startsWith(NAME_MARK)) return name;
  const escaped = name.replace(/[^a-z0-9]/g, (char) =>
    char === "-" ? "--" : `-${char.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
  return NAME_MARK + escaped;
}

/** A name that only looks encoded stays as it is. */
export function decodeMetadataName(name: string): string {
  if (!name.startsWith(NAME_MARK)) return name;
  const decoded = name
    .slice(NAME_MARK.length)
    .replace(/-(-|[0-9a-f]{2})/g, (_, code: string) => (code === "-" ? "-" : String.fromCharCode(Number.parseInt(code, 16))));
  return METADATA_NAME.test(decoded) && encodeMetadataName(decoded) === name ? decoded : name;
}

function wordOf(text: string): string {
  return `=?UTF-8?B?${Buffer.from(text, "utf8").toString("base64")}?=`;
}

/** Plain text stays as it is. All else becomes one RFC 2047 base64 word, the empty value and text that looks like such a word included. */
export function encodeMetadataValue(text: string): string {
  return text === "" || WORD.test(text) ? wordOf(text) : encodeHeaderText(text);
}

export function decodeMetadataValue(header: string): string {
  const base64 = WORD.exec(header)?.[1];
  if (base64 === undefined) return decodeHeaderText(header);
  const text = Buffer.from(base64, "base64").toString("utf8");
  return wordOf(text) === header ? text : header;
}

export const OSS_METADATA = {
  maxBytes: MAX_METADATA_BYTES,
  bytesOf: (metadata: Metadata): number =>
    Object.entries(metadata).reduce(
      (sum, [name, value]) => sum + encodeMetadataName(name).length + encodeMetadataValue(value).length,
      0,
    ),
} as const;

/** @throws BridgeError `Invalid` for more metadata than OSS accepts. */
export function attributeHeaders(
  op: string,
  { headers, metadata }: { headers: ContentHeaders; metadata: Metadata },
): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const [name, header] of HEADER_NAMES) {
    const value = headers[name];
    if (value !== undefined) fields[header] = value;
  }
  for (const [name, value] of Object.entries(metadata)) fields[PREFIX + encodeMetadataName(name)] = encodeMetadataValue(value);
  const bytes = OSS_METADATA.bytesOf(metadata);
  if (bytes > MAX_METADATA_BYTES)
    throw new BridgeError(
      "Invalid",
      op,
      `the metadata has ${bytes} bytes as OSS stores it, OSS takes at most ${MAX_METADATA_BYTES}: shorten it at the source`,
    );
  return fields;
}

export function unquote(etag: string): string {
  return etag.replace(/^"|"$/g, "");
}

/** @throws BridgeError `Unexpected` when the answer lacks a value that OSS always sends. */
export function required<T>(op: string, what: string, value: T | undefined): T {
  if (value !== undefined) return value;
  throw new BridgeError("Unexpected", op, `the answer to ${op} has no ${what}: this is no OSS endpoint`);
}

/** @throws BridgeError `Unexpected` when the answer lacks a header that OSS always sends. */
export function parsePutResult(op: string, etag: string | undefined, headers: AnswerHeaders): PutResult {
  const result: PutResult = { etag: unquote(required(op, "ETag", etag)) };
  const versionId = headers["x-oss-version-id"];
  if (versionId !== undefined) result.versionId = versionId;
  const checksum = crc64Of(headers);
  if (checksum !== undefined) result.checksums = [checksum];
  return result;
}

/** @throws BridgeError `Unexpected` when the answer lacks a header that OSS always sends. */
export function parseHead(op: string, fields: AnswerHeaders, sizeBytes: number): Omit<ObjectHead, "checksums"> {
  const lastModified = new Date(required(op, "Last-Modified", fields["last-modified"]));
  const hiddenHeaders = hiddenIn(fields);
  const headers: ContentHeaders = {};
  for (const [name, header] of HEADER_NAMES) {
    const value = fields[header];
    if (value !== undefined && !hiddenHeaders.includes(name)) headers[name] = value;
  }
  const metadata: Metadata = Object.fromEntries(
    Object.entries(fields)
      .filter(([name]) => name.startsWith(PREFIX) && name !== HEADERS.websiteRedirectLocation)
      .map(([name, value]) => [decodeMetadataName(name.slice(PREFIX.length)), decodeMetadataValue(value)]),
  );
  const head = { etag: unquote(required(op, "ETag", fields.etag)), sizeBytes, lastModified, headers, metadata };
  const versionId = fields["x-oss-version-id"];
  const archive = archiveOf(fields);
  return {
    ...head,
    ...(versionId !== undefined && { versionId }),
    ...(archive !== undefined && { archive }),
    ...(hiddenHeaders.length > 0 && { hiddenHeaders }),
  };
}

/**
 * Through a host of the vendor's, OSS makes browsers download some types (HTML, and images in some regions): it answers with
 * `x-oss-force-download: true` and a Content-Disposition of its own, which is `attachment`. A custom domain shows the object's own.
 *
 * - https://www.alibabacloud.com/help/en/oss/user-guide/how-to-ensure-an-object-is-previewed-when-you-access-the-object
 * - https://www.alibabacloud.com/help/en/oss/user-guide/0048-00000114
 */
function hiddenIn(fields: AnswerHeaders): readonly (keyof ContentHeaders)[] {
  const isForced = fields["x-oss-force-download"] === "true" && fields[HEADERS.contentDisposition] === "attachment";
  return isForced ? ["contentDisposition"] : [];
}

const ARCHIVE_CLASSES: ReadonlySet<string> = new Set(["Archive", "ColdArchive", "DeepColdArchive"]);

/**
 * A bucket can allow direct reads of the class Archive, and HEAD does not tell whether it does. Then only the read tells whether the object must
 * be restored. HEAD of a symbolic link has the class of its target, but not the target's restore.
 * https://www.alibabacloud.com/help/en/oss/developer-reference/restoreobject
 */
function archiveOf(fields: AnswerHeaders): Archive | undefined {
  const storageClass = fields["x-oss-storage-class"] ?? "";
  if (!ARCHIVE_CLASSES.has(storageClass) || isSymlink(fields)) return undefined;
  const restore = restoreOf(fields["x-oss-restore"]);
  return storageClass === "Archive" && restore === "none" ? undefined : { storageClass, restore };
}

/**
 * HEAD and GET of a symbolic link: length, ETag, MD5 and storage class are the target's, Last-Modified is the later one of both, and all other
 * headers are the link's own.
 * https://www.alibabacloud.com/help/en/oss/developer-reference/headobject
 */
function isSymlink(fields: AnswerHeaders): boolean {
  return fields["x-oss-object-type"] === "Symlink";
}

/** https://www.alibabacloud.com/help/en/oss/user-guide/object-tagging */
const MAX_TAGS = 10;
const MAX_NAME_LENGTH = 128;
const MAX_VALUE_LENGTH = 256;

/**
 * Checks lengths and the number only. The documentation names letters, digits, spaces and `+ - = . _ : /`, and OSS takes letters of any script
 * too, so OSS decides about characters: see `namingRefusedTags`.
 * @throws BridgeError `Invalid` that names the tag which OSS would refuse, and the reason.
 */
export function checkTags(op: string, tags: Tags): void {
  const entries = Object.entries(tags);
  if (entries.length > MAX_TAGS)
    throw new BridgeError("Invalid", op, `the object has ${entries.length} tags, OSS takes at most ${MAX_TAGS}`);
  for (const [name, value] of entries) {
    const reason = refusalOf(name, value);
    if (reason !== undefined) throw new BridgeError("Invalid", op, `OSS cannot hold the tag ${JSON.stringify(name)}: ${reason}`);
  }
}

function refusalOf(name: string, value: string): string | undefined {
  if (name === "") return "its name is empty";
  if (name.length > MAX_NAME_LENGTH) return `its name is longer than ${MAX_NAME_LENGTH} characters`;
  if (value.length > MAX_VALUE_LENGTH) return `its value is longer than ${MAX_VALUE_LENGTH} characters`;
  return undefined;
}

export function taggingHeader(tags: Tags): { "x-oss-tagging"?: string } {
  const pairs = Object.entries(tags).map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
  return pairs.length === 0 ? {} : { "x-oss-tagging": pairs.join("&") };
}

export function taggingDocument(tags: Tags): Buffer {
  const set = Object.entries(tags).map(
    ([name, value]) => `<Tag><Key>${escapeXml(name)}</Key><Value>${escapeXml(value)}</Value></Tag>`,
  );
  return Buffer.from(`<?xml version="1.0" encoding="UTF-8"?><Tagging><TagSet>${set.join("")}</TagSet></Tagging>`);
}

/** @throws BridgeError `Unexpected` for an answer that is no document. */
export function documentOf(op: string, text: string): XmlElement {
  return required(op, "XML document", parseXml(text));
}

/** OSS writes its CRC-64 as a decimal number; the port has base64 of eight big-endian bytes. */
const CRC64_HEADER = "x-oss-hash-crc64ecma";

export function crc64FromDecimal(decimal: string): Checksum | undefined {
  if (!/^\d{1,20}$/.test(decimal)) return undefined;
  const value = BigInt(decimal);
  if (value > 0xffff_ffff_ffff_ffffn) return undefined;
  const digest = Buffer.alloc(8);
  digest.writeBigUInt64BE(value);
  return { algorithm: "CRC64XZ", value: digest.toString("base64") };
}

/** The CRC-64 of the whole object. Absent for objects that are older than OSS's checksums, and for the target of a symbolic link. */
export function crc64Of(headers: AnswerHeaders): Checksum | undefined {
  return isSymlink(headers) ? undefined : crc64FromDecimal(headers[CRC64_HEADER] ?? "");
}

/**
 * Compares the CRC-64 that OSS reports with the one that was sent. An answer without one passes: OSS has at least checked the Content-MD5.
 * @throws BridgeError `Corrupted` when the two differ.
 */
export function verifyReceived(op: string, sent: Checksum, received: Checksum | undefined): void {
  if (received === undefined || received.value === sent.value) return;
  throw new BridgeError(
    "Corrupted",
    op,
    `OSS received bytes with CRC-64 ${received.value}, not the ${sent.value} that were sent`,
  );
}

/** OSS refuses a body that does not match, before it stores any of it. */
export function contentMd5(bytes: Uint8Array): { "content-md5": string } {
  return { "content-md5": createHash("md5").update(bytes).digest("base64") };
}
