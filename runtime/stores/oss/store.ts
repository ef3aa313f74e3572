/** The port over Alibaba Cloud OSS. https://www.alibabacloud.com/help/en/oss/developer-reference/list-of-operations-by-function */
import type { Readable } from "node:stream";
import type { Dispatcher } from "undici";
import { systemClock, systemRandom } from "../../protocol/ports";
import type { Tags } from "../../protocol/snapshot";
import { abortedError } from "../body";
import { CheckedStore } from "../checked-store";
import type { CopyLimits } from "../copy-in-place";
import { BridgeError, isBridgeError } from "../errors";
import type {
  AppendedTail,
  AppendStore,
  CallOptions,
  CompleteUploadOptions,
  CreateUploadOptions,
  DeleteOptions,
  GetOptions,
  ListedObject,
  ListOptions,
  ObjectHead,
  ObjectStore,
  PartId,
  PresignOptions,
  PutOptions,
  PutResult,
  PutTagsOptions,
  StoreCapabilities,
  TouchOptions,
  UploadedPart,
  UploadPartOptions,
} from "../object-store";
import { OssAppends } from "./append";
import { OssBody } from "./body";
import { createOssDispatcher, OssClient, required } from "./client";
import { OssContext } from "./context";
import type { OssCredentialsProvider } from "./credentials";
import { isAccelerated, ossEndpoint, ossTarget } from "./endpoint";
import { checkTags, contentMd5, crc64Of, parseHead, parseTags, taggingDocument, unquote } from "./metadata";
import { putObject } from "./put";
import type { OssQueries } from "./sign";
import { OSS_COPY_LIMITS, touchOssObject } from "./touch";
import { OssUploads } from "./uploads";
import { xmlElements, xmlText } from "./xml";

/** https://www.alibabacloud.com/help/en/oss/product-overview/limits */
export const OSS_CAPABILITIES: StoreCapabilities = {
  conditionalWrites: false,
  // A bucket that keeps versions ignores the condition.
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
  /** For calls about objects; see `ossEndpoint`. @default the region's public one */
  endpoint?: string | undefined;
  /** For calls about the bucket, which acceleration does not carry. @default endpoint, or the region's public one where that is accelerated */
  bucketEndpoint?: string | undefined;
  /** For URLs that others read. @default endpoint */
  presignEndpoint?: string | undefined;
  /** @default the bucket's own */
  storageClass?: string | undefined;
  /** Encrypts with this key. @default the bucket's own encryption */
  kmsKeyId?: string | undefined;
  /** From `createOssDispatcher`, shared by all stores of a process; its creator closes it. @default one of its own */
  dispatcher?: Dispatcher | undefined;
  /** Tries of one call. @default 3 */
  maxAttempts?: number | undefined;
  /** The time from the request to the headers of the answer, besides the time for the bytes of the request. @default 15000 */
  answerTimeoutMs?: number | undefined;
  /** The time between two pieces of the body of an answer. @default 15000 */
  bodyIdleMs?: number | undefined;
  /** The client gives a request up whose bytes leave more slowly. @default 65536 */
  minBytesPerSecond?: number | undefined;
  /** When `touch` copies in parts. @default OSS_COPY_LIMITS */
  copyLimits?: CopyLimits | undefined;
  /** Milliseconds since the epoch, for signatures. @default the system's clock */
  now?: (() => number) | undefined;
  /** In [0, 1); varies the waits between two tries. @default Math.random */
  random?: (() => number) | undefined;
}

/** @throws BridgeError `ConfigInvalid` for an endpoint that is not `https://host[:port]`. */
export function createOssStore(options: OssStoreOptions): OssStore {
  return new OssStore(options);
}

export class OssStore extends CheckedStore<OssAdapter> implements AppendStore {
  constructor(options: OssStoreOptions) {
    super(new OssAdapter(options), { checkKey, checkTags });
  }

