/**
 * Requests to one bucket: the vendor's signer signs them, undici sends them. The vendor's own client does not fit: it has one time limit
 * for a whole transfer, takes no AbortSignal, reads every answer that is not a stream into memory, and checks no CRC.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Agent, Dispatcher } from "undici";
import { createAgent } from "../../http/agent";
import { systemClock, systemRandom } from "../../protocol/ports";
import type { Checksum, Tags } from "../../protocol/snapshot";
import { abortedError } from "../body";
import { isBridgeError } from "../errors";
import type { CallOptions, PresignOptions, PutResult, StoreCapabilities } from "../object-store";
import { readAll } from "../read-all";
import type { OssCredentialsProvider } from "./credentials";
import { isAccelerated, type OssTarget, ossEndpoint, ossPath, ossRegion, ossTarget } from "./endpoint";
import { readRefusal, refusalError, transportError } from "./errors";
import { parseTags, unquote, verifyReceived } from "./metadata";
import { type OssQueries, presignOssGet, signOssRequest } from "./sign";

export interface OssRequest extends CallOptions {
  op: string;
  method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  /** Absent for a call about the bucket, which goes to the bucket's endpoint. */
  key?: string | undefined;
  queries?: OssQueries;
  headers?: Record<string, string>;
  body?: Uint8Array | undefined;
  /** Tries of this call. @default the client's */
  maxAttempts?: number | undefined;
  /** Added to the time limit, for work that OSS does before it answers. @default 0 */
  workMs?: number | undefined;
}

export interface OssAnswer {
  status: number;
  headers: Readonly<Record<string, string>>;
  body: Dispatcher.ResponseData["body"];
}

export interface OssClientOptions {
  bucket: string;
  /** `cn-shanghai`; `oss-cn-shanghai` is the same. */
  region: string;
  credentials: OssCredentialsProvider;
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
  /** The client gives up a request whose bytes leave more slowly. @default 65536 */
  minBytesPerSecond?: number | undefined;
  /** Milliseconds since the epoch, for signatures. @default the system's clock */
  now?: (() => number) | undefined;
  /** In [0, 1); varies the waits between two tries. @default Math.random */
  random?: (() => number) | undefined;
}

/** Connections to OSS. All stores of a process should share one. */
export function createOssDispatcher(
  options: { ca?: string | undefined; connections?: number; connectTimeoutMs?: number } = {},
): Agent {
  return createAgent(options);
}

const MAX_DOCUMENT_BYTES = 16 * 1024 ** 2;
const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 2_000;

/** The base of the adapter: its bucket, endpoints, retries and errors. */
export class OssClient {
  readonly bucket: string;
  /** Headers with the configured storage class and encryption of new objects. */
  readonly placement: Readonly<Record<string, string>>;
  private readonly dispatcher: Dispatcher;
  private readonly endpoints: { data: OssTarget; bucket: OssTarget; presign: OssTarget };
  /** How far OSS's clock is ahead of this one. */
  private skewMs = 0;

  /** @throws BridgeError `ConfigInvalid` for an endpoint that is not `https://host[:port]`. */
  constructor(
    private readonly options: OssClientOptions,
    readonly capabilities: StoreCapabilities,
  ) {
    const { bucket, region, storageClass, kmsKeyId, endpoint = ossEndpoint(region) } = options;
    const bucketEndpoint = options.bucketEndpoint ?? (isAccelerated(endpoint) ? ossEndpoint(region) : endpoint);
    this.bucket = bucket;
    this.dispatcher = options.dispatcher ?? createOssDispatcher();
    this.endpoints = {
      data: ossTarget(endpoint, bucket),
      bucket: ossTarget(bucketEndpoint, bucket),
      presign: ossTarget(options.presignEndpoint ?? endpoint, bucket),
    };
    this.placement = {
      ...(storageClass !== undefined && { "x-oss-storage-class": storageClass }),
      ...(kmsKeyId !== undefined && { "x-oss-server-side-encryption": "KMS", "x-oss-server-side-encryption-key-id": kmsKeyId }),
    };
  }

