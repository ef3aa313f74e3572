import * as fc from "fast-check";
import { CHECKSUM_ALGORITHMS } from "../../../runtime/protocol/snapshot";
import { base64OfCrc32, combineChecksums, combineCrc32, crc32, isCombinable } from "../../../runtime/stores/combine-checksums";
import { checksumOf } from "../../../runtime/stores/checksums";

const COMBINABLE = CHECKSUM_ALGORITHMS.filter(isCombinable);

test("every CRC combines, no SHA does", () => {
  expect(COMBINABLE).toEqual(["CRC64NVME", "CRC32", "CRC32C", "CRC64XZ"]);
});

test("crc32 continues from where it stopped, and is written as S3 writes it", () => {
  expect(crc32(Buffer.from("123456789"))).toBe(0xcbf43926);
  expect(crc32(Buffer.from("6789"), crc32(Buffer.from("12345")))).toBe(0xcbf43926);
  expect(base64OfCrc32(0xcbf43926)).toBe("y/Q5Jg==");
  expect(base64OfCrc32(7)).toBe("AAAABw==");
});

test("combineCrc32 equals the CRC of the whole", () => {
  void fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 200 }), (a, b) => {
      expect(combineCrc32(crc32(a), crc32(b), b.length)).toBe(crc32(Buffer.concat([a, b])));
    }),
  );
});

test.each(COMBINABLE)("%s of the parts combines to that of the whole, wherever it is cut", (algorithm) => {
  void fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 50 }), { minLength: 1, maxLength: 8 }), (parts) => {
      const summed = parts.map((bytes) => ({ value: checksumOf(algorithm, bytes).value, sizeBytes: bytes.length }));
      expect(combineChecksums(algorithm, summed)).toEqual(checksumOf(algorithm, Buffer.concat(parts)));
    }),
  );
});

test("a swapped, lost or doubled part changes the combination", () => {
  const parts = ["alpha", "beta!", "gamma"].map((text) => ({
    value: checksumOf("CRC64NVME", Buffer.from(text)).value,
    sizeBytes: 5,
  }));
  const [a, b, c] = parts as [(typeof parts)[0], (typeof parts)[0], (typeof parts)[0]];
  const values = [
    [a, b, c],
    [b, a, c],
    [a, c],
    [a, b, b, c],
  ].map((order) => combineChecksums("CRC64NVME", order).value);
  expect(new Set(values).size).toBe(4);
});

test("10,000 parts of 5 GiB combine to the same, halves first or in one go", () => {
  const half = Array.from({ length: 5000 }, (_, index) => ({ value: base64OfCrc32(index * 7919), sizeBytes: 5 * 1024 ** 3 }));
  const { value } = combineChecksums("CRC32", half);
  const halves = [value, value].map((of) => ({ value: of, sizeBytes: 5000 * 5 * 1024 ** 3 }));
  expect(combineChecksums("CRC32", [...half, ...half])).toEqual(combineChecksums("CRC32", halves));
});

test("what is no checksum of the algorithm, and nothing at all, is refused", () => {
  expect(() => combineChecksums("CRC32", [{ value: checksumOf("CRC64NVME", Buffer.from("x")).value, sizeBytes: 1 }])).toThrow(
    "no CRC32",
  );
  expect(() => combineChecksums("CRC32", [])).toThrow("no parts");
});
