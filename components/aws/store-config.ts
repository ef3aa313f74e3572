/** The parts of the env contract that both sides write alike. */
import type { StoreConfig } from "../../runtime/protocol/env";
import type { BridgeContext } from "../platform";

export function storeConfig(context: BridgeContext, side: "source" | "destination", bucket: string): StoreConfig {
  const { region, kmsKeyArn } = context.config[side];
  const storageClass = side === "destination" ? context.config.destination.storageClass : undefined;
  return {
    kind: "s3",
    bucket,
    region,
    ...(kmsKeyArn === undefined ? {} : { kmsKeyArn }),
    ...(storageClass === undefined ? {} : { storageClass }),
  };
}

/** Names the bridge and both stores the same way at both ends, so provenance means the same everywhere. */
export function identity({ config }: BridgeContext) {
  return {
    bridgeId: config.name,
    sourceId: `${config.source.cloud}:${config.source.bucket}`,
    destinationId: `${config.destination.cloud}:${config.destination.bucket}`,
    logLevel: config.logLevel,
  };
}
