/** The page in a real Chromium: every screen, its accessibility by axe, keyboard, languages, themes, narrow screens, and its limits. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import axe from "axe-core";
import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core";
import { type PageFiles, readPageFiles } from "../../operator/watch/page-files";
import { type ServedPage, servePage } from "../../operator/watch/server";
import { buildPage } from "../../scripts/build-page";
import { launchChromium } from "../../scripts/chromium";
import { ACCESS, type FakeBridge } from "../operator/backfill/fixture";
import { failing, healthy, letters, lost, NOW, native, paused, queueGone, troubled, unread } from "./scenes";

let browser: Browser;
let folder: string;
let files: PageFiles;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "page-"));
  [browser, files] = await Promise.all([launchChromium(), buildPage({ outDir: folder }).then(readPageFiles)]);
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await rm(folder, { recursive: true, force: true });
});

interface Opened {
  page: Page;
  served: ServedPage;
  /** Errors of the page, and what its policy blocked. */
  problems: string[];
  /** Every request of the page. */
  requests: string[];
}

let opened: (Opened & { close(): Promise<void> }) | undefined;
afterEach(async () => {
  await opened?.close();
  opened = undefined;
});

async function serve(bridge: FakeBridge): Promise<ServedPage> {
  return servePage({
    ...{
      bridge,
      access: { source: ACCESS, destination: ACCESS },
      local: true,
      files,
      port: 0,
      now: () => NOW,
      pace: { everyMs: 100, slowEveryMs: 100 },
    },
    signal: new AbortController().signal,
    onFault(error) {
      throw error;
    },
  });
}

/** Opens the page as the printed address does, at the time of the scenes. */
async function open(bridge: FakeBridge, options: BrowserContextOptions = {}): Promise<Opened> {
  const served = await serve(bridge);
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: "en-US", ...options });
  const page = await context.newPage();
  await page.clock.setFixedTime(NOW);
  const problems: string[] = [];
  const requests: string[] = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") problems.push(message.text());
  });
  page.on("request", (request) => requests.push(request.url()));
  opened = {
    ...{ page, served, problems, requests },
    async close() {
      await context.close();
      await served.close();
    },
  };
  await page.goto(served.url);
  return opened;
}

/** As a person sees it. */
// biome-ignore lint/performance/useDomNodeTextContent: the hidden text counts for nothing here
const shown = (locator: Locator): Promise<string> => locator.innerText();
const text = (page: Page, selector: string) => shown(page.locator(selector));
const panel = (page: Page, id: string) => page.locator(`#${id}`);

