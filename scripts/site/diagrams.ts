/** Draws the Mermaid diagrams of the pages as SVG, in a light and in a dark form, with Mermaid itself in a Chromium. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";
import { launchChromium } from "../chromium";

/** All of Mermaid in one script. https://github.com/mermaid-js/mermaid/tree/develop/packages/tiny */
const MERMAID = "@mermaid-js/tiny";
/** The texts are measured in it. It is a wide font, so the boxes fit the texts on machines that have another one. */
const FONT = { family: "DejaVu Sans", file: "dejavu-fonts-ttf/ttf/DejaVuSans.ttf" };

export const THEMES = { light: "neutral", dark: "dark" } as const;
export type Theme = keyof typeof THEMES;

export interface Drawing {
  /** The `accTitle` of the diagram, for readers who do not see it. */
  title: string;
  widthPx: number;
  heightPx: number;
  svg: Record<Theme, string>;
}

/** Runs in the browser. The file is XML, and Mermaid writes the elements as HTML has them. */
const RENDER = `async function render(config, source) {
  mermaid.initialize(config);
  const { svg } = await mermaid.render("diagram", source);
  return new XMLSerializer().serializeToString(new DOMParser().parseFromString(svg, "text/html").querySelector("svg"));
}`;

/** @throws Error for a diagram without a title, and for one that Mermaid cannot read, with its source */
export async function drawDiagrams(sources: readonly string[]): Promise<Drawing[]> {
  if (sources.length === 0) return [];
  const browser = await launchChromium();
  try {
    const page = await browser.newPage();
    await page.addScriptTag({ path: createRequire(__filename).resolve(MERMAID) });
    await page.addScriptTag({ content: RENDER });
    await loadFont(page);
    const drawings: Drawing[] = [];
    for (const source of sources) drawings.push(await draw(page, source));
    return drawings;
  } finally {
    await browser.close();
  }
}

async function loadFont(page: Page): Promise<void> {
  const font = (await readFile(createRequire(__filename).resolve(FONT.file))).toString("base64");
  await page.addStyleTag({ content: `@font-face { font-family: "${FONT.family}"; src: url(data:font/ttf;base64,${font}); }` });
  const loaded = await page.evaluate(`document.fonts.load('16px "${FONT.family}"').then(({ length }) => length)`);
  if (loaded !== 1) throw new Error(`the font ${FONT.family} of ${FONT.file} was not loaded`);
}

async function draw(page: Page, source: string): Promise<Drawing> {
  const [, title] = /^\s*accTitle: *(.+)$/m.exec(source) ?? [];
  if (title === undefined) throw new Error(`a diagram has no title; give it a line "accTitle: ...":\n${source}`);
  const light = await render(page, source, "light");
  const dark = await render(page, source, "dark");
  const [, widthPx, heightPx] = /viewBox="\S+ \S+ (\S+) (\S+)"/.exec(light) ?? [];
  return { title, widthPx: Math.ceil(Number(widthPx)), heightPx: Math.ceil(Number(heightPx)), svg: { light, dark } };
}

async function render(page: Page, source: string, theme: Theme): Promise<string> {
  const config = {
    startOnLoad: false,
    theme: THEMES[theme],
    fontFamily: `${FONT.family}, Verdana, sans-serif`,
    // An SVG file in an <img> shows HTML inside it only in some browsers.
    htmlLabels: false,
    themeVariables: { fontSize: "14px", actorLineColor: "#8884", signalTextColor: theme === "dark" ? "#ddd" : "#222" },
    flowchart: { htmlLabels: false, useMaxWidth: false, nodeSpacing: 20, rankSpacing: 24, padding: 8 },
    sequence: {
      useMaxWidth: false,
      wrap: true,
      actorMargin: 30,
      width: 124,
      wrapPadding: 4,
      messageFontSize: 14,
      noteFontSize: 14,
    },
    state: { useMaxWidth: false, nodeSpacing: 20, rankSpacing: 36 },
    deterministicIds: true,
  };
  try {
    return await page.evaluate<string>(`render(${JSON.stringify(config)}, ${JSON.stringify(source)})`);
  } catch (cause) {
    throw new Error(`Mermaid cannot draw a diagram: ${cause instanceof Error ? cause.message : cause}\n${source}`, { cause });
  }
}
