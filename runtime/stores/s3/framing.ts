/**
 * A body with its checksum behind it, for a stream whose checksum is not known before. The store verifies it.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
 */
import type { ChecksumAlgorithm } from "../../protocol/snapshot";
import { createHasher } from "../checksums";
import type { BodyEncoder, Framing } from "../sent-body";
import { checksumHeader } from "./metadata";

/** S3 wants chunks of at least 8 KiB; larger ones cost fewer writes. */
const CHUNK_BYTES = 1024 ** 2;

const chunkHead = (sizeBytes: number): string => `${sizeBytes.toString(16)}\r\n`;
const END = "\r\n";

/** The headers and the framing of a body of `sizeBytes` with a trailing checksum. */
export function trailingChecksum(
  algorithm: ChecksumAlgorithm,
  sizeBytes: number,
): { headers: Record<string, string>; framing: Framing } {
  const name = checksumHeader(algorithm);
  const valueBytes = createHasher(algorithm).value().length;
  return {
    headers: {
      "content-encoding": "aws-chunked",
      "x-amz-decoded-content-length": `${sizeBytes}`,
      "x-amz-trailer": name,
    },
    framing: {
      encodedBytes: (bytes) => framedBytes(bytes) + `0\r\n${name}:`.length + valueBytes + 2 * END.length,
      createEncoder: (bytes) => new ChunkEncoder(bytes, algorithm, name),
    },
  };
}

function framedBytes(sizeBytes: number): number {
  const whole = Math.floor(sizeBytes / CHUNK_BYTES);
  const rest = sizeBytes % CHUNK_BYTES;
  const wholeBytes = whole * (chunkHead(CHUNK_BYTES).length + CHUNK_BYTES + END.length);
  return wholeBytes + (rest === 0 ? 0 : chunkHead(rest).length + rest + END.length);
}

/** Frames chunks of a size that is known before their bytes are, so nothing is collected. */
class ChunkEncoder implements BodyEncoder {
  private readonly hasher;
  private passedBytes = 0;
  /** Bytes that are missing in the chunk that has begun. */
  private missingBytes = 0;

  constructor(
    private readonly sizeBytes: number,
    algorithm: ChecksumAlgorithm,
    private readonly name: string,
  ) {
    this.hasher = createHasher(algorithm);
  }

  encode(bytes: Buffer): Buffer[] {
    this.hasher.update(bytes);
    const pieces: Buffer[] = [];
    for (let rest = bytes; rest.length > 0; ) {
      if (this.missingBytes === 0) pieces.push(Buffer.from(this.nextHead()));
      const piece = rest.subarray(0, this.missingBytes);
      pieces.push(piece);
      rest = rest.subarray(piece.length);
      this.passedBytes += piece.length;
      this.missingBytes -= piece.length;
    }
    return pieces;
  }

  end(): Buffer[] {
    const before = this.passedBytes === 0 ? "" : END;
    return [Buffer.from(`${before}0\r\n${this.name}:${this.hasher.value()}${END}${END}`)];
  }

  private nextHead(): string {
    this.missingBytes = Math.min(CHUNK_BYTES, this.sizeBytes - this.passedBytes);
    return (this.passedBytes === 0 ? "" : END) + chunkHead(this.missingBytes);
  }
}
