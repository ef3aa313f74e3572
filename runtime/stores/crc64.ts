/**
 * CRC-64/NVME (S3's default for a whole object) and CRC-64/XZ (OSS), both reflected. A copy of a large object spends most of its own time
 * here. WebAssembly computes the large pieces, 1.5 times as fast as the table. The table computes small pieces, and every piece until
 * WebAssembly is instantiated.
 */
import { createCRC64, type IHasher } from "hash-wasm";

/** From this size on, a call into WebAssembly costs less than it saves. */
const ENGINE_BYTES = 8 * 1024;

/** The reflected polynomial as 32-bit halves. */
const POLYNOMIALS = {
  CRC64NVME: { high: 0x9a6c9329, low: 0xac4bc9b5 },
  CRC64XZ: { high: 0xc96c5795, low: 0xd7870f42 },
} as const;
export type Crc64Algorithm = keyof typeof POLYNOMIALS;

/** Eight bytes a step. The 64-bit register is two 32-bit halves, because BigInt arithmetic is far slower. */
const ENTRY_BYTES = 8;
const ROW_BYTES = 256 * ENTRY_BYTES;

/** Entry `row * 256 + byte` holds the register (high, low) after `byte` and `row` more zero bytes. */
function buildTable(polynomial: { high: number; low: number }): DataView {
  const table = new DataView(new ArrayBuffer(8 * ROW_BYTES));
  for (let byte = 0; byte < 256; byte++) {
    let high = 0;
    let low = byte;
    for (let bit = 0; bit < 8; bit++) {
      const carry = low & 1;
      low = (low >>> 1) | (high << 31);
      high >>>= 1;
      if (carry) {
        high ^= polynomial.high;
        low ^= polynomial.low;
      }
    }
    table.setInt32(byte * ENTRY_BYTES, high);
    table.setInt32(byte * ENTRY_BYTES + 4, low);
  }
  for (let at = ROW_BYTES; at < table.byteLength; at += ENTRY_BYTES) {
    const high = table.getInt32(at - ROW_BYTES);
    const low = table.getInt32(at - ROW_BYTES + 4);
    const entry = (low & 0xff) * ENTRY_BYTES;
    table.setInt32(at, (high >>> 8) ^ table.getInt32(entry));
    table.setInt32(at + 4, ((low >>> 8) | (high << 24)) ^ table.getInt32(entry + 4));
  }
  return table;
}

const tables = new Map<Crc64Algorithm, DataView>();

function tableOf(algorithm: Crc64Algorithm): DataView {
  let table = tables.get(algorithm);
  if (table === undefined) {
    table = buildTable(POLYNOMIALS[algorithm]);
    tables.set(algorithm, table);
  }
  return table;
}

/** A running CRC-64. Reading the digest does not end it. */
export class Crc64 {
  /** The halves of the register; the engine reads them. */
  high = -1;
  low = -1;

  constructor(private readonly algorithm: Crc64Algorithm) {}

  update(bytes: Uint8Array): this {
    const engine = bytes.byteLength < ENGINE_BYTES ? undefined : crc64Engine(this.algorithm);
    if (engine === undefined) return this.updateByTable(bytes);
    ({ high: this.high, low: this.low } = engine(this, bytes));
    return this;
  }

