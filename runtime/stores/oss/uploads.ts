/** Uploads in parts. https://www.alibabacloud.com/help/en/oss/developer-reference/operations-of-multipart-upload/ */
import type { Checksum, ChecksumAlgorithm } from "../../protocol/snapshot";
import { assertAscending, assertChecksum, assertCondition, assertMetadataNames, assertPart, assertSameChecksum } from "../checks";
import { checksumOf } from "../checksums";
import { combineChecksums } from "../combine-checksums";
import { isBridgeError } from "../errors";
import type { CallOptions, ObjectAttributes, PutResult, UploadedPart, WriteCondition } from "../object-store";
import { assertReceived, contentMd5, crc64FromDecimal, crc64Of } from "./checksum";
import { required } from "./client";
import type { OssContext } from "./context";
import { attributeHeaders, unquote } from "./metadata";
import { assertTags, taggingHeader } from "./tags";
import { escapeXml, xmlElements, xmlText } from "./xml";

const PAGE = "1000";

type CompleteOptions = CallOptions & { condition?: WriteCondition; checksum?: Checksum };

export class OssUploads {
  constructor(private readonly context: OssContext) {}

  async create(
    key: string,
    options: CallOptions & { attributes: ObjectAttributes; checksumAlgorithm?: ChecksumAlgorithm; ifAbsent?: boolean },
    op = "createUpload",
  ): Promise<{ uploadId: string }> {
    const { client, capabilities, placement } = this.context;
    const { attributes, checksumAlgorithm, ifAbsent, signal } = options;
    this.context.assertKey(op, key);
    assertMetadataNames(op, attributes.metadata);
    assertTags(op, attributes.tags);
    assertChecksum(op, checksumAlgorithm, capabilities.multipartChecksums);
    const headers = {
      ...placement,
      ...attributeHeaders(op, attributes),
      ...taggingHeader(attributes.tags),
      ...(ifAbsent && FORBID_OVERWRITE),
    };
    const request = { op, method: "POST", key, queries: { uploads: null }, headers, ...withSignal(signal) } as const;
    return client.text(request, (text) => ({ uploadId: required(op, "upload id", xmlText(text, "UploadId")) }));
  }

  /**
   * `disposable`: no later run takes the part for done, so it is enough to look at OSS's answer. Others must be right once they are
   * stored, whether or not their sender lives to see it, so OSS is asked to check them first.
   */
  async uploadPart(
    key: string,
    uploadId: string,
    partNumber: number,
    body: Uint8Array,
    { checksum, disposable, signal }: CallOptions & { checksum?: Checksum; disposable?: true } = {},
    op = "uploadPart",
  ): Promise<UploadedPart> {
    const { client, capabilities } = this.context;
    this.context.assertKey(op, key);
    assertPart(partNumber, body.byteLength, capabilities);
    assertChecksum(op, checksum?.algorithm, capabilities.checksums);
    const sent = checksumOf("CRC64XZ", body);
    if (checksum !== undefined) assertSameChecksum(op, checksum, sent.value);
    const queries = { partNumber: `${partNumber}`, uploadId };
    const headers = disposable ? {} : contentMd5(body);
    const request = { op, method: "PUT", key, queries, headers, body, ...withSignal(signal) } as const;
    return client.text(request, (_, answer) => {
      assertReceived(op, sent, required(op, "CRC-64", crc64Of(answer)));
      return { partNumber, sizeBytes: body.byteLength, etag: unquote(required(op, "ETag", answer.etag)), checksum: sent };
    });
  }

  async listParts(key: string, uploadId: string, { signal }: CallOptions = {}, op = "listParts"): Promise<UploadedPart[]> {
    this.context.assertKey(op, key);
    const parts: UploadedPart[] = [];
    let marker: string | undefined;
    do {
      const queries = { uploadId, "max-parts": PAGE, ...(marker !== undefined && { "part-number-marker": marker }) };
      const text = await this.context.client.text(
        { op, method: "GET", key, queries, ...withSignal(signal) },
        (document) => document,
      );
      for (const part of xmlElements(text, "Part")) parts.push(parsePart(op, part));
      marker =
        xmlText(text, "IsTruncated") === "true" ? required(op, "marker", xmlText(text, "NextPartNumberMarker")) : undefined;
    } while (marker !== undefined);
    return parts.sort((a, b) => a.partNumber - b.partNumber);
  }

