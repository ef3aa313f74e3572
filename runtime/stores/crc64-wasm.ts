/**
 * CRC-64 in WebAssembly, half as fast again as the table: a copy of a large object spends most of its own time on checksums. It must be
 * instantiated asynchronously, so it is asked for when the first large piece comes by, and the table serves until it is there.
 */
import { createCRC64, type IHasher } from "hash-wasm";

/** The reflected polynomials, as the library writes them. */
const POLYNOMIALS = { CRC64NVME: "9a6c9329ac4bc9b5", CRC64XZ: "c96c5795d7870f42" } as const;
type Crc64Algorithm = keyof typeof POLYNOMIALS;

/** The register of a running CRC as 32-bit halves. */
export interface Crc64Register {
  high: number;
  low: number;
}

/** Continues a CRC over more bytes. */
export type Crc64Engine = (register: Crc64Register, bytes: Uint8Array) => Crc64Register;

const ready = new Map<Crc64Algorithm, Crc64Engine>();
const asked = new Map<Crc64Algorithm, Promise<void>>();

/** The engine once it is instantiated; until then, and for good where WebAssembly cannot be had, undefined. */
export function crc64Engine(algorithm: Crc64Algorithm): Crc64Engine | undefined {
  const engine = ready.get(algorithm);
  if (engine === undefined) void warmCrc64(algorithm);
  return engine;
}

/** Resolves when there is nothing left to wait for. Never rejects: the table computes the same. */
export function warmCrc64(algorithm: Crc64Algorithm): Promise<void> {
  let warming = asked.get(algorithm);
  if (warming === undefined) {
    warming = createCRC64(POLYNOMIALS[algorithm]).then(
      (hasher) => void ready.set(algorithm, engineOf(hasher)),
      () => undefined,
    );
    asked.set(algorithm, warming);
  }
  return warming;
}

/** The library's state: four bytes that name its build, then the inverted register, little-endian. One instance serves all streams. */
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
