/**
 * Checksums in every algorithm that a snapshot may name, over bytes or from the checksums of parts. Values are base64 of the big-endian
 * digest, as S3 writes them.
 */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { Checksum, ChecksumAlgorithm } from "../protocol/snapshot";
import { Crc64 } from "./crc64";
import { BridgeError } from "./errors";

/** Feed the bytes in order, then read `value` once. */
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

/** @throws BridgeError `Corrupted` when the bytes have another checksum than the given one. */
export function verifyChecksum(op: string, given: Checksum, actual: string): void {
  if (given.value === actual) return;
  throw new BridgeError("Corrupted", op, `${given.algorithm} of the bytes is ${actual}, not ${given.value}: nothing was written`);
}

/** Reflected polynomial and width in bits. Combining relies on an initial value and a final inversion of all ones, which each of them has. */
const CRCS = {
  CRC32: { polynomial: 0xedb88320n, bits: 32n },
  CRC32C: { polynomial: 0x82f63b78n, bits: 32n },
  CRC64NVME: { polynomial: 0x9a6c9329ac4bc9b5n, bits: 64n },
  CRC64XZ: { polynomial: 0xc96c5795d7870f42n, bits: 64n },
} as const satisfies Partial<Record<ChecksumAlgorithm, { polynomial: bigint; bits: bigint }>>;

/** An algorithm whose checksum of a whole follows from those of its parts, so that parts may be read in any order. SHA has no such rule. */
export type CombinableAlgorithm = keyof typeof CRCS;

export function isCombinable(algorithm: ChecksumAlgorithm): algorithm is CombinableAlgorithm {
  return algorithm in CRCS;
}

/** Product of two reflected polynomials over GF(2), modulo the CRC's polynomial. */
function multiply(algorithm: CombinableAlgorithm, a: bigint, b: bigint): bigint {
  const { polynomial, bits } = CRCS[algorithm];
  let product = 0n;
  let factor = b;
  for (let bit = 1n << (bits - 1n); bit > 0n; bit >>= 1n) {
    if (a & bit) product ^= factor;
    factor = factor & 1n ? (factor >> 1n) ^ polynomial : factor >> 1n;
  }
  return product;
}

/** x to the power of 8 * `bytes`: the factor for a CRC that so many bytes follow. */
function shiftBy(algorithm: CombinableAlgorithm, bytes: number): bigint {
  const { bits } = CRCS[algorithm];
  let result = 1n << (bits - 1n);
  let square = 1n << (bits - 9n);
  for (let rest = BigInt(bytes); rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = multiply(algorithm, result, square);
    square = multiply(algorithm, square, square);
  }
  return result;
}

function toBase64(algorithm: CombinableAlgorithm, value: bigint): string {
  return Buffer.from(value.toString(16).padStart(Number(CRCS[algorithm].bits / 4n), "0"), "hex").toString("base64");
}

function fromBase64(algorithm: CombinableAlgorithm, value: string): bigint {
  const digest = Buffer.from(value, "base64");
  if (digest.length * 8 !== Number(CRCS[algorithm].bits))
    throw new RangeError(`${JSON.stringify(value)} is no ${algorithm} in base64`);
  return BigInt(`0x${digest.toString("hex")}`);
}

/**
 * The checksum of the whole object from those of all its parts, in order.
 * @throws RangeError when a value is not one of the algorithm's, or there is no part.
 */
export function combineChecksums(
  algorithm: CombinableAlgorithm,
  parts: Iterable<{ readonly value: string; readonly sizeBytes: number }>,
): Checksum {
  let whole: bigint | undefined;
  // All parts but the last have the same size, and its power is the costly half of the work.
  let shift: { sizeBytes: number; power: bigint } | undefined;
  for (const { value, sizeBytes } of parts) {
    const crc = fromBase64(algorithm, value);
    if (whole === undefined) {
      whole = crc;
      continue;
    }
    if (shift?.sizeBytes !== sizeBytes) shift = { sizeBytes, power: shiftBy(algorithm, sizeBytes) };
    whole = multiply(algorithm, shift.power, whole) ^ crc;
  }
  if (whole === undefined) throw new RangeError("there are no parts to combine");
  return { algorithm, value: toBase64(algorithm, whole) };
}
