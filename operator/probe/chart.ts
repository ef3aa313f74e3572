/** Draws the chart. Loaded only where there is something to draw: its libraries take a while to load. */
import { dirname, join } from "node:path";
import { Resvg } from "@resvg/resvg-js";
import * as echarts from "echarts";
import { type Chart, chartOf } from "./chart-option";
import type { ProbeRecord } from "./records";
import type { RunFacts } from "./summary";

/** Pixels of the picture to one of the drawing, for screens and paper that show more. */
export const PNG_ZOOM = 2;

/**
 * Its text is text; a viewer without the first font takes another one.
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
    // For those who hear a picture, and for a pointer that rests on it. A stack's name has nothing that XML would read.
    return chart
      .renderToSVGString()
      .replace(/^<svg [^>]*>/, (open) => `${open.replace(/>$/, ' role="img">')}\n<title>${title}</title>`);
  } finally {
    // Its timer would keep the process alive.
    chart.dispose();
  }
}

/** With fonts of its own, so that every machine draws the same. */
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
