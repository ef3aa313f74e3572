import { parseStringPromise } from "xml2js";
import { chartOf, drawSvg, PNG_ZOOM, pngOf } from "../../../operator/probe/chart";
import type { ProbeRecord } from "../../../operator/probe/records";
import { readPng } from "./png";
import { FACTS, record } from "./record-fixture";

const BLUE = "#0072b2";
const RED = "#d55e00";
const WHITE = 0xffffff;
const INK = 0x24292f;
const SIZES = [128, 1024, 4096].map((kib) => kib * 1024);

const back = { direction: "destination->source" } as const;
const times = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, index) => make(index));
/** @param count of each size */
const sent = (count: number, changes: Partial<ProbeRecord> = {}) =>
  SIZES.flatMap((file_size_in_bytes) => times(count, (index) => record(900 + 130 * index, { file_size_in_bytes, ...changes })));

const oneWay = sent(5);
const twoWay = [...sent(4), ...sent(6, back)];
const givenUp = [...sent(3), record(null), record(null), ...sent(3, back), record(null, back)];

interface Mark {
  colour: string;
  series: number;
}

interface Drawn {
  texts: string[];
  /** Marks of the series, without those of the legend. */
  marks: Mark[];
}

/** An element of xml2js: its text, its attributes, and its children by name. */
interface Element {
  _?: string;
  $?: Record<string, string>;
  [name: string]: unknown;
}

/** The texts and marks in the SVG. Throws if the SVG is not well-formed. */
async function read(svg: string): Promise<Drawn> {
  const { svg: root } = (await parseStringPromise(svg)) as { svg: Element };
  const all = (element: Element): { name: string; element: Element }[] =>
    Object.entries(element).flatMap(([name, children]) =>
      Array.isArray(children) ? children.flatMap((child: Element) => [{ name, element: child }, ...all(child)]) : [],
    );
  const found = all(root);
  return {
    texts: found.flatMap(({ name, element: { _ = "" } }) => (name === "text" ? [_] : [])),
    marks: found.flatMap(({ element: { $ = {} } }) =>
      $.ecmeta_ssr_type === "chart" && $.ecmeta_data_index !== undefined
        ? [{ series: Number($.ecmeta_series_index), colour: ($.stroke ?? $.fill ?? "").toLowerCase() }]
        : [],
    ),
  };
}

const SERIES = ["samples", "median", "p95", "gave up"] as const;
/** The number of marks of each kind, by direction. */
function counted(marks: readonly Mark[]) {
  const counts: Record<string, Record<string, number>> = {};
  for (const { series, colour } of marks) {
    const kind = SERIES[series % SERIES.length] ?? "";
    counts[colour] ??= {};
    (counts[colour] as Record<string, number>)[kind] = (counts[colour]?.[kind] ?? 0) + 1;
  }
  return counts;
}

test("the picture has a title for screen readers", () => {
  expect(drawSvg(oneWay, FACTS)).toMatch(/^<svg [^>]* role="img">\n<title>Replication latency of stack \w+/);
});

test("one-way: a mark for each sample, a median and a 95th percentile for each size", async () => {
  const { texts, marks } = await read(drawSvg(oneWay, FACTS));
  expect(counted(marks)).toEqual({ [BLUE]: { samples: 15, median: 3, p95: 3 } });
  expect(texts).toEqual(
    expect.arrayContaining([
      "Replication latency of stack aws-to-china (mode pull)",
      "1 March 2026 at 09:59 UTC  ·  15 objects, 5 of each size  ·  looked for every 500 ms",
      "A dot is an object, from left to right in the order sent; below 20 of a kind, the 95th percentile only follows the largest.",
      "source → destination (aws us-east-1 → aws-cn cn-north-1)",
      "median",
      "95th percentile",
      "Object size (1 KiB = 1,024 bytes), and under it median / 95th percentile",
      "Latency (ms)",
      "128 KiB",
      "1 MiB",
      "4 MiB",
      "1,160 ms / 1,394 ms",
    ]),
  );
  expect(texts).not.toContain("gave up");
});

