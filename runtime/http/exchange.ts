/**
 * One request and its answer. It uses `dispatch`, because the requests of the data path are small and many: `request` creates a stream
 * for each answer.
 */
import { Readable } from "node:stream";
import type { Dispatcher } from "undici";

/** By their names in lower case. One character a byte, as they arrived; values of a repeated name are joined by a comma. */
export type AnswerHeaders = Readonly<Record<string, string>>;

export interface WireRequest {
  origin: string;
  method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  /** Path and query as they are sent. */
  path: string;
  headers: Record<string, string>;
  /** A stream needs the header `content-length`. */
  body?: Uint8Array | Readable | undefined;
  signal?: AbortSignal | undefined;
  /** From the request, or from the last byte of its body that left, to the headers of the answer. */
  answerTimeoutMs: number;
  /** Between two pieces of the body of the answer. */
  bodyIdleMs: number;
}

export interface WholeAnswer {
  status: number;
  headers: AnswerHeaders;
  body: Buffer;
}

export interface OpenAnswer {
  status: number;
  headers: AnswerHeaders;
  body: Readable;
}

/** Watches the body of an answer while it is read. */
export interface BodyWatch {
  chunk?(bytes: Buffer): void;
  /** Called after the last byte. @returns an error that the reader gets instead of the end */
  end?(): Error | undefined;
  /** @returns the error that the reader gets when the connection breaks */
  broke(cause: unknown): Error;
}

/** Larger documents than this have no use here. */
export const MAX_DOCUMENT_BYTES = 16 * 1024 ** 2;

/** Enough for a few TLS records, so that the socket is not paused after each. */
const HIGH_WATER_MARK_BYTES = 256 * 1024;

/** Sends the request and reads the whole answer. Rejects with the error of the connection, or with the reason of the signal. */
export function exchange(dispatcher: Dispatcher, request: WireRequest): Promise<WholeAnswer> {
  return new Promise((resolve, reject) => {
    new Exchange(request, { resolve: resolve as (answer: WholeAnswer | OpenAnswer) => void, reject }).start(dispatcher);
  });
}

/** Like `exchange`, but leaves the body of the answer unread where `watch` returns something for it. */
export function openExchange(
  dispatcher: Dispatcher,
  request: WireRequest,
  watch: (status: number, headers: AnswerHeaders) => BodyWatch | undefined,
): Promise<WholeAnswer | OpenAnswer> {
  return new Promise((resolve, reject) => {
    new Exchange(request, { resolve, reject, watch }).start(dispatcher);
  });
}

export function isOpen(answer: WholeAnswer | OpenAnswer): answer is OpenAnswer {
  return answer.body instanceof Readable;
}

interface Outcome {
  resolve(answer: WholeAnswer | OpenAnswer): void;
  reject(cause: unknown): void;
  watch?: ((status: number, headers: AnswerHeaders) => BodyWatch | undefined) | undefined;
}

type Abort = (error?: Error) => void;

class Exchange implements Dispatcher.DispatchHandler {
  private status = 0;
  private headers: AnswerHeaders = {};
  private readonly chunks: Buffer[] = [];
  private length = 0;
  private abort: Abort | undefined;
  /** Why the request ended before its answer was complete. */
  private stopped: { cause: unknown } | undefined;
  private open: { body: AnswerBody; watch: BodyWatch } | undefined;
  private idle: NodeJS.Timeout | undefined;
  private readonly onAbort = () => this.stop(this.request.signal?.reason);

  constructor(
    private readonly request: WireRequest,
    private readonly outcome: Outcome,
  ) {}

  start(dispatcher: Dispatcher): void {
    const { request } = this;
    const { origin, method, path, headers, body, signal, bodyIdleMs } = request;
    if (signal?.aborted) {
      this.outcome.reject(signal.reason);
      return;
    }
    signal?.addEventListener("abort", this.onAbort, { once: true });
    const options = {
      origin,
      method,
      path,
      headers,
      body: body ?? null,
      // A stream may be sent for longer than an answer takes; see `onBodySent`.
      headersTimeout: body instanceof Readable ? 0 : request.answerTimeoutMs,
      bodyTimeout: bodyIdleMs,
    };
    try {
      dispatcher.dispatch(options, this);
    } catch (cause) {
      this.onError(cause);
    }
  }

