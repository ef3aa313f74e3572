/** The rows of docs/verify-live.md, written from the checks. `npm run docs:verify-live` puts them into the page, and a test compares. */
import type { Check } from "./check";

const BEGIN = "<!--verify-live:checks-->";
const END = "<!--/verify-live-->";

const SAFE: Readonly<Record<Check["safeOn"], string>> = {
  "any-stack": "any stack",
  "own-stack": "a stack that the run deployed",
};
const ON: Readonly<Record<Check["on"], string>> = {
  bridge: "once",
  s3: "each side in S3",
  oss: "each side in OSS",
  "any store": "each side",
};

/** A page of the repository is linked from docs/. */
function sourceText(source: string): string {
  if (source.startsWith("https://")) return `[vendor](${source})`;
  return source.startsWith("docs/") ? `[page](${source.slice("docs/".length)})` : `\`${source}\``;
}

export function checksTable(checks: readonly Check[]): string {
  const rows = checks.map(({ name, fact, why, source, reliesOn, safeOn, on, notLocal }) => {
    const where = reliesOn.map((path) => (path.startsWith("docs/") ? `[${path}](${path.slice("docs/".length)})` : `\`${path}\``));
    const runs = `${ON[on]}, on ${SAFE[safeOn]}${notLocal === undefined ? "" : "; not locally"}`;
    return `| \`${name}\` | ${fact} | ${why} | ${sourceText(source)} | ${where.join(", ")} | ${runs} |`;
  });
  return [
    "| Check | Fact | Why it matters | Source | The code that relies on it | Runs |",
    "|---|---|---|---|---|---|",
    ...rows,
  ].join("\n");
}

/** The page with the rows of today's checks. @throws Error if the page has no place for them */
export function withChecks(page: string, checks: readonly Check[]): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`the page has no ${BEGIN} with a ${END} behind it`);
  return `${page.slice(0, begin)}${BEGIN}\n\n${checksTable(checks)}\n\n${page.slice(end)}`;
}
