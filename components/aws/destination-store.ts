import * as pulumi from "@pulumi/pulumi";
import type { BridgeContext, DestinationStore } from "../platform";
import { ABANDONED_UPLOADS, adoptBucket, type BucketFacts, createBucket, LEFTOVER_RECORDS } from "./bucket";

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
