/** Draws the chart with Apache ECharts. Loaded on demand: its libraries are slow to load. https://echarts.apache.org/en/option.html */
import { dirname, join } from "node:path";
import { Resvg } from "@resvg/resvg-js";
import type { EChartsOption, LegendComponentOption } from "echarts";
import * as echarts from "echarts";
import { counted, grouped } from "../text";
import {
  CROSS,
  directionsIn,
  FONT,
  GAVE_UP,
  INK,
  type Layout,
  LOOKS,
  MEDIAN,
  P95,
  PALE,
  ROW_PX,
  STRIP,
  scaleOf,
} from "./chart-layout";
import { across, latencyAxis, seriesOf, sizeAxis, stripAxis } from "./chart-parts";
import type { Direction } from "./plan";
import type { ProbeRecord } from "./records";
import type { RunFacts } from "./summary";
import { ENOUGH_FOR_P95, type Group, groupsOf } from "./summary";

/** Pixels of the PNG per pixel of the drawing. */
export const PNG_ZOOM = 2;

/**
 * The SVG keeps text as text. A viewer without the first font uses another one.
 * @param records at least one
 */
export function drawSvg(records: readonly ProbeRecord[], facts: RunFacts): string {
  return svgOf(chartOf(records, facts));
}

/** https://echarts.apache.org/handbook/en/how-to/cross-platform/server */
function svgOf({ title, option, widthPx, heightPx }: Chart): string {
  const chart = echarts.init(null, null, { renderer: "svg", ssr: true, width: widthPx, height: heightPx });
  try {
    chart.setOption(option);
    // The title serves screen readers and tooltips. The name of a stack needs no escaping in XML.
    return chart
      .renderToSVGString()
      .replace(/^<svg [^>]*>/, (open) => `${open.replace(/>$/, ' role="img">')}\n<title>${title}</title>`);
  } finally {
    // Otherwise a timer of the chart keeps the process alive.
    chart.dispose();
  }
}

/** Uses the fonts of a package, so that every machine draws the same picture. */
export function pngOf(svg: string): Buffer {
  const fonts = join(dirname(require.resolve("dejavu-fonts-ttf/package.json")), "ttf");
  const resvg = new Resvg(svg, {
    fitTo: { mode: "zoom", value: PNG_ZOOM },
    font: {
      loadSystemFonts: false,
      fontFiles: ["DejaVuSans.ttf", "DejaVuSans-Bold.ttf"].map((file) => join(fonts, file)),
      defaultFontFamily: "DejaVu Sans",
    },
  });
  return resvg.render().asPng();
}

const LEFT_PX = 86;
const RIGHT_PX = 36;
const LEAST_WIDTH_PX = 960;
/** Fits two numbers and their units under each size. */
const LEAST_SIZE_WIDTH_PX = 132;
const PLOT_HEIGHT_PX = 380;
const STRIP_HEIGHT_PX = 30;
/** Around title and legend. */
const EDGE_PX = 24;
const LEGEND_TOP_PX = 98;

export interface Chart {
  title: string;
  option: EChartsOption;
  widthPx: number;
  heightPx: number;
}

/** @param records at least one */
export function chartOf(records: readonly ProbeRecord[], facts: RunFacts): Chart {
  const groups = groupsOf(records);
  const sizes = [...new Set(groups.map(({ sizeBytes }) => sizeBytes))].sort((a, b) => a - b);
  const present = directionsIn(records);
  const sizeWidthPx = Math.max(LEAST_SIZE_WIDTH_PX, (LEAST_WIDTH_PX - LEFT_PX - RIGHT_PX) / sizes.length);
  const scale = scaleOf(groups.flatMap(({ durationsMs }) => durationsMs));
  const layout: Layout = { sizes, present, sizeWidthPx, scale };

  const title = `Replication latency of stack ${facts.stack} (mode ${facts.mode})`;
  const hasGivenUp = records.some((record) => record.gave_up);
  const stripTopPx = LEGEND_TOP_PX + present.length * (ROW_PX + 4) + 14;
  const plotTopPx = stripTopPx + (hasGivenUp ? STRIP_HEIGHT_PX + 8 : 0);
  const numbersPx = (present.length + 1) * ROW_PX;
  const common = { left: LEFT_PX, right: RIGHT_PX, containLabel: false };
  return {
    title,
    widthPx: Math.round(LEFT_PX + RIGHT_PX + sizes.length * sizeWidthPx),
    heightPx: plotTopPx + PLOT_HEIGHT_PX + numbersPx + 52,
    option: {
      animation: false,
      backgroundColor: "#ffffff",
      textStyle: { fontFamily: FONT, color: INK },
      title: {
        text: title,
        subtext: subtitle(groups, facts),
        left: EDGE_PX,
        top: 16,
        itemGap: 6,
        // A long stack name still fits.
        textStyle: { fontFamily: FONT, fontSize: Math.min(20, Math.floor(1300 / title.length)), fontWeight: "bold", color: INK },
        subtextStyle: { fontFamily: FONT, fontSize: 13, lineHeight: ROW_PX, color: PALE },
      },
      legend: [directionLegend(records, present), markLegend(hasGivenUp)],
      grid: [
        { ...common, top: plotTopPx, height: PLOT_HEIGHT_PX },
        { ...common, top: stripTopPx, height: STRIP_HEIGHT_PX, show: hasGivenUp, borderWidth: 0, backgroundColor: "#f6f8fa" },
      ],
      xAxis: [sizeAxis(groups, layout, numbersPx), { ...across(layout), gridIndex: STRIP, show: false }],
      yAxis: [latencyAxis(layout), stripAxis(hasGivenUp)],
      graphic: groups.some(({ quantiles }) => quantiles !== undefined) ? [] : noneArrived(plotTopPx),
      series: present.flatMap((direction) =>
        seriesOf(
          direction,
          {
            name: directionText(direction, records),
            records: records.filter((record) => record.direction === direction),
            groups: groups.filter((group) => group.direction === direction),
          },
          layout,
        ),
      ),
    },
  };
}

