/** The table of the judges in the README of local-alicloud. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { casesOf, type Expectations, expectationIds, type Group, passPercent, readExpectations } from "./expectations";

export const README = join(__dirname, "..", "..", "packages", "local-alicloud", "README.md");
const MARKED = /<!--judges-->[\s\S]*?<!--\/judges-->/;

/** The README with the table of today's lists. @throws Error if it has no place for it */
export function withTable(page: string): string {
  if (!MARKED.test(page)) throw new Error("the page lacks <!--judges--> and <!--/judges-->");
  return page.replace(MARKED, () => `<!--judges-->\n\n${tableText()}\n\n<!--/judges-->`);
}

export const readmeWithTable = (): string => withTable(readFileSync(README, "utf8"));

function tableText(): string {
  const all = expectationIds().map(readExpectations);
  const rows = all.map((one) => {
    const cells = [one.suite, one.version, one.against, runsIn(one), one.passes.length, casesOf(one.fails).length];
    return `| ${[...cells, casesOf(one.outOfScope).length, percentOf(one)].join(" | ")} |`;
  });
  return [
    "| Suite | Version | Judges | Runs | Pass | Expected failures | Out of scope | Pass of those in scope |",
    "|---|---|---|---|--:|--:|--:|--:|",
    ...rows,
    "",
    "Why cases fail or are out of scope, with the number of cases:",
    "",
    ...all.flatMap(reasonsOf),
  ].join("\n");
}

const runsIn = ({ ranByHand }: Expectations): string => (ranByHand === undefined ? "in CI" : `by hand, ${ranByHand}`);

/** Rounded down, so that 100% means all. */
const percentOf = (one: Expectations): string => `${Math.floor(passPercent(one) * 10) / 10}%`;

function reasonsOf({ suite, fails, outOfScope }: Expectations): string[] {
  const line = (how: string, groups: readonly Group[]) =>
    groups.length === 0 ? [] : [`  - ${how}: ${groups.map(({ reason, cases }) => `${reason} (${cases.length})`).join("; ")}`];
  const lines = [...line("fail", fails), ...line("out of scope", outOfScope)];
  return lines.length === 0 ? [] : [`- ${suite}`, ...lines];
}
