/** Makes the checks one after another, each within its time. */
import { setMaxListeners } from "node:events";
import { abortable } from "../operator/concurrency";
import { plainText } from "../operator/text";
import { type CheckContext, NotShown } from "./check";
import type { CheckResult } from "./journal";
import type { PlannedCheck } from "./plan";

export interface RunnerDeps {
  /** Everything of the context but the signal of the one check. */
  context: Omit<CheckContext, "signal">;
  /** Results of an earlier run that is resumed. */
  earlier: ReadonlyMap<string, CheckResult>;
  /** Ctrl-C. */
  signal: AbortSignal;
  /** Milliseconds since the epoch. */
  now(): number;
  onStart(planned: PlannedCheck): void;
  /** Called before the next check begins. */
  onResult(result: CheckResult): Promise<void>;
}

/** @returns the results of all checks of the plan, those of an earlier run included. After Ctrl-C the rest is left out. */
export async function makeChecks(plan: readonly PlannedCheck[], deps: RunnerDeps): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  for (const planned of plan) {
    const before = deps.earlier.get(planned.id);
    if (before?.result === "passed") {
      results.push(before);
      continue;
    }
    if (deps.signal.aborted) return results;
    if (planned.skip === undefined) deps.onStart(planned);
    const result = await makeCheck(planned, deps);
    // A check that Ctrl-C ended says nothing.
    if (deps.signal.aborted && result.result === "failed") return results;
    results.push(result);
    await deps.onResult(result);
  }
  return results;
}

async function makeCheck({ id, check, side, skip }: PlannedCheck, { context, signal, now }: RunnerDeps): Promise<CheckResult> {
  const startedMs = now();
  const result = (outcome: CheckResult["result"], evidence: readonly string[]): CheckResult => ({
    type: "result",
    id,
    name: check.name,
    result: outcome,
    evidence: evidence.map(plainText),
    startedAt: new Date(startedMs).toISOString(),
    ms: now() - startedMs,
  });
  if (skip !== undefined) return result("skipped", [skip]);
  const timer = AbortSignal.timeout(check.timeoutMs);
  const bounded = AbortSignal.any([signal, timer]);
  // Every call of the check listens to it.
  setMaxListeners(0, bounded);
  const within = { ...context, signal: bounded };
  try {
    const work = check.on === "bridge" ? check.run(within) : check.run(within, within.sides[sideOf(id, side)]);
    return result("passed", await abortable(bounded, work));
  } catch (error) {
    if (error instanceof NotShown) return result("skipped", [error.message]);
    if (timer.aborted && !signal.aborted) return result("failed", [`not done within ${Math.round(check.timeoutMs / 1000)} s`]);
    return result("failed", (error instanceof Error ? error.message : String(error)).split("\n"));
  }
}

function sideOf(id: string, side: PlannedCheck["side"]) {
  if (side === undefined) throw new Error(`${id} is planned without a side`);
  return side;
}
