/** A bucket of AWS in the env contract. */
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
