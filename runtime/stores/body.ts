/** Reads a caller's body. Only exactly the promised bytes are accepted, and every failure is a BridgeError. */
import { Readable } from "node:stream";
import { BridgeError } from "./errors";

/** The error of a call whose signal was aborted. A write may or may not have landed. */
export function abortedError(op: string, cause?: unknown): BridgeError {
  return new BridgeError("Unavailable", op, `${op} was aborted by its caller`, { cause });
}

/** @throws BridgeError `Unavailable` when the signal is aborted already. */
export function throwIfAborted(op: string, signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortedError(op, signal.reason);
}

/** Node ends the process for an error event without a listener, so a body that breaks before it is read needs one. Readers still get the error. */
export function suppressUnhandledError(body: Readable): void {
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

/** A BridgeError of the body passes unchanged. Anything else is a broken connection to the body's origin. */
export function bodyError(op: string, cause: unknown): BridgeError {
  if (cause instanceof BridgeError) return cause;
  return new BridgeError("Unavailable", op, `the body of ${op} broke off before its end`, { cause });
}

/** Destroys the body, and thereby closes the connection it comes from, when the work fails. */
export async function destroyOnFailure<T>(body: Readable | Uint8Array, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (body instanceof Readable) body.destroy();
    throw error;
  }
}

/**
 * Reads the whole body into memory, for bodies that are known to be small.
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
