import { readFileSync } from "node:fs";
import { Agent } from "node:https";
import type { LocalPartition } from "./local-aws";

/** The configuration of any AWS SDK v3 client (`forcePathStyle` counts for S3 alone) against one local partition. */
export function clientConfig(partition: LocalPartition, credentials = partition.credentials) {
  return {
    endpoint: partition.endpoint,
    region: partition.region,
    credentials,
    forcePathStyle: true,
    requestHandler: {
      requestTimeout: 60_000,
      httpsAgent: new Agent({ ca: readFileSync(partition.caPath), keepAlive: true, maxSockets: 32 }),
    },
  };
}
