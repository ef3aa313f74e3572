/** The lists in `expectations`: what each case of a suite does against the local clouds, and why. */
import { readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { z } from "zod";
import type { Results } from "./suite";

const FOLDER = join(__dirname, "expectations");
/** Stands for the reason of a recorded failure until it is known. */
export const NO_REASON = "no reason is known yet";

const group = z.strictObject({ reason: z.string().min(4), cases: z.array(z.string()).min(1) });
export type Group = z.infer<typeof group>;

const expectations = z.strictObject({
  /** As the table names it. */
  suite: z.string(),
  version: z.string(),
  against: z.enum(["local OSS", "local S3"]),
  /** The day of a run by hand, for a suite that no package holds. */
  ranByHand: z.iso.date().optional(),
  /** The least share of the cases in scope that pass, in percent. */
  atLeastPercent: z.number().optional(),
  passes: z.array(z.string()).default([]),
  fails: z.array(group).default([]),
  outOfScope: z.array(group).default([]),
});
export type Expectations = z.infer<typeof expectations>;

const pathOf = (id: string) => join(FOLDER, `${id}.yaml`);

/** In the order of the table. */
export function expectationIds(): string[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith(".yaml"))
    .map((name) => name.replace(/\.yaml$/, ""))
    .sort();
}

/** @throws Error that names the file */
export function readExpectations(id: string): Expectations {
  const result = expectations.safeParse(parse(readFileSync(pathOf(id), "utf8")));
  if (!result.success) throw new Error(`${pathOf(id)}: ${z.prettifyError(result.error)}`);
  return result.data;
}

export const casesOf = (groups: readonly Group[]): string[] => groups.flatMap(({ cases }) => cases);

/** All cases that the list names. */
export const namedCases = ({ passes, fails, outOfScope }: Expectations): string[] => [
  ...passes,
  ...casesOf(fails),
  ...casesOf(outOfScope),
];

/** The share of the cases in scope that pass, in percent. */
export function passPercent({ passes, fails }: Expectations): number {
  return (100 * passes.length) / (passes.length + casesOf(fails).length);
}

/** Moves each case to where its result puts it. A failure keeps its reason; a new one has none yet, and a test finds that. */
export function withResults(expected: Expectations, all: readonly string[], results: Results): Expectations {
  const present = (groups: readonly Group[], keeps: (name: string) => boolean): Group[] =>
    groups
      .map(({ reason, cases }) => ({ reason, cases: cases.filter((name) => all.includes(name) && keeps(name)) }))
      .filter(({ cases }) => cases.length > 0);
  const outOfScope = present(expected.outOfScope, () => true);
  const out = new Set(casesOf(outOfScope));
  const passed = (name: string) => results.get(name)?.passed === true;
  const given = expected.fails.filter(({ reason }) => reason !== NO_REASON);
  const explained = present(given, (name) => !out.has(name) && !passed(name));
  const known = new Set(casesOf(explained));
  const inScope = all.filter((name) => !out.has(name));
  const unexplained = inScope.filter((name) => !passed(name) && !known.has(name));
  return {
    ...expected,
    passes: inScope.filter(passed),
    fails: unexplained.length === 0 ? explained : [...explained, { reason: NO_REASON, cases: unexplained }],
    outOfScope,
  };
}

export const writeExpectations = (id: string, changed: Expectations): Promise<void> =>
  writeFile(pathOf(id), stringify(changed, { lineWidth: 0 }));
