/** The port over S3 and whatever speaks its protocol. https://docs.aws.amazon.com/AmazonS3/latest/API/Welcome.html */
import { Readable } from "node:stream";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
  PutObjectCommand,
  PutObjectTaggingCommand,
  type S3Client,
  type StorageClass,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import type { Checksum, ChecksumAlgorithm, Tags } from "../../protocol/snapshot";
import { releasing } from "../body";
import {
  assertChecksum,
  assertCondition,
  assertDelete,
  assertExpiry,
  assertMetadataNames,
  assertPutSize,
  assertRange,
} from "../checks";
import { isBridgeError } from "../errors";
import type {
  CallOptions,
  DeleteOptions,
  GetOptions,
  ListedObject,
  ObjectAttributes,
  ObjectHead,
  ObjectStore,
  PresignOptions,
  PutOptions,
  PutResult,
  StoreCapabilities,
  UploadedPart,
  WriteCondition,
} from "../object-store";
import { sendBody } from "./body";
import { conditionFields, httpOptions, isMissingVersion, putResult, S3Calls } from "./calls";
import { withRawExpires } from "./expires";
import {
  attributeFields,
  checksumFields,
  decodeListedKey,
  fullObjectChecksums,
  parseHead,
  parseTags,
  S3_CHECKSUMS,
  unquote,
} from "./metadata";
import { S3Touch } from "./touch";
import { S3Uploads } from "./uploads";

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
export const S3_CAPABILITIES: StoreCapabilities = {
  conditionalWrites: true,
  conditionalCreate: true,
  checksums: S3_CHECKSUMS,
  multipartChecksums: ["CRC64NVME", "CRC32"],
  minPartSizeBytes: 5 * 1024 ** 2,
  maxPartSizeBytes: 5 * 1024 ** 3,
  maxParts: 10_000,
  maxPutSizeBytes: 5 * 1024 ** 3,
  maxKeyBytes: 1024,
};

export interface S3StoreOptions {
  /** Best made by `createS3Client`. */
  client: S3Client;
  /** Signs URLs, where their readers reach the store by another endpoint. @default client */
  presignClient?: S3Client;
  bucket: string;
  /** The bucket's default when absent. */
  storageClass?: string;
  /** Encrypts with this key; with the bucket's default when absent. */
  kmsKeyArn?: string;
}

export function createS3Store(options: S3StoreOptions): S3Store {
  return new S3Store(options);
}

export class S3Store implements ObjectStore {
  readonly capabilities = S3_CAPABILITIES;
  private readonly calls: S3Calls;
  private readonly uploads: S3Uploads;
  private readonly inPlace: S3Touch;
  private readonly presignClient: S3Client;

  constructor({ client, presignClient, bucket, storageClass, kmsKeyArn }: S3StoreOptions) {
    this.calls = new S3Calls(client, bucket, this.capabilities, {
      ...(storageClass !== undefined && { StorageClass: storageClass as StorageClass }),
      ...(kmsKeyArn !== undefined && { ServerSideEncryption: "aws:kms", SSEKMSKeyId: kmsKeyArn }),
    });
    this.uploads = new S3Uploads(this.calls);
    this.inPlace = new S3Touch(this.calls, this.uploads);
    this.presignClient = presignClient ?? client;
  }

  async head(key: string, options: CallOptions = {}): Promise<ObjectHead | undefined> {
    const command = new HeadObjectCommand({ ...this.calls.target("head", key), ChecksumMode: "ENABLED" });
    try {
      return await this.calls.run("head", options, async () => {
        const output = await this.calls.client.send(command, httpOptions(options));
        return { ...parseHead(output, output.ContentLength), checksums: fullObjectChecksums(output) };
      });
    } catch (error) {
      if (isBridgeError(error, "NotFound")) return undefined;
      throw error;
    }
  }

  async getTags(key: string, options: CallOptions = {}): Promise<Tags> {
    const command = new GetObjectTaggingCommand(this.calls.target("getTags", key));
    const { TagSet } = await this.calls.run("getTags", options, () => this.calls.client.send(command, httpOptions(options)));
    return parseTags(TagSet);
  }

