/** Splits of a range of keys, on listings that are asked for single keys. */
import fc from "fast-check";
import { splitPoint } from "../../../operator/verify/split";
import { compareKeys } from "../../../runtime/stores/keys";

function listing(keys: readonly string[]) {
  const sorted = [...keys].sort(compareKeys);
  let probes = 0;
  return {
    sorted,
    probes: () => probes,
    next: async (after: string) => {
      probes += 1;
      return sorted.find((key) => compareKeys(key, after) > 0);
    },
  };
}

const numbered = (count: number) => Array.from({ length: count }, (_, index) => `data/${String(index).padStart(8, "0")}`);

test("halves numbered keys within a few requests", async () => {
  const { sorted, next, probes } = listing(numbered(10_000));
  const point = await splitPoint({ after: sorted[999] as string, until: undefined, prefix: "" }, next);
  const behind = sorted.filter((key) => compareKeys(key, point as string) > 0).length;
  expect(behind).toBeGreaterThan(3000);
  expect(behind).toBeLessThan(7000);
  expect(probes()).toBeLessThan(14);
});

test.each([
  ["in one folder of many", ["a/1", "b/1", "b/2", "c/1", "d/1", "e/1"], "a/1"],
  ["of different lengths", ["a", "aa", "aaa", "aaaa", "aaaaa", "b"], "a"],
  ["beyond ASCII", ["报告/一", "报告/二", "报告/三", "数据/一", "数据/二"].sort(compareKeys), "报告/一"],
  ["with emoji", ["a", "😀/1", "😀/2", "😀/3"], "a"],
])("splits keys %s", async (_which, keys, after) => {
  const { sorted, next } = listing(keys);
  const point = await splitPoint({ after, until: undefined, prefix: "" }, next);
  expect(point).toBeDefined();
  expect(compareKeys(point as string, after)).toBeGreaterThan(0);
  expect(sorted.some((key) => compareKeys(key, point as string) > 0)).toBe(true);
});

test("finds nothing to split behind the last key, nor beyond the end of the range", async () => {
  const { sorted, next } = listing(numbered(100));
  expect(await splitPoint({ after: sorted[99] as string, until: undefined, prefix: "" }, next)).toBeUndefined();
  expect(await splitPoint({ after: sorted[50] as string, until: sorted[50], prefix: "" }, next)).toBeUndefined();
});

const key = fc.string({ unit: fc.constantFrom("a", "b", "z", "0", "9", "/", "~", "é", "中", "😀"), minLength: 1, maxLength: 6 });

test("a split is inside of its range, and has a key of the listing behind it, whatever the keys are", () =>
  fc.assert(
    fc.asyncProperty(fc.uniqueArray(key, { minLength: 2, maxLength: 40 }), fc.nat(), fc.nat(), async (keys, a, b) => {
      const { sorted, next } = listing(keys);
      const [low, high] = [a % sorted.length, b % sorted.length].sort((x, y) => x - y) as [number, number];
      const after = sorted[low] as string;
      const until = b % 3 === 0 ? undefined : (sorted[high] as string);
      const point = await splitPoint({ after, until, prefix: "" }, next);
      if (point === undefined) return;
      expect(compareKeys(point, after)).toBeGreaterThan(0);
      if (until !== undefined) expect(compareKeys(point, until)).toBeLessThan(0);
      const behind = sorted.filter((one) => compareKeys(one, point) > 0 && (until === undefined || compareKeys(one, until) <= 0));
      expect(behind.length).toBeGreaterThan(0);
    }),
  ));
