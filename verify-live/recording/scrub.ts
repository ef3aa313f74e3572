/**
 * Makes recordings that may be published. Only named headers are kept. Known values and values with the form of a secret are replaced. Then the
 * result is searched again, in every encoding: text that still reveals something is dropped as a whole.
 */
import { isUtf8 } from "node:buffer";
import { encodeRfc3986 } from "../../runtime/http/sigv4";
import { type Known, leftovers, withoutPatterns } from "./leftovers";
import type { RawExchange } from "./record";

export type RecordedBody = { text: string } | { base64: string };

/** One request and its answer as a fixture holds them. */
export interface RecordedExchange {
  request: {
    method: string;
    /** Without the bucket. */
    path: string;
    query: string[];
    headers: Record<string, string>;
    body?: RecordedBody | undefined;
  };
  answer: { status: number; headers: Record<string, string>; body?: RecordedBody | undefined };
}

const CONTENT = ["content-type", "cache-control", "content-disposition", "content-encoding", "content-language", "expires"];
const REQUEST_HEADERS: ReadonlySet<string> = new Set([
  ...CONTENT,
  ...["content-md5", "if-match", "if-none-match", "range", "x-amz-tagging", "x-oss-tagging", "x-oss-forbid-overwrite"],
  ...["x-oss-range-behavior", "x-amz-checksum-mode", "x-amz-sdk-checksum-algorithm", "x-amz-mp-object-size"],
]);
const ANSWER_HEADERS: ReadonlySet<string> = new Set([
  ...CONTENT,
  ...["content-length", "content-range", "etag", "last-modified", "retry-after"],
  ...["x-amz-version-id", "x-amz-delete-marker", "x-amz-tagging-count", "x-amz-storage-class", "x-amz-server-side-encryption"],
  ...["x-amz-replication-status", "x-amz-restore", "x-amz-missing-meta", "x-amz-mp-parts-count"],
  ...["x-oss-hash-crc64ecma", "x-oss-object-type", "x-oss-storage-class", "x-oss-version-id", "x-oss-delete-marker"],
  ...["x-oss-tagging-count", "x-oss-next-append-position", "x-oss-force-download", "x-oss-server-side-encryption"],
  ...["x-oss-ec", "x-oss-restore"],
]);
/** Headers that an object's owner names. */
const OWN_HEADERS = /^x-(?:amz-meta-|oss-meta-|amz-checksum-)/;

/** Elements of XML, and fields of JSON, that name a request, an account or a signature. */
const TELLING =
  "RequestId|HostId|ID|DisplayName|Owner|Initiator|AWSAccessKeyId|OSSAccessKeyId|AccessKeyId|SecretAccessKey|AccessKeySecret|SecurityToken|SessionToken|Token-0|SignatureProvided|StringToSign|StringToSignBytes|CanonicalRequest|CanonicalRequestBytes|ServerTime|RequestTime|Location|Endpoint|Server|RecommendDoc";
/** Also with a prefix, with attributes, and with its text in CDATA. */
const ELEMENT = new RegExp(
  `<((?:[\\w-]+:)?(?:${TELLING}))(?:\\s[^<>]*)?>(?:<!\\[CDATA\\[[\\s\\S]*?\\]\\]>|[^<])*</\\1\\s*>`,
  "gi",
);
const FIELD = new RegExp(`("(?:${TELLING})"\\s*:\\s*)"(?:[^"\\\\]|\\\\.)*"`, "gi");

const REDACTED = "redacted";

export class Scrubber {
  private readonly known: readonly Known[];

  /** @param known longest values first are replaced first, so that one value may be a part of another */
  constructor(known: readonly Known[]) {
    this.known = known.filter(({ value }) => value !== "").sort((a, b) => b.value.length - a.value.length);
  }

