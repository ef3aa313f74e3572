/** Uploads in parts. https://www.alibabacloud.com/help/en/oss/developer-reference/operations-of-multipart-upload/ */
import type { Readable } from "node:stream";
import { escapeXml, type XmlElement } from "../../http/xml";
import type { Checksum } from "../../protocol/snapshot";
import { combineChecksums, createHasher, verifyChecksum } from "../checksums";
import { isBridgeError } from "../errors";
import type {
  CallOptions,
  CompleteUploadOptions,
  CreateUploadOptions,
  PartId,
  PutResult,
  UploadedPart,
  UploadPartOptions,
} from "../object-store";
import { namingRefusedTags } from "../refused-tags";
import { byteLengthOf, sendBody } from "../sent-body";
import { OssClient } from "./client";
import {
  attributeHeaders,
  contentMd5,
  crc64FromDecimal,
  crc64Of,
  documentOf,
  parsePutResult,
  required,
  taggingHeader,
  unquote,
  verifyReceived,
} from "./metadata";

const PAGE = "1000";

/** Only a bucket that keeps no versions honours it. */
export const FORBID_OVERWRITE = { "x-oss-forbid-overwrite": "true" } as const;

/** `put` and `touch` make uploads of their own, whose errors name them. */
interface ForOperation {
  op?: string;
}

/** The part of the adapter for uploads in parts. */
export class OssUploads extends OssClient {
  async createUpload(
    key: string,
    { attributes, ifAbsent, signal, op = "createUpload" }: CreateUploadOptions & ForOperation & { ifAbsent?: boolean },
  ): Promise<{ uploadId: string }> {
    const headers = {
      ...this.placement,
      ...attributeHeaders(op, attributes),
      ...taggingHeader(attributes.tags),
      ...(ifAbsent && FORBID_OVERWRITE),
    };
    return namingRefusedTags(attributes.tags, () => this.start(op, key, headers, signal));
  }

  async start(
    op: string,
    key: string,
    headers: Record<string, string>,
    signal: AbortSignal | undefined,
  ): Promise<{ uploadId: string }> {
    const request = { op, method: "POST", key, queries: { uploads: null }, headers, signal } as const;
    return this.text(request, (text) => ({ uploadId: required(op, "upload id", documentOf(op, text).textOf("UploadId")) }));
  }

  /**
   * Bytes are checked by their MD5 before OSS stores them, because a later run may resume a part that is stored. A `disposable` part is never
   * resumed. The MD5 of a stream is not known before its end: its CRC-64 is computed as it passes, and compared with the one of OSS's answer.
   */
  async uploadPart(
    key: string,
    { uploadId, partNumber }: PartId,
    body: Uint8Array | Readable,
    options: UploadPartOptions & ForOperation & { disposable?: true } = {},
  ): Promise<UploadedPart> {
    const { checksum, disposable, signal, op = "uploadPart", sizeBytes = byteLengthOf(body) } = options;
    const crc = createHasher("CRC64XZ");
    const queries = { partNumber: `${partNumber}`, uploadId };
    const sending = { sizeBytes, signal, onChunk: (chunk: Buffer) => crc.update(chunk) };
    return sendBody(op, body, sending, (sent) => {
      const isBytes = sent instanceof Uint8Array;
      if (isBytes) crc.update(sent);
      const computed = isBytes ? crc.value() : undefined;
      if (computed !== undefined && checksum !== undefined) verifyChecksum(op, checksum, computed);
      const headers = isBytes && !disposable ? contentMd5(sent) : {};
      const request = { op, method: "PUT", key, queries, headers, body: sent, signal } as const;
      return this.text(request, (_, answer) => {
        const own: Checksum = { algorithm: "CRC64XZ", value: computed ?? crc.value() };
        verifyReceived(op, own, required(op, "CRC-64", crc64Of(answer)));
        if (checksum !== undefined) verifyChecksum(op, checksum, own.value);
        return { partNumber, sizeBytes, etag: unquote(required(op, "ETag", answer.etag)), checksum: own };
      });
    });
  }

