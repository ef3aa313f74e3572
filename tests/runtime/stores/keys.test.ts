import * as fc from "fast-check";
import { compareKeys } from "../../../runtime/stores/keys";

test("keys are ordered by their UTF-8 bytes", () => {
  void fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 6 }), fc.string({ unit: "binary", maxLength: 6 }), (a, b) => {
      expect(Math.sign(compareKeys(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
    {
      numRuns: 2000,
      examples: [
        ["\uff5e", "😀"],
        ["a", "a"],
        ["", "a"],
        ["😀", "😁"],
      ],
    },
  );
});
