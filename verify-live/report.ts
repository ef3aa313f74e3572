/** The report of a run, for a person who was not there. */
import { counted } from "../operator/text";
import type { Check, Config } from "./check";
import type { CheckResult } from "./journal";

export interface ReportFacts {
  stack: string;
  run: string;
  config: Config;
  local: boolean;
  startedAt: string;
  endedAt: string;
  /** `deployed by this run and destroyed`, and so on. */
  fate: string;
  /** What the run could not remove. */
  left: readonly string[];
  interrupted: boolean;
}

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");
const count = (results: readonly CheckResult[], wanted: CheckResult["result"]) =>
  results.filter(({ result }) => result === wanted).length;

/** `12 passed, 1 failed, 3 not made` */
export const totalsText = (results: readonly CheckResult[]): string =>
  `${count(results, "passed")} passed, ${count(results, "failed")} failed, ${count(results, "skipped")} not made`;

export function reportText(results: readonly CheckResult[], checks: readonly Check[], facts: ReportFacts): string {
  const { stack, run, config, local, startedAt, endedAt, fate, left, interrupted } = facts;
  const place = ({ cloud, region }: Config["source"]) => `${cloud} ${region}`;
  const factOf = (name: string) => checks.find((check) => check.name === name)?.fact ?? "";
  const section = (title: string, wanted: CheckResult["result"], what: string): string[] => {
    const mine = results.filter(({ result }) => result === wanted);
    if (mine.length === 0) return [];
    return [
      `## ${title}`,
      "",
      `| Check | Fact | ${what} | Seconds |`,
      "|---|---|---|---|",
      ...mine.map(
        ({ id, name, evidence, ms }) =>
          `| \`${id}\` | ${cell(factOf(name))} | ${cell(evidence.join("<br>"))} | ${(ms / 1000).toFixed(1)} |`,
      ),
      "",
    ];
  };
  return [
    `# ${local ? "Local clouds" : "Real clouds"}: stack ${stack}`,
    "",
    `${totalsText(results)}.${interrupted ? " The run was interrupted; `--resume` goes on." : ""}`,
    "",
    `- Mode ${config.mode}, from ${place(config.source)} to ${place(config.destination)}`,
    `- Run ${run}, from ${startedAt} to ${endedAt}`,
    `- The stack was ${fate}`,
    ...(left.length === 0
      ? ["- Every object of the run was deleted"]
      : [`- ${counted(left.length, "thing was", "things were")} not removed:`, ...left.map((line) => `  - ${line}`)]),
    "",
    ...section("Does not hold", "failed", "Seen"),
    ...section("Holds", "passed", "Evidence"),
    ...section("Not shown by this run", "skipped", "Why"),
  ].join("\n");
}
