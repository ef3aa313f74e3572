import * as fc from "fast-check";
import { Crc64, crc64Engine, warmCrc64 } from "../../../runtime/stores/crc64";

const ALGORITHMS = ["CRC64NVME", "CRC64XZ"] as const;
const PIECE_BYTES = 64 * 1024;

/** Pieces that are too small for WebAssembly: the table computes them all. */
function byTable(algorithm: (typeof ALGORITHMS)[number], bytes: Buffer): string {
  const crc = new Crc64(algorithm);
  for (let at = 0; at < bytes.length; at += 1000) crc.update(bytes.subarray(at, at + 1000));
  return crc.digest().toString("hex");
}

function pattern(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let index = 0; index < length; index++) bytes[index] = (index * 31 + (index >>> 7) + seed) & 0xff;
  return bytes;
}

test.each(ALGORITHMS)("%s: a stream that began with the table continues in WebAssembly", async (algorithm) => {
  const bytes = pattern(3 * PIECE_BYTES, 7);
  const crc = new Crc64(algorithm);
  // WebAssembly is not instantiated yet. The first large piece starts that.
  crc.update(bytes.subarray(0, PIECE_BYTES));
  await warmCrc64(algorithm);
  expect(crc64Engine(algorithm)).toBeDefined();
  crc.update(bytes.subarray(PIECE_BYTES, 2 * PIECE_BYTES)).update(bytes.subarray(2 * PIECE_BYTES));
  expect(crc.digest().toString("hex")).toBe(byTable(algorithm, bytes));
});

test.each(ALGORITHMS)("%s: the value depends neither on how the bytes are cut nor on concurrent streams", async (algorithm) => {
  await warmCrc64(algorithm);
  await fc.assert(
    fc.property(fc.array(fc.nat(40_000), { minLength: 1, maxLength: 6 }), fc.nat(255), (sizes, seed) => {
      const total = sizes.reduce((sum, size) => sum + size, 0);
      const [one, two] = [pattern(total, seed), pattern(total, seed + 1)];
      const [first, second] = [new Crc64(algorithm), new Crc64(algorithm)];
      let at = 0;
      for (const size of sizes) {
        first.update(one.subarray(at, at + size));
        second.update(two.subarray(at, at + size));
        at += size;
      }
      expect(first.digest().toString("hex")).toBe(byTable(algorithm, one));
      expect(second.digest().toString("hex")).toBe(byTable(algorithm, two));
    }),
    { numRuns: 60 },
  );
});
