/**
 * Reads one page of a listing. S3 and OSS write documents of the same form. The text is searched instead of parsed: a tree of a thousand
 * objects costs more than its request, and a comparison of two buckets reads thousands of pages.
 */
import { parseXml, type XmlElement } from "../http/xml";
import type { ListedObject } from "./object-store";

export interface ListingPage {
  objects: ListedObject[];
  /** The position of the next page; undefined after the last one. */
  next: string | undefined;
}

export interface ListingReader {
  decodeKey(key: string, encoding: string | undefined): string;
  /** @param what completes "the answer has ..." */
  invalid(what: string): Error;
}

const ROOT = "<ListBucketResult";
const BEGIN = "<Contents>";
const END = "</Contents>";

/** Whether the text is a page of a listing; an error and a page of a proxy are not. */
export const isListing = (text: string): boolean => text.includes(ROOT);

/** @throws the error of `reader.invalid` for a page that is not whole: a reader must never take a part of a listing for all of it */
export function parseListingPage(text: string, reader: ListingReader): ListingPage {
  if (!isListing(text) || !text.trimEnd().endsWith("</ListBucketResult>")) throw reader.invalid("no whole page of a listing");
  const { entries, rest } = entriesIn(text, reader);
  const root = parseXml(rest);
  if (root === undefined) throw reader.invalid("no XML document");
  const encoding = root.textOf("EncodingType");
  const found = entries ?? root.all("Contents").map(fieldsOfElement);
  const objects = found.map((fields) => objectOf(fields, encoding, reader));
  const counted = Number(root.textOf("KeyCount") ?? 0) - root.all("CommonPrefixes").length;
  if (objects.length < counted) throw reader.invalid(`${objects.length} of ${counted} objects of the page`);
  return { objects, next: nextPosition(root, reader) };
}

/** A listing ends only where the store says so. */
function nextPosition(root: XmlElement, { invalid }: ListingReader): string | undefined {
  const truncated = root.textOf("IsTruncated");
  if (truncated === "false") return undefined;
  if (truncated !== "true") throw invalid("no IsTruncated, so nobody can tell whether the listing is complete");
  const next = root.textOf("NextContinuationToken");
  if (next === undefined || next === "") throw invalid("more pages and no NextContinuationToken");
  return next;
}

/** The text of each field, as it is in the document. */
interface Fields {
  key: string | undefined;
  size: string | undefined;
  etag: string | undefined;
  lastModified: string | undefined;
}

/** Splits the document into its objects and the rest. A document with comments or CDATA is not split: `rest` is then the whole. */
function entriesIn(text: string, { invalid }: ListingReader): { entries: Fields[] | undefined; rest: string } {
  if (text.includes("<!") || text.includes("<Contents ")) return { entries: undefined, rest: text };
  const entries: Fields[] = [];
  let rest = "";
  let from = 0;
  for (let start = text.indexOf(BEGIN); start >= 0; start = text.indexOf(BEGIN, from)) {
    const end = text.indexOf(END, start);
    if (end < 0) throw invalid("an object that does not end");
    rest += text.slice(from, start);
    const field = (open: string, close: string) => between(text, open, close, start, end);
    entries.push({
      key: field("<Key>", "</Key>"),
      size: field("<Size>", "</Size>"),
      etag: field("<ETag>", "</ETag>"),
      lastModified: field("<LastModified>", "</LastModified>"),
    });
    from = end + END.length;
  }
  return { entries, rest: rest + text.slice(from) };
}

function between(text: string, open: string, close: string, start: number, limit: number): string | undefined {
  const at = text.indexOf(open, start);
  if (at < 0 || at > limit) return undefined;
  const end = text.indexOf(close, at);
  return end < 0 || end > limit ? undefined : plain(text.slice(at + open.length, end));
}

/** Decodes entities, which are rare. */
const plain = (raw: string): string => (raw.includes("&") ? unescaped(raw) : raw);

const QUOTED = /^&(?:quot|#34);(.*)&(?:quot|#34);$/;

function unescaped(raw: string): string {
  const inner = QUOTED.exec(raw)?.[1];
  if (inner !== undefined && !inner.includes("&")) return inner;
  return parseXml(`<a>${raw}</a>`)?.text ?? raw;
}

const fieldsOfElement = (element: XmlElement): Fields => ({
  key: element.textOf("Key"),
  size: element.textOf("Size"),
  etag: element.textOf("ETag"),
  lastModified: element.textOf("LastModified"),
});

function objectOf(
  { key, size, etag, lastModified }: Fields,
  encoding: string | undefined,
  { decodeKey, invalid }: ListingReader,
): ListedObject {
  if (key === undefined) throw invalid("an object without a key");
  const sizeBytes = Number(size);
  if (size === undefined || !Number.isSafeInteger(sizeBytes) || size.trim() === "") throw invalid("an object without a size");
  if (etag === undefined) throw invalid("an object without an ETag");
  const modified = new Date(lastModified ?? "");
  if (Number.isNaN(modified.getTime())) throw invalid("an object without a LastModified");
  const isPlain = !key.includes("%") && !key.includes("+");
  return {
    key: isPlain ? copyOf(key) : decodeKey(key, encoding),
    sizeBytes,
    etag: copyOf(etag.replace(/^"|"$/g, "")),
    lastModified: modified,
  };
}

/** A part of a text keeps the whole text in memory, which is the whole page here. */
const copyOf = (text: string): string => Buffer.from(text, "utf8").toString("utf8");