  async append(key: string, position: number, bytes: Uint8Array, options: CallOptions = {}): Promise<{ sizeBytes: number }> {
    this.checkCall("append", key, options);
    return this.adapter.appends.append(key, position, bytes, options);
  }

  async readTail(key: string, maxBytes: number, options: CallOptions = {}): Promise<AppendedTail | undefined> {
    this.checkCall("readTail", key, options);
    return this.adapter.appends.readTail(key, maxBytes, options);
  }
}

/** https://www.alibabacloud.com/help/en/oss/support/0016-00000005 */
function checkKey(op: string, key: string): void {
  if (key.startsWith("/") || key.startsWith("\\"))
    throw new BridgeError(
      "Invalid",
      op,
      `OSS holds no key that begins with ${key[0]}: ${JSON.stringify(key.slice(0, 100))}; rename it at the source, or set a destination prefix`,
    );
}

class OssAdapter implements ObjectStore {
  readonly capabilities: StoreCapabilities;
  readonly appends: OssAppends;
  private readonly client: OssClient;
  private readonly uploads: OssUploads;
  private readonly copyLimits: CopyLimits;

  constructor(options: OssStoreOptions) {
    const { versioned, storageClass, kmsKeyId } = options;
    this.capabilities = versioned ? OSS_VERSIONED_CAPABILITIES : OSS_CAPABILITIES;
    this.copyLimits = options.copyLimits ?? OSS_COPY_LIMITS;
    this.client = openClient(options);
    const context = new OssContext(this.client, this.capabilities, {
      ...(storageClass !== undefined && { "x-oss-storage-class": storageClass }),
      ...(kmsKeyId !== undefined && { "x-oss-server-side-encryption": "KMS", "x-oss-server-side-encryption-key-id": kmsKeyId }),
    });
    this.uploads = new OssUploads(context);
    this.appends = new OssAppends(context);
  }

  async head(key: string, { signal }: CallOptions = {}): Promise<ObjectHead | undefined> {
    const op = "head";
    try {
      return await this.client.text({ op, method: "HEAD", key, signal }, (_, headers) => {
        const checksum = crc64Of(headers);
        const sizeBytes = Number(required(op, "Content-Length", headers["content-length"]));
        return { ...parseHead(op, headers, sizeBytes), checksums: checksum === undefined ? [] : [checksum] };
      });
    } catch (error) {
      if (isMissingObject(error)) return undefined;
      throw error;
    }
  }

  getTags(key: string, { signal }: CallOptions = {}): Promise<Tags> {
    return this.client.text({ op: "getTags", method: "GET", key, queries: { tagging: null }, signal }, parseTags);
  }

  async putTags(key: string, tags: Tags, { signal, versionId }: PutTagsOptions = {}): Promise<void> {
    const queries = { tagging: null, ...(versionId !== undefined && { versionId }) };
    const target = { op: "putTags", key, queries, signal };
    // OSS refuses an empty set of tags.
    if (Object.keys(tags).length === 0) return this.client.text({ ...target, method: "DELETE" }, () => undefined);
    const body = taggingDocument(tags);
    await this.client.text({ ...target, method: "PUT", headers: contentMd5(body), body }, () => undefined);
  }

