/** The content headers of an object as stores keep them, which is not always as they were sent. */
import type { ContentHeaders } from "../protocol/snapshot";

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

/** What S3 and OSS answer for an object that was written without a Content-Type. */
const DEFAULT_TYPES: ReadonlySet<string | undefined> = new Set(["binary/octet-stream", "application/octet-stream"]);

/**
 * Both sides' headers in a form in which equal means equal: the names of content codings ignore case and spaces, and a source without a
 * Content-Type equals any store's default.
 */
export function comparableHeaders(wanted: ContentHeaders, found: ContentHeaders): [ContentHeaders, ContentHeaders] {
  const [source, destination] = [comparable(wanted), comparable(found)];
  if (source.contentType !== undefined || !DEFAULT_TYPES.has(destination.contentType)) return [source, destination];
  const { contentType: _default, ...rest } = destination;
  return [source, rest];
}

function comparable(headers: ContentHeaders): ContentHeaders {
  const kept = keptHeaders(headers);
  const { contentEncoding } = kept;
  if (contentEncoding === undefined) return kept;
  return { ...kept, contentEncoding: contentEncoding.toLowerCase().replace(/\s*,\s*/g, ",") };
}
