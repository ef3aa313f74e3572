/**
 * Writes a whole object. Wrong bytes must be found before they are visible, but OSS reports the CRC-64 of an object only afterwards. OSS
 * checks a Content-MD5 first, but an MD5 needs all the bytes in memory.
 *
 * - A body in memory, or a stream that fits into one block, is one PUT with its MD5.
 * - A longer stream is an upload in blocks. It is completed only after OSS has reported the right CRC-64 of each block.
 *
 * So a body of the wrong length or checksum never becomes visible (OSS would silently drop bytes beyond Content-Length), every request can
 * be sent again, and at most three blocks are in memory.
 */
import { Readable } from "node:stream";
import { abortedError, bodyError, lengthError, readExactly, throwIfAborted } from "../body";
import { checksumOf, verifyChecksum } from "../checksums";
import { abortOnFailure } from "../copy-in-place";
import type { PutOptions, PutResult, UploadedPart } from "../object-store";
import { namingRefusedTags } from "../refused-tags";
import { attributeHeaders, contentMd5, crc64Of, parsePutResult, taggingHeader } from "./metadata";
import { FORBID_OVERWRITE, type OssUploads } from "./uploads";

export const BLOCK_BYTES = 4 * 1024 ** 2;
const CONCURRENT_BLOCKS = 2;

const op = "put";

export async function putObject(
  store: OssUploads,
  key: string,
  body: Readable | Uint8Array,
  options: PutOptions,
): Promise<PutResult> {
  const { sizeBytes, signal } = options;
  // Blocks grow only where the put would otherwise have too many parts.
  const blockBytes = Math.max(BLOCK_BYTES, Math.ceil(sizeBytes / store.capabilities.maxParts));
  if (body instanceof Readable && sizeBytes > blockBytes)
    return putBlocks(store, key, new Blocks(body, blockBytes, sizeBytes, signal), options);
  return putBytes(store, key, await readExactly(op, body, sizeBytes, signal), options);
}

async function putBytes(store: OssUploads, key: string, bytes: Uint8Array, options: PutOptions): Promise<PutResult> {
  const { attributes, checksum, condition, signal } = options;
  const sent = checksumOf("CRC64XZ", bytes);
  if (checksum !== undefined) verifyChecksum(op, checksum, sent.value);
  const headers = {
    ...store.placement,
    ...attributeHeaders(op, attributes),
    ...taggingHeader(attributes.tags),
    ...contentMd5(bytes),
    ...(condition?.ifAbsent && FORBID_OVERWRITE),
  };
  const { result, received } = await namingRefusedTags(attributes.tags, () =>
    store.text({ op, method: "PUT", key, headers, body: bytes, signal }, (_, answer) => ({
      result: parsePutResult(op, answer.etag, answer),
      received: crc64Of(answer),
    })),
  );
  await store.deleteIfCorrupted(op, key, result, { sent, received });
  return result;
}

async function putBlocks(store: OssUploads, key: string, blocks: Blocks, options: PutOptions): Promise<PutResult> {
  const { attributes, checksum, condition, signal } = options;
  const ifAbsent = condition?.ifAbsent === true;
  const { uploadId } = await store.createUpload(key, { attributes, ifAbsent, signal, op });
  return abortOnFailure({ abort: (abortOptions) => store.abortUpload(key, uploadId, abortOptions) }, async () => {
    const parts = await sendBlocks(blocks, signal, (partNumber, block, partSignal) =>
      store.uploadPart(key, { uploadId, partNumber }, block, { disposable: true, signal: partSignal, op }),
    );
    return store.completeUpload(key, uploadId, parts, { checksum, condition: ifAbsent ? { ifAbsent } : undefined, signal, op });
  });
}

/** Sends the blocks, a few at once. After a failure it sends no other block and waits for those under way. */
async function sendBlocks(
  blocks: Blocks,
  signal: AbortSignal | undefined,
  send: (partNumber: number, block: Uint8Array, signal: AbortSignal) => Promise<UploadedPart>,
): Promise<UploadedPart[]> {
  const controller = new AbortController();
  const eitherSignal = signal === undefined ? controller.signal : AbortSignal.any([signal, controller.signal]);
  const parts: UploadedPart[] = [];
  const underWay = new Set<Promise<void>>();
  let failure: { cause: unknown } | undefined;
  const launch = (partNumber: number, block: Uint8Array) => {
    const sending = send(partNumber, block, eitherSignal).then(
      (part) => void parts.push(part),
      (cause) => {
        failure ??= { cause };
        // Ends the wait for the next block, which would not be sent.
        blocks.body.destroy(cause instanceof Error ? cause : undefined);
      },
    );
    const tracked = sending.finally(() => underWay.delete(tracked));
    underWay.add(tracked);
  };
  try {
    let partNumber = 0;
    for await (const block of blocks) {
      launch(++partNumber, block);
      if (underWay.size >= CONCURRENT_BLOCKS) await Promise.race(underWay);
      if (failure !== undefined) throw failure.cause;
    }
    await Promise.all(underWay);
    if (failure !== undefined) throw failure.cause;
    return parts.sort((a, b) => a.partNumber - b.partNumber);
  } catch (error) {
    const cause = failure === undefined ? error : failure.cause;
    controller.abort();
    await Promise.all(underWay);
    throw cause;
  }
}

/** The body in blocks of `blockBytes`, the last one shorter. Reading it fails unless it has exactly `sizeBytes`. */
class Blocks implements AsyncIterable<Uint8Array> {
  constructor(
    readonly body: Readable,
    private readonly blockBytes: number,
    private readonly sizeBytes: number,
    private readonly signal: AbortSignal | undefined,
  ) {}

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    const { body, blockBytes, sizeBytes, signal } = this;
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
}
