/** Opens the object stores that Function Compute serves. */
import type { StoreConfig } from "../../protocol/env";
import { createAppendLeaseStore, type LeaseStore } from "../../replication/lease";
import { createAppendSlots, type Slots } from "../../replication/slots";
import { BridgeError } from "../../stores/errors";
import { type OssNetwork, ossEndpoint } from "../../stores/oss/endpoint";
import { createOssStore, type OssStore } from "../../stores/oss/store";
import type { FunctionBase } from "./start";

type StoreBase = Pick<FunctionBase, "credentials" | "dispatcher" | "originOf" | "region">;

/** @throws BridgeError `ConfigInvalid` for a store that Function Compute does not serve. */
export function openStore({ credentials, dispatcher, originOf }: StoreBase, config: StoreConfig): OssStore {
  if (config.kind !== "oss")
    throw new BridgeError(
      "ConfigInvalid",
      "open",
      `Function Compute serves oss stores, not ${config.kind}: deploy this role on the store's own cloud`,
    );
  const { region, bucket, versioned, network, presignNetwork = network, storageClass, kmsKeyId } = config;
  const endpoint = (at: OssNetwork) => ossEndpoint(region, at, originOf);
  const isAccelerated = network === "accelerate" || network === "accelerate-overseas";
  return createOssStore({
    bucket,
    region,
    credentials: async () => credentials.current(),
    versioned,
    endpoint: endpoint(network),
    // Acceleration carries calls about objects only.
    bucketEndpoint: endpoint(isAccelerated ? "public" : network),
    presignEndpoint: endpoint(presignNetwork),
    dispatcher,
    storageClass,
    kmsKeyId,
  });
}

/**
 * Opens the leases and the slots in the control bucket, which is in the function's own region and keeps no versions.
 * @throws BridgeError `ConfigInvalid` without a control bucket: OSS has no conditional write, so the destination cannot hold leases.
 */
export function openControl(
  base: StoreBase & Pick<FunctionBase, "clock">,
  { controlBucket, bridgeId }: { controlBucket?: string | undefined; bridgeId: string },
): { leases: LeaseStore; slots: Slots } {
  if (controlBucket === undefined)
    throw new BridgeError(
      "ConfigInvalid",
      "open",
      "controlBucket is not set: leases of an OSS destination need a bucket without versions",
    );
  const { region } = base;
  const store = openStore(base, { kind: "oss", bucket: controlBucket, region, versioned: false, network: "internal" });
  return { leases: createAppendLeaseStore(store, bridgeId), slots: createAppendSlots(store, { bridgeId, clock: base.clock }) };
}