test("two-way: each direction has its colour and its line in the legend", async () => {
  const { texts, marks } = await read(drawSvg(twoWay, FACTS));
  expect(counted(marks)).toEqual({ [BLUE]: { samples: 12, median: 3, p95: 3 }, [RED]: { samples: 18, median: 3, p95: 3 } });
  expect(texts).toEqual(
    expect.arrayContaining([
      "source → destination (aws us-east-1 → aws-cn cn-north-1)",
      "destination → source (aws-cn cn-north-1 → aws us-east-1)",
      "1 March 2026 at 09:59 UTC  ·  30 objects, 4 to 6 of each size and direction  ·  looked for every 500 ms",
    ]),
  );
  expect(texts.filter((text) => text === "median")).toHaveLength(1);
});

test("objects that were given up have a mark of their own, in a strip of their own", async () => {
  const { texts, marks } = await read(drawSvg(givenUp, FACTS));
  expect(counted(marks)).toEqual({
    [BLUE]: { samples: 9, median: 3, p95: 3, "gave up": 2 },
    [RED]: { samples: 9, median: 3, p95: 3, "gave up": 1 },
  });
  expect(texts.filter((text) => text === "gave up")).toHaveLength(2);
});

test("says so if nothing arrived", async () => {
  const { texts, marks } = await read(drawSvg([record(null), record(null)], FACTS));
  expect(counted(marks)).toEqual({ [BLUE]: { "gave up": 2 } });
  expect(texts).toEqual(expect.arrayContaining(["no object arrived", "gave up"]));
});

test.each<[string, number[], { axis: string; label: string }]>([
  ["milliseconds", [400, 1999], { axis: "Latency (ms)", label: "1,200 ms / 1,919 ms" }],
  ["seconds", [400, 2000], { axis: "Latency (s)", label: "1.20 s / 1.92 s" }],
  ["a logarithmic axis", [40, 45, 60_000], { axis: "Latency (s, logarithmic)", label: "45 ms / 54.0 s" }],
  ["a linear one where something took no time", [0, 45, 60_000], { axis: "Latency (s)", label: "0.05 s / 54.0 s" }],
])("%s, as the samples ask for", async (_, durations, { axis, label }) => {
  const { texts } = await read(
    drawSvg(
      durations.map((ms) => record(ms)),
      FACTS,
    ),
  );
  expect(texts).toEqual(expect.arrayContaining([axis, label]));
});

test("keeps text as text, in fonts that viewers have", () => {
  const svg = drawSvg(twoWay, FACTS);
  const families = [...svg.matchAll(/font-family:([^;"]+)/g)].map(([, family]) => family);
  expect(families.length).toBeGreaterThan(20);
  expect(new Set(families)).toEqual(new Set(["DejaVu Sans, Verdana, Arial, sans-serif"]));
});

test("sixteen sizes have room for their numbers", () => {
  const records = times(16, (index) => record(1000, { file_size_in_bytes: (index + 1) * 131_072 }));
  expect(chartOf(records, FACTS).widthPx).toBeGreaterThan(16 * 130);
  expect(chartOf(oneWay, FACTS).widthPx).toBe(960);
});

test("the PNG is the same picture at twice the size, with a white background, a dark title and both colours", () => {
  const { widthPx, heightPx } = chartOf(givenUp, FACTS);
  const picture = readPng(pngOf(drawSvg(givenUp, FACTS)));
  expect([picture.width, picture.height]).toEqual([PNG_ZOOM * widthPx, PNG_ZOOM * heightPx]);
  const count = (colour: number, [left, top, right, bottom]: [number, number, number, number]) => {
    let found = 0;
    for (let y = top * PNG_ZOOM; y < bottom * PNG_ZOOM; y++)
      for (let x = left * PNG_ZOOM; x < right * PNG_ZOOM; x++) if (picture.colour(x, y) === colour) found++;
    return found;
  };
  const whole: [number, number, number, number] = [0, 0, widthPx, heightPx];
  expect(picture.colour(0, 0)).toBe(WHITE);
  expect(count(WHITE, whole) / (picture.width * picture.height)).toBeGreaterThan(0.8);
  // A font that is missing leaves no text at all.
  expect(count(INK, [24, 10, widthPx, 45])).toBeGreaterThan(1000);
  expect(count(Number(`0x${BLUE.slice(1)}`), whole)).toBeGreaterThan(1000);
  expect(count(Number(`0x${RED.slice(1)}`), whole)).toBeGreaterThan(1000);
});
