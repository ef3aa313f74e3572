/** A bucket of OSS in the env contract. */
import type { StoreConfig } from "../../runtime/protocol/env";
import type { Acceleration } from "../config";
import type { BridgeContext } from "../platform";

type Network = Extract<StoreConfig, { kind: "oss" }>["network"];

const NETWORKS: Readonly<Record<Acceleration, Network>> = {
  none: "public",
  global: "accelerate",
  overseas: "accelerate-overseas",
};

interface Bucket {
  bucket: string;
  versioned: boolean;
}

/** Functions run beside the source, and read it over the region's own network. Only a pull presigns. */
export function sourceConfig({ config }: BridgeContext, { bucket, versioned }: Bucket): StoreConfig {
  const { region, acceleration = "none" } = config.source;
  return {
    kind: "oss",
    bucket,
    region,
    versioned,
    network: "internal",
    ...(config.mode === "pull" ? { presignNetwork: NETWORKS[acceleration] } : {}),
  };
}

export function destinationConfig({ config }: BridgeContext, { bucket, versioned }: Bucket): StoreConfig {
  const { region, kmsKeyId, storageClass, acceleration = "none" } = config.destination;
  const isNear = config.mode === "pull" || (acceleration === "none" && region === config.source.region);
  return {
    kind: "oss",
    bucket,
    region,
    versioned,
    network: isNear ? "internal" : NETWORKS[acceleration],
    ...(storageClass === undefined ? {} : { storageClass }),
    ...(kmsKeyId === undefined ? {} : { kmsKeyId }),
  };
}