  async listParts(
    key: string,
    uploadId: string,
    { signal, op = "listParts" }: CallOptions & ForOperation = {},
  ): Promise<UploadedPart[]> {
    const parts: UploadedPart[] = [];
    let marker: string | undefined;
    do {
      const queries = { uploadId, "max-parts": PAGE, ...(marker !== undefined && { "part-number-marker": marker }) };
      const page = await this.text({ op, method: "GET", key, queries, signal }, (text) => documentOf(op, text));
      for (const part of page.all("Part")) parts.push(parsePart(op, part));
      const next = page.textOf("IsTruncated") === "true" ? page.textOf("NextPartNumberMarker") : undefined;
      if (page.textOf("IsTruncated") === "true") required(op, "marker", next);
      marker = next;
    } while (marker !== undefined);
    return parts.sort((a, b) => a.partNumber - b.partNumber);
  }

  /** OSS cannot verify a checksum at completion, so the checksum of the whole is computed from its parts and compared before. */
  async completeUpload(
    key: string,
    uploadId: string,
    parts: UploadedPart[],
    { checksum, condition, signal, op = "completeUpload" }: CompleteUploadOptions & ForOperation = {},
  ): Promise<PutResult> {
    const expected = await this.checksumOfWhole(key, uploadId, parts, { op, signal });
    if (checksum?.algorithm === "CRC64XZ" && expected !== undefined) verifyChecksum(op, checksum, expected.value);
    const list = parts.map(
      ({ partNumber, etag }) => `<Part><PartNumber>${partNumber}</PartNumber><ETag>${escapeXml(`"${etag}"`)}</ETag></Part>`,
    );
    const body = Buffer.from(
      `<?xml version="1.0" encoding="UTF-8"?><CompleteMultipartUpload>${list.join("")}</CompleteMultipartUpload>`,
    );
    const headers = { ...contentMd5(body), ...(condition?.ifAbsent && FORBID_OVERWRITE) };
    const request = {
      op,
      method: "POST",
      key,
      queries: { uploadId },
      headers,
      body,
      signal,
      workMs: COMPLETION_WORK_MS,
    } as const;
    const { result, received } = await this.text(request, (text, answer) => ({
      result: parsePutResult(op, documentOf(op, text).textOf("ETag") ?? answer.etag, answer),
      received: crc64Of(answer),
    }));
    await this.deleteIfCorrupted(op, key, result, { sent: expected ?? checksum, received });
    return result;
  }

  async abortUpload(key: string, uploadId: string, { signal }: CallOptions = {}): Promise<void> {
    try {
      const request = { op: "abortUpload", method: "DELETE", key, queries: { uploadId }, signal } as const;
      await this.text(request, () => undefined);
    } catch (error) {
      if (!isBridgeError(error, "NotFound")) throw error;
    }
  }

  /** Undefined only where a part of an earlier run is resumed and OSS does not report its checksum. */
  private async checksumOfWhole(
    key: string,
    uploadId: string,
    parts: readonly UploadedPart[],
    options: CallOptions & ForOperation,
  ): Promise<Checksum | undefined> {
    let known = parts;
    if (!known.every(({ checksum }) => checksum?.algorithm === "CRC64XZ")) {
      const listed = new Map((await this.listParts(key, uploadId, options)).map((part) => [part.etag, part]));
      known = parts.map((part) => (part.checksum?.algorithm === "CRC64XZ" ? part : (listed.get(part.etag) ?? part)));
    }
    const checked = known.flatMap(({ checksum, sizeBytes }) =>
      checksum?.algorithm === "CRC64XZ" ? [{ value: checksum.value, sizeBytes }] : [],
    );
    return checked.length === parts.length ? combineChecksums("CRC64XZ", checked) : undefined;
  }
}

/** OSS puts many parts together before it answers. */
const COMPLETION_WORK_MS = 120_000;

function parsePart(op: string, part: XmlElement): UploadedPart {
  const field = (name: string): string => required(op, name, part.textOf(name));
  const checksum = crc64FromDecimal(part.textOf("HashCrc64ecma") ?? "");
  const parsed = { partNumber: Number(field("PartNumber")), sizeBytes: Number(field("Size")), etag: unquote(field("ETag")) };
  return checksum === undefined ? parsed : { ...parsed, checksum };
}
