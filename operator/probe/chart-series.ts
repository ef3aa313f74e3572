/** What is drawn of one direction. Pure. */
import type { LineSeriesOption, ScatterSeriesOption } from "echarts";
import { type Layout, laneOf, placeInLane } from "./chart-data";
import { CROSS, GAVE_UP, LOOKS, MAIN, MEDIAN, P95, STRIP } from "./chart-style";
import type { Direction } from "./plan";
import type { ProbeRecord } from "./records";
import type { Group } from "./statistics";

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
  const at = (ms: "p50Ms" | "p95Ms") =>
    groups.flatMap(({ sizeBytes, quantiles }) =>
      quantiles === undefined ? [] : [[sizes.indexOf(sizeBytes) + lane.centre, quantiles[ms] / scale.msPerUnit]],
    );
  const still = { animation: false, emphasis: { disabled: true }, xAxisIndex: MAIN, yAxisIndex: MAIN } as const;
  return [
    {
      ...still,
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
    {
      ...still,
      type: "line",
      name: MEDIAN,
      data: at("p50Ms"),
      symbol: "circle",
      symbolSize: 9,
      showAllSymbol: true,
      itemStyle: { color: "#ffffff", borderColor: color, borderWidth: 2.5 },
      lineStyle: { color, width: 2.5 },
      z: 3,
    },
    {
      ...still,
      type: "scatter",
      name: P95,
      data: at("p95Ms"),
      symbol: "rect",
      symbolSize: [Math.round(Math.max(24, 2.3 * lane.halfWidth * sizeWidthPx)), 3],
      itemStyle: { color, opacity: 1 },
      z: 4,
    },
    {
      ...still,
      xAxisIndex: STRIP,
      yAxisIndex: STRIP,
      type: "scatter",
      name: GAVE_UP,
      data: placed.flatMap(({ record, x }) => (record.gave_up ? [[x, 0]] : [])),
      symbol: CROSS,
      symbolSize: 11,
      itemStyle: { color, opacity: 1 },
    },
  ];
}
