import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import * as fc from "fast-check";
import { CHECKSUM_ALGORITHMS } from "../../../runtime/protocol/snapshot";
import { checksumOf, combineChecksums, createHasher, isCombinable } from "../../../runtime/stores/checksums";

/** The checksums of "123456789" in the CRC catalogue and the SHA standard. */
test.each([
  ["CRC64NVME", "ae8b14860a799888"],
  ["CRC64XZ", "995dc9bbdf1939fa"],
  ["CRC32", "cbf43926"],
  ["CRC32C", "e3069283"],
  ["SHA1", "f7c3bc1d808e04732adf679965ccc34ca7ae3441"],
  ["SHA256", "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"],
] as const)("%s of 123456789", (algorithm, hex) => {
  expect(checksumOf(algorithm, Buffer.from("123456789"))).toEqual({
    algorithm,
    value: Buffer.from(hex, "hex").toString("base64"),
  });
});

test("CRC64NVME of no bytes is zero, as in S3's own example", () => {
  expect(checksumOf("CRC64NVME", Buffer.alloc(0)).value).toBe("AAAAAAAAAAA=");
});

test.each(CHECKSUM_ALGORITHMS)("%s does not depend on how the bytes are cut", (algorithm) => {
  void fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 }), (chunks) => {
      const hasher = createHasher(algorithm);
      for (const chunk of chunks) hasher.update(chunk);
      expect(hasher.value()).toBe(checksumOf(algorithm, Buffer.concat(chunks)).value);
    }),
  );
});

test("CRC32 and SHA256 agree with Node's own", () => {
  void fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const crc = Buffer.alloc(4);
      crc.writeUInt32BE(crc32(bytes));
      expect(checksumOf("CRC32", bytes).value).toBe(crc.toString("base64"));
      expect(checksumOf("SHA256", bytes).value).toBe(createHash("sha256").update(bytes).digest("base64"));
    }),
  );
});

const COMBINABLE = CHECKSUM_ALGORITHMS.filter(isCombinable);

test("every CRC combines, SHA does not", () => {
  expect(COMBINABLE).toEqual(["CRC64NVME", "CRC32", "CRC32C", "CRC64XZ"]);
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

test("10,000 parts of 5 GiB combine to the same value in halves and at once", () => {
  const crc32Of = (index: number) => checksumOf("CRC32", Buffer.from(`part ${index}`)).value;
  const half = Array.from({ length: 5000 }, (_, index) => ({ value: crc32Of(index), sizeBytes: 5 * 1024 ** 3 }));
  const { value } = combineChecksums("CRC32", half);
  const halves = [value, value].map((of) => ({ value: of, sizeBytes: 5000 * 5 * 1024 ** 3 }));
  expect(combineChecksums("CRC32", [...half, ...half])).toEqual(combineChecksums("CRC32", halves));
});

test("a value of another algorithm is refused, and so is an empty list of parts", () => {
  expect(() => combineChecksums("CRC32", [{ value: checksumOf("CRC64NVME", Buffer.from("x")).value, sizeBytes: 1 }])).toThrow(
    "no CRC32",
  );
  expect(() => combineChecksums("CRC32", [])).toThrow("no parts");
});
