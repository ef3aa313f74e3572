import { finished, Readable } from "node:stream";
import { bodyError, ExactLength, readExactly } from "../body";

/** Smaller bodies are held in memory, so that the SDK may send them again after a temporary failure. */
const REPLAYABLE_BYTES = 1024 * 1024;

/**
 * Hands the body to `transmit`, which must pass the signal on. A body that breaks off, or is not `sizeBytes` long, aborts the
 * request before it is whole: the SDK pipes a body without looking at its errors, and would wait for ever.
 */
export async function sendBody<T>(
  body: Readable | Uint8Array,
  { sizeBytes, signal }: { sizeBytes: number; signal?: AbortSignal },
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
    // A refusal may come before the body was sent; its connection would wait for the rest.
    controller.abort();
    throw broken !== undefined ? bodyError("put", broken.cause) : error;
  } finally {
    signal?.removeEventListener("abort", onAbort);
    body.unpipe(exact);
    exact.destroy();
  }
}
