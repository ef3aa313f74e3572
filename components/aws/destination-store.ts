import * as pulumi from "@pulumi/pulumi";
import { CONTROL_PREFIX } from "../../runtime/protocol/control";
import type { BridgeContext, DestinationStore } from "../platform";
import { ABANDONED_UPLOADS, adoptBucket, type BucketFacts, createBucket, type LifecycleRule } from "./bucket";

/** Records of copies live for minutes; a week leaves an operator time to look at what a crash left behind. */
const LEFTOVER_RECORDS: LifecycleRule = {
  id: "expire-bridge-records",
  status: "Enabled",
  filter: { prefix: CONTROL_PREFIX },
  expiration: { days: 7 },
  noncurrentVersionExpiration: { noncurrentDays: 1 },
};

/** `crossborder:aws:DestinationStore`: the bucket that replicas go to, created or adopted. */
export class AwsDestinationStore extends pulumi.ComponentResource implements DestinationStore {
  readonly bucket: BucketFacts;
  readonly bucketName: pulumi.Output<string>;

  constructor(context: BridgeContext) {
    super("crossborder:aws:DestinationStore", `${context.name}-destination-store`, {}, { parent: context.parent });
    this.bucket = context.config.destination.adopt
      ? adoptBucket(context, "destination", this)
      : createBucket(context, "destination", [ABANDONED_UPLOADS, LEFTOVER_RECORDS], this);
    this.bucketName = this.bucket.name;
    this.registerOutputs({ bucketName: this.bucketName });
  }
}
