import * as pulumi from "@pulumi/pulumi";
import type { AllowedSources } from "../../runtime/protocol/env";
import type { BridgeContext, SourceStore } from "../platform";
import { allowedSourceOf } from "./allowed-source";
import { ABANDONED_UPLOADS, adoptBucket, type BucketFacts, createBucket } from "./bucket";

/** `crossborder:aws:SourceStore`: the bucket that objects come from, created or adopted. */
export class AwsSourceStore extends pulumi.ComponentResource implements SourceStore {
  readonly bucket: BucketFacts;
  readonly bucketName: pulumi.Output<string>;
  readonly allowedSources: pulumi.Output<AllowedSources>;

  constructor(context: BridgeContext) {
    super("crossborder:aws:SourceStore", `${context.name}-source-store`, {}, { parent: context.parent });
    const { adopt } = context.config.source;
    this.bucket = adopt ? adoptBucket(context, "source", this) : createBucket(context, "source", [ABANDONED_UPLOADS], this);
    this.bucketName = this.bucket.name;
    this.allowedSources = pulumi
      .all([this.bucket.name, this.bucket.regionalDomainName])
      .apply(([name, domain]) => [allowedSourceOf(name, domain)]);
    this.registerOutputs({ bucketName: this.bucketName });
  }
}
