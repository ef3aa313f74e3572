/** The content headers of an object as stores keep them, which is not always as they were sent. */
import type { ContentHeaders } from "../protocol/snapshot";
import { encodeHeaderText, isAscii, textOfBytes } from "./header-text";

/**
 * The framing of one upload, which clients name in Content-Encoding. S3 drops it, other stores keep it.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
 */
const FRAMING = "aws-chunked";

function withoutFraming(codings: string): string {
  const all = codings.split(",").map((coding) => coding.trim());
  const kept = all.filter((coding) => coding !== "" && coding.toLowerCase() !== FRAMING);
  return kept.length === all.length ? codings : kept.join(",");
}

/** The headers without those that no store keeps: empty ones, and `aws-chunked` in Content-Encoding. */
export function keptHeaders(headers: ContentHeaders): ContentHeaders {
  const { contentEncoding, ...others } = headers;
  const all = contentEncoding === undefined ? others : { ...others, contentEncoding: withoutFraming(contentEncoding) };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ""));
}

/** The headers without those that a store did not show. */
export function withoutHidden(
  headers: ContentHeaders,
  ...heads: { hiddenHeaders?: readonly string[] | undefined }[]
): ContentHeaders {
  const hidden = new Set(heads.flatMap(({ hiddenHeaders = [] }) => hiddenHeaders));
  return hidden.size === 0 ? headers : Object.fromEntries(Object.entries(headers).filter(([name]) => !hidden.has(name)));
}

/** What S3 and OSS answer for an object that was written without a Content-Type. */
const DEFAULT_TYPES: ReadonlySet<string | undefined> = new Set(["binary/octet-stream", "application/octet-stream"]);

/**
 * Both sides' headers in a form in which equal means equal: the names of content codings ignore case and spaces, a source without a Content-Type
 * equals any store's default, and a value that is no ASCII equals its ASCII form.
 */
export function comparableHeaders(wanted: ContentHeaders, found: ContentHeaders): [ContentHeaders, ContentHeaders] {
  const destination = comparable(found);
  const source = asTheDestinationHolds(comparable(wanted), destination);
  if (source.contentType !== undefined || !DEFAULT_TYPES.has(destination.contentType)) return [source, destination];
  const { contentType: _default, ...rest } = destination;
  return [source, rest];
}

/** A destination that takes ASCII only holds the ASCII form. */
function asTheDestinationHolds(wanted: ContentHeaders, found: ContentHeaders): ContentHeaders {
  const ascii = asciiHeaders(wanted);
  if (ascii === wanted) return wanted;
  const names = Object.keys(wanted) as (keyof ContentHeaders)[];
  return Object.fromEntries(names.map((name) => [name, found[name] === ascii[name] ? ascii[name] : wanted[name]]));
}

function comparable(headers: ContentHeaders): ContentHeaders {
  const kept = keptHeaders(headers);
  const { contentEncoding } = kept;
  if (contentEncoding === undefined) return kept;
  return { ...kept, contentEncoding: contentEncoding.toLowerCase().replace(/\s*,\s*/g, ",") };
}

/**
 * The headers for a store that takes ASCII only; the same object where they are ASCII already. A file name becomes `filename*`, which browsers
 * prefer (RFC 6266); any other text becomes a word of RFC 2047.
 */
export function asciiHeaders(headers: ContentHeaders): ContentHeaders {
  if (Object.values(headers).every(isAscii)) return headers;
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => {
      if (isAscii(value)) return [name, value];
      return [name, name === "contentDisposition" ? asciiDisposition(textOfBytes(value)) : encodeHeaderText(textOfBytes(value))];
    }),
  );
}

const FILE_NAME = /\bfilename\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;"]+))/iu;

function asciiDisposition(text: string): string {
  const found = FILE_NAME.exec(text);
  if (found === null || /\bfilename\*/i.test(text)) return encodeHeaderText(text);
  const name = (found[1]?.replace(/\\(.)/gu, "$1") ?? found[2] ?? "").trim();
  const encoded = encodeURIComponent(name).replace(/['()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
  const fallback = name.replace(/[^\x20-\x7e]/gu, "_").replace(/["\\]/g, "\\$&");
  return withoutUnicode(text.replace(found[0], () => `filename="${fallback}"; filename*=UTF-8''${encoded}`));
}

const withoutUnicode = (text: string): string => text.replace(/[^\x20-\x7e]/gu, "_");