  get(key: string, options: GetOptions = {}): Promise<{ head: Omit<ObjectHead, "checksums">; body: Readable }> {
    const op = "get";
    const { ifMatch, range, signal } = options;
    const headers: Record<string, string> = {};
    if (ifMatch !== undefined) headers["if-match"] = `"${ifMatch}"`;
    if (range !== undefined) {
      headers.range = `bytes=${range.start}-${range.end}`;
      // OSS would answer a range that reaches beyond the end with the whole object.
      headers["x-oss-range-behavior"] = "standard";
    }
    return this.client.send({ op, method: "GET", key, headers, signal }, async (answer) => {
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

  put(key: string, body: Readable | Uint8Array, options: PutOptions): Promise<PutResult> {
    return putObject(this.uploads, key, body, options);
  }

  async delete(key: string, { signal, versionId }: DeleteOptions = {}): Promise<void> {
    const queries = versionId === undefined ? {} : { versionId };
    try {
      await this.client.text({ op: "delete", method: "DELETE", key, queries, signal }, () => undefined);
    } catch (error) {
      if (versionId === undefined || !isMissingObject(error)) throw error;
    }
  }

  touch(key: string, options: TouchOptions = {}): Promise<PutResult> {
    return touchOssObject(this.uploads, this.copyLimits, key, options);
  }

  createUpload(key: string, options: CreateUploadOptions): Promise<{ uploadId: string }> {
    return this.uploads.create(key, options);
  }

  uploadPart(key: string, part: PartId, body: Uint8Array, options?: UploadPartOptions): Promise<UploadedPart> {
    return this.uploads.uploadPart(key, part, body, options);
  }

  listParts(key: string, uploadId: string, options?: CallOptions): Promise<UploadedPart[]> {
    return this.uploads.listParts(key, uploadId, options);
  }

  completeUpload(key: string, uploadId: string, parts: UploadedPart[], options?: CompleteUploadOptions): Promise<PutResult> {
    return this.uploads.complete(key, uploadId, parts, options);
  }

  abortUpload(key: string, uploadId: string, options?: CallOptions): Promise<void> {
    return this.uploads.abort(key, uploadId, options);
  }

  /** https://www.alibabacloud.com/help/en/oss/developer-reference/listobjectsv2 */
  async *list(prefix: string, { signal, startAfter }: ListOptions = {}): AsyncIterable<ListedObject> {
    const op = "list";
    // XML 1.0 cannot hold every key, so OSS is asked to encode them.
    const queries: OssQueries = { "list-type": "2", "encoding-type": "url", "max-keys": LIST_PAGE };
    if (prefix !== "") queries.prefix = prefix;
    let position: OssQueries = startAfter === undefined ? {} : { "start-after": startAfter };
    for (;;) {
      const request = { op, method: "GET", queries: { ...queries, ...position }, signal } as const;
      const page = await this.client.text(request, (text) => text);
      for (const object of xmlElements(page, "Contents")) yield parseListedObject(op, object);
      if (xmlText(page, "IsTruncated") !== "true") return;
      position = { "continuation-token": required(op, "continuation token", xmlText(page, "NextContinuationToken")) };
    }
  }

  presignGet(key: string, { expiresInSeconds }: PresignOptions): Promise<string> {
    return this.client.presignGet(key, expiresInSeconds);
  }
}

const LIST_PAGE = "1000";

function openClient(options: OssStoreOptions): OssClient {
  const { bucket, region, credentials } = options;
  const endpoint = options.endpoint ?? ossEndpoint(region);
  const bucketEndpoint = options.bucketEndpoint ?? (isAccelerated(endpoint) ? ossEndpoint(region) : endpoint);
  return new OssClient({
    bucket,
    region,
    credentials,
    data: ossTarget(endpoint, bucket),
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
}

/** The object or the version is not there, as opposed to the bucket. */
function isMissingObject(error: unknown): boolean {
  return isBridgeError(error, "NotFound") && (error.cause as { code?: string }).code !== "NoSuchBucket";
}

function parseListedObject(op: string, object: string): ListedObject {
  const field = (name: string): string => required(op, name, xmlText(object, name));
  const storageClass = xmlText(object, "StorageClass");
  return {
    key: decodeURIComponent(field("Key").replaceAll("+", "%20")),
    sizeBytes: Number(field("Size")),
    etag: unquote(field("ETag")),
    lastModified: new Date(field("LastModified")),
    ...(storageClass === undefined ? {} : { storageClass }),
  };
}

function totalOf(contentRange: string | undefined): number {
  const total = /^bytes \d+-\d+\/(\d+)$/.exec(contentRange ?? "")?.[1];
  if (total === undefined) throw new BridgeError("Invalid", "get", "OSS ignored the range: it begins beyond the object's end");
  return Number(total);
}
