import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import * as fc from "fast-check";
import { CHECKSUM_ALGORITHMS } from "../../../runtime/protocol/snapshot";
import { checksumOf, createHasher } from "../../../runtime/stores/checksums";

/** The check values of the CRC catalogue and of the SHA standard, for "123456789". */
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

test("S3's own example: CRC64NVME of nothing is zero", () => {
  expect(checksumOf("CRC64NVME", Buffer.alloc(0)).value).toBe("AAAAAAAAAAA=");
});

test.each(CHECKSUM_ALGORITHMS)("%s is the same however the bytes are cut", (algorithm) => {
  void fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 }), (chunks) => {
      const hasher = createHasher(algorithm);
      for (const chunk of chunks) hasher.update(chunk);
      expect(hasher.value()).toBe(checksumOf(algorithm, Buffer.concat(chunks)).value);
    }),
  );
});

test("the native ones agree with Node", () => {
  void fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const crc = Buffer.alloc(4);
      crc.writeUInt32BE(crc32(bytes));
      expect(checksumOf("CRC32", bytes).value).toBe(crc.toString("base64"));
      expect(checksumOf("SHA256", bytes).value).toBe(createHash("sha256").update(bytes).digest("base64"));
    }),
  );
});
