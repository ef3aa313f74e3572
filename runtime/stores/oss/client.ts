/** Addresses and signs the requests to one bucket of OSS, and keeps wrong bytes from staying visible. */
import type { Dispatcher } from "undici";
import type { ConnectionOptions } from "../../http/agent";
import { type Call, type ClientLimits, HttpClient, type Signed } from "../../http/client";
import type { AnswerHeaders } from "../../http/exchange";
import { RenewingAgent } from "../../http/renewing-agent";
import { parseTagging } from "../../http/tagging";
import type { Checksum, Tags } from "../../protocol/snapshot";
import { isBridgeError } from "../errors";
import type { CallOptions, PresignOptions, PutResult, StoreCapabilities } from "../object-store";
import { TagCounts } from "../tag-counts";
import type { OssCredentialsProvider } from "./credentials";
import {
  isAccelerated,
  isOssEndpoint,
  type OssEndpoint,
  type OssTarget,
  ossEndpoint,
  ossPath,
  ossRegion,
  ossTarget,
} from "./endpoint";
import { ossErrors } from "./errors";
import { required, unquote, verifyReceived } from "./metadata";
import { type OssQueries, presignOssGet, signOssRequest } from "./sign";

export interface OssRequest extends Call {
  /** Absent for a call about the bucket, which goes to the bucket's endpoint. */
  key?: string | undefined;
  queries?: OssQueries | undefined;
}

export interface OssClientOptions extends ClientLimits {
  bucket: string;
  /** `cn-shanghai`; `oss-cn-shanghai` is the same. */
  region: string;
  credentials: OssCredentialsProvider;
  /** For calls about objects; see `ossEndpoint`. @default the region's public one */
  endpoint?: OssEndpoint | undefined;
  /** For calls about the bucket, which acceleration does not carry. @default endpoint, or the region's public one where that is accelerated */
  bucketEndpoint?: OssEndpoint | undefined;
  /** For URLs that others read. @default endpoint */
  presignEndpoint?: OssEndpoint | undefined;
  /** @default the bucket's own */
  storageClass?: string | undefined;
  /** Encrypts with this key. @default the bucket's own encryption */
  kmsKeyId?: string | undefined;
  /** From `createOssDispatcher`, shared by all stores of a process; its creator closes it. @default one of its own */
  dispatcher?: Dispatcher | undefined;
}

/** Connections to OSS. All stores of a process should share one. */
export function createOssDispatcher(options: ConnectionOptions = {}): RenewingAgent {
  return new RenewingAgent(options);
}

/** The base of the adapter: its bucket, endpoints, retries and errors. */
export class OssClient {
  readonly bucket: string;
  readonly http: HttpClient<OssRequest>;
  /** Headers with the configured storage class and encryption of new objects. */
  readonly placement: Readonly<Record<string, string>>;
  private readonly presignTarget: OssTarget;
  private readonly tagCounts: TagCounts;

  /** @throws BridgeError `ConfigInvalid` for an endpoint that is not `https://host[:port]`. */
  constructor(
    private readonly options: OssClientOptions,
    readonly capabilities: StoreCapabilities,
  ) {
    const { bucket, region, storageClass, kmsKeyId, endpoint = ossEndpoint(region) } = options;
    const bucketEndpoint = options.bucketEndpoint ?? (isAccelerated(endpoint) ? ossEndpoint(region) : endpoint);
    const targets = { data: ossTarget(endpoint, bucket), bucket: ossTarget(bucketEndpoint, bucket) };
    this.bucket = bucket;
    this.presignTarget = ossTarget(options.presignEndpoint ?? endpoint, bucket);
    this.tagCounts = new TagCounts(isOssEndpoint(endpoint));
    this.http = new HttpClient({
      ...options,
      dispatcher: options.dispatcher ?? createOssDispatcher(),
      errors: ossErrors,
      sign: (request, nowMs) =>
        signed(request, options, { target: request.key === undefined ? targets.bucket : targets.data, nowMs }),
    });
    this.placement = {
      ...(storageClass !== undefined && { "x-oss-storage-class": storageClass }),
      ...(kmsKeyId !== undefined && { "x-oss-server-side-encryption": "KMS", "x-oss-server-side-encryption-key-id": kmsKeyId }),
    };
  }

  /** Sends the request until OSS accepts it and `take` succeeds. For answers that are a document or empty. */
  text<T>(request: OssRequest, take: (text: string, headers: AnswerHeaders) => T): Promise<T> {
    return this.bytes(request, (body, headers) => take(body.toString("utf8"), headers));
  }

  /** Like `text`, for a document that is too large to be turned into a text first. */
  bytes<T>(request: OssRequest, take: (body: Buffer, headers: AnswerHeaders) => T): Promise<T> {
    return this.http.send(request, ({ body, headers }) => take(body, headers));
  }

  async presignGet(key: string, { expiresInSeconds, reads }: PresignOptions): Promise<string> {
    const { bucket, credentials, region } = this.options;
    const queries = presignOssGet(
      { bucket, key, expiresInSeconds, reads },
      await credentials(),
      ossRegion(region),
      this.http.now(),
    );
    return this.presignTarget.origin + ossPath(this.presignTarget, key, queries);
  }

  async getTags(key: string, { signal }: CallOptions = {}, op = "getTags"): Promise<Tags> {
    const tags = await this.text({ op, method: "GET", key, queries: { tagging: null }, signal }, (text) =>
      required(op, "document of tags", parseTagging(text)),
    );
    this.tagCounts.tagsWereRead();
    return tags;
  }

  /** The number of tags in an answer to HEAD, where it is certain. */
  tagCountOf(headers: AnswerHeaders): { tagCount?: number } {
    const tagCount = this.tagCounts.read(headers["x-oss-tagging-count"]);
    return tagCount === undefined ? {} : { tagCount };
  }

  /**
   * Compares the CRC-64 that was sent with the one that OSS stored. OSS reports it only when the object is visible, so a wrong object is
   * deleted again. Where versions are kept that is exactly the version that was written, and the one before becomes current. Elsewhere it
   * is the object, unless another write has replaced it since.
   * @throws BridgeError `Corrupted` when the two differ.
   */
  async deleteIfCorrupted(
    op: string,
    key: string,
    written: PutResult,
    { sent, received }: { sent: Checksum | undefined; received: Checksum | undefined },
  ): Promise<void> {
    try {
      if (sent?.algorithm === "CRC64XZ") verifyReceived(op, sent, received);
    } catch (error) {
      await this.discard(op, key, written);
      throw error;
    }
  }

  private async discard(op: string, key: string, { etag, versionId }: PutResult): Promise<void> {
    if (versionId !== undefined && versionId !== "null") {
      await this.text({ op, method: "DELETE", key, queries: { versionId } }, () => undefined);
      return;
    }
    try {
      const current = await this.text({ op, method: "HEAD", key }, (_, headers) => headers.etag);
      if (current === undefined || unquote(current) !== etag) return;
    } catch (error) {
      if (isBridgeError(error, "NotFound")) return;
      throw error;
    }
    await this.text({ op, method: "DELETE", key }, () => undefined);
  }
}

async function signed(
  { method, key, queries = {}, headers = {} }: OssRequest,
  { bucket, credentials, region }: OssClientOptions,
  { target, nowMs }: { target: OssTarget; nowMs: number },
): Promise<Signed> {
  return {
    origin: target.origin,
    path: ossPath(target, key, queries),
    headers: signOssRequest({ method, bucket, key, queries, headers }, await credentials(), ossRegion(region), nowMs),
  };
}