  async putTags(key: string, tags: Tags, options: CallOptions & { versionId?: string } = {}): Promise<void> {
    const command = new PutObjectTaggingCommand({
      ...this.calls.target("putTags", key),
      ...(options.versionId !== undefined && { VersionId: options.versionId }),
      Tagging: { TagSet: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) },
    });
    await this.calls.run("putTags", options, () => this.calls.client.send(command, httpOptions(options)));
  }

  async get(key: string, options: GetOptions = {}): Promise<{ head: Omit<ObjectHead, "checksums">; body: Readable }> {
    const { ifMatch, range } = options;
    if (range !== undefined) assertRange(range);
    const command = new GetObjectCommand({
      ...this.calls.target("get", key),
      ...conditionFields(ifMatch === undefined ? undefined : { ifMatch }),
      ...(range !== undefined && { Range: `bytes=${range.start}-${range.end}` }),
    });
    return this.calls.run("get", options, async () => {
      const output = await this.calls.client.send(command, httpOptions(options));
      const body = output.Body;
      if (!(body instanceof Readable)) throw new Error("the HTTP layer gave no Node stream: use a Node request handler");
      const totalBytes = output.ContentRange?.split("/")[1];
      return { head: parseHead(output, totalBytes === undefined ? output.ContentLength : Number(totalBytes)), body };
    });
  }

  async put(key: string, body: Readable | Uint8Array, options: PutOptions): Promise<PutResult> {
    const { attributes, checksum, condition, sizeBytes } = options;
    return releasing(body, async () => {
      const target = this.calls.target("put", key);
      assertMetadataNames("put", attributes.metadata);
      assertCondition("put", condition, this.capabilities);
      assertChecksum("put", checksum?.algorithm, this.capabilities.checksums);
      assertPutSize(sizeBytes, this.capabilities);
      const transmit = async (Body: Uint8Array | Readable, signal: AbortSignal | undefined) => {
        const command = new PutObjectCommand({
          ...target,
          ...this.calls.placement,
          ...attributeFields(attributes),
          ...conditionFields(condition),
          // CRC32, as Node computes it natively.
          ...(checksum === undefined ? { ChecksumAlgorithm: "CRC32" } : checksumFields(checksum)),
          Body,
          ContentLength: sizeBytes,
        });
        withRawExpires(command, attributes.headers.expires);
        return putResult(await this.calls.client.send(command, httpOptions({ signal })));
      };
      return this.calls.run("put", options, () => sendBody(body, options, transmit), condition);
    });
  }

  async delete(key: string, options: DeleteOptions = {}): Promise<void> {
    const { condition, versionId } = options;
    assertDelete(options, this.capabilities);
    const command = new DeleteObjectCommand({
      ...this.calls.target("delete", key),
      ...conditionFields(condition),
      ...(versionId !== undefined && { VersionId: versionId }),
    });
    try {
      await this.calls.run("delete", options, () => this.calls.client.send(command, httpOptions(options)), condition);
    } catch (error) {
      if (versionId === undefined || !isBridgeError(error, "NotFound") || !isMissingVersion(error.cause)) throw error;
    }
  }

  touch(key: string, options: CallOptions & { ifMatch?: string } = {}): Promise<PutResult> {
    return this.inPlace.touch(key, options);
  }

  createUpload(
    key: string,
    options: CallOptions & { attributes: ObjectAttributes; checksumAlgorithm?: ChecksumAlgorithm },
  ): Promise<{ uploadId: string }> {
    return this.uploads.create(key, options);
  }

  uploadPart(
    key: string,
    uploadId: string,
    partNumber: number,
    body: Uint8Array,
    options: CallOptions & { checksum?: Checksum } = {},
  ): Promise<UploadedPart> {
    return this.uploads.uploadPart(key, uploadId, partNumber, body, options);
  }

  listParts(key: string, uploadId: string, options: CallOptions = {}): Promise<UploadedPart[]> {
    return this.uploads.listParts(key, uploadId, options);
  }

  completeUpload(
    key: string,
    uploadId: string,
    parts: UploadedPart[],
    options: CallOptions & { condition?: WriteCondition; checksum?: Checksum } = {},
  ): Promise<PutResult> {
    return this.uploads.complete(key, uploadId, parts, options);
  }

  abortUpload(key: string, uploadId: string, options: CallOptions = {}): Promise<void> {
    return this.uploads.abort(key, uploadId, options);
  }

  async *list(prefix: string, options: CallOptions & { startAfter?: string } = {}): AsyncIterable<ListedObject> {
    // XML 1.0 cannot hold every key, so they come URL-encoded.
    const query = { Bucket: this.calls.bucket, Prefix: prefix, EncodingType: "url" } as const;
    let position: { StartAfter?: string; ContinuationToken?: string } = {};
    if (options.startAfter !== undefined) position.StartAfter = options.startAfter;
    for (;;) {
      const command = new ListObjectsV2Command({ ...query, ...position });
      const page: ListObjectsV2CommandOutput = await this.calls.run("list", options, () =>
        this.calls.client.send(command, httpOptions(options)),
      );
      for (const { Key = "", Size: sizeBytes = 0, ETag, LastModified = new Date(0), StorageClass } of page.Contents ?? [])
        yield {
          key: decodeListedKey(Key, page.EncodingType),
          sizeBytes,
          etag: unquote(ETag),
          lastModified: LastModified,
          ...(StorageClass === undefined ? {} : { storageClass: StorageClass }),
        };
      if (!page.IsTruncated || page.NextContinuationToken === undefined) return;
      position = { ContinuationToken: page.NextContinuationToken };
    }
  }

  async presignGet(key: string, options: PresignOptions): Promise<string> {
    assertExpiry(options);
    const command = new GetObjectCommand(this.calls.target("presignGet", key));
    const expiresIn = options.expiresInSeconds;
    return this.calls.run("presignGet", {}, () => getSignedUrl(this.presignClient, command, { expiresIn }));
  }
}
