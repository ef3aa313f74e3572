import { groupsOf } from "../../../operator/probe/statistics";
import { record } from "./record-fixture";

const durations = (values: readonly number[]) => values.map((value) => record(value));

test.each([
  // As numpy.percentile and R's quantile(type = 7) have them.
  ["one", [7], { p50Ms: 7, p95Ms: 7, p99Ms: 7, maxMs: 7 }],
  ["two", [20, 10], { p50Ms: 15, p95Ms: 19.5, p99Ms: 19.9, maxMs: 20 }],
  ["five", [300, 100, 500, 200, 400], { p50Ms: 300, p95Ms: 480, p99Ms: 496, maxMs: 500 }],
  ["a hundred and one", Array.from({ length: 101 }, (_, index) => 100 - index), { p50Ms: 50, p95Ms: 95, p99Ms: 99, maxMs: 100 }],
])("quantiles of %s", (_, values, expected) => {
  const { quantiles } = groupsOf(durations(values))[0] ?? {};
  for (const [name, value] of Object.entries(expected)) expect(quantiles?.[name as keyof typeof expected]).toBeCloseTo(value, 9);
});

test("groups by direction and size, and counts apart what was given up", () => {
  const back = { direction: "destination->source" } as const;
  const small = { file_size_in_bytes: 1024 };
  const groups = groupsOf([record(3, back), record(null), record(5), record(4), record(null, small), record(2, small)]);
  expect(groups.map(({ quantiles, ...group }) => ({ ...group, median: quantiles?.p50Ms }))).toEqual([
    { direction: "source->destination", sizeBytes: 1024, durationsMs: [2], gaveUp: 1, median: 2 },
    { direction: "source->destination", sizeBytes: 131_072, durationsMs: [5, 4], gaveUp: 1, median: 4.5 },
    { direction: "destination->source", sizeBytes: 131_072, durationsMs: [3], gaveUp: 0, median: 3 },
  ]);
});

test("there are no quantiles of nothing", () => {
  expect(groupsOf([record(null)])).toEqual([
    { direction: "source->destination", sizeBytes: 131_072, durationsMs: [], gaveUp: 1 },
  ]);
});
