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

/** Whether the document is a page of a listing; an error and a page of a proxy are not. */
export const isListing = (document: Buffer): boolean => document.includes(ROOT);

/** @throws the error of `reader.invalid` for a page that is not whole: a reader must never take a part of a listing for all of it */
export function parseListingPage(document: Buffer, reader: ListingReader): ListingPage {
  const split = new SplitPage(document, reader);
  if (!split.isWhole) throw reader.invalid("no whole page of a listing");
  const root = parseXml(split.rest());
  if (root === undefined) throw reader.invalid("no XML document");
  const encoding = root.textOf("EncodingType");
  const objects = split.isSplit
    ? split.objects(encoding)
    : root.all("Contents").map((element) => objectOf(fieldsOfElement(element), encoding, reader));
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

/**
 * The document with a character for each byte: a place in the text is a place in the document. Keys and ETags are read from the bytes, so they
 * keep no page in memory, as a part of a text would. Every call of this class is made a million times where a large bucket is compared.
 */
class SplitPage {
  readonly isWhole: boolean;
  /** Whether the objects were found by their tags. A document with comments or CDATA is not split. */
  readonly isSplit: boolean;
  private readonly text: string;
  /** The first byte of each object, and the first one behind it. */
  private readonly places: number[] = [];
  /** Where the last field that was found begins and ends. */
  private from = 0;
  private to = 0;

  constructor(
    private readonly document: Buffer,
    private readonly reader: ListingReader,
  ) {
    this.text = document.toString("latin1");
    const { text } = this;
    this.isWhole = text.includes(ROOT) && text.trimEnd().endsWith("</ListBucketResult>");
    this.isSplit = !text.includes("<!") && !text.includes("<Contents ");
    if (this.isWhole && this.isSplit) this.findObjects();
  }

  private findObjects(): void {
    const { text, places } = this;
    for (let start = text.indexOf(BEGIN); start >= 0; ) {
      const end = text.indexOf(END, start);
      if (end < 0) throw this.reader.invalid("an object that does not end");
      places.push(start, end + END.length);
      start = text.indexOf(BEGIN, end);
    }
  }

  /** The document without the objects. */
  rest(): string {
    const parts: Buffer[] = [];
    let from = 0;
    for (let index = 0; index < this.places.length; index += 2) {
      const start = this.places[index] as number;
      if (start > from) parts.push(this.document.subarray(from, start));
      from = this.places[index + 1] as number;
    }
    parts.push(this.document.subarray(from));
    return Buffer.concat(parts).toString("utf8");
  }

  objects(encoding: string | undefined): ListedObject[] {
    const { places } = this;
    const objects: ListedObject[] = [];
    for (let index = 0; index < places.length; index += 2)
      objects.push(this.objectAt(places[index] as number, places[index + 1] as number, encoding));
    return objects;
  }

  private objectAt(start: number, end: number, encoding: string | undefined): ListedObject {
    const { document, text } = this;
    const key = this.find("<Key>", "</Key>", start, end) ? plain(document.toString("utf8", this.from, this.to)) : undefined;
    const sizeBytes = this.find("<Size>", "</Size>", start, end) ? wholeNumber(text, this.from, this.to) : undefined;
    const etag = this.find("<ETag>", "</ETag>", start, end) ? this.etag() : undefined;
    const modifiedMs = this.find("<LastModified>", "</LastModified>", start, end) ? timeIn(text, this.from, this.to) : undefined;
    return listed({ key, sizeBytes, etag, modifiedMs }, encoding, this.reader);
  }

  private find(open: string, close: string, start: number, end: number): boolean {
    const at = this.text.indexOf(open, start);
    if (at < 0 || at > end) return false;
    const to = this.text.indexOf(close, at);
    if (to < 0 || to > end) return false;
    this.from = at + open.length;
    this.to = to;
    return true;
  }

  /** Without its quotes, which S3 writes as entities. */
  private etag(): string {
    const { document, text, from, to } = this;
    for (const quote of QUOTES) {
      const [begin, end] = [from + quote.length, to - quote.length];
      if (end < begin || !text.startsWith(quote, from) || !text.startsWith(quote, end)) continue;
      const inner = document.toString("utf8", begin, end);
      if (!inner.includes("&")) return inner;
    }
    return unquoted(plain(document.toString("utf8", from, to)));
  }
}

const QUOTES = ["&quot;", "&#34;", '"'] as const;

/** Decodes entities, which are rare. */
const plain = (raw: string): string => (raw.includes("&") ? (parseXml(`<a>${raw}</a>`)?.text ?? raw) : raw);
const unquoted = (etag: string): string => etag.replace(/^"|"$/g, "");

const ZERO = 48;
const NINE = 57;
/** A number with more digits may be too large to be exact. */
const EXACT_DIGITS = 15;

/** NaN for a text that is none. */
function wholeNumber(text: string, from: number, to: number): number {
  if (to <= from || to - from > EXACT_DIGITS) return numberOf(text.slice(from, to));
  let value = 0;
  for (let at = from; at < to; at++) {
    const code = text.charCodeAt(at);
    if (code < ZERO || code > NINE) return numberOf(text.slice(from, to));
    value = value * 10 + code - ZERO;
  }
  return value;
}

const numberOf = (text: string): number => (text.trim() === "" ? Number.NaN : Number(text));

/** `2026-11-21T10:00:00.000Z`, as S3 and OSS write it. */
const TIME_LENGTH = 24;

/** Milliseconds since the epoch; NaN for a text that is no time. */
function timeIn(text: string, from: number, to: number): number {
  const isUsual = to - from === TIME_LENGTH && text.charCodeAt(to - 1) === Z && text.charCodeAt(from + 10) === T;
  if (!isUsual) return Date.parse(text.slice(from, to));
  const [year, month, day] = [digits(text, from, 4), digits(text, from + 5, 2), digits(text, from + 8, 2)];
  const [hour, minute, second] = [digits(text, from + 11, 2), digits(text, from + 14, 2), digits(text, from + 17, 2)];
  // NaN where a digit is missing.
  return Date.UTC(year, month - 1, day, hour, minute, second, digits(text, from + 20, 3));
}

const Z = 90;
const T = 84;

function digits(text: string, from: number, count: number): number {
  let value = 0;
  for (let at = from; at < from + count; at++) {
    const code = text.charCodeAt(at);
    if (code < ZERO || code > NINE) return Number.NaN;
    value = value * 10 + code - ZERO;
  }
  return value;
}

/** The text of each field. */
interface Fields {
  key: string | undefined;
  size: string | undefined;
  etag: string | undefined;
  lastModified: string | undefined;
}

const fieldsOfElement = (element: XmlElement): Fields => ({
  key: element.textOf("Key"),
  size: element.textOf("Size"),
  etag: element.textOf("ETag"),
  lastModified: element.textOf("LastModified"),
});

const objectOf = ({ key, size, etag, lastModified }: Fields, encoding: string | undefined, reader: ListingReader): ListedObject =>
  listed(
    {
      key,
      sizeBytes: size === undefined ? undefined : numberOf(size),
      etag: etag === undefined ? undefined : unquoted(etag),
      modifiedMs: lastModified === undefined ? undefined : Date.parse(lastModified),
    },
    encoding,
    reader,
  );

interface Values {
  /** Encoded. */
  key: string | undefined;
  sizeBytes: number | undefined;
  etag: string | undefined;
  modifiedMs: number | undefined;
}

function listed(
  { key, sizeBytes, etag, modifiedMs = Number.NaN }: Values,
  encoding: string | undefined,
  { decodeKey, invalid }: ListingReader,
): ListedObject {
  if (key === undefined) throw invalid("an object without a key");
  if (sizeBytes === undefined || !Number.isSafeInteger(sizeBytes)) throw invalid("an object without a size");
  if (etag === undefined) throw invalid("an object without an ETag");
  if (Number.isNaN(modifiedMs)) throw invalid("an object without a LastModified");
  const isPlain = !key.includes("%") && !key.includes("+");
  return { key: isPlain ? key : decodeKey(key, encoding), sizeBytes, etag, lastModified: new Date(modifiedMs) };
}
