/** Draws how the product compares with the best peer of each workload. https://echarts.apache.org/en/option.html */
import type { EChartsOption } from "echarts";
import * as echarts from "echarts";
import { FONT, INK, LINE, PALE } from "../../operator/probe/chart-layout";
import type { DataWorkload, Workload } from "../workload";
import { titleOf } from "./markdown";
import type { Results } from "./results";
import { ratioOf } from "./statistics";
import { bestPeer, limitOnBest, timesOf } from "./targets";

/** One way of the product in one workload. */
export interface ChartRow {
  label: string;
  peer: string;
  /** The time, as a multiple of the best peer's. */
  value: number;
  least: number;
  most: number;
  /** The largest multiple that meets every target. */
  limit: number | undefined;
}

export function chartRows(workloads: readonly Workload[], results: Results): ChartRow[] {
  return workloads.flatMap((workload) => {
    const result = results[workload.name];
    if (workload.kind !== "data" || result?.kind !== "data") return [];
    const { contenders, objects } = result;
    const best = bestPeer(contenders);
    if (best === undefined) return [];
    return contenders
      .filter(({ isOwn }) => isOwn)
      .map((own) => ({
        label: `${shortTitle(workload, objects)}: ${own.label}`,
        peer: best.label,
        ...ratioOf(timesOf(own), timesOf(best)),
        limit: limitOnBest(own.name, workload.targets, contenders),
      }));
  });
}

/** Without the stores: peers exist for S3 only. */
function shortTitle(workload: DataWorkload, objects: DataWorkload["objects"]): string {
  const [size = "", , transport = ""] = titleOf(workload, objects).split(", ");
  return workload.link === undefined ? `${size}, ${transport}` : `${size}, ${workload.link.roundTripMs} ms`;
}

// Okabe and Ito's colours, which colour-blind people can distinguish. https://jfly.uni-koeln.de/color/
const MET = "#0072B2";
const MISSED = "#D55E00";
const LIMIT = "#000000";

const ROW_PX = 26;
const LABEL_PX = 380;
const PEER_PX = 300;
const PLOT_PX = 520;
const TOP_PX = 132;
const BOTTOM_PX = 56;
const EDGE_PX = 24;

/** @param rows at least one */
export function drawChart(rows: readonly ChartRow[], subtitle: string): string {
  const width = LABEL_PX + PLOT_PX + PEER_PX;
  const height = TOP_PX + rows.length * ROW_PX + BOTTOM_PX;
  const chart = echarts.init(null, null, { renderer: "svg", ssr: true, width, height });
  try {
    chart.setOption(optionOf(rows, subtitle));
    return chart
      .renderToSVGString()
      .replace(/^<svg [^>]*>/, (open) => `${open.replace(/>$/, ' role="img">')}\n<title>${TITLE}</title>`);
  } finally {
    // Otherwise a timer of the chart keeps the process alive.
    chart.dispose();
  }
}

const TITLE = "Time of the product as a multiple of the best peer's";
const NAMES = { met: "meets its targets", missed: "misses a target", none: "has no target", limit: "target" } as const;

const isMissed = ({ value, limit }: ChartRow): boolean => limit !== undefined && value > limit;
const stateOf = (row: ChartRow): "met" | "missed" | "none" =>
  row.limit === undefined ? "none" : isMissed(row) ? "missed" : "met";
const COLORS = { met: MET, missed: MISSED, none: PALE } as const;

/** Powers of two around every value, so that half and double are equally far from 1. */
export function axisBounds(rows: readonly ChartRow[]): { min: number; max: number } {
  const values = rows.flatMap(({ least, most, limit }) => [least, most, limit ?? 1]);
  return {
    min: 2 ** Math.floor(Math.log2(Math.min(0.5, ...values))),
    max: 2 ** Math.ceil(Math.log2(Math.max(2, ...values))),
  };
}

