/** Runs `npm run bridge -- doctor --local` on a test's stack, and reads what it found. */
import type { LocalStack } from "../../../local/local-stack";
import { doctorCommand } from "../../../operator/doctor/command";
import { readSession, runBridge } from "./bridge-command";

export interface Diagnosis {
  exitCode: number;
  /** `check (side): what`, sorted. */
  found: string[];
  /** `check (side): reason`. */
  unchecked: string[];
  unavailable: string[];
  passed: number;
}

interface Line {
  kind: "finding" | "unchecked" | "unavailable" | "summary";
  check: string;
  side: string;
  what: string;
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
  return { exitCode, found: of("finding"), unchecked: of("unchecked"), unavailable: of("unavailable"), passed };
}