function noneArrived(plotTopPx: number): NonNullable<EChartsOption["graphic"]> {
  return {
    type: "text",
    left: "center",
    top: plotTopPx + PLOT_HEIGHT_PX / 2,
    style: { text: "no object arrived", font: `16px ${FONT}`, fill: PALE },
  };
}

function directionLegend(records: readonly ProbeRecord[], present: readonly Direction[]): LegendComponentOption {
  return {
    ...legend(),
    left: EDGE_PX + 5,
    orient: "vertical",
    itemWidth: 13,
    itemHeight: 13,
    data: present.map((direction) => ({
      name: directionText(direction, records),
      icon: LOOKS[direction].symbol,
      itemStyle: { color: LOOKS[direction].color, opacity: 1 },
    })),
  };
}

/** The marks are grey, because they look the same in every direction. */
function markLegend(hasGivenUp: boolean): LegendComponentOption {
  const grey = { color: PALE, borderColor: PALE };
  return {
    ...legend(),
    // ECharts underestimates the width of this text.
    right: 2 * EDGE_PX,
    itemGap: 34,
    data: [
      { name: MEDIAN, itemStyle: { ...grey, color: "#ffffff" }, lineStyle: grey },
      { name: P95, icon: "path://M0,0H26V3H0Z", itemStyle: grey },
      ...(hasGivenUp ? [{ name: GAVE_UP, icon: CROSS, itemStyle: grey }] : []),
    ],
  };
}

const legend = (): LegendComponentOption => ({
  top: LEGEND_TOP_PX,
  padding: 0,
  itemGap: 8,
  selectedMode: false,
  textStyle: { fontFamily: FONT, fontSize: 13, color: INK },
});

function directionText(direction: Direction, records: readonly ProbeRecord[]): string {
  const { from = "", to = "" } = records.find((record) => record.direction === direction) ?? {};
  const place = (store: string) => store.split("/").slice(0, 2).join(" ");
  return `${direction.replace("->", " → ")} (${place(from)} → ${place(to)})`;
}

/** How the samples were taken. */
function subtitle(groups: readonly Group[], { startedAt, options }: RunFacts): string {
  const counts = groups.map(({ durationsMs, gaveUp }) => durationsMs.length + gaveUp);
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  const objects = counts.reduce((a, b) => a + b, 0);
  const kinds = new Set(groups.map(({ direction }) => direction)).size > 1 ? "size and direction" : "size";
  const each = groups.length === 1 ? "" : `, ${least === most ? most : `${least} to ${most}`} of each ${kinds}`;
  const few = groups.some(({ durationsMs: { length } }) => length > 0 && length < ENOUGH_FOR_P95)
    ? `; below ${ENOUGH_FOR_P95} of a kind, the 95th percentile only follows the largest`
    : "";
  return [
    `${dateText(startedAt)}  ·  ${counted(objects, "object")}${each}  ·  looked for every ${grouped(options.intervalMs)} ms`,
    `A dot is an object, from left to right in the order sent${few}.`,
  ].join("\n");
}

function dateText(date: Date): string {
  const options = {
    day: "numeric",
    month: "long",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    timeZone: "UTC",
  } as const;
  return `${date.toLocaleString("en-GB", options)} UTC`;
}
