import { groupsOf, summaryText } from "../../../operator/probe/summary";
import { FACTS, record } from "./record-fixture";

const back = { direction: "destination->source" } as const;
const many = (count: number) => Array.from({ length: count }, (_, index) => record(1000 + index));

test("prints the table and how it was measured", () => {
  const records = [
    record(1200),
    record(12_345),
    record(null),
    record(900, { file_size_in_bytes: 4_194_304 }),
    record(null, back),
  ];
  expect(summaryText(records, FACTS)).toBe(`Replication latency of stack aws-to-china (mode pull), 2026-03-01T09:59:58.000Z
source->destination: aws/us-east-1/assets-us -> aws-cn/cn-north-1/assets-cn
destination->source: aws-cn/cn-north-1/assets-cn -> aws/us-east-1/assets-us

┌─────────────────────┬─────────┬───┬──────────┬──────────┬──────────┬──────────┬─────────┐
│ direction           │    size │ n │ p50 (ms) │ p95 (ms) │ p99 (ms) │ max (ms) │ gave up │
├─────────────────────┼─────────┼───┼──────────┼──────────┼──────────┼──────────┼─────────┤
│ source->destination │ 128 KiB │ 2 │    6,773 │  11,788* │  12,234* │   12,345 │       1 │
├─────────────────────┼─────────┼───┼──────────┼──────────┼──────────┼──────────┼─────────┤
│ source->destination │   4 MiB │ 1 │      900 │     900* │     900* │      900 │       0 │
├─────────────────────┼─────────┼───┼──────────┼──────────┼──────────┼──────────┼─────────┤
│ destination->source │ 128 KiB │ 0 │        - │        - │        - │        - │       1 │
└─────────────────────┴─────────┴───┴──────────┴──────────┴──────────┴──────────┴─────────┘

A duration begins when the near store has acknowledged the object, and ends when a check on the far side finds it.
Each object was checked for every 500 ms, so a duration may be too long by that much. It was given up after 600 checks.
One object at a time was on its way.
The destination's clock is 12 ms ahead of the source's, plus or minus 140 ms: too small or too uncertain to correct any duration.
p50, p95, p99: linear interpolation between the two nearest samples (type 7 of Hyndman and Fan).
* fewer than 20 samples for p95 or 100 for p99: the value follows the largest samples and says little about the tail.
`);
});

const remarksOf = (...args: Parameters<typeof summaryText>) =>
  summaryText(...args)
    .split("┘\n\n")[1]
    ?.trimEnd()
    .split("\n");

test("marks no quantile of a hundred samples as uncertain", () => {
  expect(summaryText(many(100), FACTS)).toContain(
    "│ source->destination │ 128 KiB │ 100 │    1,050 │    1,094 │    1,098 │    1,099 │       0 │",
  );
  expect(summaryText(many(100), FACTS)).not.toContain("*");
  expect(summaryText(many(99), FACTS)).toContain(
    "│ source->destination │ 128 KiB │ 99 │    1,049 │    1,093 │   1,097* │    1,098 │       0 │",
  );
});

test.each([
  [undefined, "The clocks of the two sides were not compared: no object was on both sides."],
  [
    { ms: -40, uncertaintyMs: 1140 },
    "The destination's clock is 40 ms behind the source's, plus or minus 1,140 ms: too small or too uncertain to correct any duration.",
  ],
  [
    { ms: 5012, uncertaintyMs: 140 },
    "The destination's clock is 5,012 ms ahead of the source's, plus or minus 140 ms: every duration is corrected by it.",
  ],
])("says how the clocks %j affect the durations", (clocks, text) => {
  expect(remarksOf(many(100), { ...FACTS, clocks })).toContain(text);
});

test("says which objects were there at the first check, which were seen before their put, and how many were on their way at once", () => {
  const early = record(0, { get_date: "2026-03-01T09:59:59.990Z", attempts: 1 });
  const text = remarksOf([early, record(500, { attempts: 1 })], { ...FACTS, options: { ...FACTS.options, parallel: 4 } });
  expect(text).toEqual(
    expect.arrayContaining([
      "Up to 4 objects at a time were on their way, and may have delayed each other.",
      "2 objects were there at the first check: the true duration may be shorter.",
      "1 object was seen before the put was acknowledged, by these clocks: the duration is given as 0.",
    ]),
  );
});

const durations = (values: readonly number[]) => values.map((value) => record(value));

test.each([
  // The values of numpy.percentile and of R's quantile(type = 7).
  ["one", [7], { p50Ms: 7, p95Ms: 7, p99Ms: 7, maxMs: 7 }],
  ["two", [20, 10], { p50Ms: 15, p95Ms: 19.5, p99Ms: 19.9, maxMs: 20 }],
  ["five", [300, 100, 500, 200, 400], { p50Ms: 300, p95Ms: 480, p99Ms: 496, maxMs: 500 }],
  ["a hundred and one", Array.from({ length: 101 }, (_, index) => 100 - index), { p50Ms: 50, p95Ms: 95, p99Ms: 99, maxMs: 100 }],
])("quantiles of %s", (_, values, expected) => {
  const { quantiles } = groupsOf(durations(values))[0] ?? {};
  for (const [name, value] of Object.entries(expected)) expect(quantiles?.[name as keyof typeof expected]).toBeCloseTo(value, 9);
});

test("groups by direction and size, and counts objects that were given up apart", () => {
  const back = { direction: "destination->source" } as const;
  const small = { file_size_in_bytes: 1024 };
  const groups = groupsOf([record(3, back), record(null), record(5), record(4), record(null, small), record(2, small)]);
  expect(groups.map(({ quantiles, ...group }) => ({ ...group, median: quantiles?.p50Ms }))).toEqual([
    { direction: "source->destination", sizeBytes: 1024, durationsMs: [2], gaveUp: 1, median: 2 },
    { direction: "source->destination", sizeBytes: 131_072, durationsMs: [5, 4], gaveUp: 1, median: 4.5 },
    { direction: "destination->source", sizeBytes: 131_072, durationsMs: [3], gaveUp: 0, median: 3 },
  ]);
});

test("has no quantiles if nothing arrived", () => {
  expect(groupsOf([record(null)])).toEqual([
    { direction: "source->destination", sizeBytes: 131_072, durationsMs: [], gaveUp: 1 },
  ]);
});
