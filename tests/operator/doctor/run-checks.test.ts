import type { Check, CheckedStack, Problem } from "../../../operator/doctor/check";
import { exitCodeOf, reportLines, reportText } from "../../../operator/doctor/report";
import { type Outcome, runChecks } from "../../../operator/doctor/run-checks";
import { BridgeError } from "../../../runtime/stores/errors";

const PROBLEM: Problem = { what: "it is broken", fix: "mend it" };
const stack = { name: "prod", outputs: {} } as unknown as CheckedStack;

function check(name: string, run: Check["run"], more: Partial<Check> = {}): Check {
  return { name, looksAt: "a thing", why: "It matters.", when: "always", needs: [], sides: () => ["source"], run, ...more };
}

const run = (checks: readonly Check[], options: Partial<Parameters<typeof runChecks>[2]> = {}, on = stack) =>
  runChecks(checks, on, { limit: 4, timeoutMs: 5_000, signal: new AbortController().signal, ...options });

const states = (outcomes: readonly Outcome[]) =>
  outcomes.map(({ check, state, reason }) => [check.name, state, ...(reason === undefined ? [] : [reason])].join(": "));

test("a check passes, or finds problems with its own reason why they matter", async () => {
  const outcomes = await run([
    check("fine", async () => []),
    check("broken", async () => [PROBLEM, { ...PROBLEM, why: "For another reason." }]),
  ]);
  expect(states(outcomes)).toEqual(["fine: passed", "broken: found"]);
  expect(outcomes[1]?.findings).toEqual([
    { check: "broken", side: "source", what: "it is broken", why: "It matters.", fix: "mend it" },
    { check: "broken", side: "source", what: "it is broken", why: "For another reason.", fix: "mend it" },
  ]);
  expect(exitCodeOf(outcomes)).toBe(1);
});

test("a check that fails says why, and does not count as passed", async () => {
  const outcomes = await run([
    check("refused", () => Promise.reject(new BridgeError("PermissionDenied", "look", "you may not look"))),
    check("aws", () => Promise.reject(Object.assign(new Error("no"), { name: "AccessDenied", $metadata: {} }))),
  ]);
  expect(states(outcomes)).toEqual(["refused: unchecked: you may not look", "aws: unchecked: AccessDenied: no"]);
  expect(exitCodeOf(outcomes)).toBe(3);
});

test("a check that does not end in its time is ended, and its calls are aborted", async () => {
  let aborted = false;
  const endless = check("endless", async ({ signal }) => {
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    aborted = true;
    return [];
  });
  expect(states(await run([endless], { timeoutMs: 20 }))).toEqual(["endless: unchecked: no result within 0.02 s"]);
  expect(aborted).toBe(true);
});

test("a check whose foundation is broken is not made", async () => {
  const made: string[] = [];
  const base = check("base", async () => [PROBLEM]);
  const making = (name: string, needs: string[]) => {
    const run = async () => {
      made.push(name);
      return [];
    };
    return check(name, run, { needs });
  };
  const [above, top] = [making("above", ["base"]), making("top", ["above"])];
  // The order of the list does not matter.
  expect(states(await run([top, above, base]))).toEqual([
    "top: unchecked: first mend: above",
    "above: unchecked: first mend: base",
    "base: found",
  ]);
  expect(made).toEqual([]);
});

test("a foundation on the other side does not count", async () => {
  const base = check("base", async () => [PROBLEM], { sides: () => ["destination"] });
  const above = check("above", async () => [], { needs: ["base"] });
  expect(states(await run([base, above]))).toEqual(["base: found", "above: passed"]);
});

test("checks that cannot be made on this stack say why, and block nothing", async () => {
  const missing = check("missing", () => Promise.reject(new Error("never")), {
    unavailable: () => "there is no such thing here",
  });
  const above = check("above", async () => [], { needs: ["missing"] });
  const outcomes = await run([missing, above]);
  expect(states(outcomes)).toEqual(["missing: unavailable: there is no such thing here", "above: passed"]);
  expect(exitCodeOf(outcomes)).toBe(0);
});

test("checks belong before or after the first deployment", async () => {
  const all = [
    check("always", async () => []),
    check("before", async () => [], { when: "before" }),
    check("after", async () => [], { when: "after" }),
  ];
  expect(states(await run(all))).toEqual(["always: passed", "after: passed"]);
  const undeployed = { ...stack, outputs: undefined } as CheckedStack;
  expect(states(await run(all, {}, undeployed))).toEqual(["always: passed", "before: passed"]);
});

test("at most `limit` checks run at once", async () => {
  let running = 0;
  let most = 0;
  const one = (name: string) =>
    check(name, async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      return [];
    });
  await run(["a", "b", "c", "d", "e"].map(one), { limit: 2 });
  expect(most).toBe(2);
});

test("an interruption ends the run", async () => {
  const controller = new AbortController();
  const waiting = check("waiting", async ({ signal }) => {
    controller.abort(new Error("interrupted"));
    signal.throwIfAborted();
    return [];
  });
  await expect(run([waiting], { signal: controller.signal })).rejects.toThrow("interrupted");
});

describe("what is shown", () => {
  const checks = [
    check("fine", async () => []),
    check("broken", async () => [{ what: "a\u001b[31mb", fix: "first &&\nthen" }]),
    check("blind", () => Promise.reject(new Error("no network"))),
    check("absent", async () => [], { unavailable: () => "not here" }),
  ];

  test("as text: problems, then what was not checked, then a summary; without terminal commands of others", async () => {
    expect(reportText(stack, await run(checks), false).split("\n")).toEqual([
      "PROBLEM      broken (source): a\\u{1b}[31mb",
      "  why        It matters.",
      "  fix        first &&",
      "             then",
      "",
      "NOT CHECKED  blind (source): no network",
      "prod, deployed: 1 problem, 1 check passed, 1 could not be made, 1 cannot be made on this stack",
    ]);
  });

  test("with --all also what is in order", async () => {
    const lines = reportText(stack, await run(checks), true).split("\n");
    expect(lines).toContain("UNAVAILABLE  absent (source): not here");
    expect(lines).toContain("OK           fine (source): a thing");
  });

  test("as lines of JSON", async () => {
    expect(reportLines(stack, await run(checks)).map((line) => JSON.parse(line))).toEqual([
      { kind: "finding", check: "broken", side: "source", what: "a\u001b[31mb", why: "It matters.", fix: "first &&\nthen" },
      { kind: "unchecked", check: "blind", side: "source", reason: "no network" },
      { kind: "unavailable", check: "absent", side: "source", reason: "not here" },
      { kind: "summary", stack: "prod", deployed: true, problems: 1, passed: 1, unchecked: 1, unavailable: 1 },
    ]);
  });

  test("nothing but the summary when all is in order", async () => {
    const outcomes = await run([check("fine", async () => [])]);
    expect(reportText(stack, outcomes, false)).toBe("prod, deployed: no problem, 1 check passed");
    expect(exitCodeOf(outcomes)).toBe(0);
  });
});
