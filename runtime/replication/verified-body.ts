/**
 * Between stores that share no kind of checksum the destination cannot verify what the source knows about its bytes. Then whoever carries
 * them does, in the one pass that there is.
 */
import { type Readable, Transform, type TransformCallback } from "node:stream";
import type { Checksum } from "../protocol/snapshot";
import { suppressUnhandledError } from "../stores/body";
import { createHasher, type Hasher } from "../stores/checksums";
import { BridgeError } from "../stores/errors";

/** Holds the last piece back until all are known: a store never sees the whole of a body that is wrong. */
class VerifiedBody extends Transform {
  private readonly hasher: Hasher;
  private held: Buffer | undefined;

  constructor(private readonly checksum: Checksum) {
    super();
    suppressUnhandledError(this);
    this.hasher = createHasher(checksum.algorithm);
  }

  override _transform(piece: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.hasher.update(piece);
    const before = this.held;
    this.held = piece;
    done(null, before);
  }

  override _flush(done: TransformCallback): void {
    const { algorithm, value } = this.checksum;
    if (this.hasher.value() === value) done(null, this.held);
    else
      done(new BridgeError("Corrupted", "read", `the bytes that were read have another ${algorithm} than the source's object`));
  }
}

/** The same bytes; fails with `Corrupted`, before its last piece, where they are not what the checksum says. Ending it ends the body. */
export function verifiedBody(body: Readable, checksum: Checksum): Readable {
  const verified = new VerifiedBody(checksum);
  body.once("error", (error) => verified.destroy(error));
  verified.once("close", () => body.destroy());
  return body.pipe(verified);
}
