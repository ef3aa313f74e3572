/** Reads what a source store answers to a presigned GET: one table of statuses, and the few headers that are trusted. */
import type { Readable } from "node:stream";
import type { ByteRange } from "../protocol/ports";
import { BridgeError, type BridgeErrorKind } from "../stores/errors";

export type AnswerHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** As much of an error document as is looked at. */
const ERROR_BYTES = 4096;

const BY_STATUS: Readonly<Record<number, [BridgeErrorKind, string]>> = {
  304: ["PreconditionFailed", "the source object is not the one of the snapshot any more"],
  400: ["Invalid", "the source refused the request as malformed"],
  401: ["PermissionDenied", "the source refused the presigned URL"],
  403: ["PermissionDenied", "the source refused the presigned URL"],
  // A proxy or a wrong endpoint answers 404 as well, and absence is a reason to delete: see BY_CODE.
  404: ["Unexpected", "the source answered 404, yet not that the key does not exist"],
  412: ["PreconditionFailed", "the source object is not the one of the snapshot any more"],
  416: ["Invalid", "the asked range is outside the source object"],
  429: ["RateLimited", "the source asks to slow down"],
  503: ["RateLimited", "the source asks to slow down"],
};

/**
 * Codes of S3 and OSS that say more than the status does. Nothing else of an error document is passed on: it may hold the
 * signature and the credentials' id.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 */
const BY_CODE: readonly [RegExp, BridgeErrorKind, string][] = [
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
  [/<Code>NoSuchBucket<\/Code>/, "Unexpected", "the source bucket does not exist"],
  [/<Code>RequestTimeout<\/Code>/, "Unavailable", "the source gave up waiting"],
];

/**
 * What a status other than 200 and 206 means; `NotFound` only where the store itself says that there is no such key.
 * Looks at no more than `ERROR_BYTES` of the body and ends it.
 */
export async function refusal(status: number, headers: AnswerHeaders, body: Readable): Promise<BridgeError> {
  if (status >= 300 && status < 400 && status !== 304) {
    discard(body, headers);
    return new BridgeError("Invalid", "read", `the source answered with a redirect, which is never followed (${status})`);
  }
  const text = await firstBytes(body);
  const [kind, message] = verdict(status, text);
  return new BridgeError(kind, "read", `${message} (${status})`);
}

function verdict(status: number, text: string): readonly [BridgeErrorKind, string] {
  if (status >= 400 && status < 500) {
    const byCode = BY_CODE.find(([pattern]) => pattern.test(text));
    if (byCode !== undefined) return [byCode[1], byCode[2]];
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
    // The status is the answer; a document that broke off only makes its reason less exact.
  } finally {
    body.destroy();
  }
  return Buffer.concat(chunks).subarray(0, ERROR_BYTES).toString("latin1");
}

/** Ends an answer nobody reads. What is short is drained, so that the connection serves again; the rest is cut off. */
export function discard(body: Readable, headers: AnswerHeaders): void {
  // Cutting off an unread body reports that as an error of the stream.
  body.on("error", () => undefined);
  const length = Number(single(headers, "content-length") ?? Number.NaN);
  if (length <= ERROR_BYTES) body.resume();
  else body.destroy();
}

/** Without its quotes; undefined when the answer has none. */
export function etagOf(headers: AnswerHeaders): string | undefined {
  const value = single(headers, "etag");
  return value === undefined ? undefined : value.replace(/^"(.*)"$/, "$1");
}

/**
 * Checks a 200 or 206 against what was asked.
 * @returns the size of the whole object and of this body
 * @throws BridgeError `PreconditionFailed` for another object, `Unexpected` for an answer that does not fit the question
 */
export function describeAnswer(
  status: number,
  headers: AnswerHeaders,
  asked: { etag: string; range?: ByteRange | undefined },
): { sizeBytes: number; bodyBytes: number } {
  const etag = etagOf(headers);
  if (etag === undefined) throw unexpected("has no ETag");
  if (etag !== asked.etag) {
    throw new BridgeError("PreconditionFailed", "read", "the source answered with another object than the one of the snapshot");
  }
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
