/** The site of the documentation: how pages and links change, and what its build makes of all of them. */
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { pagesOf, sitePathOf, toSite } from "../../scripts/site/pages";

const ROOT = resolve(__dirname, "..", "..");
const BUILD_MS = 240_000;

test.each([
  ["README.md", "index.md"],
  ["README.zh-CN.md", "zh/index.md"],
  ["docs/zh/quick-start.md", "zh/quick-start.md"],
  ["docs/deploy.md", "docs/deploy.md"],
  ["docs/adr/README.md", "docs/adr/index.md"],
])("%s is %s in the site", (page, expected) => {
  expect(sitePathOf(page)).toBe(expected);
});

test.each([
  ["docs/deploy.md", "[a](../examples/README.md#x)", "[a](../examples/index.md#x)"],
  ["docs/deploy.md", "[a](cost.md)", "[a](./cost.md)"],
  ["README.zh-CN.md", "[a](docs/zh/terms.md)", "[a](./terms.md)"],
  ["README.zh-CN.md", "[a](README.md)", "[a](../index.md)"],
  ["docs/zh/terms.md", "[a](../security.md#b)", "[a](../docs/security.md#b)"],
  ["docs/zh/terms.md", "[a](#b) [c](https://example.com/d)", "[a](#b) [c](https://example.com/d)"],
  ["README.md", "![a](docs/images/bridge.svg)", "![a](./docs/images/bridge.svg)"],
  ["docs/architecture.md", "[`index`](../index.ts)", "[`index`](/source/index.ts.txt)"],
  ["docs/architecture.md", "`[a](b.md)`", "`[a](b.md)`"],
  ["docs/architecture.md", "```\n[a](b.md)\n```", "```\n[a](b.md)\n```"],
])("%s: %j becomes %j", (page, text, expected) => {
  expect(toSite(page, text, ROOT).text).toBe(expected);
});

describe("the built site", () => {
  const outDir = mkdtempSync(join(tmpdir(), "bridge-site-"));
  const files = (folder: string): string[] =>
    readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => statSync(join(folder, file)).isFile());
  const htmlOf = (page: string) => sitePathOf(page).replace(/\.md$/, ".html");
  const read = (file: string) => readFileSync(join(outDir, file), "utf8");

  beforeAll(async () => {
    // VitePress fails on a link to a page that does not exist.
    await promisify(execFile)(process.execPath, ["--import", "tsx", "scripts/build-site.ts", outDir], { cwd: ROOT });
  }, BUILD_MS);
  afterAll(() => rmSync(outDir, { recursive: true, force: true }));

  test("it has every page, in both languages", () => {
    expect(pagesOf(ROOT).filter((page) => !existsSync(join(outDir, htmlOf(page))))).toEqual([]);
    expect(read("zh/quick-start.html")).toContain('lang="zh-CN"');
  });

  test("each link leads to a file of the site, and each anchor to a heading", () => {
    const broken = files(outDir)
      .filter((file) => file.endsWith(".html"))
      .flatMap((file) => {
        const links = [...read(file).matchAll(/ href="([^"]+)"/g)].map(([, link = ""]) => link.replaceAll("&amp;", "&"));
        return links.filter((link) => !leadsSomewhere(file, link)).map((link) => `${file}: ${link}`);
      });
    expect([...new Set(broken)]).toEqual([]);
  });

  function leadsSomewhere(file: string, link: string): boolean {
    if (/^(https:|mailto:|data:)/.test(link)) return true;
    const [path = "", anchor] = decodeURIComponent(link).split("#");
    const absolute = path === "" ? file : path.startsWith("/") ? path.slice(1) : join(dirname(file), path);
    const target = [absolute, `${absolute}.html`, join(absolute, "index.html")].find(
      (one) => existsSync(join(outDir, one)) && statSync(join(outDir, one)).isFile(),
    );
    if (target === undefined) return false;
    return anchor === undefined || anchor === "" || read(target).includes(` id="${anchor}"`);
  }

  test("every page is in the sidebar of its language, except single decisions", () => {
    const sidebar = read("docs/deploy.html");
    const missing = pagesOf(ROOT)
      .filter((page) => !/^docs\/adr\/\d/.test(page) && !sitePathOf(page).startsWith("zh/"))
      .filter((page) => !sidebar.includes(`href="/${htmlOf(page).replace(/index\.html$/, "")}"`));
    expect(missing).toEqual([]);
  });

  test("it asks no other server for anything", () => {
    const asked = files(outDir)
      .filter((file) => /\.(html|css)$/.test(file))
      .flatMap((file) =>
        [...read(file).matchAll(/(?:<(?:script|img|link)[^>]+(?:src|href)="|url\()(https?:[^")]+)/g)].map(([, url]) => url),
      );
    expect(asked).toEqual([]);
  });
});
