/** Running checksums in every algorithm a snapshot may name; values are base64 of the big-endian digest, as S3 writes them. */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { Checksum, ChecksumAlgorithm } from "../protocol/snapshot";
import { Crc64 } from "./crc64";

/** Feed bytes in order; `value` may be read at the end only. */
export interface Hasher {
  update(bytes: Uint8Array): void;
  value(): string;
}

const CRC32C_TABLE = new Int32Array(256).map((_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc;
});

function base64OfUint32(value: number): string {
  const digest = Buffer.alloc(4);
  digest.writeUInt32BE(value >>> 0);
  return digest.toString("base64");
}

function digestHasher(algorithm: "sha256" | "sha1"): Hasher {
  const hash = createHash(algorithm);
  return { update: (bytes) => void hash.update(bytes), value: () => hash.digest("base64") };
}

function crc64Hasher(algorithm: "CRC64NVME" | "CRC64XZ"): Hasher {
  const crc = new Crc64(algorithm);
  return { update: (bytes) => void crc.update(bytes), value: () => crc.digest().toString("base64") };
}

function crc32Hasher(): Hasher {
  let crc = 0;
  return {
    update: (bytes) => {
      crc = crc32(bytes, crc);
    },
    value: () => base64OfUint32(crc),
  };
}

function crc32cHasher(): Hasher {
  let crc = -1;
  return {
    update: (bytes) => {
      for (const byte of bytes) crc = (crc >>> 8) ^ (CRC32C_TABLE[(crc ^ byte) & 0xff] as number);
    },
    value: () => base64OfUint32(~crc),
  };
}

export function createHasher(algorithm: ChecksumAlgorithm): Hasher {
  switch (algorithm) {
    case "CRC64NVME":
    case "CRC64XZ":
      return crc64Hasher(algorithm);
    case "CRC32":
      return crc32Hasher();
    case "CRC32C":
      return crc32cHasher();
    case "SHA256":
      return digestHasher("sha256");
    case "SHA1":
      return digestHasher("sha1");
  }
}

/** The checksum of bytes that are all in memory. */
export function checksumOf(algorithm: ChecksumAlgorithm, bytes: Uint8Array): Checksum {
  const hasher = createHasher(algorithm);
  hasher.update(bytes);
  return { algorithm, value: hasher.value() };
}
