import { Readable } from "node:stream";
import { suppressUnhandledError } from "../stores/body";
import { BridgeError } from "../stores/errors";

/** Enough for a few TLS records, so that the socket is not paused after each. */
const HIGH_WATER_MARK_BYTES = 256 * 1024;

/**
 * The body of an answer, with the port's promises: exactly `expectedBytes`, or an error of kind `Unavailable`.
 * Chunks are handed on as they are, nothing is copied.
 */
export class SourceBody extends Readable {
  #received = 0;
  readonly #from: Readable;

  constructor(from: Readable, expectedBytes: number) {
    super({ highWaterMark: HIGH_WATER_MARK_BYTES });
    this.#from = from;
    suppressUnhandledError(this);
    from.on("data", (chunk: Buffer) => {
      this.#received += chunk.length;
      if (this.#received > expectedBytes) this.destroy(this.#broken(`sent more than ${expectedBytes} bytes`));
      else if (!this.push(chunk)) from.pause();
    });
    from.on("end", () => {
      if (this.#received === expectedBytes) this.push(null);
      else this.destroy(this.#broken(`ended after ${this.#received} of ${expectedBytes} bytes`));
    });
    from.on("error", (cause) => {
      this.destroy(this.#broken(`broke after ${this.#received} of ${expectedBytes} bytes`, cause));
    });
    from.on("close", () => {
      if (!from.readableEnded) this.destroy(this.#broken(`closed after ${this.#received} of ${expectedBytes} bytes`));
    });
    from.pause();
  }

  override _read(): void {
    this.#from.resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#from.destroy();
    callback(error);
  }

  #broken(what: string, cause?: unknown): BridgeError {
    return new BridgeError("Unavailable", "read", `the source's answer ${what}`, { cause });
  }
}
