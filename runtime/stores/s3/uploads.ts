/** Uploads in parts. https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListPartsCommand,
  type ListPartsCommandOutput,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import type { Checksum, ChecksumAlgorithm } from "../../protocol/snapshot";
import { assertAscending, assertChecksum, assertCondition, assertMetadataNames, assertPart } from "../checks";
import { isBridgeError } from "../errors";
import type { CallOptions, ObjectAttributes, PutResult, UploadedPart, WriteCondition } from "../object-store";
import { conditionFields, httpOptions, putResult, type S3Calls } from "./calls";
import { withRawExpires } from "./expires";
import { attributeFields, checksumFields, isS3Checksum, partChecksum, unquote } from "./metadata";

export class S3Uploads {
  constructor(private readonly calls: S3Calls) {}

  async create(
    key: string,
    options: CallOptions & { attributes: ObjectAttributes; checksumAlgorithm?: ChecksumAlgorithm },
  ): Promise<{ uploadId: string }> {
    const { attributes, checksumAlgorithm } = options;
    assertMetadataNames("createUpload", attributes.metadata);
    assertChecksum("createUpload", checksumAlgorithm, this.calls.capabilities.multipartChecksums);
    const upload = await this.createOne(key, attributes, checksumAlgorithm, options);
    if (checksumAlgorithm === undefined || upload.checksumType === "FULL_OBJECT") return { uploadId: upload.uploadId };
    // A server that knows only checksums over part checksums would refuse the right checksum of the whole object at completion.
    // Without a declared algorithm it still verifies each part.
    await this.abort(key, upload.uploadId, options);
    const { uploadId } = await this.createOne(key, attributes, undefined, options);
    return { uploadId };
  }

  private async createOne(
    key: string,
    attributes: ObjectAttributes,
    checksumAlgorithm: ChecksumAlgorithm | undefined,
    options: CallOptions,
  ): Promise<{ uploadId: string; checksumType: string | undefined }> {
    const command = new CreateMultipartUploadCommand({
      ...this.calls.target("createUpload", key),
      ...this.calls.placement,
      ...attributeFields(attributes),
      ...(checksumAlgorithm !== undefined &&
        isS3Checksum(checksumAlgorithm) && { ChecksumAlgorithm: checksumAlgorithm, ChecksumType: "FULL_OBJECT" }),
    });
    withRawExpires(command, attributes.headers.expires);
    return this.calls.run("createUpload", options, async () => {
      const { UploadId, ChecksumType } = await this.calls.client.send(command, httpOptions(options));
      if (UploadId === undefined) throw new Error("the answer has no upload id: this is no S3 endpoint");
      return { uploadId: UploadId, checksumType: ChecksumType };
    });
  }

  async uploadPart(
    key: string,
    uploadId: string,
    partNumber: number,
    body: Uint8Array,
    options: CallOptions & { checksum?: Checksum },
  ): Promise<UploadedPart> {
    const { checksum } = options;
    assertPart(partNumber, body.byteLength, this.calls.capabilities);
    assertChecksum("uploadPart", checksum?.algorithm, this.calls.capabilities.checksums);
    const command = new UploadPartCommand({
      ...this.calls.target("uploadPart", key),
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

  async listParts(key: string, uploadId: string, options: CallOptions): Promise<UploadedPart[]> {
    const target = { ...this.calls.target("listParts", key), UploadId: uploadId };
    const parts: UploadedPart[] = [];
    let marker: string | undefined;
    do {
      const command = new ListPartsCommand(marker === undefined ? target : { ...target, PartNumberMarker: marker });
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

  async complete(
    key: string,
    uploadId: string,
    parts: UploadedPart[],
    options: CallOptions & { condition?: WriteCondition; checksum?: Checksum },
  ): Promise<PutResult> {
    const { condition, checksum } = options;
    const { client, capabilities } = this.calls;
    assertCondition("completeUpload", condition, capabilities);
    assertAscending(parts);
    const verified = checksum !== undefined && capabilities.multipartChecksums.includes(checksum.algorithm);
    const command = new CompleteMultipartUploadCommand({
      ...this.calls.target("completeUpload", key),
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

  async abort(key: string, uploadId: string, options: CallOptions): Promise<void> {
    const command = new AbortMultipartUploadCommand({ ...this.calls.target("abortUpload", key), UploadId: uploadId });
    try {
      await this.calls.run("abortUpload", options, () => this.calls.client.send(command, httpOptions(options)));
    } catch (error) {
      if (!isBridgeError(error, "NotFound")) throw error;
    }
  }
}
