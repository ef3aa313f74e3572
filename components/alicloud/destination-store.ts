import * as pulumi from "@pulumi/pulumi";
import type { BridgeContext, DestinationStore } from "../platform";
import { placeOf } from "./account";
import { type BucketFacts, sideBucket } from "./bucket";
import type { Place } from "./names";

/** `crossborder:alicloud:DestinationStore`: the bucket that replicas go to, created or adopted. */
export class AlicloudDestinationStore extends pulumi.ComponentResource implements DestinationStore {
  readonly bucket: BucketFacts;
  readonly bucketName: pulumi.Output<string>;
  readonly place: pulumi.Output<Place>;

  constructor(context: BridgeContext) {
    super("crossborder:alicloud:DestinationStore", `${context.name}-destination-store`, {}, { parent: context.parent });
    this.place = placeOf(context, "destination", this);
    this.bucket = sideBucket(context, "destination", this.place.accountId, this);
    this.bucketName = this.bucket.name;
    this.registerOutputs({ bucketName: this.bucketName });
  }
}
