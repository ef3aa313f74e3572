/** Reading a caller's body so that exactly the promised bytes pass, whichever way it fails. */
import { Readable, Transform, type TransformCallback } from "node:stream";
import { BridgeError } from "./errors";

/** What a call rejects with when its signal was aborted: a write may or may not have landed. */
export function abortedError(op: string, cause?: unknown): BridgeError {
  return new BridgeError("Unavailable", op, `${op} was aborted by its caller`, { cause });
}

/** @throws BridgeError `Unavailable` when the signal is aborted already. */
export function throwIfAborted(op: string, signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortedError(op, signal.reason);
}

/** A body that nobody has begun to read must not end the process when it breaks; a reader still gets the error. */
export function quietUntilRead(body: Readable): void {
  body.on("error", () => undefined);
}

export function lengthError(op: string, expectedBytes: number, actualBytes: number): BridgeError {
  const found = actualBytes > expectedBytes ? `at least ${actualBytes}` : `${actualBytes}`;
  return new BridgeError(
    "Corrupted",
    op,
    `the body has ${found} bytes where ${expectedBytes} were promised: nothing was written`,
  );
}

/** A failing body keeps its own error when that says what happened; anything else is a broken connection to its origin. */
export function bodyError(op: string, cause: unknown): BridgeError {
  if (cause instanceof BridgeError) return cause;
  return new BridgeError("Unavailable", op, `the body of ${op} broke off before its end`, { cause });
}

/** S3 wants chunks of at least 8 KiB in a body with a trailing checksum; larger ones cost fewer writes. */
const BLOCK_BYTES = 64 * 1024;

/**
 * Passes exactly `sizeBytes` on, in blocks of at least 64 KiB. The last block is held back until the body has ended, so that a
 * body which is too long fails before its final promised byte leaves: the store never sees a complete write.
 *
 * It never emits an error, as what reads it (an HTTP request, the SDK's wrappers) does not listen for one and the process would
 * end: it tells `onWrongLength` and passes nothing more on.
 */
export class ExactLength extends Transform {
  private held: Buffer[] = [];
  private heldBytes = 0;
  private seenBytes = 0;

  constructor(
    private readonly op: string,
    private readonly sizeBytes: number,
    private readonly onWrongLength: (error: BridgeError) => void,
  ) {
    super();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.seenBytes += chunk.length;
    if (this.seenBytes > this.sizeBytes) {
      this.onWrongLength(lengthError(this.op, this.sizeBytes, this.seenBytes));
      return;
    }
    if (this.heldBytes >= BLOCK_BYTES) this.release();
    this.held.push(chunk);
    this.heldBytes += chunk.length;
    done();
  }

  override _flush(done: TransformCallback): void {
    if (this.seenBytes !== this.sizeBytes) {
      this.onWrongLength(lengthError(this.op, this.sizeBytes, this.seenBytes));
      return;
    }
    this.release();
    done();
  }

  private release(): void {
    if (this.heldBytes > 0) this.push(this.held.length === 1 ? this.held[0] : Buffer.concat(this.held, this.heldBytes));
    this.held = [];
    this.heldBytes = 0;
  }
}

/** Lets go of the body, and with it of the connection it comes from, when the work fails. */
export async function releasing<T>(body: Readable | Uint8Array, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (body instanceof Readable) body.destroy();
    throw error;
  }
}

/**
 * The whole body in memory, for bodies that are known to be small.
 * @throws BridgeError `Corrupted` when its length differs, `Unavailable` when it breaks off or the signal is aborted.
 */
export async function readExactly(
  op: string,
  body: Readable | Uint8Array,
  sizeBytes: number,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  throwIfAborted(op, signal);
  if (!(body instanceof Readable)) {
    if (body.byteLength !== sizeBytes) throw lengthError(op, sizeBytes, body.byteLength);
    return body;
  }
  const onAbort = () => body.destroy(abortedError(op, signal?.reason));
  signal?.addEventListener("abort", onAbort, { once: true });
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of body) {
      const bytes = Buffer.from(chunk);
      length += bytes.length;
      if (length > sizeBytes) throw lengthError(op, sizeBytes, length);
      chunks.push(bytes);
    }
  } catch (error) {
    throw bodyError(op, error);
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
  throwIfAborted(op, signal);
  if (length !== sizeBytes) throw lengthError(op, sizeBytes, length);
  return Buffer.concat(chunks, length);
}
