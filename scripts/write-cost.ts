/**
 * Writes the figures of the cost model into the pages: whatever stands between `<!--cost:NAME-->` and `<!--/cost-->`. A test checks that the pages
 * equal the output of this script.
 */
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { copiesText, largeLimits, largeSummary, pushText, ratesTable, smallLimits, smallSummary } from "../cost/scale-tables";
import {
  answerTable,
  assumptionsText,
  idleTables,
  largeTable,
  millionText,
  priceTable,
  pullTable,
  pushTable,
  readmeText,
  readmeTextInChinese,
  requestsTable,
  singlyText,
  staticText,
} from "../cost/tables";

const ROOT = resolve(__dirname, "..");

/** A block stands on lines of its own, a phrase inside a line. */
const BLOCKS: Readonly<Record<string, () => string>> = {
  answers: answerTable,
  pull: pullTable,
  singly: singlyText,
  large: largeTable,
  idle: idleTables,
  requests: requestsTable,
  assumptions: assumptionsText,
  prices: priceTable,
  rates: ratesTable,
  "small-summary": smallSummary,
  "small-limits": smallLimits,
  "large-summary": largeSummary,
  "large-limits": largeLimits,
  copies: copiesText,
  push: pushTable,
  throttled: pushText,
};
const PHRASES: Readonly<Record<string, () => string>> = {
  static: staticText,
  readme: readmeText,
  "readme-zh": readmeTextInChinese,
  million: millionText,
};

export const COST_PAGES = [
  "README.md",
  "README.zh-CN.md",
  "docs/cost.md",
  "docs/scale.md",
  "docs/deploy.md",
  "docs/alternatives.md",
] as const;

const MARKED = /<!--cost:([\w-]+)-->[\s\S]*?<!--\/cost-->/g;

/** The page with the figures of the model. @throws Error if it names a figure that does not exist */
export function withFigures(page: string): string {
  return page.replace(MARKED, (_, name: string) => {
    const block = BLOCKS[name];
    const phrase = PHRASES[name];
    if (block !== undefined) return `<!--cost:${name}-->\n\n${block()}\n\n<!--/cost-->`;
    if (phrase !== undefined) return `<!--cost:${name}-->${phrase()}<!--/cost-->`;
    throw new Error(`there is no figure ${name}`);
  });
}

async function writeAll(): Promise<void> {
  for (const page of COST_PAGES) {
    const path = join(ROOT, page);
    const text = readFileSync(path, "utf8");
    const written = withFigures(text);
    if (written === text) continue;
    await writeFile(path, written);
    console.log(`wrote ${page}`);
  }
}

if (require.main === module) {
  writeAll().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}