  /**
   * Sends the request until OSS accepts it and `take` succeeds, at most `maxAttempts` times. Bodies are in memory, so each can be sent
   * again. `take` must read the body of the answer to its end or destroy it.
   */
  async send<T>(request: OssRequest, take: (answer: OssAnswer) => Promise<T>): Promise<T> {
    const { op, signal, maxAttempts = this.options.maxAttempts ?? 3 } = request;
    for (let attempt = 1; ; attempt++) {
      try {
        return await take(await this.attempt(request, attempt));
      } catch (cause) {
        if (signal?.aborted) throw abortedError(op, cause);
        const error = transportError(op, cause);
        if (attempt >= maxAttempts || !error.retryable || error.kind === "Unexpected") throw error;
      }
      const longest = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** (attempt - 1));
      await delay(longest * (0.5 + (this.options.random ?? systemRandom)() / 2), undefined, { signal }).catch((cause) => {
        throw abortedError(op, cause);
      });
    }
  }

  /** Like `send`, for answers that are a document or empty. */
  text<T>(request: OssRequest, take: (text: string, headers: OssAnswer["headers"]) => T): Promise<T> {
    return this.send(request, async ({ headers, body }) =>
      take((await readAll(body, MAX_DOCUMENT_BYTES)).toString("utf8"), headers),
    );
  }

  async presignGet(key: string, { expiresInSeconds, reads }: PresignOptions): Promise<string> {
    const { bucket, credentials, region } = this.options;
    const { presign } = this.endpoints;
    const queries = presignOssGet({ bucket, key, expiresInSeconds, reads }, await credentials(), ossRegion(region), this.now());
    return presign.origin + ossPath(presign, key, queries);
  }

  getTags(key: string, { signal }: CallOptions = {}, op = "getTags"): Promise<Tags> {
    return this.text({ op, method: "GET", key, queries: { tagging: null }, signal }, parseTags);
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

  private async attempt(request: OssRequest, attempt: number): Promise<OssAnswer> {
    const { op, method, key, queries = {}, headers: given = {}, body, signal, workMs = 0 } = request;
    const { bucket, credentials, region, answerTimeoutMs = 15_000, minBytesPerSecond = 64 * 1024 } = this.options;
    const target = key === undefined ? this.endpoints.bucket : this.endpoints.data;
    const signing = { method, bucket, key, queries, headers: given };
    const answer = await this.dispatcher.request({
      origin: target.origin,
      path: ossPath(target, key, queries),
      method,
      headers: signOssRequest(signing, await credentials(), ossRegion(region), this.now()),
      body: body ?? null,
      // Without this undici closes the connection after each HEAD, and the next call begins with a handshake across the border.
      reset: false,
      headersTimeout: answerTimeoutMs + workMs + Math.ceil(((body?.byteLength ?? 0) / minBytesPerSecond) * 1000),
      bodyTimeout: this.options.bodyIdleMs ?? 15_000,
      signal: signal ?? null,
    });
    const headers = flatten(answer.headers);
    if (answer.statusCode >= 200 && answer.statusCode < 300) return { status: answer.statusCode, headers, body: answer.body };
    const refusal = readRefusal(answer.statusCode, headers, (await readAll(answer.body, MAX_DOCUMENT_BYTES)).toString("utf8"));
    if (refusal.code === "RequestTimeTooSkewed") this.learnSkew(headers.date);
    throw refusalError(op, refusal, attempt);
  }

  private now(): number {
    return this.clockMs() + this.skewMs;
  }

  private clockMs(): number {
    return (this.options.now ?? systemClock.now)();
  }

  private learnSkew(date: string | undefined): void {
    const theirs = Date.parse(date ?? "");
    if (!Number.isNaN(theirs)) this.skewMs = theirs - this.clockMs();
  }
}

/** OSS repeats no header that matters here, but a proxy might. */
function flatten(headers: Dispatcher.ResponseData["headers"]): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(", ") : value;
  return flat;
}
