/** The port over Alibaba Cloud OSS. https://www.alibabacloud.com/help/en/oss/developer-reference/list-of-operations-by-function */
import type { Readable } from "node:stream";
import type { Dispatcher } from "undici";
import { systemClock, systemRandom } from "../../protocol/ports";
import type { Checksum, ChecksumAlgorithm, Tags } from "../../protocol/snapshot";
import type { AppendedTail, AppendStore } from "../append-store";
import { abortedError, releasing } from "../body";
import {
  assertChecksum,
  assertCondition,
  assertDelete,
  assertExpiry,
  assertMetadataNames,
  assertPutSize,
  assertRange,
} from "../checks";
import { BridgeError, isBridgeError } from "../errors";
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
import { OssAppends } from "./append";
import { OssBody } from "./body";
import { contentMd5, crc64Of } from "./checksum";
import { createOssDispatcher, OssClient, required } from "./client";
import { OssContext } from "./context";
import type { OssCredentialsProvider } from "./credentials";
import { isAccelerated, ossEndpoint, ossTarget } from "./endpoint";
import { listObjects } from "./list";
import { parseHead } from "./metadata";
import { putObject } from "./put";
import { assertTags, parseTags, taggingDocument } from "./tags";
import { OssTouch } from "./touch";
import { OssUploads, withSignal } from "./uploads";

/** https://www.alibabacloud.com/help/en/oss/product-overview/limits */
export const OSS_CAPABILITIES: StoreCapabilities = {
  conditionalWrites: false,
  // Only where the bucket keeps no versions: elsewhere OSS ignores the condition.
  conditionalCreate: true,
  checksums: ["CRC64XZ"],
  multipartChecksums: ["CRC64XZ"],
  minPartSizeBytes: 100 * 1024,
  maxPartSizeBytes: 5 * 1024 ** 3,
  maxParts: 10_000,
  maxPutSizeBytes: 5 * 1024 ** 3,
  maxKeyBytes: 1023,
};
export const OSS_VERSIONED_CAPABILITIES: StoreCapabilities = { ...OSS_CAPABILITIES, conditionalCreate: false };

export interface OssStoreOptions {
  bucket: string;
  /** `cn-shanghai`; `oss-cn-shanghai` is the same. */
  region: string;
  credentials: OssCredentialsProvider;
  /** Whether the bucket's versioning is enabled or suspended. */
  versioned: boolean;
  /** For calls about objects; `ossEndpoint` names the vendor's. @default the region's public one */
  endpoint?: string;
  /** For calls about the bucket, which acceleration does not carry. @default endpoint, or the region's public one where that is accelerated */
  bucketEndpoint?: string;
  /** For URLs that others read. @default endpoint */
  presignEndpoint?: string;
  /** The bucket's default when absent. */
  storageClass?: string;
  /** Encrypts with this key; with the bucket's default when absent. */
  kmsKeyId?: string;
  /** From `createOssDispatcher`, shared by all stores of a process; who made it closes it. @default one of its own */
  dispatcher?: Dispatcher;
  /** Tries of one call. @default 3 */
  maxAttempts?: number;
  /** From the request to the answer's headers, over what its bytes need. @default 15000 */
  answerTimeoutMs?: number;
  /** Between two pieces of an answer's body. @default 15000 */
  bodyIdleMs?: number;
  /** A request whose bytes leave more slowly than this is given up. @default 65536 */
  minBytesPerSecond?: number;
  /** Milliseconds since the epoch, for signatures. @default the system's clock */
  now?: () => number;
  /** In [0, 1), for the waits between two tries. @default Math.random */
  random?: () => number;
}

/** @throws BridgeError `ConfigInvalid` for an endpoint that is none. */
export function createOssStore(options: OssStoreOptions): OssStore {
  return new OssStore(options);
}

export class OssStore implements ObjectStore, AppendStore {
  readonly capabilities: StoreCapabilities;
  private readonly client: OssClient;
  private readonly context: OssContext;
  private readonly uploads: OssUploads;
  private readonly inPlace: OssTouch;
  private readonly appends: OssAppends;

  constructor(options: OssStoreOptions) {
    const { bucket, region, credentials, versioned, storageClass, kmsKeyId } = options;
    const endpoint = options.endpoint ?? ossEndpoint(region);
    const data = ossTarget(endpoint, bucket);
    const bucketEndpoint = options.bucketEndpoint ?? (isAccelerated(endpoint) ? ossEndpoint(region) : endpoint);
    this.capabilities = versioned ? OSS_VERSIONED_CAPABILITIES : OSS_CAPABILITIES;
    this.client = new OssClient({
      bucket,
      region,
      credentials,
      data,
      bucketTarget: ossTarget(bucketEndpoint, bucket),
      presign: ossTarget(options.presignEndpoint ?? endpoint, bucket),
      dispatcher: options.dispatcher ?? createOssDispatcher(),
      maxAttempts: options.maxAttempts ?? 3,
      answerTimeoutMs: options.answerTimeoutMs ?? 15_000,
      bodyIdleMs: options.bodyIdleMs ?? 15_000,
      minBytesPerSecond: options.minBytesPerSecond ?? 64 * 1024,
      now: options.now ?? systemClock.now,
      random: options.random ?? systemRandom,
    });
    this.context = new OssContext(this.client, this.capabilities, {
      ...(storageClass !== undefined && { "x-oss-storage-class": storageClass }),
      ...(kmsKeyId !== undefined && { "x-oss-server-side-encryption": "KMS", "x-oss-server-side-encryption-key-id": kmsKeyId }),
    });
    this.uploads = new OssUploads(this.context);
    this.inPlace = new OssTouch(this.context, this.uploads);
    this.appends = new OssAppends(this.context);
  }