  async complete(key: string, uploadId: string, parts: UploadedPart[], options: CompleteOptions = {}): Promise<PutResult> {
    assertCondition("completeUpload", options.condition, this.context.capabilities);
    return this.completeParts(key, uploadId, parts, options);
  }

  /** As `complete`, on behalf of any operation. OSS knows no checksum to hold a completion to, so it is held to it before. */
  async completeParts(
    key: string,
    uploadId: string,
    parts: UploadedPart[],
    { checksum, condition, signal }: CompleteOptions,
    op = "completeUpload",
  ): Promise<PutResult> {
    this.context.assertKey(op, key);
    assertAscending(parts);
    const expected = await this.checksumOfWhole(op, key, uploadId, parts, signal);
    if (checksum?.algorithm === "CRC64XZ" && expected !== undefined) assertSameChecksum(op, checksum, expected.value);
    const list = parts.map(
      ({ partNumber, etag }) => `<Part><PartNumber>${partNumber}</PartNumber><ETag>${escapeXml(`"${etag}"`)}</ETag></Part>`,
    );
    const body = Buffer.from(
      `<?xml version="1.0" encoding="UTF-8"?><CompleteMultipartUpload>${list.join("")}</CompleteMultipartUpload>`,
    );
    const headers = { ...contentMd5(body), ...(condition?.ifAbsent && FORBID_OVERWRITE) };
    const request = { op, method: "POST", key, queries: { uploadId }, headers, body, ...withSignal(signal) } as const;
    const { result, received } = await this.context.client.text(request, (text, answer) => ({
      result: this.context.putResult(op, xmlText(text, "ETag") ?? answer.etag, answer),
      received: crc64Of(answer),
    }));
    await this.context.keepOnlyIfReceived(op, key, result, expected ?? checksum, received);
    return result;
  }

  async abort(key: string, uploadId: string, { signal }: CallOptions = {}): Promise<void> {
    const op = "abortUpload";
    this.context.assertKey(op, key);
    try {
      await this.context.client.text(
        { op, method: "DELETE", key, queries: { uploadId }, ...withSignal(signal) },
        () => undefined,
      );
    } catch (error) {
      if (!isBridgeError(error, "NotFound")) throw error;
    }
  }

  /** Undefined only where a part of an earlier run is resumed and OSS does not tell its checksum. */
  private async checksumOfWhole(
    op: string,
    key: string,
    uploadId: string,
    parts: readonly UploadedPart[],
    signal: AbortSignal | undefined,
  ): Promise<Checksum | undefined> {
    let known = parts;
    if (!known.every(({ checksum }) => checksum?.algorithm === "CRC64XZ")) {
      const listed = new Map((await this.listParts(key, uploadId, withSignal(signal), op)).map((part) => [part.etag, part]));
      known = parts.map((part) => (part.checksum?.algorithm === "CRC64XZ" ? part : (listed.get(part.etag) ?? part)));
    }
    const checked = known.flatMap(({ checksum, sizeBytes }) =>
      checksum?.algorithm === "CRC64XZ" ? [{ value: checksum.value, sizeBytes }] : [],
    );
    return checked.length === parts.length ? combineChecksums("CRC64XZ", checked) : undefined;
  }
}

/** Only where the bucket keeps no versions; elsewhere OSS ignores it. */
export const FORBID_OVERWRITE = { "x-oss-forbid-overwrite": "true" } as const;

export function withSignal(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

function parsePart(op: string, part: string): UploadedPart {
  const field = (name: string): string => required(op, name, xmlText(part, name));
  const checksum = crc64FromDecimal(xmlText(part, "HashCrc64ecma") ?? "");
  const parsed = { partNumber: Number(field("PartNumber")), sizeBytes: Number(field("Size")), etag: unquote(field("ETag")) };
  return checksum === undefined ? parsed : { ...parsed, checksum };
}
