import { readFileSync } from "node:fs";
import { Agent } from "node:https";
import type { LocalPartition } from "./local-aws";

/** Turns off the SDK's warning about older versions of Node.js, which says nothing about the product. */
export const SDK_ENVIRONMENT = { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true" } as const;
Object.assign(process.env, SDK_ENVIRONMENT);

/** Configures any AWS SDK v3 client for one local partition. Only S3 reads `forcePathStyle`. */
export function clientConfig(
  partition: Pick<LocalPartition, "endpoint" | "region" | "caPath" | "credentials">,
  credentials = partition.credentials,
) {
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
