/**
 * Writes a whole object. Wrong bytes must be found before they are visible, but OSS reports the CRC-64 of an object only afterwards. OSS
 * checks a Content-MD5 first, but an MD5 needs all the bytes in memory.
 *
 * - A body in memory, or a short stream, is one PUT with its MD5.
 * - A longer stream is an upload of one part, sent as it arrives. It is completed only after OSS has reported the right CRC-64 of the part.
 *
 * So a body of the wrong length or checksum never becomes visible (OSS would silently drop bytes beyond Content-Length), and no stream is held in
 * memory.
 */
import type { Readable } from "node:stream";
import { readExactly } from "../body";
import { checksumOf, verifyChecksum } from "../checksums";
import { abortOnFailure } from "../copy-in-place";
import type { PutOptions, PutResult } from "../object-store";
import { namingRefusedTags } from "../refused-tags";
import { attributeHeaders, contentMd5, crc64Of, parsePutResult, taggingHeader } from "./metadata";
import { FORBID_OVERWRITE, type OssUploads } from "./uploads";

/** One request instead of three, for this much memory. */
export const IN_MEMORY_BYTES = 4 * 1024 ** 2;

const op = "put";

export async function putObject(
  store: OssUploads,
  key: string,
  body: Readable | Uint8Array,
  options: PutOptions,
): Promise<PutResult> {
  const { sizeBytes, signal } = options;
  if (!(body instanceof Uint8Array) && sizeBytes > IN_MEMORY_BYTES) return putStream(store, key, body, options);
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

async function putStream(store: OssUploads, key: string, body: Readable, options: PutOptions): Promise<PutResult> {
  const { attributes, checksum, condition, signal, sizeBytes } = options;
  const ifAbsent = condition?.ifAbsent === true;
  const { uploadId } = await store.createUpload(key, { attributes, ifAbsent, signal, op });
  return abortOnFailure({ abort: (abortOptions) => store.abortUpload(key, uploadId, abortOptions) }, async () => {
    const part = await store.uploadPart(key, { uploadId, partNumber: 1 }, body, { disposable: true, sizeBytes, signal, op });
    return store.completeUpload(key, uploadId, [part], { checksum, condition: ifAbsent ? { ifAbsent } : undefined, signal, op });
  });
}
