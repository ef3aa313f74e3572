/** Reads the answer of a source store to a presigned GET: its status, the few headers that are used, and its body. */
import type { Readable } from "node:stream";
import { parseTagging } from "../http/tagging";
import type { ByteRange } from "../protocol/ports";
import type { Tags } from "../protocol/snapshot";
import { BridgeError, type BridgeErrorKind, confirmedKind, retryAfterOf } from "../stores/errors";
import { readAll } from "../stores/read-all";
import { refusedHosts } from "../stores/refused-hosts";
import { ARCHIVE_ADVICE, LINK_TO_LINK, LINK_WITHOUT_TARGET } from "../stores/unreadable";
import { assertPinned, type SourcePin } from "./source";

export type AnswerHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** At most this much of an error document is read. */
const ERROR_BYTES = 4096;

type Verdict = readonly [BridgeErrorKind, string];

const CHANGED: Verdict = ["PreconditionFailed", "the source object is not the one of the snapshot any more"];
const DENIED: Verdict = ["PermissionDenied", "the source refused the presigned URL"];
const SLOW_DOWN: Verdict = ["RateLimited", "the source asks to slow down"];

const BY_STATUS: Readonly<Record<number, Verdict>> = {
  304: CHANGED,
  400: ["Invalid", "the source refused the request as malformed"],
  401: DENIED,
  403: DENIED,
  // A proxy or a wrong endpoint answers 404 too. If the source is absent its replica is deleted, so only a code in BY_CODE means absent.
  404: ["Unexpected", "the source answered 404, yet not that the key does not exist"],
  412: CHANGED,
  416: ["Invalid", "the asked range is outside the source object"],
  429: SLOW_DOWN,
  503: SLOW_DOWN,
};

/**
 * Codes of S3 and OSS that are more exact than the status. No other part of an error document is passed on: it may hold the signature and the
 * id of the credentials.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 */
const BY_CODE: readonly (readonly [RegExp, BridgeErrorKind, string])[] = [
  [/<Code>NoSuchKey<\/Code>/, "NotFound", "the source object does not exist"],
  [
    /<Code>(ExpiredToken|SecurityTokenExpired)<\/Code>/,
    "PermissionDenied",
    "the credentials that signed the presigned URL have expired",
  ],
  [/Request has expired/i, "PermissionDenied", "the presigned URL has expired"],
  [
    /<Code>(InvalidToken|InvalidAccessKeyId)<\/Code>/,
    "PermissionDenied",
    "the credentials that signed the presigned URL are not valid",
  ],
  [/<Code>SignatureDoesNotMatch<\/Code>/, "PermissionDenied", "the source says the presigned URL's signature does not match"],
  [/<Code>InvalidObjectState<\/Code>/, "Unsupported", `the source object is archived: ${ARCHIVE_ADVICE}`],
  [/<Code>SymlinkTargetNotExist<\/Code>/, "Invalid", LINK_WITHOUT_TARGET],
  [/<Code>InvalidTargetType<\/Code>/, "Invalid", LINK_TO_LINK],
  [/<Code>NoSuchBucket<\/Code>/, "NoSuchBucket", "the source bucket does not exist"],
  ...Object.entries(refusedHosts("source")).map(
    ([code, reason]) => [new RegExp(`<Code>${code}</Code>`), "HostRefused", reason] as const,
  ),
  [/<Code>RequestTimeout<\/Code>/, "Unavailable", "the source gave up waiting"],
];

/**
 * The error for a status other than 200 and 206; `NotFound` only where the store itself says that there is no such key. Reads at most
 * `ERROR_BYTES` of the body and ends it.
 */
export async function refusal(status: number, headers: AnswerHeaders, body: Readable): Promise<BridgeError> {
  if (status >= 300 && status < 400 && status !== 304) {
    discard(body, headers);
    return new BridgeError("Invalid", "read", `the source answered with a redirect, which is never followed (${status})`);
  }
  const text = await firstBytes(body);
  const [kind, message] = verdict(status, text);
  return new BridgeError(kind, "read", `${message} (${status})`, {
    retryAfterSeconds: retryAfterOf(single(headers, "retry-after")),
  });
}

