/** Where a file of the repository is in the site, and how its links change. */
import { existsSync, readdirSync } from "node:fs";
import { dirname, join, posix } from "node:path";

const TOP_PAGES = ["README.md", "README.zh-CN.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "bench/RESULTS.md"];
const FOLDERS = ["docs", "examples", "packages"];
/** Chinese pages are under one folder, which makes them a language of the site. */
const CHINESE = "docs/zh/";

/** The pages of the repository, by path. */
export function pagesOf(root: string): string[] {
  const under = (folder: string): string[] =>
    readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
      if (entry.name === "node_modules" || entry.name === "dist") return [];
      const path = `${folder}/${entry.name}`;
      return entry.isDirectory() ? under(path) : entry.name.endsWith(".md") ? [path] : [];
    });
  return [...TOP_PAGES, ...FOLDERS.flatMap(under)];
}

/** The path of a page in the site. A README is the first page of its folder. */
export function sitePathOf(page: string): string {
  if (page === "README.zh-CN.md") return "zh/index.md";
  if (page.startsWith(CHINESE)) return `zh/${page.slice(CHINESE.length)}`;
  return page.replace(/(^|\/)README\.md$/, "$1index.md");
}

export interface SitePage {
  text: string;
  /** Files of the repository that the page shows: pictures. */
  pictures: string[];
  /** Files and folders that the page links and that are no pages: they are in the site as text. */
  sources: string[];
  /** Sources of the Mermaid diagrams. In the text each is an element of its own, `diagramTag`. */
  diagrams: string[];
}

const FENCE = /^ *```/;
const DIAGRAM = /^```mermaid\n([\s\S]*?)^```$/gm;

/** Stands in the page for its diagram of this index, until the diagram is drawn. */
export const diagramTag = (index: number): string => `<Diagram${index} />`;
const CODE_OR_LINK = /`[^`]*`|\]\(([^)\s]+)\)/g;

/** The page with its links as the site needs them. */
export function toSite(page: string, text: string, root: string): SitePage {
  const pictures = new Set<string>();
  const sources = new Set<string>();
  const site = sitePathOf(page);
  const fromHere = (path: string) => {
    const way = posix.relative(posix.dirname(site), path);
    return way.startsWith(".") ? way : `./${way}`;
  };
  const target = (link: string): string => {
    if (/^[a-z]+:/.test(link) || link.startsWith("#")) return link;
    const [path = "", anchor] = link.split("#");
    const file = posix.normalize(posix.join(dirname(page), path)).replace(/\/$/, "");
    const rest = anchor === undefined ? "" : `#${anchor}`;
    const readme = posix.join(file, "README.md");
    if (file.endsWith(".md")) return fromHere(sitePathOf(file)) + rest;
    if (existsSync(join(root, readme))) return fromHere(sitePathOf(readme));
    if (/\.(svg|png|webp)$/.test(file)) {
      pictures.add(file);
      return fromHere(file);
    }
    sources.add(file);
    return `/source/${file}.txt`;
  };
  const diagrams: string[] = [];
  const withoutDiagrams = text.replace(DIAGRAM, (_, source: string) => diagramTag(diagrams.push(source) - 1));
  let inCode = false;
  const lines = withoutDiagrams.split("\n").map((line) => {
    if (FENCE.test(line)) inCode = !inCode;
    return inCode
      ? line
      : line.replace(CODE_OR_LINK, (whole, link?: string) => (link === undefined ? whole : `](${target(link)})`));
  });
  return { text: lines.join("\n"), pictures: [...pictures], sources: [...sources], diagrams };
}
