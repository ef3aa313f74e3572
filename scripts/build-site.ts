/**
 * Builds the site of the documentation: `npm run docs:site`, or `npm run docs:site -- DIR`. It copies the pages beside the configuration, with their
 * links changed, draws their diagrams, and lets VitePress build them. VitePress fails on a link to a page that does not exist. The API reference is under
 * api/. The site asks no other server for anything.
 */
import { execFile } from "node:child_process";
import { copyFile, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { promisify } from "node:util";
import { type Drawing, drawDiagrams, type Theme } from "./site/diagrams";
import { diagramTag, pagesOf, type SitePage, sitePathOf, toSite } from "./site/pages";

const ROOT = resolve(__dirname, "..");
const SITE = join(__dirname, "site");
const TYPEDOC = join(ROOT, "node_modules", "typedoc", "bin", "typedoc");
/** Texts of 14 pixels are legible at this part of their size. */
const SMALLEST = 0.7;
/** Inside the checkout, because VitePress looks for its packages from here upwards. */
const WORK = join(ROOT, ".local", "site-pages");

async function buildSite(outDir: string): Promise<void> {
  await rm(WORK, { recursive: true, force: true });
  const pages: [path: string, page: SitePage][] = [];
  for (const page of pagesOf(ROOT)) pages.push([page, toSite(page, await readFile(join(ROOT, page), "utf8"), ROOT)]);
  const drawings = await drawDiagrams(pages.flatMap(([, { diagrams }]) => diagrams));
  for (const [path, page] of pages) await addPage(path, page, drawings.splice(0, page.diagrams.length));
  await copyTo(join(SITE, "config.mjs"), join(WORK, ".vitepress", "config.mjs"));
  for (const file of ["index.mjs", "site.css"]) await copyTo(join(SITE, "theme", file), join(WORK, ".vitepress", "theme", file));
  // VitePress is an ES module.
  const { build } = await import("vitepress");
  await build(WORK, { outDir });
  await promisify(execFile)(process.execPath, [TYPEDOC, "--out", join(outDir, "api")], { cwd: ROOT });
  await rm(WORK, { recursive: true, force: true });
}

async function addPage(page: string, { text, pictures, sources }: SitePage, drawings: readonly Drawing[]): Promise<void> {
  const path = join(WORK, sitePathOf(page));
  await mkdir(dirname(path), { recursive: true });
  let drawn = text;
  for (const [index, drawing] of drawings.entries()) {
    const element = await addDiagram(path.replace(/\.md$/, `-diagram-${index + 1}`), drawing);
    drawn = drawn.replace(diagramTag(index), () => element);
  }
  await writeFile(path, drawn);
  for (const picture of pictures) await copyTo(join(ROOT, picture), join(WORK, picture));
  for (const source of sources) await addSource(source);
}

/** Writes both forms, and gives the element that shows the one of the chosen appearance. */
async function addDiagram(path: string, { title, widthPx, heightPx, svg }: Drawing): Promise<string> {
  const images: string[] = [];
  const alt = title.replaceAll("&", "&amp;").replaceAll('"', "&quot;");
  for (const theme of Object.keys(svg) as Theme[]) {
    await writeFile(`${path}-${theme}.svg`, svg[theme]);
    const file = `./${basename(path)}-${theme}.svg`;
    const size = `width="${widthPx}" height="${heightPx}" style="min-width: ${Math.round(widthPx * SMALLEST)}px"`;
    images.push(`<img class="diagram-${theme}" src="${file}" alt="${alt}" ${size}>`);
  }
  return `<p class="diagram" tabindex="0">${images.join("")}</p>`;
}

/** A folder becomes the list of its files. */
async function addSource(source: string): Promise<void> {
  const from = join(ROOT, source);
  const to = join(WORK, "public", "source", `${source}.txt`);
  if (!(await stat(from)).isDirectory()) return await copyTo(from, to);
  await mkdir(dirname(to), { recursive: true });
  await writeFile(to, `${(await readdir(from)).sort().join("\n")}\n`);
}

async function copyTo(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await copyFile(from, to);
}

const outDir = resolve(process.argv[2] ?? join(ROOT, ".local", "site"));
buildSite(outDir).then(
  () => console.log(`site       ${relative(process.cwd(), outDir)}`),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  },
);
