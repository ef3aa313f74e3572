/**
 * Draws docs/images/deployed-*.svg from the recorded plans: `npm run docs:pictures`. A test checks that the files equal the output of this script.
 * `npm run docs:pictures -- --png DIR` also renders each of them, so that a person can look at it without a browser.
 */
import { readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Resvg } from "@resvg/resvg-js";
import { LAYOUTS, type Planned, pictureOf } from "./pictures/deployed";
import { draw } from "./pictures/draw";

const ROOT = resolve(__dirname, "..");

export const PICTURES = Object.entries(LAYOUTS).map(([mode, layout]) => ({
  path: `docs/images/deployed-${mode}.svg`,
  content: (): string => draw(pictureOf(layout, readPlan(layout.stack))),
}));

const readPlan = (stack: string): Planned[] =>
  JSON.parse(readFileSync(join(ROOT, "tests", "golden", "examples", `${stack}.json`), "utf8")) as Planned[];

async function writeAll([option, folder]: string[]): Promise<void> {
  for (const { path, content } of PICTURES) {
    const svg = content();
    await writeFile(join(ROOT, path), svg);
    if (option !== "--png" || folder === undefined) continue;
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, `${path.split("/").pop()}.png`), pngOf(svg));
  }
}

/** With the fonts of a package, so that every machine draws the same picture. */
function pngOf(svg: string): Buffer {
  const fontFiles = ["DejaVuSans.ttf", "DejaVuSans-Bold.ttf"].map((file) => require.resolve(`dejavu-fonts-ttf/ttf/${file}`));
  const font = { fontFiles, loadSystemFonts: false, defaultFontFamily: "DejaVu Sans" };
  return new Resvg(svg, { font, fitTo: { mode: "zoom", value: 2 } }).render().asPng();
}

if (require.main === module) {
  writeAll(process.argv.slice(2)).catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}
