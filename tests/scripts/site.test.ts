/** The site of the documentation: how pages and links change, and what its build makes of all of them. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, extname, join, resolve } from "node:path";
import { promisify } from "node:util";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { launchChromium } from "../../scripts/chromium";
import { drawDiagrams } from "../../scripts/site/diagrams";
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

test("a diagram leaves the page, and an element of its own takes its place", () => {
  const { text, diagrams } = toSite("docs/a.md", "one\n\n```mermaid\nflowchart LR\n  a --> b\n```\n\ntwo\n", ROOT);
  expect(diagrams).toEqual(["flowchart LR\n  a --> b\n"]);
  expect(text).toBe("one\n\n<Diagram0 />\n\ntwo\n");
});

test.each([
  ["flowchart LR\n  a --> b\n", /has no title; give it a line "accTitle: \.\.\.":\nflowchart LR/],
  ["flowchart LR\n  accTitle: Two\n  a -->\n", /Mermaid cannot draw a diagram: .*\n[\s\S]*accTitle: Two/],
])(
  "a diagram that cannot be drawn is named: %j",
  async (source, message) => {
    await expect(drawDiagrams([source])).rejects.toThrow(message);
  },
  60_000,
);

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

  function isFile(path: string): boolean {
    return existsSync(path) && statSync(path).isFile();
  }

  function leadsSomewhere(file: string, link: string): boolean {
    if (/^(https:|mailto:|data:)/.test(link)) return true;
    const [path = "", anchor] = decodeURIComponent(link).split("#");
    const absolute = path === "" ? file : path.startsWith("/") ? path.slice(1) : join(dirname(file), path);
    const target = [absolute, `${absolute}.html`, join(absolute, "index.html")].find((one) => isFile(join(outDir, one)));
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

  describe("in a browser", () => {
    const TYPES: Record<string, string> = {
      ".html": "text/html",
      ".js": "text/javascript",
      ".css": "text/css",
      ".svg": "image/svg+xml",
    };
    let server: Server;
    let browser: Browser;
    let root: string;

    beforeAll(async () => {
      server = createServer((request, response) => {
        const path = decodeURIComponent(new URL(request.url ?? "/", "http://site").pathname);
        const file = [path, `${path}.html`, join(path, "index.html")].map((one) => join(outDir, one)).find(isFile);
        if (file === undefined) return void response.writeHead(404).end();
        response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" }).end(readFileSync(file));
      });
      await once(server.listen(0, "127.0.0.1"), "listening");
      root = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      browser = await launchChromium();
    }, 60_000);
    afterAll(async () => {
      await browser.close();
      server.close();
    });

    /** @returns the page, and everything that should not happen on one: errors, warnings, and requests that leave the site or fail */
    async function open(path: string, options: BrowserContextOptions = {}): Promise<{ page: Page; complaints: string[] }> {
      const page = await (await browser.newContext(options)).newPage();
      const complaints: string[] = [];
      page.on("console", (message) => void complaints.push(`${message.type()}: ${message.text()}`));
      page.on("pageerror", (error) => void complaints.push(error.message));
      page.on("requestfailed", (request) => void complaints.push(`failed: ${request.url()}`));
      page.on(
        "response",
        (response) => void (response.status() >= 400 && complaints.push(`${response.status()}: ${response.url()}`)),
      );
      page.on(
        "request",
        (request) =>
          void (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(root) && complaints.push(request.url())),
      );
      await page.goto(root + path, { waitUntil: "networkidle" });
      return { page, complaints };
    }

    const PAGES = ["/", "/zh/", "/zh/quick-start", "/docs/architecture", "/docs/configuration", "/docs/tour", "/api/index.html"];
    test.each(PAGES)(
      "%s fits a narrow screen, in the dark, without a complaint",
      async (path) => {
        const { page, complaints } = await open(path, { viewport: { width: 390, height: 844 }, colorScheme: "dark" });
        const wide = await page.evaluate<number>("document.documentElement.scrollWidth - innerWidth");
        expect({ wide, complaints }).toEqual({ wide: 0, complaints: [] });
      },
      60_000,
    );

    test.each(["light", "dark"] as const)(
      "the diagrams are pictures in %s",
      async (colorScheme) => {
        const { page } = await open("/docs/architecture", { colorScheme });
        const shown = await page.evaluate(`[...document.querySelectorAll(".diagram img")]
        .filter((image) => image.checkVisibility())
        .map((image) => ({ name: image.className, drawn: image.naturalWidth > 400, title: image.alt.length > 10 }))`);
        expect(shown).toEqual(Array(4).fill({ name: `diagram-${colorScheme}`, drawn: true, title: true }));
      },
      60_000,
    );

    test.each([
      ["/", "redrive", /Operations|Runbook/],
      ["/zh/", "回填", /使用前须知|常见问题/],
      ["/zh/", "死信", /术语|保证/],
    ])(
      "the search of %s finds %s",
      async (path, words, found) => {
        const { page } = await open(path);
        await page.locator(".VPNavBarSearch button").first().click();
        await page.locator("input[type=search]").fill(words);
        await page.locator(".result").filter({ hasText: found }).first().waitFor();
      },
      60_000,
    );

    test("the navigation leads to another page, to the API reference, and to the other language", async () => {
      const { page, complaints } = await open("/");
      await page.locator(".VPSidebar").getByText("Runbook", { exact: true }).click();
      await page.getByRole("heading", { level: 1, name: "Runbook" }).waitFor();
      await page.locator(".VPNavBarTranslations button").hover();
      await page.locator(".VPNavBarTranslations").getByText("简体中文").click();
      await page.waitForURL("**/zh/");
      await page.goBack();
      await page.locator(".VPNavBar").getByText("API", { exact: true }).click();
      await page.getByRole("heading", { name: "CrossBorderBridge" }).first().waitFor();
      expect(complaints).toEqual([]);
    }, 60_000);
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
