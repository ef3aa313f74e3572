/**
 * Checksums of an object from the checksums of its parts: parts are read side by side and in any order, and the CRC of the whole
 * follows from theirs without a second pass over the bytes.
 */
import type { Checksum, ChecksumAlgorithm } from "../protocol/snapshot";

export { crc32 } from "node:zlib";

/** Reflected polynomial and width in bits. Initial value and final inversion are all ones in each, which combining relies on. */
const CRCS = {
  CRC32: { polynomial: 0xedb88320n, bits: 32n },
  CRC32C: { polynomial: 0x82f63b78n, bits: 32n },
  CRC64NVME: { polynomial: 0x9a6c9329ac4bc9b5n, bits: 64n },
  CRC64XZ: { polynomial: 0xc96c5795d7870f42n, bits: 64n },
} as const satisfies Partial<Record<ChecksumAlgorithm, { polynomial: bigint; bits: bigint }>>;

/** Checksums of parts that combine to that of the whole; SHA does not. */
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

/** x to the power of 8 * `bytes`: what following by that many bytes does to a CRC. */
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

/** The CRC-32 of A followed by B, from those of A and B. */
export function combineCrc32(a: number, b: number, lengthOfB: number): number {
  return Number(multiply("CRC32", shiftBy("CRC32", lengthOfB), BigInt(a >>> 0)) ^ BigInt(b >>> 0));
}

/** As S3 writes it: base64 of the four big-endian bytes. */
export function base64OfCrc32(value: number): string {
  return toBase64("CRC32", BigInt(value >>> 0));
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
 * The checksum of the whole object from those of all its parts, in their order.
 * @throws RangeError when a value is not one of the algorithm's, or there is no part.
 */
export function combineChecksums(
  algorithm: CombinableAlgorithm,
  parts: Iterable<{ readonly value: string; readonly sizeBytes: number }>,
): Checksum {
  let whole: bigint | undefined;
  // All parts but the last have one size, and the power for it is the costly half of the work.
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
