/** Writes docs/tour.md and its pictures from a run. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { REPOSITORY_ROOT } from "../../../../local/paths";
import { launchChromium, takePicture } from "../../../../scripts/chromium";
import type { RungAlarm } from "./deployed-alarms";
import type { Ran } from "./newcomer";

const DOCS = join(REPOSITORY_ROOT, "docs");
const PATIENCE_MS = 60_000;
const JUST_NOW = /Looked at [0-9] s ago/;
const SIZE = { width: 900, height: 560 };

/** Collects the page while the tour goes on. */
export interface TourRecord {
  text(...paragraphs: string[]): void;
  /** Commands with what they printed, as one block. */
  console(...ran: Ran[]): void;
  alarm(alarm: RungAlarm): void;
  /** @param words what the page must show first */
  picture(name: string, caption: string, words: RegExp): Promise<void>;
  /** Writes the page. */
  save(): Promise<void>;
  close(): Promise<void>;
}

/** @param isWanted without it, nothing is recorded */
export async function startRecord(isWanted: boolean, pageUrl: string): Promise<TourRecord> {
  return isWanted ? new Recording(await launchChromium(), pageUrl) : SILENT;
}

const nothing = async () => undefined;
const SILENT: TourRecord = {
  ...{ text: () => undefined, console: () => undefined, alarm: () => undefined },
  ...{ picture: nothing, save: nothing, close: nothing },
};

class Recording implements TourRecord {
  readonly #blocks: string[] = [];

  constructor(
    private readonly browser: Browser,
    private readonly pageUrl: string,
  ) {}

  text(...paragraphs: string[]): void {
    this.#blocks.push(...paragraphs);
  }

  console(...ran: Ran[]): void {
    const lines = ran.flatMap(({ command, output }) => [`$ ${command}`, output.trim()]).filter((line) => line !== "");
    this.#blocks.push(["```console", redacted(lines.join("\n")), "```"].join("\n"));
  }

  alarm({ name, text, afterMinutes }: RungAlarm): void {
    const minutes = Math.ceil(afterMinutes);
    this.#blocks.push(`The alarm \`${name}\` rings after ${minutes} minute${minutes === 1 ? "" : "s"}:\n\n> ${text}`);
  }

  async picture(name: string, caption: string, words: RegExp): Promise<void> {
    const context = await this.browser.newContext({ viewport: SIZE, locale: "en-US" });
    const page = await context.newPage();
    await page.goto(this.pageUrl);
    await page.getByText(words).first().waitFor({ timeout: PATIENCE_MS });
    // The page shows the last look at first, which may be old, and looks again at once.
    await page.getByText(JUST_NOW).waitFor({ timeout: PATIENCE_MS });
    await mkdir(join(DOCS, "images"), { recursive: true });
    await takePicture(page, join(DOCS, "images", `tour-${name}.webp`));
    await context.close();
    this.#blocks.push(`![${caption}](images/tour-${name}.webp)`);
  }

  async save(): Promise<void> {
    await writeFile(join(DOCS, "tour.md"), `${this.#blocks.join("\n\n")}\n`);
  }

  close(): Promise<void> {
    return this.browser.close();
  }
}

/** Leaves out paths of this machine, keys, and what only npm says. */
export function redacted(text: string): string {
  return text
    .replaceAll(REPOSITORY_ROOT, ".")
    .replace(/\/tmp\/\S+/g, "/tmp/…")
    .replace(/(AWS_SECRET_ACCESS_KEY=|secret (?=\S{16}))\S+/g, "$1…")
    .replace(/#token=\S+/g, "#token=…")
    .replace(/^\(node:\d+\).*\n?/gm, "")
    .replace(/\r/g, "\n")
    .replace(/[ \t]+$/gm, "")
    .replace(/\n{3,}/g, "\n\n");
}
