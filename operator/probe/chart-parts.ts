/** The series and the axes of the chart. */
import type { LineSeriesOption, ScatterSeriesOption, XAXisComponentOption, YAXisComponentOption } from "echarts";
import { sizeText } from "../text";
import {
  CROSS,
  durationText,
  FONT,
  GAVE_UP,
  INK,
  type Layout,
  LINE,
  LOOKS,
  laneOf,
  MAIN,
  MEDIAN,
  P95,
  PALE,
  placeInLane,
  ROW_PX,
  STRIP,
} from "./chart-layout";
import type { Direction } from "./plan";
import type { ProbeRecord } from "./records";
import type { Group } from "./summary";

export type Series = LineSeriesOption | ScatterSeriesOption;

export function seriesOf(
  direction: Direction,
  { name, records, groups }: { name: string; records: readonly ProbeRecord[]; groups: readonly Group[] },
  layout: Layout,
): Series[] {
  const { sizes, present, sizeWidthPx, scale } = layout;
  const { color, symbol } = LOOKS[direction];
  const lane = laneOf(direction, present, sizeWidthPx);
  const placed = sizes.flatMap((sizeBytes, column) =>
    records
      .filter((record) => record.file_size_in_bytes === sizeBytes)
      .map((record, index, { length }) => ({ record, x: column + placeInLane(lane, index, length) })),
  );
  const quantileLine = (ms: "p50Ms" | "p95Ms") =>
    groups.flatMap(({ sizeBytes, quantiles }) =>
      quantiles === undefined ? [] : [[sizes.indexOf(sizeBytes) + lane.centre, quantiles[ms] / scale.msPerUnit]],
    );
  const p95WidthPx = Math.round(Math.max(24, 2.3 * lane.halfWidth * sizeWidthPx));
  return [
    {
      ...inGrid(MAIN),
      type: "scatter",
      name,
      data: placed.flatMap(({ record: { duration_in_ms }, x }) =>
        duration_in_ms === null ? [] : [[x, duration_in_ms / scale.msPerUnit]],
      ),
      symbol,
      symbolSize: symbol === "diamond" ? 11 : 9,
      itemStyle: { color, opacity: 0.55 },
      z: 2,
    },
    medianSeries(color, quantileLine("p50Ms")),
    {
      ...inGrid(MAIN),
      type: "scatter",
      name: P95,
      data: quantileLine("p95Ms"),
      symbol: "rect",
      symbolSize: [p95WidthPx, 3],
      itemStyle: { color, opacity: 1 },
      z: 4,
    },
    {
      ...inGrid(STRIP),
      type: "scatter",
      name: GAVE_UP,
      data: placed.flatMap(({ record, x }) => (record.gave_up ? [[x, 0]] : [])),
      symbol: CROSS,
      symbolSize: 11,
      itemStyle: { color, opacity: 1 },
    },
  ];
}

const inGrid = (grid: number) => ({ animation: false, emphasis: { disabled: true }, xAxisIndex: grid, yAxisIndex: grid });

const medianSeries = (color: string, data: number[][]): LineSeriesOption => ({
  ...inGrid(MAIN),
  type: "line",
  name: MEDIAN,
  data,
  symbol: "circle",
  symbolSize: 9,
  showAllSymbol: true,
  itemStyle: { color: "#ffffff", borderColor: color, borderWidth: 2.5 },
  lineStyle: { color, width: 2.5 },
  z: 3,
});

/** The x axis: size number i has the interval from i - 0.5 to i + 0.5, so that samples can lie side by side. */
export const across = ({ sizes }: Layout) => ({ type: "value" as const, min: -0.5, max: sizes.length - 0.5 });

/** Labels each size with its median and 95th percentile, one line per direction. */
export function sizeAxis(groups: readonly Group[], layout: Layout, numbersPx: number): XAXisComponentOption {
  const { sizes, present, scale } = layout;
  const numbers = (sizeBytes: number) =>
    present.map((direction, line) => {
      const quantiles = groups.find((group) => group.sizeBytes === sizeBytes && group.direction === direction)?.quantiles;
      const text = quantiles ? `${durationText(quantiles.p50Ms, scale)} / ${durationText(quantiles.p95Ms, scale)}` : "-";
      return `{direction${line}|${text}}`;
    });
  return {
    ...across(layout),
    gridIndex: MAIN,
    name: "Object size (1 KiB = 1,024 bytes), and under it median / 95th percentile",
    nameLocation: "middle",
    nameGap: numbersPx + 16,
    nameTextStyle: { fontFamily: FONT, fontSize: 13, color: INK },
    axisLine: { onZero: false, lineStyle: { color: PALE } },
    splitLine: { show: false },
    axisTick: { customValues: sizes.slice(1).map((_, index) => index + 0.5), length: numbersPx, lineStyle: { color: LINE } },
    axisLabel: {
      customValues: sizes.map((_, index) => index),
      formatter: (index: number) => {
        const sizeBytes = sizes[index] ?? 0;
        return [`{size|${sizeText(sizeBytes)}}`, ...numbers(sizeBytes)].join("\n");
      },
      fontFamily: FONT,
      margin: 8,
      hideOverlap: false,
      rich: {
        size: { fontFamily: FONT, fontSize: 13, fontWeight: "bold", color: INK, lineHeight: ROW_PX },
        ...Object.fromEntries(
          present.map((direction, line) => [
            `direction${line}`,
            { fontFamily: FONT, fontSize: 12, color: LOOKS[direction].color, lineHeight: ROW_PX - 2 },
          ]),
        ),
      },
    },
  };
}

export function latencyAxis({ scale }: Layout): YAXisComponentOption {
  const look = {
    gridIndex: MAIN,
    name: `Latency (${scale.unit}${scale.isLogarithmic ? ", logarithmic" : ""})`,
    nameLocation: "middle" as const,
    nameGap: 56,
    nameTextStyle: { fontFamily: FONT, fontSize: 13, color: INK },
    axisLabel: {
      fontFamily: FONT,
      fontSize: 12,
      color: INK,
      formatter: (value: number) => value.toLocaleString("en-US", { maximumFractionDigits: 3 }),
    },
    axisLine: { show: false },
    axisTick: { show: false },
    splitLine: { lineStyle: { color: LINE } },
  };
  return scale.isLogarithmic
    ? { ...look, type: "log", minorSplitLine: { show: true, lineStyle: { color: "#eef1f4" } }, minorTick: { splitNumber: 9 } }
    : { ...look, type: "value", min: 0 };
}

export function stripAxis(hasGivenUp: boolean): YAXisComponentOption {
  return {
    type: "category",
    data: [GAVE_UP],
    gridIndex: STRIP,
    show: hasGivenUp,
    axisLine: { show: false },
    axisTick: { show: false },
    axisLabel: { fontFamily: FONT, fontSize: 12, color: INK },
  };
}
