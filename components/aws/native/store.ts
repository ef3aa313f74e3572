import * as pulumi from "@pulumi/pulumi";
import type { BridgeContext } from "../../platform";
import type { LifecycleRule } from "../bucket";
import { ABANDONED_UPLOADS, adoptBucket, type BucketFacts, createOpenBucket, LEFTOVER_RECORDS } from "../bucket";
import type { Statement } from "../policies";

/** What a job of S3 Batch Operations leaves in the source may be replicated. */
const RULES: LifecycleRule[] = [ABANDONED_UPLOADS, LEFTOVER_RECORDS];

const TYPES = { source: "SourceStore", destination: "DestinationStore" } as const;

/**
 * `crossborder:aws:SourceStore` or `crossborder:aws:DestinationStore`: one end of S3's own replication, created or adopted. Under
 * the type and name that it has in mode `pull`, so that a bridge that changes its mode keeps its buckets.
 */
export class NativeStore extends pulumi.ComponentResource {
  readonly bucket: BucketFacts;
  /** A created bucket's: writes its policy. To be called once. */
  readonly allow?: (statements: pulumi.Output<Statement[]>) => pulumi.Resource;

  constructor(context: BridgeContext, side: "source" | "destination") {
    super(`crossborder:aws:${TYPES[side]}`, `${context.name}-${side}-store`, {}, { parent: context.parent });
    const { config } = context;
    if (config[side].adopt) {
      this.bucket = adoptBucket(context, side, this);
    } else {
      // With the bucket's owner enforced the replicas would lose their own, and their ACLs.
      const keepsOwners = side === "destination" && config.replication.ownership === "source";
      const objectOwnership = keepsOwners ? "ObjectWriter" : "BucketOwnerEnforced";
      const bucket = createOpenBucket(context, side, { rules: RULES, objectOwnership }, this);
      this.bucket = bucket;
      this.allow = bucket.writePolicy;
    }
    this.registerOutputs({ bucketName: this.bucket.name });
  }
}
