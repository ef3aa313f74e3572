/** Prints a cost of the model, with the price of each line and its source. */
import Table from "cli-table3";
import { type Cost, inUsd } from "../cost/model";
import { CNY_PER_USD } from "../cost/prices";
import { ASSUMED } from "../cost/times";
import { grouped, PLAIN } from "./text";

/** @param copies whether the bridge itself copies, so that the times of its functions are assumed */
export function costTable(cost: Cost, { copies }: { copies: boolean }): string {
  const table = new Table({
    head: ["cost", "cloud", "quantity", "price", "source of the price"],
    colAligns: ["left", "left", "right", "right", "left"],
    style: { ...PLAIN, compact: true },
  });
  for (const { item, cloud, quantity, unit, cost: amount, currency, source } of cost.lines) {
    const price = amount === undefined ? "unknown" : `${currency} ${money(amount)}`;
    table.push([item, cloud, `${grouped(Number(quantity.toPrecision(6)))} ${unit}`.trim(), price, source]);
  }
  return [
    table.toString(),
    `About ${totalText(cost)}: list prices, without free tiers, taxes and discounts.`,
    ...(copies ? [ASSUMPTIONS] : []),
  ].join("\n");
}

/** Amounts of two currencies stay apart; their sum names the rate. */
function totalText({ totals, complete }: Cost): string {
  const amounts = Object.entries(totals).map(([currency, amount]) => `${currency} ${money(amount)}`);
  const together = amounts.length > 1 ? ` (USD ${money(inUsd(totals))} at CNY ${CNY_PER_USD} for a dollar)` : "";
  return `${amounts.join(" and ") || "nothing"}${together}${complete ? "" : ", and the items without a price above"}`;
}

const ASSUMPTIONS = `Assumed: every object has the average size, and many are in one request; a store answers after ${ASSUMED.storeMs} ms, the other side of the border after ${ASSUMED.borderMs} ms more (docs/cost.md).`;

/** Two significant digits for small amounts: a request costs less than a cent. */
const money = (amount: number): string =>
  amount >= 1 || amount === 0 ? amount.toFixed(2) : amount.toLocaleString("en-US", { maximumSignificantDigits: 2 });
