import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { ResumableSha, type ShaAlgorithm } from "../../../runtime/stores/resumable-sha";

const ALGORITHMS = ["SHA1", "SHA256"] as const;
const expected = (algorithm: ShaAlgorithm, bytes: Uint8Array) => createHash(algorithm).update(bytes).digest("base64");

describe.each(ALGORITHMS)("%s", (algorithm) => {
  test.each([0, 1, 55, 56, 63, 64, 65, 119, 120, 128, 100_000])("%d bytes have Node's digest", (length) => {
    const bytes = Buffer.alloc(length, "a\u0000ÿ");
    const hash = new ResumableSha(algorithm);
    hash.update(bytes);
    expect(hash.value()).toBe(expected(algorithm, bytes));
  });

  test("any pieces, with a saved state between two of them, have the digest of the whole", () => {
    void fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 12 }), fc.array(fc.boolean()), (pieces, saves) => {
        let hash = new ResumableSha(algorithm);
        pieces.forEach((piece, index) => {
          hash.update(piece);
          if (saves[index]) hash = ResumableSha.resume(algorithm, hash.save());
        });
        expect(hash.value()).toBe(expected(algorithm, Buffer.concat(pieces)));
      }),
      { numRuns: 300 },
    );
  });

  test.each(["", "AAAA", Buffer.alloc(200).toString("base64"), Buffer.alloc(41).toString("base64")])(
    "%j is no saved state",
    (saved) => {
      expect(() => ResumableSha.resume(algorithm, saved)).toThrow(RangeError);
    },
  );
});
