import type { LoadResult, LocalStackResults } from "../../bench/local-stack";
import { reportOf } from "../../bench/local-stack-report";
import type { StartupResult } from "../../bench/startup";
import { reportOf as startupReportOf } from "../../bench/startup-report";

const load = (workload: LoadResult["workload"], objectsPerSecond: number, p50: number): LoadResult => ({
  workload,
  objects: 10,
  objectsPerSecond,
  lagMs: { p50, p95: 2 * p50, p99: 3 * p50 },
  cpuSeconds: { sender: 1.25, others: 0.01, receiver: 2 },
});

const bare: LocalStackResults["bare"] = { objectsPerSecond: 80, lagMs: { p50: 20, p95: 30, p99: 40 }, cpuSeconds: {} };

describe("the report of the local stack", () => {
  const report = reportOf({ loads: [load({ rate: 1, seconds: 5 }, 1.04, 40), load({ burst: 1000 }, 70, 900)], bare });

  test("has a row for each load and one for the emulator alone; a process that did nothing is left out", () => {
    expect(report.rows).toEqual([
      ["1 objects/s for 5 s", "1", "40 / 80 / 120", "receiver 2.0, sender 1.3"],
      ["burst of 1000", "70", "900 / 1,800 / 2,700", "receiver 2.0, sender 1.3"],
      ["the emulator alone: the same calls by a bare client", "80", "20 / 30 / 40", ""],
    ]);
  });

  test.each([
    [100, true],
    [72, true],
    [71, false],
  ])("a burst of 1,000 at %d/s meets its target: %s, where the emulator alone carries 80/s", (perSecond, isMet) => {
    const { targets } = reportOf({ loads: [load({ burst: 1000 }, perSecond, 1)], bare });
    expect(targets).toEqual([expect.objectContaining({ isMet })]);
  });

  test.each([
    [70, true],
    [71, false],
  ])("a median lag of %d ms meets its target: %s, where the emulator alone has 20 ms", (p50, isMet) => {
    const { targets } = reportOf({ loads: [load({ rate: 1, seconds: 5 }, 1, p50)], bare });
    expect(targets).toEqual([expect.objectContaining({ isMet, measured: `${p50} ms; the emulator 20 ms` })]);
  });

  test("other loads have no target", () => {
    expect(reportOf({ loads: [load({ burst: 5000 }, 1, 1), load({ rate: 10, seconds: 1 }, 1, 1)], bare }).targets).toEqual([]);
  });
});

describe("the report of the start-up", () => {
  const one = { min: 1, median: 2.25, max: 3 };
  const result = (name: string, wall: number): StartupResult => ({
    name,
    sizeBytes: 2048,
    wallMs: one,
    cpuMs: one,
    ofMinimal: { wall, cpu: 0.5 },
  });

  test.each([
    [0.75, true],
    [0.76, false],
  ])("a sender that takes %d of the minimal bundle's time meets the target: %s", (wall, isMet) => {
    const { rows, targets } = startupReportOf([result("aws-lambda/sender + presign", wall), result("aws-lambda/copier", 9)]);
    expect(rows[0]).toEqual(["aws-lambda/sender + presign", "2", "1.0 / 2.3 / 3.0", "2.3", wall.toFixed(2), "0.50"]);
    expect(targets).toEqual([expect.objectContaining({ isMet })]);
  });
});
