/** A rough estimate of what a backfill costs: the items of the bill that grow with the objects. */
import type { Cloud } from "../../components/config";
import type { OperatedBridge } from "../operated-bridge";
import { type Counts, listedObjects, PAGE_SIZE } from "./counts";
import type { Engine } from "./engine";
import { BILLED, type Billed, type Price, type PriceBook } from "./prices";

export interface CostLine {
  item: string;
  cloud: Cloud;
  quantity: number;
  unit: string;
  /** Undefined if no price is known. */
  cost: number | undefined;
  currency: Price["currency"] | undefined;
  source: string;
}

export interface Cost {
  lines: CostLine[];
  /** Sums by currency. Lines without a price are left out. */
  totals: Partial<Record<Price["currency"], number>>;
  /** Whether every line has a price. */
  complete: boolean;
}

/** Assumptions about the bridge's work on objects. They are rough on purpose; the report lists them. */
export const ASSUMPTIONS = {
  /** Objects in one invocation of the sender, and in one request to the receiver. */
  objectsPerBatch: 10,
  /** Send, receive and delete. */
  queueRequestsPerObject: 3,
  functionGb: 1,
  /** Time of a function per object, without the time for the bytes. */
  secondsPerObject: 0.5,
  bytesPerSecond: 8 * 1024 ** 2,
  /** Steps of the workflow per copy, without the step for each part. */
  stepsPerCopy: 4,
} as const;

/** Bills are in decimal gigabytes. */
const GB = 1e9;

type Priced = Pick<OperatedBridge, "config">;

export function estimate({ config }: Priced, engine: Engine, counts: Counts, prices: PriceBook): Cost {
  const lines: CostLine[] = [];
  const { source, destination } = config;
  const { objects, bytes } = counts.due;
  const line = (cloud: Cloud, billed: Billed, item: string, quantity: number) => {
    if (quantity > 0) lines.push(costLine({ cloud, billed, item, quantity }, prices[cloud][billed]));
  };
  const listed = listedObjects(counts);
  const sameRegion = source.cloud === destination.cloud && source.region === destination.region;

  line(source.cloud, "writeRequest", "list the source", Math.ceil(listed / PAGE_SIZE));
  if (engine !== "batch") {
    const looked = listed - counts.outOfScope.objects;
    line(source.cloud, "readRequest", "look at source objects", looked);
    if (config.mode !== "native" || source.cloud === "alicloud")
      line(destination.cloud, "readRequest", "look at destination objects", looked);
  }
  if (engine === "copy") {
    line(source.cloud, "readRequest", "look before copying", objects);
    line(source.cloud, "writeRequest", "copy objects in place", objects);
    line(source.cloud, "storageGbMonth", "keep the versions before, each month", bytes / GB);
  }
  if (engine === "batch") {
    line(source.cloud, "batchJob", "S3 Batch Operations: job", objects > 0 ? 1 : 0);
    line(source.cloud, "batchObject", "S3 Batch Operations: objects", objects);
    line(source.cloud, "batchListedObject", "S3 Batch Operations: list of objects", objects > 0 ? listed : 0);
  }
  line(destination.cloud, "writeRequest", "write replicas", objects);
  line(destination.cloud, "storageGbMonth", "keep the replicas, each month", bytes / GB);
  if (config.mode === "native") {
    if (!sameRegion) line(source.cloud, "replicationGb", "replicate to another region", bytes / GB);
    if (config.replication.timeControl) line(source.cloud, "timeControlGb", "replication time control", bytes / GB);
  } else {
    bridgeLines(config, counts, line);
  }
  return { lines, totals: totalsOf(lines), complete: lines.every(({ cost }) => cost !== undefined) };
}

type AddLine = (cloud: Cloud, billed: Billed, item: string, quantity: number) => void;

function bridgeLines(config: Priced["config"], { due: { objects, bytes } }: Counts, line: AddLine): void {
  const { objectsPerBatch, queueRequestsPerObject, functionGb, secondsPerObject, bytesPerSecond, stepsPerCopy } = ASSUMPTIONS;
  const from = config.source.cloud;
  const to = config.destination.cloud;
  const batches = Math.ceil(objects / objectsPerBatch);
  const copySeconds = bytes / bytesPerSecond;
  line(from, "readRequest", "read source objects", objects);
  if (from !== to || config.source.region !== config.destination.region) line(from, "internetGb", "bytes out", bytes / GB);
  if ((config.source.acceleration ?? "none") !== "none") line(from, "acceleratedGb", "bytes out, accelerated", bytes / GB);
  if (from !== "alicloud") line(from, "queueRequest", "queue", objects * queueRequestsPerObject);
  if (config.mode === "push") {
    line(from, "functionCall", "functions", objects * stepsPerCopy);
    line(from, "functionGbSecond", "functions at work", (objects * secondsPerObject + copySeconds) * functionGb);
    line(from, "workflowStep", "workflow", objects * stepsPerCopy);
    return;
  }
  line(from, "functionCall", "sender", batches);
  line(from, "functionGbSecond", "sender at work", objects * secondsPerObject * functionGb);
  if (to !== "alicloud") line(to, "apiRequest", "receiver's endpoint", batches);
  line(to, "functionCall", "receiver", batches);
  line(to, "functionGbSecond", "receiver and copier at work", (objects * secondsPerObject + copySeconds) * functionGb);
}

interface BilledItem extends Pick<CostLine, "cloud" | "item" | "quantity"> {
  billed: Billed;
}

function costLine({ cloud, billed, item, quantity }: BilledItem, price: Price | undefined): CostLine {
  if (price === undefined)
    return {
      item,
      cloud,
      quantity,
      unit: BILLED[billed],
      cost: undefined,
      currency: undefined,
      source: "no price known: give it with --prices",
    };
  const { amount, currency, per, unit, source } = price;
  return { item, cloud, quantity, unit, cost: (quantity / per) * amount, currency, source };
}

function totalsOf(lines: readonly CostLine[]): Cost["totals"] {
  const totals: Cost["totals"] = {};
  for (const { cost, currency } of lines) {
    if (cost !== undefined && currency !== undefined) totals[currency] = (totals[currency] ?? 0) + cost;
  }
  return totals;
}