  private updateByTable(bytes: Uint8Array): this {
    const table = tableOf(this.algorithm);
    const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const wholeEnd = data.byteLength - (data.byteLength % 8);
    let { high, low } = this;
    let at = 0;
    for (; at < wholeEnd; at += 8) {
      const l = low ^ data.getInt32(at, true);
      const h = high ^ data.getInt32(at + 4, true);
      const e7 = 7 * ROW_BYTES + (l & 0xff) * ENTRY_BYTES;
      const e6 = 6 * ROW_BYTES + ((l >>> 8) & 0xff) * ENTRY_BYTES;
      const e5 = 5 * ROW_BYTES + ((l >>> 16) & 0xff) * ENTRY_BYTES;
      const e4 = 4 * ROW_BYTES + (l >>> 24) * ENTRY_BYTES;
      const e3 = 3 * ROW_BYTES + (h & 0xff) * ENTRY_BYTES;
      const e2 = 2 * ROW_BYTES + ((h >>> 8) & 0xff) * ENTRY_BYTES;
      const e1 = ROW_BYTES + ((h >>> 16) & 0xff) * ENTRY_BYTES;
      const e0 = (h >>> 24) * ENTRY_BYTES;
      high =
        table.getInt32(e7) ^
        table.getInt32(e6) ^
        table.getInt32(e5) ^
        table.getInt32(e4) ^
        table.getInt32(e3) ^
        table.getInt32(e2) ^
        table.getInt32(e1) ^
        table.getInt32(e0);
      low =
        table.getInt32(e7 + 4) ^
        table.getInt32(e6 + 4) ^
        table.getInt32(e5 + 4) ^
        table.getInt32(e4 + 4) ^
        table.getInt32(e3 + 4) ^
        table.getInt32(e2 + 4) ^
        table.getInt32(e1 + 4) ^
        table.getInt32(e0 + 4);
    }
    for (; at < data.byteLength; at++) {
      const entry = ((low ^ data.getUint8(at)) & 0xff) * ENTRY_BYTES;
      low = ((low >>> 8) | (high << 24)) ^ table.getInt32(entry + 4);
      high = (high >>> 8) ^ table.getInt32(entry);
    }
    this.high = high;
    this.low = low;
    return this;
  }

  /** Eight bytes, big-endian. */
  digest(): Buffer {
    const digest = Buffer.alloc(8);
    digest.writeInt32BE(~this.high, 0);
    digest.writeInt32BE(~this.low, 4);
    return digest;
  }
}

/** The reflected polynomials as the library writes them. */
const ENGINE_POLYNOMIALS: Readonly<Record<Crc64Algorithm, string>> = {
  CRC64NVME: "9a6c9329ac4bc9b5",
  CRC64XZ: "c96c5795d7870f42",
};

/** The register of a running CRC as 32-bit halves. */
interface Crc64Register {
  high: number;
  low: number;
}

/** Continues a CRC over more bytes. */
type Crc64Engine = (register: Crc64Register, bytes: Uint8Array) => Crc64Register;

const ready = new Map<Crc64Algorithm, Crc64Engine>();
const warming = new Map<Crc64Algorithm, Promise<void>>();

/** The engine once it is instantiated. Undefined until then, and always where WebAssembly is not available. The first call starts it. */
export function crc64Engine(algorithm: Crc64Algorithm): Crc64Engine | undefined {
  const engine = ready.get(algorithm);
  if (engine === undefined) void warmCrc64(algorithm);
  return engine;
}

/** Instantiates the engine. Never rejects: without it the table computes the same values. */
export function warmCrc64(algorithm: Crc64Algorithm): Promise<void> {
  let started = warming.get(algorithm);
  if (started === undefined) {
    started = createCRC64(ENGINE_POLYNOMIALS[algorithm]).then(
      (hasher) => void ready.set(algorithm, engineOf(hasher)),
      () => undefined,
    );
    warming.set(algorithm, started);
  }
  return started;
}

/** The library's state is four bytes that name its build, then the inverted register, little-endian. One instance serves all streams. */
function engineOf(hasher: IHasher): Crc64Engine {
  const state = hasher.init().save();
  const halves = new DataView(state.buffer, state.byteOffset + 4, 8);
  return ({ high, low }, bytes) => {
    halves.setInt32(0, ~low, true);
    halves.setInt32(4, ~high, true);
    const after = hasher.load(state).update(bytes).save();
    const view = new DataView(after.buffer, after.byteOffset + 4, 8);
    return { high: ~view.getInt32(4, true), low: ~view.getInt32(0, true) };
  };
}
