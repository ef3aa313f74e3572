/** The axes of the chart. Pure. */
import type { XAXisComponentOption, YAXisComponentOption } from "echarts";
import { durationText, type Layout } from "./chart-data";
import { FONT, GAVE_UP, INK, LINE, LOOKS, MAIN, PALE, ROW_PX, STRIP } from "./chart-style";
import { sizeText } from "./sizes";
import type { Group } from "./statistics";

/** Sizes are numbered from 0, so that samples can lie beside each other; from the edge of the first to that of the last. */
export const across = ({ sizes }: Layout) => ({ type: "value" as const, min: -0.5, max: sizes.length - 0.5 });

/** Under each size its numbers, a line a direction. */
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
