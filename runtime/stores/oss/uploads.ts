/** Uploads in parts. https://www.alibabacloud.com/help/en/oss/developer-reference/operations-of-multipart-upload/ */
import type { Checksum } from "../../protocol/snapshot";
import { checksumOf, combineChecksums, verifyChecksum } from "../checksums";
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
import { OssClient } from "./client";
import {
  attributeHeaders,
  contentMd5,
  crc64FromDecimal,
  crc64Of,
  parsePutResult,
  required,
  taggingHeader,
  unquote,
  verifyReceived,
} from "./metadata";
import { escapeXml, xmlElements, xmlText } from "./xml";

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
    return this.text(request, (text) => ({ uploadId: required(op, "upload id", xmlText(text, "UploadId")) }));
  }

  /**
   * A `disposable` part is never resumed by a later run, so comparing the CRC-64 of OSS's answer is enough. Any other part must be right
   * once it is stored, even if this process ends before the answer, so OSS is asked to check its MD5 first.
   */
  async uploadPart(
    key: string,
    { uploadId, partNumber }: PartId,
    body: Uint8Array,
    { checksum, disposable, signal, op = "uploadPart" }: UploadPartOptions & ForOperation & { disposable?: true } = {},
  ): Promise<UploadedPart> {
    const sent = checksumOf("CRC64XZ", body);
    if (checksum !== undefined) verifyChecksum(op, checksum, sent.value);
    const queries = { partNumber: `${partNumber}`, uploadId };
    const headers = disposable ? {} : contentMd5(body);
    const request = { op, method: "PUT", key, queries, headers, body, signal } as const;
    return this.text(request, (_, answer) => {
      verifyReceived(op, sent, required(op, "CRC-64", crc64Of(answer)));
      return { partNumber, sizeBytes: body.byteLength, etag: unquote(required(op, "ETag", answer.etag)), checksum: sent };
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
      const text = await this.text({ op, method: "GET", key, queries, signal }, (document) => document);
      for (const part of xmlElements(text, "Part")) parts.push(parsePart(op, part));
      marker =
        xmlText(text, "IsTruncated") === "true" ? required(op, "marker", xmlText(text, "NextPartNumberMarker")) : undefined;
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
      result: parsePutResult(op, xmlText(text, "ETag") ?? answer.etag, answer),
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

function parsePart(op: string, part: string): UploadedPart {
  const field = (name: string): string => required(op, name, xmlText(part, name));
  const checksum = crc64FromDecimal(xmlText(part, "HashCrc64ecma") ?? "");
  const parsed = { partNumber: Number(field("PartNumber")), sizeBytes: Number(field("Size")), etag: unquote(field("ETag")) };
  return checksum === undefined ? parsed : { ...parsed, checksum };
}
