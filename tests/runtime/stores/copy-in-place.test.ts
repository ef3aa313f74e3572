import * as fc from "fast-check";
import { type CopyRange, copyAll, copyRanges } from "../../../runtime/stores/copy-in-place";
import { OSS_CAPABILITIES } from "../../../runtime/stores/oss/store";
import { OSS_COPY_LIMITS } from "../../../runtime/stores/oss/touch";
import { S3_CAPABILITIES } from "../../../runtime/stores/s3/store";
import { S3_COPY_LIMITS } from "../../../runtime/stores/s3/touch";

const TIB = 1024 ** 4;
/** 10,000 parts of 5 GiB. */
const LARGEST_BYTES = 10_000 * 5 * 1024 ** 3;

describe.each([
  ["S3", S3_CAPABILITIES, S3_COPY_LIMITS],
  ["OSS", OSS_CAPABILITIES, OSS_COPY_LIMITS],
])("ranges for %s", (_, { maxParts, maxPartSizeBytes, minPartSizeBytes }, { maxCopyBytes, partSizeBytes }) => {
  const rangesOf = (sizeBytes: number) => copyRanges(sizeBytes, partSizeBytes, maxParts);

  test("cover every object that is too large for one copy exactly, within the limits of parts", () => {
    const sizes = fc.oneof(
      fc.maxSafeInteger().map((n) => maxCopyBytes + 1 + (Math.abs(n) % (LARGEST_BYTES - maxCopyBytes))),
      fc.constantFrom(maxCopyBytes + 1, maxParts * partSizeBytes, maxParts * partSizeBytes + 1, 5 * TIB, LARGEST_BYTES),
    );
    void fc.assert(
      fc.property(sizes, (sizeBytes) => {
        const ranges = rangesOf(sizeBytes);
        expect(ranges.length).toBeLessThanOrEqual(maxParts);
        let next = 0;
        for (const [index, { partNumber, start, end }] of ranges.entries()) {
          if (partNumber !== index + 1 || start !== next || end < start) throw new Error(`part ${partNumber} is ${start}-${end}`);
          if (end - start + 1 > maxPartSizeBytes) throw new Error(`part ${partNumber} is too large`);
          if (index < ranges.length - 1 && end - start + 1 < minPartSizeBytes) throw new Error(`part ${partNumber} is too small`);
          next = end + 1;
        }
        expect(next).toBe(sizeBytes);
      }),
      { numRuns: 50 },
    );
  });
});

describe("copyAll", () => {
  const ranges = copyRanges(100, 1, 1000);
  const part = ({ partNumber }: CopyRange) => ({ partNumber, sizeBytes: 1, etag: `e${partNumber}` });

  test("returns the parts in order and copies a few at once", async () => {
    let running = 0;
    let most = 0;
    const parts = await copyAll(ranges, async (range) => {
      running += 1;
      most = Math.max(most, running);
      // Later parts are done first.
      for (let turn = 0; turn < 100 - range.partNumber; turn++) await Promise.resolve();
      running -= 1;
      return part(range);
    });
    expect(parts.map(({ partNumber }) => partNumber)).toEqual(ranges.map(({ partNumber }) => partNumber));
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(8);
  });

  test("after a failure it starts no other copy, and rejects when those under way have ended", async () => {
    const begun: number[] = [];
    let running = 0;
    const failed = copyAll(ranges, async (range) => {
      begun.push(range.partNumber);
      if (range.partNumber === 3) throw new Error("part 3");
      running += 1;
      for (let turn = 0; turn < 50; turn++) await Promise.resolve();
      running -= 1;
      if (range.partNumber === 1) throw new Error("part 1, later");
      return part(range);
    });
    await expect(failed).rejects.toThrow("part 3");
    expect(running).toBe(0);
    expect(begun.length).toBeLessThanOrEqual(8);
  });
});
