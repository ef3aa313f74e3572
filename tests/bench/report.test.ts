import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { axisBounds, chartRows, drawChart } from "../../bench/report/chart";
import { contenderRows, markdownTable, resultsPage, sizeName, titleOf } from "../../bench/report/markdown";
import { type Conditions, type Results, readResults, writeWhole } from "../../bench/report/results";
import { ratioOf, spreadOf } from "../../bench/report/statistics";
import { bestPeer, limitOnBest, verdictOn } from "../../bench/report/targets";
import type { ContenderResult } from "../../bench/runner";
import type { DataWorkload, OtherWorkload } from "../../bench/workload";

const MIB = 1024 ** 2;

const contender = (
  name: string,
  isOwn: boolean,
  walls: number[],
  rest: { cpu?: number; rss?: number } = {},
): ContenderResult => ({
  name,
  label: `the ${name}`,
  isOwn,
  integrity: "none",
  runs: walls.map((wallSeconds) => ({ wallSeconds, cpuSeconds: rest.cpu ?? 1, rssBytes: rest.rss ?? MIB })),
  requests: { source: { GetObject: 3, HeadObject: 1 }, destination: { PutObject: 2000 } },
});

const own = contender("receiver", true, [2, 4, 3], { cpu: 3, rss: 100 * MIB });
const rclone = contender("rclone-many", false, [4, 4, 8]);
const s5cmd = contender("s5cmd-many", false, [3, 2, 2]);
const all = [own, rclone, s5cmd];
const objects = { count: 2048, sizeBytes: MIB };

describe("statistics", () => {
  test("a spread is the least, the median and the greatest value", () => {
    expect(spreadOf([3, 1, 10, 2])).toEqual({ min: 1, median: 2.5, max: 10 });
  });

  test("a ratio is that of the medians; its spread is of the pairs", () => {
    expect(ratioOf([2, 4, 3], [4, 4, 8])).toEqual({ value: 0.75, least: 0.375, most: 1 });
  });

  test("a peer that sat out has pairs in its rounds only", () => {
    expect(ratioOf([2, 4, 3], [80, 100])).toEqual({ value: 3 / 90, least: 0.025, most: 0.04 });
  });

  test("runs without a pair have no ratio", () => {
    expect(() => ratioOf([1], [1, 2])).toThrow("1 runs have no pairs with 2");
    expect(() => ratioOf([1], [])).toThrow("1 runs have no pairs with 0");
  });
});

describe("targets", () => {
  test("the best peer has the smallest median time", () => {
    expect(bestPeer(all)?.name).toBe("s5cmd-many");
    expect(bestPeer([own])).toBeUndefined();
  });

  test.each([
    [{ own: "receiver", what: "time", atMost: 0.75, peer: "rclone-many" } as const, true, "0.75 (0.38 to 1.00)"],
    [{ own: "receiver", what: "time", atMost: 0.74, peer: "rclone-many" } as const, false, "0.75 (0.38 to 1.00)"],
    [{ own: "receiver", what: "rate", atLeast: 1.3, peer: "rclone-many" } as const, true, "1.33 (1.00 to 2.67)"],
    [{ own: "receiver", what: "rate", atLeast: 1.4, peer: "rclone-many" } as const, false, "1.33 (1.00 to 2.67)"],
    [{ own: "receiver", what: "rate", atLeast: 1.1, peer: "best" } as const, false, "0.67 (0.50 to 1.50)"],
    [{ own: "receiver", what: "cpuPerGib", atMost: 1.5 } as const, true, "1.50 s"],
    [{ own: "receiver", what: "cpuPerGib", atMost: 1.4 } as const, false, "1.50 s"],
    [{ own: "receiver", what: "rss", atMostBytes: 128 * MIB } as const, true, "100 MiB"],
    [{ own: "receiver", what: "rss", atMostBytes: 99 * MIB } as const, false, "100 MiB"],
  ])("%j is met: %s", (target, isMet, measured) => {
    expect(verdictOn(target, all, objects)).toMatchObject({ own: "the receiver", isMet, measured });
  });

  test("a target of a contender that was not measured has no verdict", () => {
    expect(verdictOn({ own: "sender", what: "time", atMost: 1, peer: "best" }, all, objects)).toBeUndefined();
    expect(verdictOn({ own: "receiver", what: "time", atMost: 1, peer: "curl" }, all, objects)).toBeUndefined();
  });

  test("the limit is the strictest target, as a multiple of the best peer's time", () => {
    const loose = { own: "receiver", what: "time", atMost: 2, peer: "s5cmd-many" } as const;
    const strict = { own: "receiver", what: "rate", atLeast: 2, peer: "rclone-many" } as const;
    expect(limitOnBest("receiver", [loose, strict], all)).toBe(1);
    expect(limitOnBest("receiver", [loose], all)).toBe(2);
    expect(limitOnBest("receiver", [], all)).toBeUndefined();
  });
});

