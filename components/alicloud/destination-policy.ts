/** What every function that writes to the destination is told and allowed alike. */
import * as pulumi from "@pulumi/pulumi";
import type { StoreConfig } from "../../runtime/protocol/env";
import type { BridgeContext } from "../platform";
import type { ControlBucket } from "./control-bucket";
import type { AlicloudDestinationStore } from "./destination-store";
import { bucketArn, keyArn, leaseLogsPrefix } from "./names";
import type { DestinationPolicyArgs } from "./policies";
import { destinationConfig } from "./store-config";

export function destinationPolicyArgs(
  { config }: BridgeContext,
  { store, control }: { store: AlicloudDestinationStore; control: ControlBucket },
): pulumi.Output<DestinationPolicyArgs> {
  const { kmsKeyId, prefix } = config.destination;
  return pulumi
    .all([store.place, store.bucketName, store.bucket.versioned, control.bucketName])
    .apply(([place, bucket, versioned, controlBucket]) => ({
      bucketArn: bucketArn(place, bucket),
      prefix,
      versioned,
      kmsKeyArn: kmsKeyId === undefined ? undefined : keyArn(place, kmsKeyId),
      controlBucketArn: bucketArn(place, controlBucket),
      leaseLogsPrefix: leaseLogsPrefix(config.name),
    }));
}

export function destinationSettings(
  context: BridgeContext,
  { store, control }: { store: AlicloudDestinationStore; control: ControlBucket },
): pulumi.Output<{ destination: StoreConfig; destinationPrefix: string; controlBucket: string }> {
  return pulumi
    .all([store.bucketName, store.bucket.versioned, control.bucketName])
    .apply(([bucket, versioned, controlBucket]) => ({
      destination: destinationConfig(context, { bucket, versioned }),
      destinationPrefix: context.config.destination.prefix,
      controlBucket,
    }));
}
