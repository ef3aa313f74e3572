/** Runs a suite, and compares each case with the list in `expectations`. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DEFAULT_STATE_DIR } from "../../local/paths";
import { casesOf, namedCases, readExpectations, withResults, writeExpectations } from "./expectations";
import type { Results, Suite } from "./suite";

const SUITE_DEADLINE_MS = 40 * 60_000;

/**
 * Defines one test for each case in scope. A case that passes where a failure is expected fails as well. With `JUDGES=write` the list gets
 * the results instead, and new failures get `NO_REASON`.
 */
export function judge(suite: Suite): void {
  const expected = readExpectations(suite.id);
  const write = process.env.JUDGES === "write";
  describe(`${expected.suite} ${expected.version}`, () => {
    let all: string[] = [];
    let results: Results = new Map();
    beforeAll(async () => {
      all = await suite.list();
      const out = new Set(casesOf(expected.outOfScope));
      results = await suite.run(all.filter((name) => !out.has(name)));
      await keepDetails(suite.id, results);
      if (write) await writeExpectations(suite.id, withResults(expected, all, results));
    }, SUITE_DEADLINE_MS);

    test("has the version and the cases of its list, each once", () => {
      expect(suite.version).toBe(expected.version);
      if (!write) expect([...namedCases(expected)].sort()).toEqual([...all].sort());
    });
    for (const name of write ? [] : expected.passes)
      test(`passes ${name}`, () => {
        const result = results.get(name);
        if (result?.passed !== true) throw new Error(result?.detail ?? "the suite has no such case");
      });
    for (const { reason, cases } of write ? [] : expected.fails)
      for (const name of cases)
        test(`fails ${name}, because ${reason}`, () => {
          if (results.get(name)?.passed === true)
            throw new Error(`it passes now: move it to "passes" in expectations/${suite.id}.yaml`);
        });
  });
}

/** What the failed cases printed, for the person who looks for the reasons. */
async function keepDetails(id: string, results: Results): Promise<void> {
  const failed = [...results].filter(([, { passed }]) => !passed);
  const folder = join(DEFAULT_STATE_DIR, "judges");
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${id}.txt`), failed.map(([name, { detail }]) => `== ${name}\n${detail}\n`).join("\n"));
}