function verdict(status: number, text: string): Verdict {
  if (status >= 400 && status < 500) {
    const byCode = BY_CODE.find(([pattern]) => pattern.test(text));
    if (byCode !== undefined && confirmedKind(byCode[1], status) === byCode[1]) return [byCode[1], byCode[2]];
  }
  return (
    BY_STATUS[status] ?? (status >= 500 ? ["Unavailable", "the source failed"] : ["Unexpected", "the source refused the request"])
  );
}

async function firstBytes(body: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of body) {
      chunks.push(chunk as Buffer);
      length += (chunk as Buffer).length;
      if (length >= ERROR_BYTES) break;
    }
  } catch {
    // The status is the answer. A document that broke off only makes the reason less exact.
  } finally {
    body.destroy();
  }
  return Buffer.concat(chunks).subarray(0, ERROR_BYTES).toString("latin1");
}

/** Ten tags of the longest names and values, each character written as an entity, fit. */
const TAGS_BYTES = 64 * 1024;

/** The tags of a tagging document, which S3 and OSS share. Ends the body. */
export async function readTags(body: Readable): Promise<Tags> {
  const tags = parseTagging((await readAll(body, TAGS_BYTES)).toString("utf8"));
  if (tags === undefined) throw unexpected("is no document of tags");
  return tags;
}

/** Ends an answer without reading it. A short body is drained, so that its connection is reused; a long one is cut off. */
export function discard(body: Readable, headers: AnswerHeaders): void {
  // Cutting off an unread body is an error of the stream.
  body.on("error", () => undefined);
  const length = Number(single(headers, "content-length") ?? Number.NaN);
  if (length <= ERROR_BYTES) body.resume();
  else body.destroy();
}

/**
 * The state of the object that was answered.
 * @throws BridgeError `Unexpected` when the answer does not say it
 */
export function stateOf(headers: AnswerHeaders): SourcePin {
  const etag = single(headers, "etag")?.replace(/^"(.*)"$/, "$1");
  if (etag === undefined) throw unexpected("has no ETag");
  const modifiedMs = Date.parse(single(headers, "last-modified") ?? "");
  if (Number.isNaN(modifiedMs)) throw unexpected("has no Last-Modified");
  const versionId = single(headers, "x-amz-version-id") ?? single(headers, "x-oss-version-id");
  return { etag, ...(versionId === undefined ? {} : { versionId }), lastModified: new Date(modifiedMs).toISOString() };
}

/**
 * Checks a 200 or 206 against the request.
 * @returns the size of the whole object and of this body
 * @throws BridgeError `PreconditionFailed` for another object, `Unexpected` for an answer that does not fit the question
 */
export function describeAnswer(
  status: number,
  headers: AnswerHeaders,
  asked: { pin: SourcePin; range?: ByteRange | undefined },
): { sizeBytes: number; bodyBytes: number } {
  assertPinned(stateOf(headers), asked.pin);
  const lengthText = single(headers, "content-length");
  if (lengthText === undefined || !/^\d+$/.test(lengthText)) throw unexpected("has no Content-Length");
  const bodyBytes = Number(lengthText);

  if (asked.range === undefined) {
    if (status !== 200) throw unexpected(`is a ${status} to a request without a range`);
    return { sizeBytes: bodyBytes, bodyBytes };
  }
  if (status !== 206) throw unexpected(`is a ${status} to a request for a range`);
  const match = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(single(headers, "content-range") ?? "");
  if (match === null) throw unexpected("has no Content-Range");
  const [start, end, sizeBytes] = match.slice(1).map(Number) as [number, number, number];
  // A range may reach beyond the end; the store then answers up to the last byte.
  const lastByte = Math.min(asked.range.end, sizeBytes - 1);
  if (start !== asked.range.start || end !== lastByte || bodyBytes !== end - start + 1) {
    throw unexpected("holds another range than the one asked for");
  }
  return { sizeBytes, bodyBytes };
}

function single(headers: AnswerHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === "string" ? value : undefined;
}

function unexpected(what: string): BridgeError {
  return new BridgeError("Unexpected", "read", `the source's answer ${what}`);
}
