/**
 * CRC-64/XZ, the checksum that OSS reports as `x-oss-hash-crc64ecma` and Function Compute as `codeChecksum`. Both write it as a decimal
 * number, and so does this module. https://reveng.sourceforge.io/crc-catalogue/17plus.htm#crc.cat.crc-64-xz
 */

/** The reflected polynomial. */
const POLYNOMIAL = 0xc96c5795d7870f42n;
const ALL_ONES = 0xffffffffffffffffn;

/**
 * The register's change for each value of its lowest byte, as two 32-bit halves, because JavaScript's bit operations work on 32 bits and
 * BigInt is too slow for object data. Row n holds the change after n more zero bytes, so that eight bytes are read in one step.
 */
const ROWS = 8;
const HIGH = new Int32Array(ROWS * 256);
const LOW = new Int32Array(ROWS * 256);
for (let byte = 0; byte < 256; byte++) {
  let register = BigInt(byte);
  for (let row = 0; row < ROWS; row++) {
    for (let bit = 0; bit < 8; bit++) register = register & 1n ? (register >> 1n) ^ POLYNOMIAL : register >> 1n;
    HIGH[row * 256 + byte] = Number(register >> 32n);
    LOW[row * 256 + byte] = Number(register & 0xffffffffn);
  }
}

const entryOf = (table: Int32Array, index: number): number => table[index] as number;

/** A running checksum. `digest` may be read at any time. */
export class Crc64 {
  private high = -1;
  private low = -1;

  update(bytes: Uint8Array): this {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let { high, low } = this;
    let at = 0;
    for (; at + ROWS <= bytes.byteLength; at += ROWS) {
      const first = low ^ view.getInt32(at, true);
      const second = high ^ view.getInt32(at + 4, true);
      const e0 = 1792 + (first & 0xff);
      const e1 = 1536 + ((first >>> 8) & 0xff);
      const e2 = 1280 + ((first >>> 16) & 0xff);
      const e3 = 1024 + (first >>> 24);
      const e4 = 768 + (second & 0xff);
      const e5 = 512 + ((second >>> 8) & 0xff);
      const e6 = 256 + ((second >>> 16) & 0xff);
      const e7 = second >>> 24;
      high = entryOf(HIGH, e0) ^ entryOf(HIGH, e1) ^ entryOf(HIGH, e2) ^ entryOf(HIGH, e3);
      high ^= entryOf(HIGH, e4) ^ entryOf(HIGH, e5) ^ entryOf(HIGH, e6) ^ entryOf(HIGH, e7);
      low = entryOf(LOW, e0) ^ entryOf(LOW, e1) ^ entryOf(LOW, e2) ^ entryOf(LOW, e3);
      low ^= entryOf(LOW, e4) ^ entryOf(LOW, e5) ^ entryOf(LOW, e6) ^ entryOf(LOW, e7);
    }
    for (; at < bytes.byteLength; at++) {
      const entry = (low ^ (bytes[at] as number)) & 0xff;
      low = ((low >>> 8) | (high << 24)) ^ (LOW[entry] as number);
      high = (high >>> 8) ^ (HIGH[entry] as number);
    }
    this.high = high;
    this.low = low;
    return this;
  }

  digest(): string {
    return ((BigInt(~this.high >>> 0) << 32n) | BigInt(~this.low >>> 0)).toString();
  }
}

export const CRC64_OF_NOTHING = "0";

export const crc64Of = (bytes: Uint8Array): string => new Crc64().update(bytes).digest();

/** The checksum of A followed by B, from those of A and B. */
export function appendCrc64(crcOfA: string, crcOfB: string, sizeOfB: number): string {
  return (multiply(BigInt(crcOfA), shiftBy(sizeOfB)) ^ BigInt(crcOfB)).toString();
}

/** x to the power of `8 * sizeBytes`: the factor by which that many bytes move what comes before them. Bit 63 is x to the power of 0. */
function shiftBy(sizeBytes: number): bigint {
  let result = 1n << 63n;
  let square = 1n << 55n;
  for (let rest = BigInt(sizeBytes); rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = multiply(result, square);
    square = multiply(square, square);
  }
  return result;
}

/** The product of two polynomials over GF(2), modulo the CRC's own. */
function multiply(a: bigint, b: bigint): bigint {
  let product = 0n;
  let factor = b;
  for (let rest = a; rest > 0n; rest = (rest << 1n) & ALL_ONES) {
    if (rest >> 63n) product ^= factor;
    factor = factor & 1n ? (factor >> 1n) ^ POLYNOMIAL : factor >> 1n;
  }
  return product;
}
