/** An estimate of what a backfill costs: the checks of the walk, and what the mechanism that copies uses for the objects that are due. */
import { type Cost, GB, priced, type Usage, usageOf } from "../../cost/model";
import type { Billed, Cloud, PriceBook } from "../../cost/prices";
import { scenarioOf } from "../../cost/summary";
import type { OperatedBridge } from "../operated-bridge";
import { type Counts, listedObjects, PAGE_SIZE } from "./counts";
import type { Engine } from "./engine";

type Priced = Pick<OperatedBridge, "config">;

export function estimate({ config }: Priced, engine: Engine, counts: Counts, prices: PriceBook): Cost {
  const { source, destination } = config;
  const { objects, bytes } = counts.due;
  const walk: Omit<Usage, "group">[] = [];
  const line = (cloud: Cloud, billed: Billed, item: string, quantity: number) => {
    if (quantity > 0) walk.push({ cloud, billed, item, quantity });
  };
  const listed = listedObjects(counts);

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
  line(destination.cloud, "storageGbMonth", "keep the replicas, each month", bytes / GB);
  // The walk knows the sum of the sizes, so every object counts with the average.
  const scenario = scenarioOf(config, { objects, sizeBytes: objects === 0 ? 0 : bytes / objects });
  return priced([...walk, ...usageOf(scenario)], prices);
}
