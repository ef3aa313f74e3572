import { Readable } from "node:stream";
import type { Checksum } from "../../protocol/snapshot";
import { suppressUnhandledError } from "../body";
import { createHasher } from "../checksums";
import { BridgeError } from "../errors";

/** Holds a few TLS records, so that the socket is not paused after each. */
const HIGH_WATER_MARK_BYTES = 256 * 1024;

/**
 * The body of an answer. It ends only after exactly `sizeBytes` bytes with this checksum. It fails with `Unavailable` when the connection
 * breaks, and with `Corrupted` when the checksum differs.
 */
export class OssBody extends Readable {
  private received = 0;
  private readonly crc = createHasher("CRC64XZ");

  constructor(
    private readonly from: Readable,
    private readonly sizeBytes: number,
    /** Unknown for a range of an object. */
    private readonly checksum: Checksum | undefined,
    private readonly aborted: () => BridgeError | undefined,
  ) {
    super({ highWaterMark: HIGH_WATER_MARK_BYTES });
    suppressUnhandledError(this);
    from.on("data", (chunk: Buffer) => this.accept(chunk));
    from.on("end", () => this.finish());
    from.on("error", (cause) => this.break("broke", cause));
    from.on("close", () => {
      if (!from.readableEnded) this.break("closed");
    });
    from.pause();
  }

  override _read(): void {
    this.from.resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.from.destroy();
    callback(error);
  }

  private accept(chunk: Buffer): void {
    this.received += chunk.length;
    if (this.checksum !== undefined) this.crc.update(chunk);
    if (!this.push(chunk)) this.from.pause();
  }

  private finish(): void {
    if (this.received !== this.sizeBytes) {
      this.break("ended");
      return;
    }
    const found = this.checksum === undefined ? undefined : this.crc.value();
    if (found === this.checksum?.value) this.push(null);
    else
      this.destroy(
        new BridgeError(
          "Corrupted",
          "get",
          `the bytes that arrived have CRC-64 ${found}, the object has ${this.checksum?.value}`,
        ),
      );
  }

  private break(how: string, cause?: unknown): void {
    const message = `OSS's answer ${how} after ${this.received} of ${this.sizeBytes} bytes`;
    this.destroy(this.aborted() ?? new BridgeError("Unavailable", "get", message, { cause }));
  }
}
