/**
 * Between the port's attributes and OSS's headers.
 *
 * OSS takes metadata names of `a-z0-9-` only and trims values. Names and values outside of that are carried encoded and come back to the
 * letter; those inside stay as they are, readable for everybody else. No two names, and no two values, are carried alike.
 */
import type { ContentHeaders, Metadata } from "../../protocol/snapshot";
import { METADATA_NAME } from "../checks";
import { BridgeError } from "../errors";
import { decodeHeaderText, encodeHeaderText } from "../header-text";
import type { ObjectHead } from "../object-store";
import { required } from "./client";

const PREFIX = "x-oss-meta-";
/** https://www.alibabacloud.com/help/en/oss/user-guide/manage-object-metadata-10 */
const MAX_METADATA_BYTES = 8 * 1024;

/** Starts an encoded name. A plain name that starts so is encoded as well. */
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
} as const satisfies Record<keyof ContentHeaders, string>;
const HEADER_NAMES = Object.entries(HEADERS) as [keyof ContentHeaders, string][];

/** A hyphen becomes two, any other character that OSS forbids a hyphen and its two hex digits. */
export function encodeMetadataName(name: string): string {
  if (PLAIN_NAME.test(name) && !name.startsWith(NAME_MARK)) return name;
  const escaped = name.replace(/[^a-z0-9]/g, (char) =>
    char === "-" ? "--" : `-${char.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
  return NAME_MARK + escaped;
}

/** What only looks encoded stays as it is. */
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

/** Plain text as it is. The rest, what looks like a word already and the empty value included, as one RFC 2047 base64 word. */
export function encodeMetadataValue(text: string): string {
  return text === "" || WORD.test(text) ? wordOf(text) : encodeHeaderText(text);
}

export function decodeMetadataValue(header: string): string {
  const base64 = WORD.exec(header)?.[1];
  if (base64 === undefined) return decodeHeaderText(header);
  const text = Buffer.from(base64, "base64").toString("utf8");
  return wordOf(text) === header ? text : header;
}

/** @throws BridgeError `Invalid` for more metadata than OSS takes. */
export function attributeHeaders(
  op: string,
  { headers, metadata }: { headers: ContentHeaders; metadata: Metadata },
): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const [name, header] of HEADER_NAMES) {
    const value = headers[name];
    if (value !== undefined) fields[header] = encodeHeaderText(value);
  }
  let bytes = 0;
  for (const [name, value] of Object.entries(metadata)) {
    const [carriedName, carriedValue] = [encodeMetadataName(name), encodeMetadataValue(value)];
    fields[PREFIX + carriedName] = carriedValue;
    bytes += carriedName.length + carriedValue.length;
  }
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

/** @throws BridgeError `Unexpected` when the answer lacks what every OSS sends. */
export function parseHead(
  op: string,
  fields: Readonly<Record<string, string>>,
  sizeBytes: number,
): Omit<ObjectHead, "checksums"> {
  const lastModified = new Date(required(op, "Last-Modified", fields["last-modified"]));
  const headers: ContentHeaders = {};
  for (const [name, header] of HEADER_NAMES) {
    const value = fields[header];
    if (value !== undefined) headers[name] = decodeHeaderText(value);
  }
  const metadata: Metadata = {};
  for (const [name, value] of Object.entries(fields))
    if (name.startsWith(PREFIX)) metadata[decodeMetadataName(name.slice(PREFIX.length))] = decodeMetadataValue(value);
  const head = { etag: unquote(required(op, "ETag", fields.etag)), sizeBytes, lastModified, headers, metadata };
  const versionId = fields["x-oss-version-id"];
  return versionId === undefined ? head : { ...head, versionId };
}
