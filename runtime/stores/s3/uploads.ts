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
import { conditionFields, httpOptions, putResult, type S3Calls, withRawExpires } from "./calls";
import { attributeFields, checksumFields, isS3Checksum, partChecksum, unquote } from "./metadata";

export class S3Uploads {
  constructor(readonly calls: S3Calls) {}

  async create(key: string, options: CreateUploadOptions): Promise<{ uploadId: string }> {
    const { checksumAlgorithm } = options;
    const upload = await this.createFor(key, checksumAlgorithm, options);
    if (checksumAlgorithm === undefined || upload.checksumType === "FULL_OBJECT") return { uploadId: upload.uploadId };
    // A server that knows only checksums over part checksums would refuse the right checksum of the whole object at completion.
    // Without a declared algorithm it still verifies each part.
    await this.abort(key, upload.uploadId, options);
    const { uploadId } = await this.createFor(key, undefined, options);
    return { uploadId };
  }

  private createFor(key: string, checksumAlgorithm: ChecksumAlgorithm | undefined, options: CreateUploadOptions) {
    const { attributes } = options;
    const input: CreateMultipartUploadCommandInput = {
      ...this.calls.target(key),
      ...this.calls.placement,
      ...attributeFields(attributes),
      ...(checksumAlgorithm !== undefined &&
        isS3Checksum(checksumAlgorithm) && { ChecksumAlgorithm: checksumAlgorithm, ChecksumType: "FULL_OBJECT" }),
    };
    return this.start("createUpload", input, attributes.headers.expires, options);
  }

  /** Starts an upload on behalf of any operation. `checksumType` is the kind of checksum that S3 will compute for the whole object. */
  async start(
    op: string,
    input: CreateMultipartUploadCommandInput,
    expires: string | undefined,
    options: CallOptions,
  ): Promise<{ uploadId: string; checksumType: string | undefined }> {
    const command = new CreateMultipartUploadCommand(input);
    withRawExpires(command, expires);
    return this.calls.run(op, options, async () => {
      const { UploadId, ChecksumType } = await this.calls.client.send(command, httpOptions(options));
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
      ...this.calls.target(key),
      UploadId: uploadId,
      PartNumber: partNumber,
      Body: body,
      ContentLength: body.byteLength,
      ...checksumFields(checksum),
    });
    return this.calls.run("uploadPart", options, async () => {
      const { ETag } = await this.calls.client.send(command, httpOptions(options));
      const part: UploadedPart = { partNumber, sizeBytes: body.byteLength, etag: unquote(ETag) };
      return checksum === undefined ? part : { ...part, checksum: { ...checksum } };
    });
  }

  async listParts(key: string, uploadId: string, options: CallOptions = {}): Promise<UploadedPart[]> {
    const target = { ...this.calls.target(key), UploadId: uploadId };
    const parts: UploadedPart[] = [];
    let marker: string | undefined;
    do {
      const command = new ListPartsCommand({ ...target, PartNumberMarker: marker });
      const page: ListPartsCommandOutput = await this.calls.run("listParts", options, () =>
        this.calls.client.send(command, httpOptions(options)),
      );
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

  async complete(key: string, uploadId: string, parts: UploadedPart[], options: CompleteUploadOptions = {}): Promise<PutResult> {
    const { condition, checksum } = options;
    const { client, capabilities } = this.calls;
    const verified = checksum !== undefined && capabilities.multipartChecksums.includes(checksum.algorithm);
    const command = new CompleteMultipartUploadCommand({
      ...this.calls.target(key),
      UploadId: uploadId,
      MultipartUpload: {
        Parts: parts.map((part) => ({ PartNumber: part.partNumber, ETag: `"${part.etag}"`, ...checksumFields(part.checksum) })),
      },
      ...(verified && { ...checksumFields(checksum), ChecksumType: "FULL_OBJECT" }),
      ...conditionFields(condition),
    });
    const complete = async () => putResult(await client.send(command, httpOptions(options)));
    return this.calls.run("completeUpload", options, complete, condition);
  }

  async abort(key: string, uploadId: string, options: CallOptions = {}): Promise<void> {
    const command = new AbortMultipartUploadCommand({ ...this.calls.target(key), UploadId: uploadId });
    try {
      await this.calls.run("abortUpload", options, () => this.calls.client.send(command, httpOptions(options)));
    } catch (error) {
      if (!isBridgeError(error, "NotFound")) throw error;
    }
  }
}
