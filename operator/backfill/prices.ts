/**
 * List prices for the estimate of a dry run: standard storage in a large region, without free tiers and discounts. `--prices FILE`
 * replaces any of them.
 */
import { readFile } from "node:fs/promises";
import * as z from "zod";
import type { Cloud } from "../../components/config";
import { UsageError } from "../command";

export const priceSchema = z.strictObject({
  amount: z.number().nonnegative(),
  currency: z.enum(["USD", "CNY"]),
  /** The number of units that cost `amount`. */
  per: z.number().positive(),
  unit: z.string().min(1),
  /** Where the price is published, or `unverified`. */
  source: z.string().min(1),
});
export type Price = z.infer<typeof priceSchema>;

/** The items that a backfill can be billed for, each with its unit. */
export const BILLED = {
  /** LIST, PUT, COPY. */
  writeRequest: "requests",
  /** HEAD, GET. */
  readRequest: "requests",
  /** In standard storage. */
  storageGbMonth: "GB and month",
  /** To another cloud. */
  internetGb: "GB",
  /** To another region of the same cloud, by its own replication. */
  replicationGb: "GB",
  /** In addition, with replication time control. */
  timeControlGb: "GB",
  /** In addition, through the accelerated endpoint. */
  acceleratedGb: "GB",
  batchJob: "jobs",
  batchObject: "objects",
  /** Objects in the bucket that the job lists. */
  batchListedObject: "objects",
  queueRequest: "requests",
  functionCall: "calls",
  functionGbSecond: "GB-seconds",
  apiRequest: "requests",
  workflowStep: "steps",
} as const;
export type Billed = keyof typeof BILLED;
const BILLED_NAMES = Object.keys(BILLED) as Billed[];

/** An absent price is unknown, not 0. */
export type CloudPrices = Partial<Record<Billed, Price>>;
export type PriceBook = Record<Cloud, CloudPrices>;

const UNVERIFIED = "unverified";
const S3 = "https://aws.amazon.com/s3/pricing/";
const FUNCTION_COMPUTE = "Alibaba Cloud's documentation, billing of Function Compute 3.0";
const CLOUD_FLOW = "Alibaba Cloud's documentation, billing of CloudFlow";

const usd = (amount: number, per: number, unit: string, source = UNVERIFIED): Price => ({
  amount,
  currency: "USD",
  per,
  unit,
  source,
});
const cny = (amount: number, per: number, unit: string): Price => ({ amount, currency: "CNY", per, unit, source: UNVERIFIED });

export const DEFAULT_PRICES: PriceBook = {
  aws: {
    writeRequest: usd(0.005, 1000, "requests"),
    readRequest: usd(0.0004, 1000, "requests"),
    storageGbMonth: usd(0.023, 1, "GB and month"),
    internetGb: usd(0.09, 1, "GB"),
    replicationGb: usd(0.02, 1, "GB"),
    timeControlGb: usd(0.015, 1, "GB"),
    batchJob: usd(0.25, 1, "jobs", S3),
    batchObject: usd(1, 1_000_000, "objects", S3),
    batchListedObject: usd(0.015, 1_000_000, "objects", S3),
    queueRequest: usd(0.4, 1_000_000, "requests"),
    functionCall: usd(0.2, 1_000_000, "calls"),
    functionGbSecond: usd(0.0000166667, 1, "GB-seconds"),
    apiRequest: usd(3.5, 1_000_000, "requests"),
    workflowStep: usd(25, 1_000_000, "steps"),
  },
  "aws-cn": {
    internetGb: cny(0.93, 1, "GB"),
    functionCall: cny(1.36, 1_000_000, "calls"),
    functionGbSecond: cny(0.000113, 1, "GB-seconds"),
    apiRequest: cny(29, 1_000_000, "requests"),
  },
  alicloud: {
    internetGb: cny(0.5, 1, "GB"),
    acceleratedGb: cny(1.25, 1, "GB"),
    // 75 units for 10,000 calls, 0.15 for a GB-second, $0.000020 each.
    functionCall: usd(0.0015, 10_000, "calls", FUNCTION_COMPUTE),
    functionGbSecond: usd(0.000003, 1, "GB-seconds", FUNCTION_COMPUTE),
    workflowStep: usd(0.25, 10_000, "steps", CLOUD_FLOW),
  },
};

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
