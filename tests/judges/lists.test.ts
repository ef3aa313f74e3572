import { readFileSync } from "node:fs";
import {
  type Expectations,
  expectationIds,
  NO_REASON,
  namedCases,
  passPercent,
  readExpectations,
  withResults,
} from "./expectations";
import { gocheckResults, testingResults } from "./go-results";
import { runInChunks } from "./suite";
import { README, readmeWithTable } from "./table";

test("the table in the README of local-alicloud is that of the lists", () => {
  // JUDGES=write npm run test:judges writes it.
  expect(readFileSync(README, "utf8")).toBe(readmeWithTable());
});

describe.each(expectationIds())("the list of %s", (id) => {
  const expected = readExpectations(id);

  test("names each case once", () => {
    const cases = namedCases(expected);
    expect(cases.filter((name, at) => cases.indexOf(name) < at)).toEqual([]);
    expect(expected.passes.length).toBeGreaterThan(0);
  });

  test("has a reason for each case that does not pass", () => {
    const reasons = [...expected.fails, ...expected.outOfScope].map(({ reason }) => reason);
    expect(reasons.filter((reason) => reason === NO_REASON)).toEqual([]);
    expect(reasons.filter((reason, at) => reasons.indexOf(reason) < at)).toEqual([]);
  });

  test("reaches its share of passes", () => {
    expect(passPercent(expected)).toBeGreaterThanOrEqual(expected.atLeastPercent ?? 0);
  });
});

const LIST: Expectations = {
  suite: "a suite",
  version: "1",
  against: "local OSS",
  passes: ["a", "b"],
  fails: [{ reason: "the reason of c", cases: ["c", "d"] }],
  outOfScope: [{ reason: "another service", cases: ["e", "gone"] }],
};

test("recorded results move cases, keep reasons, and leave a mark where a reason lacks", () => {
  const results = new Map(["a", "d", "b", "c", "f"].map((name) => [name, { passed: name === "a" || name === "d", detail: "" }]));
  expect(withResults(LIST, ["a", "b", "c", "d", "e", "f"], results)).toEqual({
    ...LIST,
    passes: ["a", "d"],
    fails: [
      { reason: "the reason of c", cases: ["c"] },
      { reason: NO_REASON, cases: ["b", "f"] },
    ],
    outOfScope: [{ reason: "another service", cases: ["e"] }],
  });
});

test("the output of Go's testing: passed, failed with its lines, skipped", () => {
  const output = [
    "=== RUN   TestA",
    "--- PASS: TestA (0.00s)",
    "=== RUN   TestB",
    "    b_test.go:1: why",
    "--- FAIL: TestB (0.01s)",
  ];
  const results = testingResults([...output, "=== RUN   TestC", "--- SKIP: TestC (0.00s)", "FAIL"].join("\n"));
  expect([...results].map(([name, { passed }]) => [name, passed])).toEqual([
    ["TestA", true],
    ["TestB", false],
    ["TestC", false],
  ]);
  expect(results.get("TestB")?.detail).toContain("why");
});

test("the output of gocheck: a case passes when all its lines do, and a case whose setup failed did not run", () => {
  const results = gocheckResults(
    [
      "=== RUN   Test",
      "PASS: a_test.go:1: Suite.TestA\t0.1s",
      "",
      "----------------------------------------------------------------------",
      "FAIL: a_test.go:9: Suite.TestB",
      "",
      "a_test.go:10:",
      "    c.Assert(1, Equals, 2)",
      "FAIL: a_test.go:9: Suite.TestB",
      "PASS: a_test.go:20: Suite.TestC\t0.1s",
      "PANIC: a_test.go:30: Suite.TestC",
      "MISS: a_test.go:40: Suite.TestD",
    ].join("\n"),
  );
  expect([...results].map(([name, { passed }]) => [name, passed])).toEqual([
    ["Suite.TestA", true],
    ["Suite.TestB", false],
    ["Suite.TestC", false],
    ["Suite.TestD", false],
  ]);
  expect(results.get("Suite.TestB")?.detail).toContain("c.Assert(1, Equals, 2)");
});

test("a case without a result did not pass, and each worker is stopped", async () => {
  let running = 0;
  const results = await runInChunks(["a", "b", "c"], {
    workers: 2,
    casesPerChunk: 2,
    async start() {
      running += 1;
      const stop = async () => {
        running -= 1;
      };
      return { worker: undefined, stop };
    },
    run: async (_, [first = ""]) => ({ results: new Map([[first, { passed: true, detail: "" }]]), output: "the end" }),
  });
  expect([...results].map(([name, { passed }]) => [name, passed]).sort()).toEqual([
    ["a", true],
    ["b", false],
    ["c", true],
  ]);
  expect(results.get("b")?.detail).toContain("the end");
  expect(running).toBe(0);
});
