/** A body that is looked at while it passes. */
import { Readable } from "node:stream";
import { suppressUnhandledError } from "../stores/body";
import { BridgeError } from "../stores/errors";

export interface Watcher {
  /** Called with every piece before it is passed on. What it throws ends the body. */
  onPiece?(piece: Buffer): void;
  /** Called with every piece. The piece and those after it wait for the promise. A rejection ends the body. */
  guard?(isLast: boolean): Promise<void> | undefined;
  /** Called once, when the body has ended or failed. */
  onEnd?(): void;
  /** Called once, when the body failed. */
  onBroken?(): void;
}

/** Enough for a few TLS records, so that the socket is not paused after each. */
const HIGH_WATER_MARK_BYTES = 256 * 1024;

/** The same bytes: exactly `sizeBytes`, or an error. Pieces are passed on without a copy. */
export class WatchedBody extends Readable {
  /** Why the bytes did not arrive. Undefined where the reader gave the body up. */
  failure: Error | undefined;
  #received = 0;
  #isWaiting = false;
  #isOver = false;
  readonly #from: Readable;
  readonly #watcher: Watcher;

  constructor(from: Readable, sizeBytes: number, watcher: Watcher) {
    super({ highWaterMark: HIGH_WATER_MARK_BYTES });
    this.#from = from;
    this.#watcher = watcher;
    suppressUnhandledError(this);
    from.on("data", (piece: Buffer) => this.#take(piece, sizeBytes));
    from.on("end", () => {
      if (this.#received === sizeBytes) this.#endWhenPassed();
      else this.#fail(broken(`ended a body after ${this.#received} of ${sizeBytes} bytes`));
    });
    from.on("error", (error) => this.#fail(error));
    from.on("close", () => {
      if (!from.readableEnded) this.#fail(broken(`closed a body after ${this.#received} of ${sizeBytes} bytes`));
    });
    from.pause();
  }

  override _read(): void {
    if (!this.#isWaiting) this.#from.resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#from.destroy();
    if (error !== null) this.#watcher.onBroken?.();
    this.#over();
    callback(error);
  }

  #take(piece: Buffer, sizeBytes: number): void {
    if (this.destroyed) return;
    this.#received += piece.length;
    if (this.#received > sizeBytes) this.#fail(broken(`sent more than ${sizeBytes} bytes`));
    else this.#show(piece, this.#received === sizeBytes);
  }

  #show(piece: Buffer, isLast: boolean): void {
    try {
      this.#watcher.onPiece?.(piece);
      const waitsFor = this.#watcher.guard?.(isLast);
      if (waitsFor === undefined) this.#pass(piece);
      else this.#passAfter(waitsFor, piece);
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  #pass(piece: Buffer): void {
    if (!this.push(piece)) this.#from.pause();
  }

  #passAfter(waitsFor: Promise<void>, piece: Buffer): void {
    this.#isWaiting = true;
    this.#from.pause();
    waitsFor.then(
      () => {
        this.#isWaiting = false;
        if (this.destroyed) return;
        this.#from.resume();
        this.#pass(piece);
        if (this.#from.readableEnded) this.#endWhenPassed();
      },
      (error) => this.#fail(error),
    );
  }

  #endWhenPassed(): void {
    if (this.#isWaiting || this.#isOver) return;
    this.#over();
    this.push(null);
  }

  #fail(error: Error): void {
    if (this.destroyed) return;
    this.failure = error;
    this.destroy(error);
  }

  #over(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#watcher.onEnd?.();
  }
}

function broken(what: string): BridgeError {
  return new BridgeError("Unavailable", "read", `the source ${what}`);
}
