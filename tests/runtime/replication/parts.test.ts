import * as fc from "fast-check";
import { type PartPlanOptions, planParts, rangeSize } from "../../../runtime/replication/parts";
import { isBridgeError } from "../../../runtime/stores/errors";
import { S3_CAPABILITIES } from "../../../runtime/stores/s3/store";

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const TIB = 1024 ** 4;
const S3_MAX_OBJECT_BYTES = 10_000 * 5 * GIB;

function invalid(options: PartPlanOptions): boolean {
  try {
    planParts(options);
    return false;
  } catch (error) {
    return isBridgeError(error, "Invalid");
  }
}

describe("planParts", () => {
  test.each([
    ["one byte", 1, 8 * MIB, 8 * MIB, 1],
    ["exactly one part", 8 * MIB, 8 * MIB, 8 * MIB, 1],
    ["one byte more", 8 * MIB + 1, 8 * MIB, 8 * MIB, 2],
    ["a wish below the minimum", 12 * MIB, MIB, 5 * MIB, 3],
    ["a wish above the maximum", 6 * GIB, 6 * GIB, 5 * GIB, 2],
    ["the most parts the wish allows", 10_000 * 8 * MIB, 8 * MIB, 8 * MIB, 10_000],
    ["one byte beyond them", 10_000 * 8 * MIB + 1, 8 * MIB, 9 * MIB, 8889],
    ["5 TiB", 5 * TIB, 8 * MIB, 525 * MIB, 9987],
    ["the largest object", S3_MAX_OBJECT_BYTES, 8 * MIB, 5 * GIB, 10_000],
  ])("%s", (_name, sizeBytes, wished, partSizeBytes, partCount) => {
    const plan = planParts({ sizeBytes, partSizeBytes: wished, capabilities: S3_CAPABILITIES });
    expect({ partSizeBytes: plan.partSizeBytes, partCount: plan.partCount }).toEqual({ partSizeBytes, partCount });
    expect(plan.part(partCount).range.end).toBe(sizeBytes - 1);
  });

  test("an empty object has no parts", () => {
    const plan = planParts({ sizeBytes: 0, partSizeBytes: MIB, capabilities: S3_CAPABILITIES });
    expect([plan.partCount, [...plan]]).toEqual([0, []]);
    expect(() => plan.part(1)).toThrow("part 1 is not one of the 0 parts");
  });

  test("an object that the store cannot hold is Invalid", () => {
    expect(invalid({ sizeBytes: S3_MAX_OBJECT_BYTES + 1, partSizeBytes: MIB, capabilities: S3_CAPABILITIES })).toBe(true);
    for (const sizeBytes of [-1, 1.5, Number.NaN, 2 ** 53])
      expect(invalid({ sizeBytes, partSizeBytes: MIB, capabilities: S3_CAPABILITIES })).toBe(true);
    for (const partSizeBytes of [0, -1, 1.5])
      expect(invalid({ sizeBytes: 1, partSizeBytes, capabilities: S3_CAPABILITIES })).toBe(true);
  });

  test("parts cover the object exactly, within the store's limits", () => {
    const limits = fc
      .record({ min: fc.integer({ min: 1, max: 1000 }), extra: fc.nat(10_000), maxParts: fc.integer({ min: 1, max: 500 }) })
      .map(({ min, extra, maxParts }) => ({ minPartSizeBytes: min, maxPartSizeBytes: min + extra, maxParts }));
    void fc.assert(
      fc.property(limits, fc.nat(2_000_000), fc.integer({ min: 1, max: 20_000 }), (capabilities, anySize, partSizeBytes) => {
        const sizeBytes = anySize % (capabilities.maxPartSizeBytes * capabilities.maxParts + 1);
        const plan = planParts({ sizeBytes, partSizeBytes, capabilities });
        const parts = [...plan];
        const sizes = parts.map(({ range }) => rangeSize(range));
        expect(parts.length).toBe(plan.partCount);
        expect(parts.length).toBeLessThanOrEqual(capabilities.maxParts);
        expect(parts.every((part, index) => part.partNumber === index + 1)).toBe(true);
        expect(parts.every(({ range }, index) => range.start === (parts[index - 1]?.range.end ?? -1) + 1)).toBe(true);
        expect((parts.at(-1)?.range.end ?? -1) + 1).toBe(sizeBytes);
        expect(sizes.slice(0, -1).every((size) => size === plan.partSizeBytes)).toBe(true);
        expect(plan.partSizeBytes).toBeGreaterThanOrEqual(capabilities.minPartSizeBytes);
        expect(Math.max(1, ...sizes)).toBeLessThanOrEqual(capabilities.maxPartSizeBytes);
        if (parts.length > 0) expect(plan.part(parts.length)).toEqual(parts.at(-1));
      }),
      { numRuns: 300 },
    );
  });
});
