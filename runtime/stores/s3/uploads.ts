/** Uploads in parts. https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  ListPartsCommand,
  type ListPartsCommandOutput,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import type { ChecksumAlgorithm, ContentHeaders } from "../../protocol/snapshot";
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
import { conditionFields, putResult, S3Calls, withRawHeaders } from "./calls";
import { attributeFields, checksumFields, isS3Checksum, partChecksum, unquote } from "./metadata";

/** The part of the adapter for uploads in parts. */
export class S3Uploads extends S3Calls {
  async createUpload(key: string, options: CreateUploadOptions): Promise<{ uploadId: string }> {
    const { checksumAlgorithm } = options;
    const upload = await this.createFor(key, checksumAlgorithm, options);
    if (checksumAlgorithm === undefined || upload.checksumType === "FULL_OBJECT") return { uploadId: upload.uploadId };
    // A server that knows only checksums over part checksums would refuse the right checksum of the whole object at completion.
    // Without a declared algorithm it still verifies each part.
    await this.abortUpload(key, upload.uploadId, options);
    const { uploadId } = await this.createFor(key, undefined, options);
    return { uploadId };
  }

  private createFor(key: string, checksumAlgorithm: ChecksumAlgorithm | undefined, options: CreateUploadOptions) {
    const { attributes } = options;
    const input: CreateMultipartUploadCommandInput = {
      ...this.target(key),
      ...attributeFields(attributes),
      ...(checksumAlgorithm !== undefined &&
        isS3Checksum(checksumAlgorithm) && { ChecksumAlgorithm: checksumAlgorithm, ChecksumType: "FULL_OBJECT" }),
    };
    return namingRefusedTags(attributes.tags, () =>
      this.place(true, (placement) => this.start("createUpload", { ...input, ...placement }, attributes.headers, options)),
    );
  }

  /** Starts an upload for any operation. `checksumType` is the kind of checksum that S3 will compute for the whole object. */
  async start(
    op: string,
    input: CreateMultipartUploadCommandInput,
    headers: ContentHeaders,
    options: CallOptions,
  ): Promise<{ uploadId: string; checksumType: string | undefined }> {
    const command = new CreateMultipartUploadCommand(input);
    withRawHeaders(command, headers);
    return this.run(op, options, async (client, http) => {
      const { UploadId, ChecksumType } = await client.send(command, http);
      if (UploadId === undefined) throw new Error("the answer has no upload id: this is no S3 endpoint");
      return { uploadId: UploadId, checksumType: ChecksumType };
    });
  }

  async uploadPart(
    key: string,
    { uploadId, partNumber }: PartId,
    body: Uint8Array,
    options: UploadPartOptions = {},
  ): Promise<UploadedPart> {
    const { checksum } = options;
    const command = new UploadPartCommand({
      ...this.target(key),
      UploadId: uploadId,
      PartNumber: partNumber,
      Body: body,
      ContentLength: body.byteLength,
      ...checksumFields(checksum),
    });
    return this.run("uploadPart", options, async (client, http) => {
      const { ETag } = await client.send(command, http);
      const part: UploadedPart = { partNumber, sizeBytes: body.byteLength, etag: unquote(ETag) };
      return checksum === undefined ? part : { ...part, checksum: { ...checksum } };
    });
  }

  async listParts(key: string, uploadId: string, options: CallOptions = {}): Promise<UploadedPart[]> {
    const target = { ...this.target(key), UploadId: uploadId };
    const parts: UploadedPart[] = [];
    let marker: string | undefined;
    do {
      const command = new ListPartsCommand({ ...target, PartNumberMarker: marker });
      const page: ListPartsCommandOutput = await this.run("listParts", options, (client, http) => client.send(command, http));
      for (const fields of page.Parts ?? []) {
        const { PartNumber: partNumber = 0, Size: sizeBytes = 0, ETag } = fields;
        const checksum = partChecksum(fields);
        const part: UploadedPart = { partNumber, sizeBytes, etag: unquote(ETag) };
        parts.push(checksum === undefined ? part : { ...part, checksum });
      }
      marker = page.IsTruncated ? page.NextPartNumberMarker : undefined;
    } while (marker !== undefined);
    return parts.sort((a, b) => a.partNumber - b.partNumber);
  }

  async completeUpload(
    key: string,
    uploadId: string,
    parts: UploadedPart[],
    options: CompleteUploadOptions = {},
  ): Promise<PutResult> {
    const { condition, checksum } = options;
    const verified = checksum !== undefined && this.capabilities.multipartChecksums.includes(checksum.algorithm);
    const command = new CompleteMultipartUploadCommand({
      ...this.target(key),
      UploadId: uploadId,
      MultipartUpload: {
        Parts: parts.map((part) => ({ PartNumber: part.partNumber, ETag: `"${part.etag}"`, ...checksumFields(part.checksum) })),
      },
      ...(verified && { ...checksumFields(checksum), ChecksumType: "FULL_OBJECT" }),
      ...conditionFields(condition),
    });
    const output = await this.run("completeUpload", options, (client, http) => client.send(command, http), condition);
    return putResult(output);
  }

  async abortUpload(key: string, uploadId: string, options: CallOptions = {}): Promise<void> {
    const command = new AbortMultipartUploadCommand({ ...this.target(key), UploadId: uploadId });
    try {
      await this.run("abortUpload", options, (client, http) => client.send(command, http));
    } catch (error) {
      if (!isBridgeError(error, "NotFound")) throw error;
    }
  }
}