  onConnect(abort: Abort): void {
    if (this.stopped !== undefined) {
      abort(asError(this.stopped.cause));
      return;
    }
    this.abort = abort;
    if (this.request.body instanceof Readable) this.idle = setTimeout(() => this.giveUp(), this.request.answerTimeoutMs).unref();
  }

  onBodySent(): void {
    this.idle?.refresh();
  }

  onHeaders(status: number, raw: Buffer[], resume: () => void): boolean {
    if (status < 200) return true;
    this.endIdle();
    this.status = status;
    this.headers = readHeaders(raw);
    const watch = this.outcome.watch?.(status, this.headers);
    if (watch !== undefined) {
      const body = new AnswerBody(resume, () => this.stop(new Error("the reader closed the body")));
      this.open = { body, watch };
      this.outcome.resolve({ status, headers: this.headers, body });
    }
    return true;
  }

  onData(chunk: Buffer): boolean {
    if (this.open !== undefined) {
      this.open.watch.chunk?.(chunk);
      return this.open.body.push(chunk);
    }
    this.length += chunk.length;
    if (this.length > MAX_DOCUMENT_BYTES) this.stop(new Error(`the answer is longer than ${MAX_DOCUMENT_BYTES} bytes`));
    else this.chunks.push(chunk);
    return true;
  }

  onComplete(): void {
    this.release();
    this.complete();
  }

  onError(cause: unknown): void {
    this.release();
    const found = this.stopped === undefined ? cause : this.stopped.cause;
    if (this.open === undefined) this.outcome.reject(found);
    else this.open.body.destroy(this.open.watch.broke(found));
  }

  private complete(): void {
    const { open, status, headers, chunks, length } = this;
    if (open !== undefined) {
      const error = open.watch.end?.();
      if (error === undefined) open.body.finish();
      else open.body.destroy(error);
      return;
    }
    const body = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, length);
    this.outcome.resolve({ status, headers, body });
  }

  private giveUp(): void {
    const error = new Error(`no byte could be sent for ${this.request.answerTimeoutMs} ms, or no answer came`);
    this.stop(Object.assign(error, { code: "UND_ERR_HEADERS_TIMEOUT" }));
  }

  /** Ends the request. One that still waits for a connection is ended when it gets one. */
  private stop(cause: unknown): void {
    if (this.stopped !== undefined) return;
    this.stopped = { cause };
    this.abort?.(asError(cause));
    if (this.abort === undefined) this.onError(cause);
  }

  private release(): void {
    this.endIdle();
    this.request.signal?.removeEventListener("abort", this.onAbort);
  }

  private endIdle(): void {
    clearTimeout(this.idle);
    this.idle = undefined;
  }
}

function asError(cause: unknown): Error {
  return cause instanceof Error ? cause : new Error("the request was ended", { cause });
}

/** The body of an answer as it arrives. Closing it early ends the connection. */
class AnswerBody extends Readable {
  private complete = false;

  constructor(
    private readonly resume_: () => void,
    private readonly stop: () => void,
  ) {
    super({ highWaterMark: HIGH_WATER_MARK_BYTES });
    // Node ends the process for an error event without a listener, and a body may break before it is read. Readers still get the error.
    this.on("error", () => undefined);
  }

  finish(): void {
    this.complete = true;
    this.push(null);
  }

  override _read(): void {
    this.resume_();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (!this.complete) this.stop();
    callback(error);
  }
}

function readHeaders(raw: readonly Buffer[]): AnswerHeaders {
  // A header may have the name `__proto__`.
  const headers: Record<string, string> = Object.create(null);
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = (raw[at] as Buffer).toString("latin1").toLowerCase();
    const value = (raw[at + 1] as Buffer).toString("latin1");
    const before = headers[name];
    headers[name] = before === undefined ? value : `${before}, ${value}`;
  }
  return headers;
}
