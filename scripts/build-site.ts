/**
 * Builds the site of the documentation: `npm run docs:site`, or `npm run docs:site -- DIR`. It copies the pages beside the configuration, with their
 * links changed, and lets VitePress build them. VitePress fails on a link to a page that does not exist. The site asks no other server for anything.
 */
import { copyFile, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { pagesOf, sitePathOf, toSite } from "./site/pages";

const ROOT = resolve(__dirname, "..");
const CONFIG = join(__dirname, "site", "config.mjs");
/** Inside the checkout, because VitePress looks for its packages from here upwards. */
const WORK = join(ROOT, ".local", "site-pages");

async function buildSite(outDir: string): Promise<void> {
  await rm(WORK, { recursive: true, force: true });
  for (const page of pagesOf(ROOT)) await addPage(page);
  await copyTo(CONFIG, join(WORK, ".vitepress", "config.mjs"));
  // VitePress is an ES module.
  const { build } = await import("vitepress");
  await build(WORK, { outDir });
  await rm(WORK, { recursive: true, force: true });
}

async function addPage(page: string): Promise<void> {
  const { text, pictures, sources } = toSite(page, await readFile(join(ROOT, page), "utf8"), ROOT);
  const path = join(WORK, sitePathOf(page));
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  for (const picture of pictures) await copyTo(join(ROOT, picture), join(WORK, picture));
  for (const source of sources) await addSource(source);
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
