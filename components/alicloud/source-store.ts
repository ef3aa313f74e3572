import * as pulumi from "@pulumi/pulumi";
import type { AllowedSources } from "../../runtime/protocol/env";
import type { BridgeContext, SourceStore } from "../platform";
import { placeOf } from "./account";
import { allowedSourceOf, presignHost } from "./allowed-source";
import { type BucketFacts, sideBucket } from "./bucket";
import type { Place } from "./names";

/** `crossborder:alicloud:SourceStore`: the bucket that objects come from, created or adopted. */
export class AlicloudSourceStore extends pulumi.ComponentResource implements SourceStore {
  readonly bucket: BucketFacts;
  readonly bucketName: pulumi.Output<string>;
  readonly allowedSources: pulumi.Output<AllowedSources>;
  readonly place: pulumi.Output<Place>;

  constructor(context: BridgeContext) {
    super("crossborder:alicloud:SourceStore", `${context.name}-source-store`, {}, { parent: context.parent });
    const { acceleration = "none" } = context.config.source;
    this.place = placeOf(context, "source", this);
    this.bucket = sideBucket(context, "source", this.place.accountId, this);
    this.bucketName = this.bucket.name;
    this.allowedSources = pulumi
      .all([this.bucket.name, this.bucket.publicHost])
      .apply(([name, host]) => [allowedSourceOf(name, presignHost(host, acceleration))]);
    this.registerOutputs({ bucketName: this.bucketName });
  }
}
