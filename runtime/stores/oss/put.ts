/**
 * Writing a whole object. Whatever is wrong with the bytes must show before they are visible. OSS tells the CRC-64 of an object only
 * afterwards, but checks a Content-MD5 first, and to send one the bytes must have been read: so a stream that fits into one block is one
 * PUT with its MD5. A longer one becomes an upload of such blocks, and is completed only when OSS has told the right CRC-64 of each. A
 * body of the wrong length or checksum thus never becomes visible (OSS itself would silently cut off what is beyond Content-Length),
 * every request can be sent again, and at most three blocks are in memory.
 */
import { Readable } from "node:stream";
import type { Checksum } from "../../protocol/snapshot";
import { abortedError, bodyError, lengthError, readExactly, throwIfAborted } from "../body";
import { assertSameChecksum } from "../checks";
import { checksumOf } from "../checksums";
import type { PutOptions, PutResult, UploadedPart } from "../object-store";
import { contentMd5, crc64Of } from "./checksum";
import type { OssContext } from "./context";
import { attributeHeaders } from "./metadata";
import { taggingHeader } from "./tags";
import { FORBID_OVERWRITE, type OssUploads, withSignal } from "./uploads";

export const BLOCK_BYTES = 4 * 1024 ** 2;
const BLOCKS_ON_THE_WAY = 2;
/** For taking an unfinished upload back; the caller's own signal may be what ended it. */
const ABORT_TIMEOUT_MS = 5_000;

const op = "put";

export async function putObject(
  context: OssContext,
  uploads: OssUploads,
  key: string,
  body: Readable | Uint8Array,
  options: PutOptions,
): Promise<PutResult> {
  const { sizeBytes, signal } = options;
  if (body instanceof Readable && sizeBytes > blockBytesFor(context, sizeBytes))
    return putBlocks(context, uploads, key, body, options);
  return putBytes(context, key, await readExactly(op, body, sizeBytes, signal), options);
}

/** More than the usual only where the largest put would have too many parts. */
function blockBytesFor({ capabilities }: OssContext, sizeBytes: number): number {
  return Math.max(BLOCK_BYTES, Math.ceil(sizeBytes / capabilities.maxParts));
}

async function putBytes(context: OssContext, key: string, bytes: Uint8Array, options: PutOptions): Promise<PutResult> {
  const { attributes, checksum, condition, signal } = options;
  const sent = checksumOf("CRC64XZ", bytes);
  if (checksum !== undefined) assertSameChecksum(op, checksum, sent.value);
  const headers = {
    ...context.placement,
    ...attributeHeaders(op, attributes),
    ...taggingHeader(attributes.tags),
    ...contentMd5(bytes),
    ...(condition?.ifAbsent && FORBID_OVERWRITE),
  };
  const request = { op, method: "PUT", key, headers, body: bytes, ...withSignal(signal) } as const;
  const { result, received } = await context.client.text(request, (_, answer) => ({
    result: context.putResult(op, answer.etag, answer),
    received: crc64Of(answer),
  }));
  await context.keepOnlyIfReceived(op, key, result, sent, received);
  return result;
}

async function putBlocks(
  context: OssContext,
  uploads: OssUploads,
  key: string,
  body: Readable,
  options: PutOptions,
): Promise<PutResult> {
  const { attributes, checksum, condition, sizeBytes, signal } = options;
  throwIfAborted(op, signal);
  const ifAbsent = condition?.ifAbsent === true;
  const { uploadId } = await uploads.create(key, { attributes, ifAbsent, ...withSignal(signal) }, op);
  try {
    const parts = await sendBlocks(body, blockBytesFor(context, sizeBytes), sizeBytes, signal, (partNumber, block, ending) =>
      uploads.uploadPart(key, uploadId, partNumber, block, { disposable: true, signal: ending }, op),
    );
    const completion: { checksum?: Checksum; condition?: { ifAbsent: true } } = {};
    if (checksum !== undefined) completion.checksum = checksum;
    if (ifAbsent) completion.condition = { ifAbsent };
    return await uploads.completeParts(key, uploadId, parts, { ...completion, ...withSignal(signal) }, op);
  } catch (error) {
    // A failure to take it back must not hide why: the bucket's rule for unfinished uploads clears what is left.
    await uploads.abort(key, uploadId, { signal: AbortSignal.timeout(ABORT_TIMEOUT_MS) }).catch(() => undefined);
    throw error;
  }
}

async function sendBlocks(
  body: Readable,
  blockBytes: number,
  sizeBytes: number,
  signal: AbortSignal | undefined,
  send: (partNumber: number, block: Uint8Array, ending: AbortSignal) => Promise<UploadedPart>,
): Promise<UploadedPart[]> {
  const controller = new AbortController();
  const ending = signal === undefined ? controller.signal : AbortSignal.any([signal, controller.signal]);
  const parts: UploadedPart[] = [];
  const onTheWay = new Set<Promise<void>>();
  let failure: { cause: unknown } | undefined;
  const launch = (partNumber: number, block: Uint8Array) => {
    const sending = send(partNumber, block, ending).then(
      (part) => void parts.push(part),
      (cause) => {
        failure ??= { cause };
        // Ends the wait for a next block that would never be sent.
        body.destroy(cause instanceof Error ? cause : undefined);
      },
    );
    const tracked = sending.finally(() => onTheWay.delete(tracked));
    onTheWay.add(tracked);
  };
  try {
    let partNumber = 0;
    for await (const block of blocksOf(body, blockBytes, sizeBytes, signal)) {
      launch(++partNumber, block);
      if (onTheWay.size >= BLOCKS_ON_THE_WAY) await Promise.race(onTheWay);
      if (failure !== undefined) throw failure.cause;
    }
    await Promise.all(onTheWay);
    if (failure !== undefined) throw failure.cause;
    return parts.sort((a, b) => a.partNumber - b.partNumber);
  } catch (error) {
    const cause = failure === undefined ? error : failure.cause;
    controller.abort();
    await Promise.all(onTheWay);
    throw cause;
  }
}

/** The body in blocks of `blockBytes`, the last one shorter; fails unless it has exactly `sizeBytes`. */
async function* blocksOf(
  body: Readable,
  blockBytes: number,
  sizeBytes: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const onAbort = () => body.destroy(abortedError(op, signal?.reason));
  signal?.addEventListener("abort", onAbort, { once: true });
  let held: Buffer[] = [];
  let heldBytes = 0;
  let seenBytes = 0;
  const take = (): Buffer => {
    const block = Buffer.concat(held, heldBytes);
    held = [];
    heldBytes = 0;
    return block;
  };
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      seenBytes += chunk.length;
      if (seenBytes > sizeBytes) throw lengthError(op, sizeBytes, seenBytes);
      let rest = chunk;
      while (heldBytes + rest.length >= blockBytes) {
        const room = blockBytes - heldBytes;
        held.push(rest.subarray(0, room));
        heldBytes = blockBytes;
        rest = rest.subarray(room);
        yield take();
      }
      if (rest.length > 0) {
        held.push(rest);
        heldBytes += rest.length;
      }
    }
  } catch (error) {
    throw bodyError(op, error);
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
  throwIfAborted(op, signal);
  if (seenBytes !== sizeBytes) throw lengthError(op, sizeBytes, seenBytes);
  if (heldBytes > 0) yield take();
}
