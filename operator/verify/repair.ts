/** Hands differences to the bridge, within a budget. */
import { type ExitCode, FAILED, FINE } from "../command";
import { createCopier, createEnqueuer, type Mover } from "../move";
import type { OperatedBridge } from "../operated-bridge";
import { presenceOf } from "../presence";
import { Progress } from "../progress";
import { bytesText, counted, grouped, keyText } from "../text";
import type { Finding } from "./findings";
import type { VerifyDeps, VerifyOptions } from "./options";

const CHUNK = 500;

export interface Repair {
  bridge: OperatedBridge;
  options: Pick<VerifyOptions, "dryRun" | "yes" | "maxObjects" | "maxBytes" | "concurrency">;
  deps: VerifyDeps;
  signal: AbortSignal;
  note(text: string): void;
  /** Reads the findings from the beginning. */
  findings(): AsyncIterable<Finding>;
}

export interface Repaired {
  /** Handed over, or in a dry run what would be. */
  objects: number;
  bytes: number;
  /** Faults that the budget had no room for, or that no bridge can repair. */
  left: number;
  refused: number;
  ended: "complete" | "dry run" | "declined";
}

export async function repair(work: Repair): Promise<Repaired> {
  const { options, deps, signal, note } = work;
  const plan = await planOf(work);
  const size = `${counted(plan.objects, "object")} (${bytesText(plan.bytes)})`;
  if (plan.left > 0) note(`${counted(plan.left, "difference")} would be left: beyond the budget, or no copy can mend them`);
  const planned = { objects: plan.objects, bytes: plan.bytes, left: plan.left, refused: 0 };
  if (options.dryRun || plan.objects === 0) {
    note(options.dryRun ? `--repair would hand over ${size}` : "there is nothing to hand over");
    return { ...planned, ended: options.dryRun ? "dry run" : "complete" };
  }
  if (!options.yes && !(await deps.confirm(`Hand over ${size} to the bridge?`, signal))) {
    note("nothing was handed over");
    return { ...planned, objects: 0, bytes: 0, left: plan.left + plan.objects, ended: "declined" };
  }
  const refused = await handOver(work, plan.objects);
  note(
    `${grouped(plan.objects - refused)} of ${size} were handed over; \`status\` shows when they have arrived, then verify again`,
  );
  return { ...planned, objects: plan.objects - refused, refused, ended: "complete" };
}

export function exitCodeOf({ left, refused, ended }: Repaired): ExitCode {
  return ended === "complete" && left === 0 && refused === 0 ? FINE : FAILED;
}

async function planOf(work: Repair): Promise<{ objects: number; bytes: number; left: number }> {
  const plan = { objects: 0, bytes: 0, left: 0 };
  let isSpent = false;
  const { maxObjects = Number.POSITIVE_INFINITY, maxBytes = Number.POSITIVE_INFINITY } = work.options;
  for await (const finding of work.findings()) {
    if (finding.leftAlone) continue;
    // An extra object is deleted, so it moves no bytes.
    const bytes = finding.kind === "extra" ? 0 : finding.sizeBytes;
    const isRepairable = canRepair(finding, work.bridge);
    isSpent ||= isRepairable && (plan.objects + 1 > maxObjects || plan.bytes + bytes > maxBytes);
    if (!isRepairable || isSpent) plan.left += 1;
    else {
      plan.objects += 1;
      plan.bytes += bytes;
    }
  }
  return plan;
}

/** The bridge copies what differs, and deletes replicas of deleted objects. The store's own replication only copies. */
function canRepair({ kind }: Finding, { config }: Pick<OperatedBridge, "config">): boolean {
  if (kind === "unread") return false;
  return kind !== "extra" || config.mode !== "native";
}

/** @returns how many were refused */
async function handOver({ bridge, options, deps, signal, note, findings }: Repair, total: number): Promise<number> {
  const presence = presenceOf(bridge);
  const moving = { bridge, presence, concurrency: options.concurrency, signal, sleep: deps.sleep, random: deps.random };
  const mover: Mover = bridge.config.mode === "native" ? createCopier(moving) : createEnqueuer(moving);
  const progress = new Progress({ now: deps.now, note, total });
  let [begun, refused] = [0, 0];
  let chunk: Finding[] = [];
  const send = async () => {
    const moved = await mover(chunk.map(({ key, etag = "" }) => ({ key, etag })));
    for (const [index, { outcome, reason }] of moved.entries()) {
      if (outcome === "due" || outcome === "gone") continue;
      refused += 1;
      note(`${keyText(chunk[index]?.key ?? "")}: ${reason ?? outcome}`);
    }
    chunk = [];
    progress.report(begun, () => `${grouped(begun)} of ${grouped(total)} handed over`);
  };
  for await (const finding of findings()) {
    if (begun === total) break;
    if (finding.leftAlone || !canRepair(finding, bridge)) continue;
    chunk.push(finding);
    begun += 1;
    if (chunk.length === CHUNK) await send();
  }
  if (chunk.length > 0) await send();
  return refused;
}
