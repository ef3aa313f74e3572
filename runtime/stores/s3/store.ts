/** The port over S3 and other servers of its protocol. https://docs.aws.amazon.com/AmazonS3/latest/API/Welcome.html */
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
import type { Tags } from "../../protocol/snapshot";
import { checked } from "../checked-store";
import type { CopyLimits } from "../copy-in-place";
import { isBridgeError } from "../errors";
import type {
  CallOptions,
  DeleteOptions,
  GetOptions,
  ListedObject,
  ListOptions,
  ObjectHead,
  ObjectStore,
  PresignOptions,
  PutOptions,
  PutResult,
  PutTagsOptions,
  StoreCapabilities,
  TouchOptions,
} from "../object-store";
import { namingRefusedTags } from "../refused-tags";
import { sendBody } from "./body";
import { conditionFields, httpOptions, isMissingVersion, putResult, sendForHeaders, withRawHeaders } from "./calls";
import {
  attributeFields,
  checksumFields,
  decodeListedKey,
  fullObjectChecksums,
  parseHead,
  S3_CHECKSUMS,
  S3_METADATA,
  unquote,
} from "./metadata";
import { S3_COPY_LIMITS, touchS3Object } from "./touch";
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
  metadata: S3_METADATA,
};

export interface S3StoreOptions {
  /** Create it with `createS3Client`. */
  client: S3Client;
  /** Signs URLs, where their readers reach the store by another endpoint. @default client */
  presignClient?: S3Client | undefined;
  bucket: string;
  /** @default the bucket's own */
  storageClass?: string | undefined;
  /** Encrypts with this key. @default the bucket's own encryption */
  kmsKeyArn?: string | undefined;
  /** When `touch` copies in parts. @default S3_COPY_LIMITS */
  copyLimits?: CopyLimits | undefined;
}

export function createS3Store(options: S3StoreOptions): ObjectStore {
  return checked(new S3Adapter(options), { name: options.bucket });
}

class S3Adapter extends S3Uploads implements ObjectStore {
  private readonly copyLimits: CopyLimits;
  private readonly presignClient: S3Client;

  constructor({ client, presignClient = client, bucket, storageClass, kmsKeyArn, copyLimits = S3_COPY_LIMITS }: S3StoreOptions) {
    super(client, bucket, S3_CAPABILITIES, {
      StorageClass: storageClass as StorageClass | undefined,
      ServerSideEncryption: kmsKeyArn === undefined ? undefined : "aws:kms",
      SSEKMSKeyId: kmsKeyArn,
    });
    this.copyLimits = copyLimits;
    this.presignClient = presignClient;
  }

  async head(key: string, options: CallOptions = {}): Promise<ObjectHead | undefined> {
    const command = new HeadObjectCommand({ ...this.target(key), ChecksumMode: "ENABLED" });
    try {
      return await this.run("head", options, async (client, http) => {
        const { output, raw } = await sendForHeaders(client, command, http);
        return { ...parseHead(output, raw, output.ContentLength), checksums: fullObjectChecksums(output) };
      });
    } catch (error) {
      if (isBridgeError(error, "NotFound")) return undefined;
      throw error;
    }
  }

  async putTags(key: string, tags: Tags, options: PutTagsOptions = {}): Promise<void> {
    const command = new PutObjectTaggingCommand({
      ...this.target(key),
      VersionId: options.versionId,
      Tagging: { TagSet: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) },
    });
    await namingRefusedTags(tags, () => this.run("putTags", options, (client, http) => client.send(command, http)));
  }

  async get(key: string, options: GetOptions = {}): Promise<{ head: Omit<ObjectHead, "checksums">; body: Readable }> {
    const { ifMatch, range } = options;
    const command = new GetObjectCommand({
      ...this.target(key),
      ...conditionFields({ ifMatch }),
      Range: range && `bytes=${range.start}-${range.end}`,
    });
    return this.run("get", options, async (client, http) => {
      const { output, raw } = await sendForHeaders(client, command, http);
      const body = output.Body;
      if (!(body instanceof Readable)) throw new Error("the HTTP layer gave no Node stream: use a Node request handler");
      const totalBytes = output.ContentRange?.split("/")[1];
      return { head: parseHead(output, raw, totalBytes === undefined ? output.ContentLength : Number(totalBytes)), body };
    });
  }

  async put(key: string, body: Readable | Uint8Array, options: PutOptions): Promise<PutResult> {
    const { attributes, checksum, condition, sizeBytes } = options;
    const transmit = (Body: Uint8Array | Readable, signal: AbortSignal | undefined) =>
      this.place(!(Body instanceof Readable), async (placement) => {
        const command = new PutObjectCommand({
          ...this.target(key),
          ...placement,
          ...attributeFields(attributes),
          ...conditionFields(condition),
          // Node computes CRC32 natively.
          ...(checksum === undefined ? { ChecksumAlgorithm: "CRC32" } : checksumFields(checksum)),
          Body,
          ContentLength: sizeBytes,
        });
        withRawHeaders(command, attributes.headers);
        return putResult(await this.client.send(command, httpOptions(signal)));
      });
    return namingRefusedTags(attributes.tags, () => this.run("put", options, () => sendBody(body, options, transmit), condition));
  }

  async delete(key: string, options: DeleteOptions = {}): Promise<void> {
    const { condition, versionId } = options;
    const command = new DeleteObjectCommand({ ...this.target(key), ...conditionFields(condition), VersionId: versionId });
    try {
      await this.run("delete", options, (client, http) => client.send(command, http), condition);
    } catch (error) {
      if (versionId === undefined || !isBridgeError(error, "NotFound") || !isMissingVersion(error.cause)) throw error;
    }
  }

  touch(key: string, options: TouchOptions = {}): Promise<PutResult> {
    return touchS3Object(this, this.copyLimits, key, options);
  }

  async *list(prefix: string, options: ListOptions = {}): AsyncIterable<ListedObject> {
    // XML 1.0 cannot hold every key, so S3 is asked to encode them.
    const query = { Bucket: this.bucket, Prefix: prefix, EncodingType: "url" } as const;
    let position: { StartAfter?: string | undefined; ContinuationToken?: string } = { StartAfter: options.startAfter };
    for (;;) {
      const command = new ListObjectsV2Command({ ...query, ...position });
      const page: ListObjectsV2CommandOutput = await this.run("list", options, (client, http) => client.send(command, http));
      for (const { Key = "", Size: sizeBytes = 0, ETag, LastModified = new Date(0) } of page.Contents ?? [])
        yield {
          key: decodeListedKey(Key, page.EncodingType),
          sizeBytes,
          etag: unquote(ETag),
          lastModified: LastModified,
        };
      if (!page.IsTruncated || page.NextContinuationToken === undefined) return;
      position = { ContinuationToken: page.NextContinuationToken };
    }
  }

  async presignGet(key: string, options: PresignOptions): Promise<string> {
    const { reads, expiresInSeconds: expiresIn } = options;
    const { presignClient } = this;
    return this.run("presignGet", {}, () =>
      reads === "tags"
        ? getSignedUrl(presignClient, new GetObjectTaggingCommand(this.target(key)), { expiresIn })
        : getSignedUrl(presignClient, new GetObjectCommand(this.target(key)), { expiresIn }),
    );
  }
}
