import * as fc from "fast-check";
import { appendCrc64, Crc64, crc64Of } from "../src/crc64";

/** Published check values, in hexadecimal. https://reveng.sourceforge.io/crc-catalogue/17plus.htm#crc.cat.crc-64-xz */
test.each([
  ["", "0"],
  ["123456789", "995dc9bbdf1939fa"],
  ["This is a test of the emergency broadcast system.", "27db187fc15bbc72"],
])("the checksum of %j is 0x%s", (text, expected) => {
  expect(crc64Of(Buffer.from(text))).toBe(BigInt(`0x${expected}`).toString());
});

/** The definition: one bit at a time. */
function bitByBit(bytes: Uint8Array): string {
  let register = 0xffffffffffffffffn;
  for (const byte of bytes) {
    register ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) register = register & 1n ? (register >> 1n) ^ 0xc96c5795d7870f42n : register >> 1n;
  }
  return (register ^ 0xffffffffffffffffn).toString();
}

test("the table computes what the definition says, in one piece or in several", () => {
  void fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(60), (bytes, cut) => {
      expect(crc64Of(bytes)).toBe(bitByBit(bytes));
      expect(new Crc64().update(bytes.subarray(0, cut)).update(bytes.subarray(cut)).digest()).toBe(crc64Of(bytes));
    }),
  );
});

test("the checksum of two pieces follows from those of the pieces", () => {
  void fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ maxLength: 300 }), (a, b) => {
      expect(appendCrc64(crc64Of(a), crc64Of(b), b.length)).toBe(crc64Of(Buffer.concat([a, b])));
    }),
  );
});

test("sizes beyond 32 bits combine alike in any grouping", () => {
  const size = 5 * 1024 ** 3;
  const [a, b, c] = ["a", "b", "c"].map((text) => crc64Of(Buffer.from(text))) as [string, string, string];
  const leftFirst = appendCrc64(appendCrc64(a, b, size), c, size);
  const rightFirst = appendCrc64(a, appendCrc64(b, c, size), 2 * size);
  expect(leftFirst).toBe(rightFirst);
});
