/**
 * Requests to one bucket: the vendor's signer signs them, undici sends them. The vendor's own client does not fit: it has one time limit
 * for a whole transfer, takes no AbortSignal, reads every answer that is not a stream into memory, and checks no CRC.
 */
import { setTimeout as delay } from "node:timers/promises";
import { Agent, type Dispatcher } from "undici";
import { abortedError } from "../body";
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
  /** The time from the request to the headers of the answer, besides the time for the bytes of the request. */
  answerTimeoutMs: number;
  /** The time between two pieces of the body of an answer. */
  bodyIdleMs: number;
  /** The client gives a request up whose bytes leave more slowly. */
  minBytesPerSecond: number;
  now: () => number;
  /** In [0, 1); varies the waits between two tries. */
  random: () => number;
}

/** Connections to OSS. All stores of a process should share one. */
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
   * Sends the request until OSS accepts it and `take` succeeds, at most `maxAttempts` times. Bodies are in memory, so each can be sent
   * again. `take` must read the body of the answer to its end or destroy it.
   */
  async send<T>(request: OssRequest, take: (answer: OssAnswer) => Promise<T>): Promise<T> {
    const { op, signal, maxAttempts = this.options.maxAttempts } = request;
    for (let attempt = 1; ; attempt++) {
      try {
        return await take(await this.attempt(request, attempt));
      } catch (cause) {
        if (signal?.aborted) throw abortedError(op, cause);
        const error = transportError(op, cause);
        if (attempt >= maxAttempts || !error.retryable || error.kind === "Unexpected") throw error;
      }
      const longest = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** (attempt - 1));
      await delay(longest * (0.5 + this.options.random() / 2), undefined, { signal }).catch((cause) => {
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
      body: body ?? null,
      // Without this undici closes the connection after each HEAD, and the next call begins with a handshake across the border.
      reset: false,
      headersTimeout: answerTimeoutMs + workMs + Math.ceil(((body?.byteLength ?? 0) / minBytesPerSecond) * 1000),
      bodyTimeout: bodyIdleMs,
      signal: signal ?? null,
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

/** OSS repeats no header that matters here, but a proxy might. */
function flatten(headers: Dispatcher.ResponseData["headers"]): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(", ") : value;
  return flat;
}

/** @throws BridgeError `Unexpected` when the answer lacks a value that OSS always sends. */
export function required<T>(op: string, what: string, value: T | undefined): T {
  if (value !== undefined) return value;
  throw new BridgeError("Unexpected", op, `the answer to ${op} has no ${what}: this is no OSS endpoint`);
}
