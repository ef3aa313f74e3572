/** The results as text for a person, or as lines of JSON. */
import { CANNOT_LOOK, type ExitCode, FAILED, FINE } from "../command";
import { counted, plainText } from "../text";
import type { CheckedStack } from "./check";
import type { Finding, Outcome } from "./run-checks";

export const findingsOf = (outcomes: readonly Outcome[]): Finding[] => outcomes.flatMap(({ findings }) => findings);
const inState = (outcomes: readonly Outcome[], state: Outcome["state"]) => outcomes.filter((one) => one.state === state);

/** A finding counts more than a check that failed: it can be mended now. */
export function exitCodeOf(outcomes: readonly Outcome[]): ExitCode {
  if (findingsOf(outcomes).length > 0) return FAILED;
  return inState(outcomes, "unchecked").length > 0 ? CANNOT_LOOK : FINE;
}

/** @param all whether checks without a finding are listed too */
export function reportText(stack: CheckedStack, outcomes: readonly Outcome[], all: boolean): string {
  const findings = findingsOf(outcomes);
  const blocks = [
    ...findings.map(findingText),
    ...inState(outcomes, "unchecked").map((one) => `NOT CHECKED  ${nameOf(one)}: ${plainText(one.reason ?? "")}`),
    ...(all ? inState(outcomes, "unavailable").map((one) => `UNAVAILABLE  ${nameOf(one)}: ${one.reason}`) : []),
    ...(all ? inState(outcomes, "passed").map((one) => `OK           ${nameOf(one)}: ${one.check.looksAt}`) : []),
  ];
  return [...blocks, summaryText(stack, outcomes)].join("\n");
}

const nameOf = ({ check, side }: Outcome): string => `${check.name} (${side})`;

function findingText({ check, side, what, why, fix }: Finding): string {
  const indented = (text: string) => plainLines(text).join("\n             ");
  return [
    `PROBLEM      ${check} (${side}): ${indented(what)}`,
    `  why        ${indented(why)}`,
    `  fix        ${indented(fix)}`,
    "",
  ].join("\n");
}

/** Line breaks of a command stay. */
const plainLines = (text: string): string[] => text.split("\n").map(plainText);

function summaryText({ name, outputs }: CheckedStack, outcomes: readonly Outcome[]): string {
  const count = (state: Outcome["state"]) => inState(outcomes, state).length;
  const found = findingsOf(outcomes).length;
  const parts = [
    found === 0 ? "no problem" : counted(found, "problem"),
    `${counted(count("passed"), "check")} passed`,
    ...(count("unchecked") > 0 ? [`${count("unchecked")} could not be made`] : []),
    ...(count("unavailable") > 0 ? [`${count("unavailable")} cannot be made on this stack`] : []),
  ];
  return `${name}, ${outputs === undefined ? "before its first deployment" : "deployed"}: ${parts.join(", ")}`;
}

/** One line for each finding and each check that was not made, and a summary. */
export function reportLines(stack: CheckedStack, outcomes: readonly Outcome[]): string[] {
  const open = outcomes.filter(({ state }) => state === "unchecked" || state === "unavailable");
  const count = (state: Outcome["state"]) => inState(outcomes, state).length;
  return [
    ...findingsOf(outcomes).map((finding) => ({ kind: "finding", ...finding })),
    ...open.map(({ check, side, state, reason }) => ({ kind: state, check: check.name, side, reason })),
    {
      kind: "summary",
      stack: stack.name,
      deployed: stack.outputs !== undefined,
      problems: findingsOf(outcomes).length,
      ...{ passed: count("passed"), unchecked: count("unchecked"), unavailable: count("unavailable") },
    },
  ].map((line) => JSON.stringify(line));
}