function optionOf(rows: readonly ChartRow[], subtitle: string): EChartsOption {
  const points = (state: keyof typeof COLORS) =>
    rows.flatMap((row, index) => (stateOf(row) === state ? [[row.value, index]] : []));
  const states = (Object.keys(COLORS) as (keyof typeof COLORS)[]).filter((state) => points(state).length > 0);
  return {
    animation: false,
    backgroundColor: "#ffffff",
    textStyle: { fontFamily: FONT, color: INK },
    title: {
      text: TITLE,
      subtext: `${subtitle}\nLeft of 1 is faster than the best peer. A dot is the ratio of the medians, a line goes from the least to the greatest ratio of a round.`,
      left: EDGE_PX,
      top: 16,
      itemGap: 6,
      textStyle: { fontFamily: FONT, fontSize: 20, fontWeight: "bold", color: INK },
      subtextStyle: { fontFamily: FONT, fontSize: 13, lineHeight: 20, color: PALE },
    },
    legend: {
      top: 96,
      left: LABEL_PX,
      padding: 0,
      itemGap: 24,
      selectedMode: false,
      textStyle: { fontFamily: FONT, fontSize: 13, color: INK },
      data: [
        ...states.map((state) => ({ name: NAMES[state], icon: "circle", itemStyle: { color: COLORS[state] } })),
        { name: NAMES.limit, icon: "path://M0,0H3V16H0Z", itemStyle: { color: LIMIT } },
      ],
    },
    grid: { left: LABEL_PX, width: PLOT_PX, top: TOP_PX, height: rows.length * ROW_PX, containLabel: false },
    xAxis: timeAxis(rows),
    yAxis: [rowAxis(rows, "left", ({ label }) => label), rowAxis(rows, "right", peerText)],
    series: [
      { type: "line", data: [], silent: true, markLine: AS_FAST },
      ...rows.map((row, index) => rangeSeries(row, index)),
      ...states.map((state) => ({
        type: "scatter" as const,
        name: NAMES[state],
        data: points(state),
        symbolSize: 11,
        itemStyle: { color: COLORS[state], opacity: 1 },
        z: 4,
      })),
      {
        type: "scatter",
        name: NAMES.limit,
        data: rows.flatMap(({ limit }, index) => (limit === undefined ? [] : [[limit, index]])),
        symbol: "rect",
        symbolSize: [3, 18],
        itemStyle: { color: LIMIT, opacity: 1 },
        z: 3,
      },
    ],
  };
}

const AS_FAST = {
  symbol: "none",
  animation: false,
  label: { show: false },
  lineStyle: { color: PALE, width: 1.5, type: "solid" as const },
  data: [{ xAxis: 1 }],
};

const peerText = ({ value, peer }: ChartRow): string => `${value.toFixed(2)} x ${peer}`;

/** From the least to the greatest ratio. */
const rangeSeries = (row: ChartRow, index: number) => ({
  type: "line" as const,
  data: [
    [row.least, index],
    [row.most, index],
  ],
  symbol: "none",
  lineStyle: { color: COLORS[stateOf(row)], width: 3, opacity: 0.5 },
  z: 2,
});

function timeAxis(rows: readonly ChartRow[]): NonNullable<EChartsOption["xAxis"]> {
  return {
    type: "log",
    logBase: 2,
    ...axisBounds(rows),
    name: "Time compared with the best peer (logarithmic)",
    nameLocation: "middle",
    nameGap: 32,
    nameTextStyle: { fontFamily: FONT, fontSize: 13, color: INK },
    axisLabel: { fontFamily: FONT, fontSize: 12, color: INK, formatter: (value: number) => String(value) },
    splitLine: { lineStyle: { color: LINE } },
  };
}

/** The first row is at the top. */
function rowAxis(rows: readonly ChartRow[], position: "left" | "right", text: (row: ChartRow) => string) {
  return {
    type: "category" as const,
    position,
    inverse: true,
    data: rows.map((_, index) => String(index)),
    axisLabel: {
      fontFamily: FONT,
      fontSize: 12,
      color: INK,
      interval: 0,
      formatter: (_: string, index: number) => text(rows[index] as ChartRow),
    },
    axisLine: { show: false },
    axisTick: { show: false },
    splitLine: { show: position === "left", lineStyle: { color: "#eef1f4" } },
  };
}