/** One line for each breach of WCAG 2.2 A and AA, and of the best practices that axe knows. */
async function breaches(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => (globalThis as unknown as { axe: typeof axe }).axe.run());
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id} ${target}: ${failureSummary}`));
}

const SCREENS: [string, () => FakeBridge | Promise<FakeBridge>, string, string][] = [
  ["healthy", healthy, "Nothing is waiting", "good"],
  ["troubled", troubled, "10 keys do not get across", "bad"],
  ["letters", letters, "3 dead letters", "bad"],
  ["lost", lost, "The destination cannot be reached", "bad"],
  ["paused", paused, "The bridge is paused", "busy"],
  ["unread", unread, "Not everything could be read", "unknown"],
  ["gone", queueGone, "A queue of the bridge is gone", "bad"],
  ["failing", failing, "The functions at the source fail", "bad"],
  ["native", native, "Both sides can be reached", "unknown"],
];
const LOOKS: [string, BrowserContextOptions][] = [
  ["light", { colorScheme: "light" }],
  ["dark", { colorScheme: "dark" }],
  ["narrow", { viewport: { width: 360, height: 740 }, hasTouch: true }],
];

describe.each(SCREENS)("the screen %s", (_screen, scene, title, tone) => {
  test.each(LOOKS)("%s: has its headline, no breach of accessibility, and nothing beside the screen", async (_look, options) => {
    const { page, problems } = await open(await scene(), options);
    await page.getByRole("heading", { level: 1, name: title }).waitFor();
    expect(await page.locator(".headline").getAttribute("class")).toBe(`headline ${tone}`);
    expect(await breaches(page)).toEqual([]);
    // A string, because this program has no types of a browser.
    expect(await page.evaluate<number>("document.documentElement.scrollWidth - innerWidth")).toBeLessThanOrEqual(0);
    expect(problems).toEqual([]);
  });
});

test("what waits and why: reasons with place, count, tries and next try, and the command that mends", async () => {
  const { page } = await open(await troubled());
  await page.getByRole("heading", { level: 1 }).waitFor();
  expect(await text(page, ".headline")).toContain(
    "between the sides: the receiver cannot be connected to · The oldest one has waited 12 min. · 3 dead letters",
  );
  const troubles = await text(page, "#troubles");
  expect(troubles).toContain("7 keys");
  expect(troubles).toContain("between the sides the receiver cannot be connected to");
  expect(troubles).toMatch(/Destination aws-cn:to-there S3 answered put with AccessDenied/i);
  expect(troubles).toContain("failed up to 4 times · waits for 5 min · next try in 38 s");
  expect(troubles).toContain("npm start -- --redeploy --stack dev");
  expect(troubles).toContain("docs/runbook.md#access-is-denied");
  expect(await text(page, ".tiles")).toContain("12 min");
  // Keys that were given up are among the letters, each reason with what to do first.
  expect(troubles).not.toContain("too many tags");
  expect(await text(page, "#letters")).toMatch(
    /1 dead letter the source object is archived: GLACIER[\s\S]*Restore it[\s\S]*aws s3api restore-object [\s\S]*npm run bridge -- redrive --stack dev/,
  );
  expect(await text(page, "#copies")).toContain("640 B of 1,000 B");
  expect(await page.getByRole("progressbar", { name: "backups/2026-11-20.tar" }).getAttribute("value")).toBe("0.64");
});

test("a key that is HTML is text", async () => {
  const { page, problems } = await open(await troubled());
  await page.getByRole("button", { name: "odd/<script>alert(1)</script>" }).first().waitFor();
  expect(problems).toEqual([]);
});

test("lag and work as charts with their numbers, and the last keys, which change while one looks", async () => {
  const bridge = healthy();
  const { page } = await open(bridge);
  await page.getByRole("img", { name: /^Lag for each minute: median .* 95th percentile/ }).waitFor();
  await page.getByRole("img", { name: /^Objects for each minute: [\d,]+ objects$/ }).waitFor();
  expect(await panel(page, "recent").getByRole("row").count()).toBe(15);
  const before = bridge.activity;
  bridge.activity = async (side, options) => {
    const log = await before(side, options);
    const fresh = { atMs: NOW, level: "info", message: "notice", fields: { key: "just/now", result: "retry", reason: "no" } };
    return side === "source" ? log : { ...log, lines: [...log.lines, fresh] };
  };
  await panel(page, "recent").getByRole("button", { name: "just/now" }).waitFor();
});

test("the keyboard does everything: skip, look up, pause, theme, language, help", async () => {
  const { page } = await open(await troubled());
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.keyboard.press("Tab");
  await page.waitForFunction("document.activeElement.textContent === 'Skip to the content'");
  await page.keyboard.press("Enter");
  await page.waitForFunction("document.activeElement.id === 'content'");

  await page.keyboard.press("/");
  await page.keyboard.type("reports/refused/a.csv");
  await page.keyboard.press("Enter");
  const found = panel(page, "look-up");
  await found.getByText("on its way", { exact: true }).waitFor();
  expect(await shown(found)).toMatch(/failed up to 2 times[\s\S]*AccessDenied/);
  await page.keyboard.press("p");
  // A letter in a field is text.
  expect(await page.getByRole("textbox", { name: "Key, as at the source" }).inputValue()).toBe("reports/refused/a.csvp");

  await page.locator("main").focus();
  await page.keyboard.press("p");
  await page.getByText("Frozen").waitFor();
  await page.keyboard.press("t");
  await page.locator("html[data-theme=dark]").waitFor();
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keyboard" }).waitFor();
  expect(await breaches(page)).toEqual([]);
  await page.keyboard.press("Escape");
  await page.keyboard.press("l");
  await page.getByRole("heading", { level: 1, name: "10 个键无法到达目标端" }).waitFor();
});

test("Chinese from the browser's language, everywhere, and kept after a reload", async () => {
  const { page } = await open(await troubled(), { locale: "zh-CN" });
  await page.getByRole("heading", { level: 1, name: "10 个键无法到达目标端" }).waitFor();
  await page.locator("html[lang=zh-CN]").waitFor();
  expect(await breaches(page)).toEqual([]);
  expect(await text(page, "#troubles")).toContain("另一端没有响应。请检查它是否已部署。键会等待");
  await page.getByRole("button", { name: "English" }).click();
  await page.getByRole("heading", { level: 1, name: "10 keys do not get across" }).waitFor();
  await page.reload();
  await page.getByRole("heading", { level: 1, name: "10 keys do not get across" }).waitFor();
});

test("frozen, the page keeps what it shows; then it shows the newest", async () => {
  const bridge = healthy();
  const { page } = await open(bridge);
  await page.getByRole("heading", { level: 1, name: "Nothing is waiting" }).waitFor();
  await page.getByRole("button", { name: "Freeze" }).click();
  // The third look begins after the page got the second one.
  await new Promise<void>((resolve) => {
    let looks = 0;
    bridge.queued = async () => {
      looks += 1;
      if (looks === 3) resolve();
      return 5;
    };
  });
  expect(await shown(page.getByRole("heading", { level: 1 }))).toBe("Nothing is waiting");
  await page.getByRole("button", { name: "Go on" }).click();
  await page.getByRole("heading", { level: 1, name: "5 keys are on their way" }).waitFor();
});

test("a file that is dropped is written to the source, and watched until it is across", async () => {
  const bridge = healthy();
  const { page } = await open(bridge);
  const drop = panel(page, "drop");
  await drop.getByRole("textbox", { name: "Prefix of the keys" }).fill("in/");
  await drop
    .locator("input[type=file]")
    .setInputFiles({ name: "hello.txt", mimeType: "text/plain", buffer: Buffer.from("hello") });
  await drop.getByText("at the source, crossing").waitFor();
  expect(await bridge.from.head("in/hello.txt")).toMatchObject({ sizeBytes: 5, headers: { contentType: "text/plain" } });
  await bridge.replicate("in/hello.txt");
  await drop.getByText(/^across after /).waitFor();
  expect(await breaches(page)).toEqual([]);
});

test("a paused bridge: what waits, the dead letters, and the command that goes on", async () => {
  const { page } = await open(paused());
  await page.getByRole("heading", { level: 1, name: "The bridge is paused" }).waitFor();
  expect(await text(page, ".headline")).toMatch(
    /npm run bridge -- resume --stack dev --local · 12 keys are on their way · 1 dead letter/,
  );
  expect(await text(page, ".route")).toMatch(/pull\s*paused/);
});

test("a queue that is gone: what that means, and the command that mends it", async () => {
  const { page } = await open(queueGone());
  await page.getByRole("heading", { level: 1, name: "A queue of the bridge is gone" }).waitFor();
  expect(await text(page, ".headline")).toContain("the work queue is gone: no event of the source arrives");
  expect(await text(page, "#troubles")).toContain(
    "npm start -- --redeploy --stack dev && npm run bridge -- backfill --stack dev --local",
  );
});

test("what could not be read is named, and counts as at least what was seen", async () => {
  const { page } = await open(unread());
  await page.getByRole("heading", { level: 1, name: "Not everything could be read" }).waitFor();
  expect(await text(page, ".headline")).toContain("the dead letters, the work queue, the log of the functions");
  expect(await text(page, ".tiles")).toMatch(/On their way\s+at least 0[\s\S]*Dead letters\s+at least 0/i);
  expect(await text(page, "#letters")).toContain("The dead letters could not be read.");
});

test("a look that is old is not green, whatever it saw; nor is one after the command has ended", async () => {
  const { page, served } = await open(healthy());
  await page.getByRole("heading", { level: 1, name: "Nothing is waiting" }).waitFor();
  await page.clock.setFixedTime(NOW + 10 * 60_000);
  await page.getByRole("heading", { level: 1, name: "Not known" }).waitFor();
  expect(await text(page, ".headline")).toContain("The last look is 10 min old.");
  await page.clock.setFixedTime(NOW);
  await page.getByRole("heading", { level: 1, name: "Nothing is waiting" }).waitFor();
  await served.close();
  await page.getByRole("heading", { level: 1, name: "Not known" }).waitFor();
  expect(await page.locator(".headline").getAttribute("class")).toBe("headline unknown");
});

test("a browser whose clock is an hour off shows the ages of the server", async () => {
  const served = await serve(await troubled());
  const context = await browser.newContext({ locale: "en-US" });
  try {
    const page = await context.newPage();
    await page.clock.setFixedTime(NOW + 60 * 60_000);
    await page.goto(served.url);
    await page.getByRole("heading", { level: 1, name: "10 keys do not get across" }).waitFor();
    expect(await text(page, ".tiles")).toContain("12 min");
  } finally {
    await context.close();
    await served.close();
  }
});

test("dead letters by their reason are sent again, after a question", async () => {
  const bridge = letters();
  const { letters: parked } = await bridge.deadLetters({ limit: 10 });
  const sent: string[] = [];
  bridge.redrive = async ({ select, onProgress }) => {
    const chosen = parked.filter((letter) => select([letter]));
    sent.push(...chosen.map(({ key }) => key));
    bridge.deadLetters = async () => ({ letters: parked.filter((letter) => !chosen.includes(letter)), complete: true });
    const redriven = { handed: chosen.length, left: parked.length - chosen.length, complete: true };
    onProgress(redriven);
    return redriven;
  };
  const { page } = await open(bridge);
  const list = panel(page, "letters");
  await list.getByRole("button", { name: "Send 1 again: too many tags: 11, and at most 10 fit" }).click();
  await list.getByText("Is the cause mended?").waitFor();
  expect(await breaches(page)).toEqual([]);
  expect(sent).toEqual([]);
  await list.getByRole("button", { name: "Send again: too many tags: 11, and at most 10 fit" }).click();
  await list.getByText("Letters sent again: 1.").waitFor();
  expect(sent).toEqual(["odd/<script>alert(1)</script>"]);
  // The page looks at once.
  await page.getByRole("heading", { level: 1, name: "2 dead letters" }).waitFor();
});

test("a comparison of both sides, with its differences and the command that repairs them", async () => {
  const bridge = await troubled();
  const { page } = await open(bridge);
  const tasks = panel(page, "tasks");
  await tasks.getByRole("textbox", { name: "Only keys that begin with" }).fill("reports/");
  await tasks.getByRole("checkbox", { name: "Prove the bytes" }).check();
  await tasks.getByRole("button", { name: "Start: Compare both sides" }).click();
  await tasks.getByText("No differences").waitFor();
  // Objects that were written a moment ago are on their way.
  expect(await shown(tasks)).toMatch(/compared\s+2[\s\S]*on its way\s+1/);
  expect(await breaches(page)).toEqual([]);
});

test("a count of all objects, with its result and what to do", async () => {
  const { page } = await open(await troubled());
  const tasks = panel(page, "tasks");
  await tasks.getByRole("button", { name: "Start: Count all objects" }).click();
  await tasks.getByRole("row", { name: /^across 1 / }).waitFor();
  expect(await shown(tasks)).toMatch(/on its way\s+2/);
  expect(await breaches(page)).toEqual([]);
});

test("the address is enough once: the token leaves it, stays in this tab, and opens no other", async () => {
  const { page, served } = await open(healthy());
  await page.getByRole("heading", { level: 1 }).waitFor();
  expect(new URL(page.url()).hash).toBe("");
  await page.reload();
  await page.getByRole("heading", { level: 1, name: "Nothing is waiting" }).waitFor();
  const other = await page.context().newPage();
  await other.goto(new URL(served.url).origin);
  await other.getByText("This address is of another run.").waitFor();
  expect(await breaches(other)).toEqual([]);
});

test("the address that a browser is started with opens the page in one tab", async () => {
  const { page, served, requests } = await open(healthy());
  const address = served.urlForBrowser();
  const tab = await page.context().newPage();
  await tab.goto(address);
  await tab.getByRole("heading", { level: 1, name: "Nothing is waiting" }).waitFor();
  expect(new URL(tab.url()).hash).toBe("");
  await tab.reload();
  await tab.getByRole("heading", { level: 1, name: "Nothing is waiting" }).waitFor();
  const other = await page.context().newPage();
  await other.goto(address);
  await other.getByText("This address is of another run.").waitFor();
  expect(requests.join()).not.toContain(new URL(address).hash.slice("#code=".length));
});

test("the page asks nobody else, and its policy stops a script that asks", async () => {
  const { page, served, requests } = await open(await troubled());
  await page.getByRole("heading", { level: 1 }).waitFor();
  const { origin } = new URL(served.url);
  expect(requests.filter((url) => !url.startsWith(`${origin}/`))).toEqual([]);
  // The script asks this server by its other name, which is another origin.
  const elsewhere = origin.replace("127.0.0.1", "localhost");
  expect(await page.evaluate(`fetch("${elsewhere}/").then(() => "answered", () => "blocked")`)).toBe("blocked");
  const inline = `(() => {
    try {
      const script = document.createElement("script");
      script.text = "window.ran = true";
      document.body.append(script);
    } catch {}
    return window.ran === true ? "ran" : "blocked";
  })()`;
  expect(await page.evaluate(inline)).toBe("blocked");
});

test("when the command ends, the page says so", async () => {
  const { page, served } = await open(healthy());
  await page.getByRole("heading", { level: 1 }).waitFor();
  await served.close();
  await page.getByRole("alert").getByText("The command has ended.").waitFor();
});
