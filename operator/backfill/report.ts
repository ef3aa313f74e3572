/** The result of a backfill: tables for a person, JSON for a program. */
import Table from "cli-table3";
import { type Cost, inUsd } from "../../cost/model";
import { CNY_PER_USD } from "../../cost/prices";
import { ASSUMED } from "../../cost/times";
import { bytesText, grouped, keyText, PLAIN, plainText } from "../text";
import type { BatchJob } from "./batch-control";
import { type Counts, listedObjects, type ObjectOutcome, OUTCOMES } from "./counts";
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

const COMPACT = { style: { ...PLAIN, compact: true } };

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
    ...COMPACT,
  });
  for (const outcome of OUTCOMES) {
    const { objects, bytes } = counts[outcome];
    table.push([names[outcome], grouped(objects), `${grouped(bytes)} (${bytesText(bytes)})`]);
  }
  table.push(["checked", grouped(listedObjects(counts)), ""]);
  return table.toString();
}

export function costTable(cost: Cost, engine: Engine): string {
  const table = new Table({
    head: ["cost", "cloud", "quantity", "price", "source of the price"],
    colAligns: ["left", "left", "right", "right", "left"],
    ...COMPACT,
  });
  for (const { item, cloud, quantity, unit, cost: amount, currency, source } of cost.lines) {
    const price = amount === undefined ? "unknown" : `${currency} ${money(amount)}`;
    table.push([item, cloud, `${grouped(Number(quantity.toPrecision(6)))} ${unit}`.trim(), price, source]);
  }
  return [
    table.toString(),
    `About ${totalText(cost)}: list prices, without free tiers, taxes and discounts.`,
    ...(engine === "bridge" ? [ASSUMPTIONS] : []),
  ].join("\n");
}

/** Amounts of two currencies stay apart; their sum names the rate. */
function totalText({ totals, complete }: Cost): string {
  const amounts = Object.entries(totals).map(([currency, amount]) => `${currency} ${money(amount)}`);
  const together = amounts.length > 1 ? ` (USD ${money(inUsd(totals))} at CNY ${CNY_PER_USD} for a dollar)` : "";
  return `${amounts.join(" and ") || "nothing"}${together}${complete ? "" : ", and the items without a price above"}`;
}

const ASSUMPTIONS = `Assumed: every object has the average size, and many are in one request; a store answers after ${ASSUMED.storeMs} ms, the other side of the border after ${ASSUMED.borderMs} ms more (docs/cost.md).`;

export const namedLine = ({ key, reason }: Named): string => `  ${keyText(key)}: ${plainText(reason)}`;

export function namedLines(title: string, named: readonly Named[], count: number): string[] {
  if (count === 0) return [];
  const rest = count - named.length;
  return [title, ...named.map(namedLine), ...(rest > 0 ? [`  and ${grouped(rest)} more`] : [])];
}

/** Two significant digits for small amounts: a request costs less than a cent. */
const money = (amount: number): string =>
  amount >= 1 || amount === 0 ? amount.toFixed(2) : amount.toLocaleString("en-US", { maximumSignificantDigits: 2 });
