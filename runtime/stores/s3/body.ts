/** Sends a body of known length to S3. */
import { finished, Readable, Transform, type TransformCallback } from "node:stream";
import { bodyError, lengthError, readExactly } from "../body";
import type { BridgeError } from "../errors";

/** Smaller bodies are read into memory, so that the SDK can send them again after a temporary failure. */
const REPLAYABLE_BYTES = 1024 * 1024;

/**
 * Passes the body to `transmit`, which must pass the signal on. A body that breaks off, or is not `sizeBytes` long, aborts the request
 * before it is complete: the SDK pipes a body without listening for its errors and would wait for ever.
 */
export async function sendBody<T>(
  body: Readable | Uint8Array,
  { sizeBytes, signal }: { sizeBytes: number; signal?: AbortSignal | undefined },
  transmit: (body: Uint8Array | Readable, signal: AbortSignal | undefined) => Promise<T>,
): Promise<T> {
  if (!(body instanceof Readable) || sizeBytes <= REPLAYABLE_BYTES)
    return transmit(await readExactly("put", body, sizeBytes, signal), signal);

  const controller = new AbortController();
  const onAbort = () => controller.abort(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  let broken: { cause: unknown } | undefined;
  const breakOff = (cause: unknown) => {
    broken ??= { cause };
    controller.abort(cause);
  };
  const exact = new ExactLength("put", sizeBytes, breakOff);
  finished(body, { writable: false }, (cause) => {
    if (cause) breakOff(cause);
  });
  body.pipe(exact);
  try {
    return await transmit(exact, controller.signal);
  } catch (error) {
    // S3 may refuse before the body was sent; the connection would wait for the rest.
    controller.abort();
    throw broken !== undefined ? bodyError("put", broken.cause) : error;
  } finally {
    signal?.removeEventListener("abort", onAbort);
    body.unpipe(exact);
    exact.destroy();
  }
}

/** S3 wants chunks of at least 8 KiB in a body with a trailing checksum; larger ones cost fewer writes. */
const BLOCK_BYTES = 64 * 1024;

/**
 * Passes exactly `sizeBytes` on, in blocks of at least 64 KiB. It holds the last block back until the body has ended, so a body that is
 * too long fails before its last promised byte leaves: S3 never sees a complete write.
 *
 * It never emits an error, because its readers (an HTTP request, the SDK's wrappers) do not listen for one and the process would end. It
 * calls `onWrongLength` and passes nothing more on.
 */
class ExactLength extends Transform {
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
