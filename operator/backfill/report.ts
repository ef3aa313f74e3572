/** The result of a backfill: tables for a person, JSON for a program. */
import Table from "cli-table3";
import type { Cost } from "../../cost/model";
import { type ObjectOutcome, OUTCOMES } from "../presence";
import { bytesText, grouped, keyText, PLAIN, plainText } from "../text";
import type { BatchJob } from "./batch-control";
import { type Counts, listedObjects } from "./counts";
import type { Engine } from "./engine";

/** An object with the reason why it was not replicated. */
export interface Named {
  key: string;
  reason: string;
}

export interface BackfillReport {
  command: "backfill";
  stack: string;
  prefix: string;
  engine: Engine;
  dryRun: boolean;
  /** `budget`: `--max-bytes` had no room for the next object. `declined`: the operator said no. */
  ended: "complete" | "budget" | "declined" | "failed" | "cancelled";
  counts?: Counts;
  /** The first few of each. */
  failed?: Named[];
  archived?: Named[];
  lastKey?: string | undefined;
  /** Only in a dry run. */
  cost?: Cost | undefined;
  job?: BatchJob & { jobId: string; report?: string | undefined };
}

export function countsTable(counts: Counts, { dryRun }: { dryRun: boolean }): string {
  const names: Record<ObjectOutcome, string> = {
    due: dryRun ? "to do" : "handed over",
    present: "at the destination, or on the way",
    outOfScope: "out of scope, of those listed",
    archived: "archived, to be restored first",
    gone: "deleted meanwhile",
    failed: "refused",
  };
  const table = new Table({
    head: ["objects at the source", "count", "bytes"],
    colAligns: ["left", "right", "right"],
    style: { ...PLAIN, compact: true },
  });
  for (const outcome of OUTCOMES) {
    const { objects, bytes } = counts[outcome];
    table.push([names[outcome], grouped(objects), `${grouped(bytes)} (${bytesText(bytes)})`]);
  }
  table.push(["checked", grouped(listedObjects(counts)), ""]);
  return table.toString();
}

export const namedLine = ({ key, reason }: Named): string => `  ${keyText(key)}: ${plainText(reason)}`;

export function namedLines(title: string, named: readonly Named[], count: number): string[] {
  if (count === 0) return [];
  const rest = count - named.length;
  return [title, ...named.map(namedLine), ...(rest > 0 ? [`  and ${grouped(rest)} more`] : [])];
}
