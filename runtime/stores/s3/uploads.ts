/** Uploads in parts. https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html */
import type { Readable } from "node:stream";
import type { ChecksumAlgorithm } from "../../protocol/snapshot";
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
import { documentOf, S3Calls } from "./calls";
import { unexpectedAnswer } from "./errors";
import {
  allChecksums,
  attributeHeaders,
  checksumDocument,
  checksumHeaders,
  checksumIn,
  checksumTypeOf,
  conditionHeaders,
  etagOf,
  FULL_OBJECT,
  isS3Checksum,
  putResult,
  S3_NAMESPACE,
} from "./metadata";

/** The part of the adapter for uploads in parts. */
export class S3Uploads extends S3Calls {
  async createUpload(key: string, options: CreateUploadOptions): Promise<{ uploadId: string }> {
    const { checksumAlgorithm } = options;
    const upload = await this.createFor(key, checksumAlgorithm, options);
    if (checksumAlgorithm === undefined || upload.checksumType === FULL_OBJECT) return { uploadId: upload.uploadId };
    // A server that knows only checksums over part checksums would refuse the right checksum of the whole object at completion.
    // Without a declared algorithm it still verifies each part.
    await this.abortUpload(key, upload.uploadId, options);
    const { uploadId } = await this.createFor(key, undefined, options);
    return { uploadId };
  }

  private createFor(key: string, checksumAlgorithm: ChecksumAlgorithm | undefined, options: CreateUploadOptions) {
    const { attributes } = options;
    const headers = { ...attributeHeaders(attributes), ...declaredChecksum(checksumAlgorithm, FULL_OBJECT) };
    const create = (placement: Readonly<Record<string, string>>) =>
      this.start("createUpload", key, { ...headers, ...placement }, options);
    return namingRefusedTags(attributes.tags, () => this.place(true, create, options));
  }

  /** Starts an upload for any operation. `checksumType` is the kind of checksum that S3 will compute for the whole object. */
  start(
    op: string,
    key: string,
    headers: Record<string, string>,
    { signal }: CallOptions,
  ): Promise<{ uploadId: string; checksumType: string | undefined }> {
    return this.client.send({ op, method: "POST", key, query: { uploads: "" }, headers, signal }, (answer) => {
      const uploadId = documentOf(op, answer).textOf("UploadId");
      if (uploadId === undefined) throw unexpectedAnswer(op, "no upload id");
      return { uploadId, checksumType: checksumTypeOf(answer.headers) };
    });
  }

  async uploadPart(
    key: string,
    { uploadId, partNumber }: PartId,
    body: Uint8Array | Readable,
    { checksum, signal, sizeBytes = byteLengthOf(body) }: UploadPartOptions = {},
  ): Promise<UploadedPart> {
    const op = "uploadPart";
    const query = { partNumber: `${partNumber}`, uploadId };
    const call = { op, method: "PUT", key, query, headers: checksumHeaders(checksum), signal } as const;
    return sendBody(op, body, { sizeBytes, signal }, (sent) =>
      this.client.send({ ...call, body: sent }, ({ headers }) => {
        const part: UploadedPart = { partNumber, sizeBytes, etag: etagOf(op, headers.etag) };
        // S3 computes the checksum of a part that is sent without one.
        const stored = checksum ?? allChecksums(headers)[0];
        return stored === undefined ? part : { ...part, checksum: { ...stored } };
      }),
    );
  }

  async listParts(key: string, uploadId: string, { signal }: CallOptions = {}): Promise<UploadedPart[]> {
    const op = "listParts";
    const parts: UploadedPart[] = [];
    let marker: string | undefined;
    do {
      const query = { uploadId, ...(marker !== undefined && { "part-number-marker": marker }) };
      const page = await this.client.send({ op, method: "GET", key, query, signal }, (answer) => documentOf(op, answer));
      for (const element of page.all("Part")) {
        const checksum = checksumIn(element);
        const part: UploadedPart = {
          partNumber: Number(element.textOf("PartNumber")),
          sizeBytes: Number(element.textOf("Size")),
          etag: etagOf(op, element.textOf("ETag")),
        };
        parts.push(checksum === undefined ? part : { ...part, checksum });
      }
      marker = page.textOf("IsTruncated") === "true" ? page.textOf("NextPartNumberMarker") : undefined;
    } while (marker !== undefined);
    return parts.sort((a, b) => a.partNumber - b.partNumber);
  }

  async completeUpload(
    key: string,
    uploadId: string,
    parts: UploadedPart[],
    { condition, checksum, signal }: CompleteUploadOptions = {},
  ): Promise<PutResult> {
    const op = "completeUpload";
    const verified = checksum !== undefined && this.capabilities.multipartChecksums.includes(checksum.algorithm);
    const body = completionDocument(verified ? await this.withChecksums(key, uploadId, parts, { signal }) : parts);
    const headers = {
      "content-type": "application/xml",
      ...(verified && { ...checksumHeaders(checksum), "x-amz-checksum-type": FULL_OBJECT }),
      ...conditionHeaders(condition),
    };
    const call = { op, method: "POST", key, query: { uploadId }, headers, body, signal, workMs: COMPLETION_WORK_MS } as const;
    return this.sendConditional(call, condition, (answer) => {
      const document = documentOf(op, answer);
      const result = putResult(op, answer.headers, document.textOf("ETag"));
      const whole = document.textOf("ChecksumType") === FULL_OBJECT ? checksumIn(document) : undefined;
      return whole === undefined ? result : { ...result, checksums: [whole] };
    });
  }

  /** Some servers want the checksum of each part named at the completion. Those that were not in the answer to a part are in the list. */
  private async withChecksums(
    key: string,
    uploadId: string,
    parts: UploadedPart[],
    options: CallOptions,
  ): Promise<UploadedPart[]> {
    if (parts.every(({ checksum }) => checksum !== undefined)) return parts;
    const listed = new Map((await this.listParts(key, uploadId, options)).map((part) => [part.etag, part.checksum]));
    return parts.map((part) => {
      const checksum = part.checksum ?? listed.get(part.etag);
      return checksum === undefined ? part : { ...part, checksum };
    });
  }

  async abortUpload(key: string, uploadId: string, { signal }: CallOptions = {}): Promise<void> {
    try {
      await this.client.send({ op: "abortUpload", method: "DELETE", key, query: { uploadId }, signal }, () => undefined);
    } catch (error) {
      if (!isBridgeError(error, "NotFound")) throw error;
    }
  }
}

/** S3 puts many parts together before it answers. */
const COMPLETION_WORK_MS = 120_000;

/** The headers of an upload whose parts have checksums of this algorithm. */
export function declaredChecksum(algorithm: ChecksumAlgorithm | undefined, type: string | undefined): Record<string, string> {
  if (algorithm === undefined || !isS3Checksum(algorithm)) return {};
  return { "x-amz-checksum-algorithm": algorithm, ...(type !== undefined && { "x-amz-checksum-type": type }) };
}

function completionDocument(parts: readonly UploadedPart[]): Buffer {
  const list = parts.map(
    ({ partNumber, etag, checksum }) =>
      `<Part><ETag>&quot;${etag}&quot;</ETag>${checksumDocument(checksum)}<PartNumber>${partNumber}</PartNumber></Part>`,
  );
  return Buffer.from(`<CompleteMultipartUpload xmlns="${S3_NAMESPACE}">${list.join("")}</CompleteMultipartUpload>`);
}
