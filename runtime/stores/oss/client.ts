/**
 * Requests to one bucket: signed by the vendor's signer, sent by undici. The vendor's own client cannot do this part: it has one time
 * limit over a whole transfer, takes no AbortSignal, reads every answer that is not a stream into memory and checks no CRC.
 */
import { setTimeout as delay } from "node:timers/promises";
import { Agent, type Dispatcher } from "undici";
import { abortedError, throwIfAborted } from "../body";
import { BridgeError } from "../errors";
import type { CallOptions } from "../object-store";
import { readAll } from "../read-all";
import type { OssCredentialsProvider } from "./credentials";
import { type OssTarget, ossPath, ossRegion } from "./endpoint";
import { readRefusal, refusalError, transportError } from "./errors";
import { type OssQueries, presignOssGet, signOssRequest } from "./sign";

export interface OssRequest extends CallOptions {
  op: string;
  method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  /** Absent for a call about the bucket, which goes to the bucket's endpoint. */
  key?: string;
  queries?: OssQueries;
  headers?: Record<string, string>;
  body?: Uint8Array;
  /** Tries of this call. @default the client's */
  maxAttempts?: number;
  /** For what OSS does before it answers, over the usual time for an answer. @default 0 */
  workMs?: number;
}

export interface OssAnswer {
  status: number;
  headers: Readonly<Record<string, string>>;
  body: Dispatcher.ResponseData["body"];
}

export interface OssClientOptions {
  bucket: string;
  region: string;
  credentials: OssCredentialsProvider;
  /** For calls about objects. */
  data: OssTarget;
  /** For calls about the bucket. */
  bucketTarget: OssTarget;
  /** For URLs that others read. */
  presign: OssTarget;
  dispatcher: Dispatcher;
  maxAttempts: number;
  /** From the request to the answer's headers, over what the bytes of the request need. */
  answerTimeoutMs: number;
  /** Between two pieces of an answer's body. */
  bodyIdleMs: number;
  /** A request whose bytes leave more slowly than this is given up. */
  minBytesPerSecond: number;
  now: () => number;
  /** In [0, 1), for the waits between two tries. */
  random: () => number;
}

/** Connections to OSS, best shared by all stores of a process. */
export function createOssDispatcher(options: { ca?: string; connections?: number; connectTimeoutMs?: number } = {}): Agent {
  const { ca, connections = 64, connectTimeoutMs = 5_000 } = options;
  const connect = { timeout: connectTimeoutMs, rejectUnauthorized: true, ...(ca !== undefined && { ca }) };
  return new Agent({ connections, pipelining: 1, connect });
}

const MAX_DOCUMENT_BYTES = 16 * 1024 ** 2;
const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 2_000;

export class OssClient {
  /** How far OSS's clock is ahead of this one. */
  private skewMs = 0;

  constructor(private readonly options: OssClientOptions) {}

  get bucket(): string {
    return this.options.bucket;
  }

  /**
   * Sends until OSS accepts and `take` is content, at most `maxAttempts` times: bodies are in memory, so each can be sent again.
   * `take` must consume or destroy the answer's body.
   */
  async send<T>(request: OssRequest, take: (answer: OssAnswer) => Promise<T>): Promise<T> {
    const { op, signal, maxAttempts = this.options.maxAttempts } = request;
    for (let attempt = 1; ; attempt++) {
      throwIfAborted(op, signal);
      try {
        return await take(await this.attempt(request, attempt));
      } catch (cause) {
        if (signal?.aborted) throw abortedError(op, cause);
        const error = transportError(op, cause);
        if (attempt >= maxAttempts || !error.retryable || error.kind === "Unexpected") throw error;
      }
      const longest = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** (attempt - 1));
      await delay(longest * (0.5 + this.options.random() / 2), undefined, signal === undefined ? {} : { signal }).catch(
        (cause) => {
          throw abortedError(op, cause);
        },
      );
    }
  }

  /** As `send`, for answers that are a document or nothing. */
  text<T>(request: OssRequest, take: (text: string, headers: OssAnswer["headers"]) => T): Promise<T> {
    return this.send(request, async ({ headers, body }) =>
      take((await readAll(body, MAX_DOCUMENT_BYTES)).toString("utf8"), headers),
    );
  }

  async presignGet(key: string, expiresInSeconds: number): Promise<string> {
    const { presign, bucket, credentials, region } = this.options;
    const queries = presignOssGet({ bucket, key, expiresInSeconds }, await credentials(), ossRegion(region), this.now());
    return presign.origin + ossPath(presign, key, queries);
  }

  private async attempt(request: OssRequest, attempt: number): Promise<OssAnswer> {
    const { op, method, key, queries = {}, body, signal, workMs = 0 } = request;
    const { bucket, credentials, region, dispatcher, answerTimeoutMs, bodyIdleMs, minBytesPerSecond } = this.options;
    const target = key === undefined ? this.options.bucketTarget : this.options.data;
    const signing = { method, bucket, key, queries, headers: request.headers ?? {} };
    const answer = await dispatcher.request({
      origin: target.origin,
      path: ossPath(target, key, queries),
      method,
      headers: signOssRequest(signing, await credentials(), ossRegion(region), this.now()),
      // Compressing on the way would leave nothing that a checksum is of.
      body: body ?? null,
      // undici ends the connection after each HEAD otherwise; the next call would begin with a handshake across the border.
      reset: false,
      headersTimeout: answerTimeoutMs + workMs + Math.ceil(((body?.byteLength ?? 0) / minBytesPerSecond) * 1000),
      bodyTimeout: bodyIdleMs,
      ...(signal !== undefined && { signal }),
    });
    const headers = flatten(answer.headers);
    if (answer.statusCode >= 200 && answer.statusCode < 300) return { status: answer.statusCode, headers, body: answer.body };
    const refusal = readRefusal(answer.statusCode, headers, (await readAll(answer.body, MAX_DOCUMENT_BYTES)).toString("utf8"));
    if (refusal.code === "RequestTimeTooSkewed") this.learnSkew(headers.date);
    throw refusalError(op, refusal, attempt);
  }

  private now(): number {
    return this.options.now() + this.skewMs;
  }

  private learnSkew(date: string | undefined): void {
    const theirs = Date.parse(date ?? "");
    if (!Number.isNaN(theirs)) this.skewMs = theirs - this.options.now();
  }
}

/** OSS repeats no header that matters here; a proxy might. */
function flatten(headers: Dispatcher.ResponseData["headers"]): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(", ") : value;
  return flat;
}

/** @throws BridgeError `Unexpected` when the answer lacks what every OSS sends. */
export function required<T>(op: string, what: string, value: T | undefined): T {
  if (value !== undefined) return value;
  throw new BridgeError("Unexpected", op, `the answer to ${op} has no ${what}: this is no OSS endpoint`);
}
