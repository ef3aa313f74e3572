/**
 * Copying an object onto itself that is too large for one call.
 * https://www.alibabacloud.com/help/en/oss/developer-reference/uploadpartcopy
 */
import { isDeepStrictEqual } from "node:util";
import type { Tags } from "../../protocol/snapshot";
import { type CopyLimits, type CopyRange, copyAll, copyRanges } from "../copy-ranges";
import { BridgeError } from "../errors";
import type { CallOptions, PutResult, UploadedPart } from "../object-store";
import { crc64Of } from "./checksum";
import { required } from "./client";
import type { OssContext } from "./context";
import { unquote } from "./metadata";
import { lookAt, type OssPresent } from "./present";
import { parseTags, taggingHeader } from "./tags";
import { type OssUploads, withSignal } from "./uploads";
import { xmlText } from "./xml";

/** For taking an unfinished upload back; the caller's own signal may be what ended it. */
const ABORT_TIMEOUT_MS = 5_000;
/** OSS that copies more slowly than this is given up. */
const MIN_COPY_BYTES_PER_SECOND = 4 * 1024 ** 2;

export function copyWorkMs(sizeBytes: number): number {
  return Math.ceil((sizeBytes / MIN_COPY_BYTES_PER_SECOND) * 1000);
}

/** The object as what is copied, held to its etag. */
export function copySource({ client }: OssContext, key: string, etag: string): Record<string, string> {
  return {
    "x-oss-copy-source": `/${client.bucket}/${key.split("/").map(encodeURIComponent).join("/")}`,
    "x-oss-copy-source-if-match": `"${etag}"`,
  };
}

export async function copyInParts(
  op: string,
  context: OssContext,
  uploads: OssUploads,
  limits: CopyLimits,
  key: string,
  present: OssPresent,
  options: CallOptions,
): Promise<PutResult> {
  const tags = await tagsOf(op, context, key, options);
  const headers = { ...present.headers, ...taggingHeader(tags) };
  const initiate = { op, method: "POST", key, queries: { uploads: null }, headers, ...withSignal(options.signal) } as const;
  const uploadId = await context.client.text(initiate, (text) => required(op, "upload id", xmlText(text, "UploadId")));
  try {
    const ranges = copyRanges(present.sizeBytes, limits.partSizeBytes, context.capabilities.maxParts);
    const parts = await copyAll(ranges, (range) => copyPart(op, context, key, uploadId, present.etag, range, options));
    // OSS completes unconditionally, so this is the last moment to see that the object is another one.
    const now = await lookAt(op, context, key, options);
    if (!isDeepStrictEqual([present, tags], [now, await tagsOf(op, context, key, options)]))
      throw new BridgeError("PreconditionFailed", op, "the object changed while it was copied");
    const { checksum } = present;
    const completion = { ...(checksum !== undefined && { checksum }), ...withSignal(options.signal) };
    return await uploads.completeParts(key, uploadId, parts, completion, op);
  } catch (error) {
    // A failure to take it back must not hide why: the bucket's rule for unfinished uploads clears what is left.
    await uploads.abort(key, uploadId, { signal: AbortSignal.timeout(ABORT_TIMEOUT_MS) }).catch(() => undefined);
    throw error;
  }
}

function tagsOf(op: string, { client }: OssContext, key: string, { signal }: CallOptions): Promise<Tags> {
  return client.text({ op, method: "GET", key, queries: { tagging: null }, ...withSignal(signal) }, parseTags);
}

function copyPart(
  op: string,
  context: OssContext,
  key: string,
  uploadId: string,
  etag: string,
  { partNumber, start, end }: CopyRange,
  { signal }: CallOptions,
): Promise<UploadedPart> {
  const sizeBytes = end - start + 1;
  const queries = { partNumber: `${partNumber}`, uploadId };
  const headers = { ...copySource(context, key, etag), "x-oss-copy-source-range": `bytes=${start}-${end}` };
  const request = { op, method: "PUT", key, queries, headers, workMs: copyWorkMs(sizeBytes), ...withSignal(signal) } as const;
  return context.client.text(request, (text, answer) => {
    const checksum = crc64Of(answer);
    const part = { partNumber, sizeBytes, etag: unquote(required(op, "ETag", xmlText(text, "ETag") ?? answer.etag)) };
    return checksum === undefined ? part : { ...part, checksum };
  });
}
