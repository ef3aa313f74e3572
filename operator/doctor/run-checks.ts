/** Runs checks: some at once, each within its time. What a check could not look at is said, and never counts as passed. */
import { abortable, forEachBounded } from "../concurrency";
import { type Check, type CheckedStack, reasonOf, type SideName } from "./check";

/** What a check found, ready to be shown. */
export interface Finding {
  check: string;
  side: SideName;
  what: string;
  why: string;
  fix: string;
}

export interface Outcome {
  check: Check;
  side: SideName;
  /** `unavailable`: it cannot be made on this stack. `unchecked`: it should have been made, and failed. */
  state: "passed" | "found" | "unchecked" | "unavailable";
  findings: Finding[];
  /** Why there is no result. */
  reason?: string | undefined;
}

export interface RunOptions {
  /** Checks at once. */
  limit: number;
  /** For each check. */
  timeoutMs: number;
  signal: AbortSignal;
}

/** @returns an outcome for each check and side that it applies to, in the order of the checks */
export async function runChecks(
  checks: readonly Check[],
  stack: CheckedStack,
  { limit, timeoutMs, signal }: RunOptions,
): Promise<Outcome[]> {
  const planned = checks
    .filter(({ when }) => when === "always" || (when === "after") === (stack.outputs !== undefined))
    .flatMap((check) => check.sides(stack).map((side) => ({ check, side })));
  const outcomes = new Map<string, Outcome>();
  for (const wave of wavesOf(planned, checks)) {
    await forEachBounded(wave, { limit, signal }, async ({ check, side }) => {
      const outcome = await outcomeOf(check, { side, stack, before: outcomes, timeoutMs, signal });
      outcomes.set(idOf(check.name, side), outcome);
    });
  }
  return planned.flatMap(({ check, side }) => outcomes.get(idOf(check.name, side)) ?? []);
}

const idOf = (name: string, side: SideName): string => `${name} ${side}`;

/** Each wave needs only checks of the waves before it. */
function wavesOf<P extends { check: Check }>(planned: readonly P[], checks: readonly Check[]): P[][] {
  const byName = new Map(checks.map((check) => [check.name, check]));
  const depthOf = (check: Check): number =>
    check.needs.reduce((depth, name) => {
      const needed = byName.get(name);
      return needed === undefined ? depth : Math.max(depth, depthOf(needed) + 1);
    }, 0);
  const waves: P[][] = [];
  for (const one of planned) {
    const depth = depthOf(one.check);
    waves[depth] = [...(waves[depth] ?? []), one];
  }
  return waves.filter((wave) => wave !== undefined);
}

interface Run {
  side: SideName;
  stack: CheckedStack;
  before: ReadonlyMap<string, Outcome>;
  timeoutMs: number;
  signal: AbortSignal;
}

async function outcomeOf(check: Check, { side, stack, before, timeoutMs, signal }: Run): Promise<Outcome> {
  const base = { check, side, findings: [] };
  const unavailable = check.unavailable?.(stack, side);
  if (unavailable !== undefined) return { ...base, state: "unavailable", reason: unavailable };
  const blocker = check.needs.map((name) => before.get(idOf(name, side))).find((one) => one !== undefined && !isClear(one));
  if (blocker !== undefined) return { ...base, state: "unchecked", reason: `first mend: ${blocker.check.name}` };
  const patience = AbortSignal.timeout(timeoutMs);
  const both = AbortSignal.any([signal, patience]);
  try {
    const problems = await abortable(both, check.run({ stack, side, signal: both }));
    const findings = problems.map(({ what, why = check.why, fix }) => ({ check: check.name, side, what, why, fix }));
    return { ...base, state: findings.length === 0 ? "passed" : "found", findings };
  } catch (error) {
    signal.throwIfAborted();
    const reason = patience.aborted ? `no result within ${timeoutMs / 1000} s` : reasonOf(error);
    return { ...base, state: "unchecked", reason };
  }
}

const isClear = ({ state }: Outcome): boolean => state === "passed" || state === "unavailable";