const workload: DataWorkload = {
  kind: "data",
  name: "many",
  groups: [],
  objects,
  source: "s3",
  destination: "oss",
  transport: "tls",
  link: { roundTripMs: 150, windowBytes: 4 * MIB },
  owns: [],
  peers: [],
  note: "A note.",
  targets: [{ own: "receiver", what: "rss", atMostBytes: 99 * MIB }],
};
const other: OtherWorkload = {
  kind: "other",
  name: "other",
  groups: [],
  title: "Something else",
  measure: () => Promise.reject(),
};
const conditions: Conditions = {
  measuredAt: "2026-03-01T12:34:56.000Z",
  commit: "abc",
  load: 0.5,
  machine: "2 cores",
  versions: { rclone: "1.75.1" },
};
const results: Results = {
  many: { kind: "data", conditions, objects, contenders: all },
  other: {
    kind: "other",
    conditions: { ...conditions, load: 3 },
    report: { head: ["a"], rows: [["b|c"]], notes: ["Why."], targets: [{ target: "fast", measured: "9 ms", isMet: true }] },
  },
};

describe("the page", () => {
  const page = resultsPage([workload, other], results, "chart.svg");

  test("names the workload, the store, the link and the conditions", () => {
    expect(titleOf(workload)).toBe("2,048 x 1 MiB, S3 to OSS, TLS, source 150 ms away, window 4 MiB");
    expect(page).toContain("## 2,048 x 1 MiB, S3 to OSS");
    expect(page).toContain(
      "`npm run bench -- many`, 2026-03-01 12:34 UTC, commit abc. 2 cores. Load at the start 0.50. 3 rounds. rclone 1.75.1.",
    );
    expect(page).toContain("A note.");
  });

  test("says which figures are no results, because the machine was busy", () => {
    expect(page.match(/The machine was busy/g)).toHaveLength(1);
    expect(page).toContain("Load at the start 3.00. **The machine was busy: these figures are no results.**");
  });

  test("lists every target with its measure", () => {
    expect(page).toContain("| the receiver | at most 99 MiB of memory | 100 MiB | **no** |");
    expect(page).toContain("| Something else |  | fast | 9 ms | yes |");
  });

  test("has a row for each contender, and its requests", () => {
    expect(contenderRows(results.many as Extract<Results[string], { kind: "data" }>)[0]).toEqual([
      "the receiver",
      "2.00 / 3.00 / 4.00",
      "683 objects/s",
      "1.50 (0.67 to 2.00)",
      "3.00",
      "100",
      "",
    ]);
    expect(page).toContain("| 3 GetObject, 1 HeadObject | 2,000 PutObject |");
  });

  test("leaves out a workload that was not measured", () => {
    expect(resultsPage([workload], {}, undefined)).not.toContain("2,048");
  });

  test("escapes the border of a cell", () => {
    expect(markdownTable(["a"], [["b|c"]])).toEqual(["| a |", "|---|", "| b\\|c |"]);
  });

  test.each([
    [0, "0 B"],
    [1000, "1000 B"],
    [4096, "4 KiB"],
    [128 * MIB, "128 MiB"],
    [4096 * MIB, "4 GiB"],
  ])("the size %d is %s", (bytes, text) => {
    expect(sizeName(bytes)).toBe(text);
  });
});

describe("the chart", () => {
  const rows = chartRows(
    [{ ...workload, targets: [{ own: "receiver", what: "time", atMost: 1, peer: "best" }] }, other],
    results,
  );

  test("has a row for each way of the product that has a peer", () => {
    expect(rows).toEqual([
      { label: "2,048 x 1 MiB, 150 ms: the receiver", peer: "the s5cmd-many", value: 1.5, least: 2 / 3, most: 2, limit: 1 },
    ]);
  });

  test("holds every value between its bounds", () => {
    expect(axisBounds(rows)).toEqual({ min: 0.5, max: 2 });
    expect(axisBounds([{ ...(rows[0] as (typeof rows)[number]), least: 0.2, most: 9 }])).toEqual({ min: 0.125, max: 16 });
  });

  test("is an SVG that names its rows", () => {
    const svg = drawChart(rows, "2 cores");
    expect(svg).toMatch(/^<svg [^>]*role="img">\n<title>Time of the product/);
    expect(svg).toContain("2,048 x 1 MiB, 150 ms: the receiver");
    expect(svg).toContain("misses a target");
  });
});

describe("the file of raw figures", () => {
  test("is empty before the first run, and then holds what was written", async () => {
    const folder = await mkdtemp(join(tmpdir(), "bench-results-"));
    const path = join(folder, "results.json");
    try {
      expect(await readResults(path)).toEqual({});
      await writeWhole(path, JSON.stringify(results));
      expect(await readResults(path)).toEqual(results);
      expect(await readFile(path, "utf8")).toContain("receiver");
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
