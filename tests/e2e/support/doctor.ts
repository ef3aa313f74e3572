/** Runs `npm run bridge -- doctor --local` on a test's stack, and reads what it found. */
import type { LocalStack } from "../../../local/local-stack";
import { doctorCommand } from "../../../operator/doctor/command";
import { readSession, runBridge } from "./bridge-command";

export interface Diagnosis {
  exitCode: number;
  /** `check (side): what`, sorted. */
  found: string[];
  /** What mends the findings, in the order in which they were printed. */
  fixes: { side: "source" | "destination"; fix: string }[];
  /** `check (side): reason`. */
  unchecked: string[];
  unavailable: string[];
  passed: number;
}

interface Line {
  kind: "finding" | "unchecked" | "unavailable" | "summary";
  check: string;
  side: "source" | "destination";
  what: string;
  fix: string;
  reason: string;
  passed: number;
}

export async function diagnose(local: LocalStack, stack: string): Promise<Diagnosis> {
  const register = doctorCommand(() => readSession(local, stack));
  const { exitCode, printed, noted } = await runBridge(register, local, stack, ["doctor", "--json"]);
  if (noted.length > 0) throw new Error(noted.join("\n"));
  const lines = printed.map((line) => JSON.parse(line) as Line);
  const of = (kind: Line["kind"]) =>
    lines
      .filter((line) => line.kind === kind)
      .map(({ check, side, what, reason }) => `${check} (${side}): ${what ?? reason}`)
      .sort();
  const passed = lines.find(({ kind }) => kind === "summary")?.passed ?? 0;
  const fixes = lines.filter(({ kind }) => kind === "finding").map(({ side, fix }) => ({ side, fix }));
  return { exitCode, fixes, found: of("finding"), unchecked: of("unchecked"), unavailable: of("unavailable"), passed };
}
