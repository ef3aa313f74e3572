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
const HIGH_WATER_MARK_BYTES = 64 * 1024;

/** The bytes of another body: exactly `sizeBytes`, or an error. Pieces are passed on without a copy. */
export class WatchedBody extends Readable {
  /** Why the bytes did not arrive. Undefined where the reader gave the body up. */
  failure: Error | undefined;
  #received = 0;
  #isWaiting = false;
  #isOver = false;
  #watcher: Watcher = {};
  readonly #from: Readable;

  constructor(
    from: Readable,
    readonly sizeBytes: number,
  ) {
    super({ highWaterMark: HIGH_WATER_MARK_BYTES });
    this.#from = from;
    suppressUnhandledError(this);
    from.on("data", (piece: Buffer) => this.#take(piece));
    from.on("end", () => {
      if (this.#received === sizeBytes) this.#endWhenPassed();
      else this.#fail(this.broken("ended"));
    });
    from.on("error", (cause) => this.#fail(this.broken("broke", cause)));
    from.on("close", () => {
      if (!from.readableEnded) this.#fail(this.broken("closed"));
    });
    from.pause();
  }

  /** Before the first piece is read. */
  watch(watcher: Watcher): this {
    this.#watcher = watcher;
    return this;
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

  /** @param cause an error of the body below. One that tells what it means passes unchanged. */
  protected broken(what: string, cause?: unknown): BridgeError {
    if (cause instanceof BridgeError) return cause;
    const reason = `the source's answer ${what} after ${this.#received} of ${this.sizeBytes} bytes`;
    return new BridgeError("Unavailable", "read", reason, { cause });
  }

  #take(piece: Buffer): void {
    if (this.destroyed) return;
    this.#received += piece.length;
    const { sizeBytes } = this;
    if (this.#received <= sizeBytes) this.#show(piece, this.#received === sizeBytes);
    else this.#fail(new BridgeError("Unavailable", "read", `the source's answer sent more than ${sizeBytes} bytes`));
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
