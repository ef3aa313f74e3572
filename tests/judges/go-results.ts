/** Reads what test programs of Go print. */
import type { Result, Results } from "./suite";

/**
 * The output of `-test.v` of Go's package testing. Lines of a case stand between `=== RUN` and `--- PASS`, `--- FAIL` or `--- SKIP`.
 * A skipped case did not pass.
 */
export function testingResults(output: string): Results {
  const results = new Map<string, Result>();
  let lines: string[] = [];
  for (const line of output.split("\n")) {
    if (/^=== RUN /.test(line)) lines = [];
    const [, how, name] = /^--- (PASS|FAIL|SKIP): (\S+) \(/.exec(line) ?? [];
    if (name === undefined) lines.push(line);
    else results.set(name, { passed: how === "PASS", detail: lines.join("\n") });
  }
  return results;
}

/** The output of `-check.v` of gocheck. The lines about a failed case stand after the line with its name. */
export function gocheckResults(output: string): Results {
  const results = new Map<string, Result>();
  let current: { name: string; passed: boolean; lines: string[] } | undefined;
  const end = () => {
    if (current === undefined) return;
    const { name, passed, lines } = current;
    // A case of which a part failed has a line for each; none of them may be lost.
    const before = results.get(name);
    const detail = [before?.detail, lines.join("\n")].filter(Boolean).join("\n");
    results.set(name, { passed: passed && before?.passed !== false, detail });
    current = undefined;
  };
  for (const line of output.split("\n")) {
    const [, how, name] = /^(PASS|FAIL|PANIC|SKIP|MISS): \S+: (\w+\.\w+)/.exec(line) ?? [];
    if (name !== undefined) {
      end();
      current = { name, passed: how === "PASS", lines: [line] };
    } else if (/^-{20,}$/.test(line)) end();
    else current?.lines.push(line);
  }
  end();
  return results;
}