  async head(key: string, { signal }: CallOptions = {}): Promise<ObjectHead | undefined> {
    const op = "head";
    this.context.assertKey(op, key);
    try {
      return await this.client.text({ op, method: "HEAD", key, ...withSignal(signal) }, (_, headers) => {
        const checksum = crc64Of(headers);
        const sizeBytes = Number(required(op, "Content-Length", headers["content-length"]));
        return { ...parseHead(op, headers, sizeBytes), checksums: checksum === undefined ? [] : [checksum] };
      });
    } catch (error) {
      if (isBridgeError(error, "NotFound") && (error.cause as { code?: string }).code !== "NoSuchBucket") return undefined;
      throw error;
    }
  }

  async getTags(key: string, { signal }: CallOptions = {}): Promise<Tags> {
    const op = "getTags";
    this.context.assertKey(op, key);
    return this.client.text({ op, method: "GET", key, queries: { tagging: null }, ...withSignal(signal) }, parseTags);
  }

  async putTags(key: string, tags: Tags, { signal, versionId }: CallOptions & { versionId?: string } = {}): Promise<void> {
    const op = "putTags";
    this.context.assertKey(op, key);
    assertTags(op, tags);
    const queries = { tagging: null, ...(versionId !== undefined && { versionId }) };
    const target = { op, key, queries, ...withSignal(signal) };
    // OSS takes no empty set of tags.
    if (Object.keys(tags).length === 0) return this.client.text({ ...target, method: "DELETE" }, () => undefined);
    const body = taggingDocument(tags);
    await this.client.text({ ...target, method: "PUT", headers: contentMd5(body), body }, () => undefined);
  }

  async get(key: string, options: GetOptions = {}): Promise<{ head: Omit<ObjectHead, "checksums">; body: Readable }> {
    const op = "get";
    const { ifMatch, range, signal } = options;
    this.context.assertKey(op, key);
    if (range !== undefined) assertRange(range);
    const headers: Record<string, string> = {};
    if (ifMatch !== undefined) headers["if-match"] = `"${ifMatch}"`;
    if (range !== undefined) {
      headers.range = `bytes=${range.start}-${range.end}`;
      // OSS would answer a range that reaches beyond the end with the whole object.
      headers["x-oss-range-behavior"] = "standard";
    }
    return this.client.send({ op, method: "GET", key, headers, ...withSignal(signal) }, async (answer) => {
      try {
        const bodyBytes = Number(required(op, "Content-Length", answer.headers["content-length"]));
        const total = range === undefined ? bodyBytes : totalOf(answer.headers["content-range"]);
        const head = parseHead(op, answer.headers, total);
        const aborted = () => (signal?.aborted ? abortedError(op, signal.reason) : undefined);
        const checksum = range === undefined ? crc64Of(answer.headers) : undefined;
        return { head, body: new OssBody(answer.body, bodyBytes, checksum, aborted) };
      } catch (error) {
        answer.body.on("error", () => undefined).destroy();
        throw error;
      }
    });
  }

  async put(key: string, body: Readable | Uint8Array, options: PutOptions): Promise<PutResult> {
    return releasing(body, async () => {
      const { attributes, checksum, condition, sizeBytes } = options;
      this.context.assertKey("put", key);
      assertMetadataNames("put", attributes.metadata);
      assertTags("put", attributes.tags);
      assertCondition("put", condition, this.capabilities);
      assertChecksum("put", checksum?.algorithm, this.capabilities.checksums);
      assertPutSize(sizeBytes, this.capabilities);
      return putObject(this.context, this.uploads, key, body, options);
    });
  }

  async delete(key: string, options: DeleteOptions = {}): Promise<void> {
    const op = "delete";
    const { signal, versionId } = options;
    this.context.assertKey(op, key);
    assertDelete(options, this.capabilities);
    const queries = versionId === undefined ? {} : { versionId };
    try {
      await this.client.text({ op, method: "DELETE", key, queries, ...withSignal(signal) }, () => undefined);
    } catch (error) {
      const gone = isBridgeError(error, "NotFound") && (error.cause as { code?: string }).code !== "NoSuchBucket";
      if (versionId === undefined || !gone) throw error;
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

  list(prefix: string, options: CallOptions & { startAfter?: string } = {}): AsyncIterable<ListedObject> {
    return listObjects(this.client, prefix, options);
  }

  async presignGet(key: string, options: PresignOptions): Promise<string> {
    this.context.assertKey("presignGet", key);
    assertExpiry(options);
    return this.client.presignGet(key, options.expiresInSeconds);
  }

  append(key: string, position: number, bytes: Uint8Array, options: CallOptions = {}): Promise<{ sizeBytes: number }> {
    return this.appends.append(key, position, bytes, options);
  }

  readTail(key: string, maxBytes: number, options: CallOptions = {}): Promise<AppendedTail | undefined> {
    return this.appends.readTail(key, maxBytes, options);
  }
}

function totalOf(contentRange: string | undefined): number {
  const total = /^bytes \d+-\d+\/(\d+)$/.exec(contentRange ?? "")?.[1];
  if (total === undefined) throw new BridgeError("Invalid", "get", "OSS ignored the range: it begins beyond the object's end");
  return Number(total);
}
