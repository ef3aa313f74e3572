/** Reads the file of `--prices`, which replaces single list prices. */
import { readFile } from "node:fs/promises";
import * as z from "zod";
import { BILLED_NAMES, DEFAULT_PRICES, type PriceBook } from "../cost/prices";
import { UsageError } from "./command";

export const priceSchema = z.strictObject({
  amount: z.number().nonnegative(),
  currency: z.enum(["USD", "CNY"]),
  /** The number of units that cost `amount`. */
  per: z.number().positive(),
  unit: z.string().min(1),
  /** Where the price comes from. */
  source: z.string().min(1),
  /** The day on which the price was read. */
  asOf: z.iso.date().optional(),
});

const cloudSchema = z.partialRecord(z.enum(BILLED_NAMES), priceSchema);
const fileSchema = z.strictObject({
  aws: cloudSchema.optional(),
  "aws-cn": cloudSchema.optional(),
  alicloud: cloudSchema.optional(),
});

/** The default prices, replaced by those in the file. @throws UsageError that names every wrong field */
export async function loadPrices(path: string | undefined): Promise<PriceBook> {
  if (path === undefined) return DEFAULT_PRICES;
  const parsed = fileSchema.safeParse(await readJson(path));
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path: where, message }) => `${where.join(".") || "the whole"}: ${message}`);
    throw new UsageError(`${path} holds no prices\n  ${problems.join("\n  ")}`);
  }
  const own = parsed.data as Partial<PriceBook>;
  return {
    aws: { ...DEFAULT_PRICES.aws, ...own.aws },
    "aws-cn": { ...DEFAULT_PRICES["aws-cn"], ...own["aws-cn"] },
    alicloud: { ...DEFAULT_PRICES.alicloud, ...own.alicloud },
  };
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch (cause) {
    throw new UsageError(`${path} cannot be read as JSON: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
