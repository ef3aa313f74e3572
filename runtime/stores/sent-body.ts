/** A stream on its way to a store: exactly the promised bytes, or an incomplete request that leaves nothing visible. */
import { Readable } from "node:stream";
import type { StreamBody } from "../http/client";
import { bodyError, lengthError, readExactly, suppressUnhandledError } from "./body";
import type { BridgeError } from "./errors";

/** Frames the bytes of a body for its way. One encoder serves one try. */
export interface BodyEncoder {
  /** Returns pieces to send, in order. */
  encode(chunk: Buffer): Buffer[];
  end(): Buffer[];
}

export interface Framing {
  encodedBytes(sizeBytes: number): number;
  createEncoder(sizeBytes: number): BodyEncoder;
}

/**
 * The first bytes are kept until there are more than this. A kept connection that the store has closed meanwhile takes a few of them before it
 * fails, and then the body is sent again from its beginning.
 */
const KEPT_BYTES = 1024 ** 2;

/**
 * Holds the last chunk back until the stream has ended, so a stream that is too long fails before its last promised byte leaves. Chunks are
 * passed on without a copy.
 */
export class SentBody implements StreamBody {
  readonly sentBytes: number;
  failure: BridgeError | undefined;
  private kept: Buffer[] | undefined = [];
  private seenBytes = 0;
  private passedBytes = 0;
  private held: Buffer | undefined;
  private ended = false;
  private attempt: Attempt | undefined;
  private readonly onData = (chunk: Buffer) => this.accept(chunk);
  private readonly onEnd = () => this.finish();
  private readonly onError = (cause: unknown) => this.fail(bodyError(this.op, cause));
  private readonly onClose = () => {
    if (!this.ended) this.onError(this.source.errored ?? new Error("the stream was closed before its end"));
  };

  constructor(
    private readonly op: string,
    private readonly source: Readable,
    private readonly sizeBytes: number,
    private readonly options: { framing?: Framing | undefined; onChunk?: ((chunk: Buffer) => void) | undefined } = {},
  ) {
    this.sentBytes = options.framing === undefined ? sizeBytes : options.framing.encodedBytes(sizeBytes);
    this.attach();
  }

  open(): Readable | undefined {
    const { kept } = this;
    if (kept === undefined) return undefined;
    const attempt = new Attempt(this.source, this.options.framing?.createEncoder(this.sizeBytes));
    this.attempt = attempt;
    for (const chunk of kept) attempt.pass(chunk);
    if (this.failure !== undefined) attempt.destroy(this.failure);
    else if (this.ended) attempt.end();
    return attempt;
  }

  /** Ends the work on the source, which stays as it is. */
  close(): void {
    const { source } = this;
    source.off("data", this.onData).off("end", this.onEnd).off("error", this.onError).off("close", this.onClose);
    this.attempt?.destroy();
  }

  private attach(): void {
    const { source } = this;
    suppressUnhandledError(source);
    source.on("data", this.onData).on("end", this.onEnd).on("error", this.onError).on("close", this.onClose);
    source.pause();
    if (source.destroyed) this.onClose();
  }

  private accept(chunk: Buffer): void {
    if (this.failure !== undefined) return;
    this.seenBytes += chunk.length;
    if (this.seenBytes > this.sizeBytes) {
      this.fail(lengthError(this.op, this.sizeBytes, this.seenBytes));
      return;
    }
    const { held } = this;
    this.held = chunk;
    if (held !== undefined) this.pass(held);
  }

  private finish(): void {
    if (this.failure !== undefined) return;
    if (this.seenBytes !== this.sizeBytes) {
      this.fail(lengthError(this.op, this.sizeBytes, this.seenBytes));
      return;
    }
    if (this.held !== undefined) this.pass(this.held);
    this.held = undefined;
    this.ended = true;
    this.attempt?.end();
  }

  private pass(chunk: Buffer): void {
    this.passedBytes += chunk.length;
    this.options.onChunk?.(chunk);
    if (this.passedBytes > KEPT_BYTES) this.kept = undefined;
    this.kept?.push(chunk);
    this.attempt?.pass(chunk);
  }

  private fail(error: BridgeError): void {
    this.failure ??= error;
    this.attempt?.destroy(error);
  }
}

/** Enough for a few chunks, so that the source is not paused after each. */
const HIGH_WATER_MARK_BYTES = 64 * 1024;

/** The body of one try. */
class Attempt extends Readable {
  constructor(
    private readonly source: Readable,
    private readonly encoder: BodyEncoder | undefined,
  ) {
    super({ highWaterMark: HIGH_WATER_MARK_BYTES });
    this.on("error", () => undefined);
  }

  pass(chunk: Buffer): void {
    if (this.destroyed) return;
    let wantsMore = true;
    if (this.encoder === undefined) wantsMore = this.push(chunk);
    else for (const piece of this.encoder.encode(chunk)) wantsMore = this.push(piece);
    if (!wantsMore) this.source.pause();
  }

  end(): void {
    if (this.destroyed) return;
    for (const piece of this.encoder?.end() ?? []) this.push(piece);
    this.push(null);
  }

  override _read(): void {
    this.source.resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.source.pause();
    callback(error);
  }
}

/** Smaller bodies are read into memory, so that they can be sent again after a temporary failure. */
const IN_MEMORY_BYTES = 1024 ** 2;

export function byteLengthOf(body: Uint8Array | Readable): number {
  return body instanceof Uint8Array ? body.byteLength : 0;
}

/**
 * Passes the body to `transmit`: bytes where there are few, else a stream. Exactly `sizeBytes` reach the store.
 * @param options `onChunk` sees the bytes of a stream; `framing` is for a stream only
 */
export async function sendBody<T>(
  op: string,
  body: Uint8Array | Readable,
  options: {
    sizeBytes: number;
    signal?: AbortSignal | undefined;
    inMemoryBytes?: number | undefined;
    framing?: Framing | undefined;
    onChunk?: ((chunk: Buffer) => void) | undefined;
  },
  transmit: (body: Uint8Array | SentBody) => Promise<T>,
): Promise<T> {
  const { sizeBytes, signal, inMemoryBytes = IN_MEMORY_BYTES } = options;
  if (body instanceof Uint8Array || sizeBytes <= inMemoryBytes) return transmit(await readExactly(op, body, sizeBytes, signal));
  const sent = new SentBody(op, body, sizeBytes, options);
  try {
    return await transmit(sent);
  } finally {
    sent.close();
  }
}
