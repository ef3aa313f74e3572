/** `bridge cost`: what a load costs with the settings of a stack. */
import { idleUsage } from "../../cost/idle";
import { type Cost, priced, type Usage, usageOf } from "../../cost/model";
import type { PriceBook } from "../../cost/prices";
import { scenarioOf } from "../../cost/summary";
import {
  bridgeCommand,
  byteSize,
  type CommandContext,
  type CommonOptions,
  type ExitCode,
  FINE,
  type RegisterCommand,
  whole,
} from "../command";
import { costTable } from "../cost-table";
import type { OperatedBridge } from "../operated-bridge";
import { loadPrices } from "../prices";
import { bytesText, counted } from "../text";

export interface CostOptions extends CommonOptions {
  objects: number;
  /** The sum of all objects of a month. */
  bytes: number;
  months: number;
  prices?: string;
}

const HELP = `
Without options: a million objects of 10 KB, in one month. List prices, without free tiers, taxes and discounts.

Example:
  crossborderbridge cost --stack production --objects 5000000 --bytes 2TiB --months 12`;

export const registerCost: RegisterCommand = (program, onBridge) => {
  bridgeCommand(program, "cost", "Estimates what a load costs with the settings of the stack. Asks no cloud.")
    .option("--objects <n>", "objects in a month", whole(1, 1e12), 1_000_000)
    .option("--bytes <size>", "bytes of all objects of a month, such as 500GiB", byteSize, 1e10)
    .option("--months <n>", "months to add up", whole(1, 120), 1)
    .option("--prices <file>", "prices in JSON, instead of the built-in ones")
    .addHelpText("after", HELP)
    .action((options: CostOptions) => onBridge(options, (context) => showCost(context, options)));
};

export async function showCost(context: CommandContext, options: CostOptions): Promise<ExitCode> {
  const { bridge, json, print, note } = context;
  const cost = costOf(bridge.config, options, await loadPrices(options.prices));
  const { objects, bytes, months } = options;
  if (json) print(JSON.stringify({ command: "cost", stack: bridge.stack, objects, bytes, months, ...cost }));
  else print(costTable(cost, { copies: bridge.config.mode !== "native" }));
  const load = `${counted(objects, "object")} of ${bytesText(bytes)} together`;
  note(`for ${load} in ${months === 1 ? "one month" : `each of ${months} months`}, besides the storage of the replicas`);
  return FINE;
}

/** Every line for all months: what the load uses, and what the deployment uses while nothing arrives. */
export function costOf(config: OperatedBridge["config"], load: CostOptions, prices: PriceBook): Cost {
  const { objects, bytes, months } = load;
  const scenario = scenarioOf(config, { objects, sizeBytes: bytes / objects });
  const usage: Usage[] = [...usageOf(scenario), ...idleUsage(config)];
  return priced(
    usage.map((line) => ({ ...line, quantity: line.quantity * months })),
    prices,
  );
}