  /** @throws Error that names what is still there; never its value */
  clean({ method, path, requestHeaders, requestBody, status, answerHeaders, answerBody }: RawExchange): RecordedExchange {
    const [place = "", query = ""] = splitOnce(path, "?");
    const answered = this.body(answerBody);
    const isChanged = answered !== undefined && !bytesOf(answered).equals(answerBody);
    const headers = this.headers(answerHeaders, ANSWER_HEADERS);
    // The length of a document that is now another one.
    if (isChanged && method !== "HEAD") delete headers["content-length"];
    const sent = this.body(requestBody);
    const recorded: RecordedExchange = {
      request: {
        method,
        path: this.text(place),
        query:
          query === ""
            ? []
            : query
                .split("&")
                .sort()
                .map((pair) => this.text(pair)),
        headers: this.headers(Object.entries(requestHeaders), REQUEST_HEADERS),
        ...(sent !== undefined && { body: sent }),
      },
      answer: { status, headers, ...(answered !== undefined && { body: answered }) },
    };
    this.assertClean(JSON.stringify(recorded));
    return recorded;
  }

  /** The text without secrets. */
  text(text: string): string {
    const named = text.replace(ELEMENT, `<$1>${REDACTED}</$1>`).replace(FIELD, `$1"${REDACTED}"`);
    const replaced = withoutPatterns(this.withoutKnown(named));
    if (this.leftovers(replaced).length === 0) return replaced;
    // A value in base64 or hex is a part of a longer word.
    const words = replaced.replace(/[^\s"'<>&=;,?:(){}[\]]+/g, (word) => (this.leftovers(word).length > 0 ? REDACTED : word));
    return this.leftovers(words).length === 0 ? words : REDACTED;
  }

  leftovers(text: string): string[] {
    // A replacement is no secret, although it stands where one was.
    const secrets = this.known.filter(({ value, as }) => !as.toLowerCase().includes(value.toLowerCase()));
    return leftovers(text, secrets);
  }

  /** @throws Error that names what is still there; never its value */
  assertClean(text: string): void {
    const left = this.leftovers(text);
    if (left.length > 0) throw new Error(`a recording still holds ${left.join(", ")}: it was not stored`);
  }

  private headers(all: Iterable<readonly [string, string]>, kept: ReadonlySet<string>): Record<string, string> {
    const found = [...all]
      .map(([name, value]) => [name.toLowerCase(), value] as const)
      .filter(([name]) => kept.has(name) || OWN_HEADERS.test(name))
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(found.map(([name, value]) => [this.text(name), this.text(value)]));
  }

  private body(bytes: Buffer | undefined): RecordedBody | undefined {
    if (bytes === undefined || bytes.length === 0) return undefined;
    if (isUtf8(bytes)) return { text: this.text(bytes.toString("utf8")) };
    const text = bytes.toString("latin1");
    return this.leftovers(text).length === 0 ? { base64: bytes.toString("base64") } : { text: REDACTED };
  }

  /** A value and its replacement in the encodings in which a replacement can stand. */
  private withoutKnown(text: string): string {
    return this.known.reduce(
      (rest, { value, as }) =>
        ENCODINGS.reduce((left, encode) => {
          const form = encode(value);
          return left.replace(new RegExp(escapePattern(form), "gi"), () => encode(as));
        }, rest),
      text,
    );
  }
}

const ENCODINGS: readonly ((text: string) => string)[] = [
  (text) => text,
  encodeURIComponent,
  encodeRfc3986,
  (text) => encodeURIComponent(encodeURIComponent(text)),
  (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;"),
  (text) => JSON.stringify(text).slice(1, -1),
  (text) => text.replaceAll("/", "\\/"),
];

const escapePattern = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** Splits at the first separator. */
function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + separator.length)];
}

export const bytesOf = (body: RecordedBody | undefined): Buffer => {
  if (body === undefined) return Buffer.alloc(0);
  return "text" in body ? Buffer.from(body.text, "utf8") : Buffer.from(body.base64, "base64");
};
