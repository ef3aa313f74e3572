/** A configuration's costs in a few words: for previews, for the README and for the table that answers "what will it cost me". */
import type { BridgeConfig } from "../components/config";
import { idleUsage } from "./idle";
import { beyondCopying, type Cost, estimate, inUsd, priced, type Scenario } from "./model";
import { CNY_PER_USD, DEFAULT_PRICES, type PriceBook } from "./prices";

export type CostedConfig = Pick<
  BridgeConfig,
  | "mode"
  | "source"
  | "destination"
  | "direction"
  | "scope"
  | "probe"
  | "inlineLimitBytes"
  | "copy"
  | "replication"
  | "egress"
  | "batchSeconds"
  | "dashboard"
>;

/** The two loads of every example: many small objects, and few large ones. */
export const EXAMPLES = {
  small: { objects: 1_000_000, sizeBytes: 10_000, text: "1 million objects of 10 KB" },
  large: { objects: 1_024, sizeBytes: 1024 ** 3, text: "1 TiB in objects of 1 GiB" },
} as const;

export const scenarioOf = (
  { mode, source, destination, inlineLimitBytes, batchSeconds, copy, replication }: CostedConfig,
  load: Pick<Scenario, "objects" | "sizeBytes">,
): Scenario => ({
  ...{ mode, source, destination, inlineLimitBytes, batchSeconds },
  partSizeBytes: copy.partSizeBytes,
  timeControl: replication.timeControl,
  objects: load.objects,
  sizeBytes: load.sizeBytes,
});

/** Lines for a preview. */
export function costLines(config: CostedConfig, prices: PriceBook = DEFAULT_PRICES): string[] {
  const small = estimate(scenarioOf(config, EXAMPLES.small), prices);
  const large = estimate(scenarioOf(config, EXAMPLES.large), prices);
  const idle = priced(idleUsage(config), prices);
  const withCopying = (cost: Cost) => `${dollars(inUsd(cost.totals))} with egress and writes`;
  return [
    `about ${dollars(beyondCopying(small))} for ${EXAMPLES.small.text} that arrive together (${withCopying(small)})`,
    `about ${dollars(beyondCopying(large))} for ${EXAMPLES.large.text} (${withCopying(large)})`,
    `about ${dollars(inUsd(idle.totals))} a month while nothing arrives`,
    `list prices, partly unverified; CNY ${CNY_PER_USD} is taken as one dollar; docs/cost.md has the arithmetic`,
  ];
}

/** A sum that is not 0 is never shown as 0. */
export const dollars = (amount: number): string =>
  amount > 0 && amount < 0.005
    ? "< $0.01"
    : `$${amount.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
