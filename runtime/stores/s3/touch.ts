/** Touches an object of S3. https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html */
import {
  CopyObjectCommand,
  type CopyObjectCommandInput,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import type { Checksum, ContentHeaders, Tags } from "../../protocol/snapshot";
import {
  type CopyLimits,
  type CopyRange,
  type CopyUpload,
  copyInPlace,
  type ObjectCopier,
  type PresentObject,
} from "../copy-in-place";
import { BridgeError } from "../errors";
import type { CallOptions, PutResult, TouchOptions, UploadedPart } from "../object-store";
import { type Placement, putResult, sendForHeaders, withRawHeaders } from "./calls";
import { attributeFields, isS3Checksum, parseHead, partChecksum, taggingField, unquote } from "./metadata";
import type { S3Uploads } from "./uploads";

const op = "touch";

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/copy-object.html */
export const S3_COPY_LIMITS: CopyLimits = { maxCopyBytes: 5 * 1024 ** 3, partSizeBytes: 512 * 1024 ** 2 };

export function touchS3Object(store: S3Uploads, limits: CopyLimits, key: string, options: TouchOptions): Promise<PutResult> {
  const { maxParts } = store.capabilities;
  return copyInPlace(new S3Copier(store, key, options), { ifMatch: options.ifMatch, limits, maxParts });
}

type KeptFields = Pick<
  CopyObjectCommandInput,
  keyof ReturnType<typeof attributeFields> | "StorageClass" | "ServerSideEncryption" | "SSEKMSKeyId" | "BucketKeyEnabled"
>;

interface S3Present extends PresentObject {
  /** The fields that the copy is written with. */
  fields: KeptFields;
  /** As they were stored; see `withRawHeaders`. */
  headers: ContentHeaders;
  /** The checksum of the whole object or over its parts; `checksumType` says which. */
  checksum: Checksum | undefined;
  checksumType: HeadObjectCommandOutput["ChecksumType"];
}

class S3Copier implements ObjectCopier<S3Present> {
  constructor(
    private readonly store: S3Uploads,
    private readonly key: string,
    private readonly options: CallOptions,
  ) {}

  /** @throws BridgeError `Unsupported` when S3 does not return all of its metadata: the copy would lose some. */
  async read(versionId?: string): Promise<S3Present> {
    const command = new HeadObjectCommand({ ...this.store.target(this.key), VersionId: versionId, ChecksumMode: "ENABLED" });
    const { output, raw } = await this.store.run(op, this.options, (client, http) => sendForHeaders(client, command, http));
    if ((output.MissingMeta ?? 0) > 0)
      throw new BridgeError("Unsupported", op, `${output.MissingMeta} metadata entries of the object are no HTTP headers`);
    const { headers, metadata, etag, sizeBytes, lastModified, ...head } = parseHead(output, raw, output.ContentLength);
    return {
      etag,
      versionId: head.versionId,
      sizeBytes,
      lastModified,
      fields: {
        ...attributeFields({ headers, metadata, tags: {} }),
        ...encryptionFields(output, this.store.placement),
        // Absent means STANDARD, in the answer and in a request.
        StorageClass: output.StorageClass,
      },
      headers,
      checksum: partChecksum(output),
      checksumType: output.ChecksumType,
    };
  }

  readTags(): Promise<Tags> {
    return this.store.getTags(this.key, this.options, op);
  }

  /** S3 refuses a copy onto itself that changes nothing, so the copy names its headers. */
  async copyWhole(etag: string, { fields, headers }: S3Present) {
    const command = new CopyObjectCommand({
      ...this.store.target(this.key),
      ...fields,
      CopySource: this.store.copySource(this.key),
      // S3 compares this etag when the copy begins, and the next one when it becomes visible.
      CopySourceIfMatch: `"${etag}"`,
      IfMatch: `"${etag}"`,
      MetadataDirective: "REPLACE",
      TaggingDirective: "COPY",
    });
    withRawHeaders(command, headers);
    const copied = await this.store.run(op, this.options, (client, http) => client.send(command, http));
    const result = putResult({ ETag: copied.CopyObjectResult?.ETag, VersionId: copied.VersionId });
    return { result, copiedFrom: copied.CopySourceVersionId };
  }

  /** Where S3 computes the same kind of checksum for the copy, completion carries the object's own and S3 verifies the copy. */
  async createUpload(present: S3Present, tags: Tags): Promise<CopyUpload> {
    const { key, options, store } = this;
    const { fields, headers, etag, checksum, checksumType } = present;
    const declared =
      checksum === undefined || !isS3Checksum(checksum.algorithm)
        ? {}
        : { ChecksumAlgorithm: checksum.algorithm, ChecksumType: checksumType };
    const input = { ...store.target(key), ...fields, ...taggingField(tags), ...declared };
    const created = await store.start(op, input, headers, options);
    const { uploadId } = created;
    const verifiesWhole = checksumType === "FULL_OBJECT" && created.checksumType === "FULL_OBJECT";
    return {
      copyPart: (range) => this.copyPart(uploadId, etag, range),
      complete: (parts) =>
        store.completeUpload(key, uploadId, parts, {
          signal: options.signal,
          condition: { ifMatch: etag },
          checksum: verifiesWhole ? checksum : undefined,
        }),
      abort: (abortOptions) => store.abortUpload(key, uploadId, abortOptions),
    };
  }

  /** https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html */
  private copyPart(uploadId: string, etag: string, { partNumber, start, end }: CopyRange): Promise<UploadedPart> {
    const command = new UploadPartCopyCommand({
      ...this.store.target(this.key),
      UploadId: uploadId,
      PartNumber: partNumber,
      CopySource: this.store.copySource(this.key),
      CopySourceIfMatch: `"${etag}"`,
      CopySourceRange: `bytes=${start}-${end}`,
    });
    return this.store.run(op, this.options, async (client, http) => {
      const { CopyPartResult = {} } = await client.send(command, http);
      const checksum = partChecksum(CopyPartResult);
      const part = { partNumber, sizeBytes: end - start + 1, etag: unquote(CopyPartResult.ETag) };
      return checksum === undefined ? part : { ...part, checksum };
    });
  }
}

/** The adapter's own key wins over the object's encryption. */
function encryptionFields(
  { ServerSideEncryption, SSEKMSKeyId, BucketKeyEnabled }: HeadObjectCommandOutput,
  placement: Placement,
): Partial<KeptFields> {
  if (placement.SSEKMSKeyId === undefined) return { ServerSideEncryption, SSEKMSKeyId, BucketKeyEnabled };
  return { ServerSideEncryption: placement.ServerSideEncryption, SSEKMSKeyId: placement.SSEKMSKeyId };
}
