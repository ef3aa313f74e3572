import * as pulumi from "@pulumi/pulumi";
import { controlPrefix } from "../../runtime/protocol/control";
import type { AllowedSources, StoreConfig } from "../../runtime/protocol/env";
import type { BridgeContext, DestinationStore, SourceStore } from "../cloud";
import type { ResolvedConfig } from "../late-config";
import { UNKNOWN_HOST } from "../mocked";
import {
  ABANDONED_UPLOADS,
  adoptBucket,
  type BucketFacts,
  createBucket,
  createOpenBucket,
  type LifecycleRule,
  leftoverRecords,
} from "./bucket";
import { BACKFILL_PREFIX } from "./native/policies";
import type { Statement } from "./policies";

/** `crossborder:aws:SourceStore`: the bucket that objects come from, created or adopted. For mode `pull`. */
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
      .apply(([name = "", domain]) => [allowedSourceOf(name, domain)]);
    this.registerOutputs({ bucketName: this.bucketName });
  }
}

/** `crossborder:aws:DestinationStore`: the bucket that replicas go to, created or adopted. For mode `pull`. */
export class AwsDestinationStore extends pulumi.ComponentResource implements DestinationStore {
  readonly bucket: BucketFacts;
  readonly bucketName: pulumi.Output<string>;

  constructor(context: BridgeContext) {
    super("crossborder:aws:DestinationStore", `${context.name}-destination-store`, {}, { parent: context.parent });
    this.bucket = context.config.destination.adopt
      ? adoptBucket(context, "destination", this)
      : createBucket(context, "destination", [ABANDONED_UPLOADS, leftoverRecords(controlPrefix(context.config.name))], this);
    this.bucketName = this.bucket.name;
    this.registerOutputs({ bucketName: this.bucketName });
  }
}

/** Both buckets expire records: S3 may replicate those that a job of S3 Batch Operations leaves in the source. */
const NATIVE_RULES: LifecycleRule[] = [ABANDONED_UPLOADS, leftoverRecords(BACKFILL_PREFIX)];

const TYPES = { source: "SourceStore", destination: "DestinationStore" } as const;

/**
 * `crossborder:aws:SourceStore` or `crossborder:aws:DestinationStore`: one end of S3's own replication, created or adopted. Its type and
 * name are those of mode `pull`, so a bridge that changes its mode keeps its buckets.
 */
export class NativeStore extends pulumi.ComponentResource {
  readonly bucket: BucketFacts;
  /** Writes the policy of a created bucket. Call it once. */
  readonly allow?: (statements: pulumi.Output<Statement[]>) => pulumi.Resource;

  constructor(context: BridgeContext, side: "source" | "destination") {
    super(`crossborder:aws:${TYPES[side]}`, `${context.name}-${side}-store`, {}, { parent: context.parent });
    const { config } = context;
    if (config[side].adopt) {
      this.bucket = adoptBucket(context, side, this);
    } else {
      // With BucketOwnerEnforced the replicas would lose their owner and their ACLs.
      const keepsOwners = side === "destination" && config.replication.ownership === "source";
      const objectOwnership = keepsOwners ? "ObjectWriter" : "BucketOwnerEnforced";
      const bucket = createOpenBucket(context, side, { rules: NATIVE_RULES, objectOwnership }, this);
      this.bucket = bucket;
      this.allow = bucket.writePolicy;
    }
    this.registerOutputs({ bucketName: this.bucket.name });
  }
}

export function storeConfig(config: ResolvedConfig, side: "source" | "destination", bucket: string): StoreConfig {
  const { region, kmsKeyArn } = config[side];
  const storageClass = side === "destination" ? config.destination.storageClass : undefined;
  return {
    kind: "s3",
    bucket,
    region,
    ...(kmsKeyArn === undefined ? {} : { kmsKeyArn }),
    ...(storageClass === undefined ? {} : { storageClass }),
  };
}

export interface AllowedSource {
  origin: string;
  pathPrefix: string;
}

/**
 * The part of presigned URLs that the receiver checks:
 * - `<bucket>.s3.<region>.<suffix>`: the bucket is in the host, and every path is allowed.
 * - The same with a dot in the bucket's name: no certificate covers that host, so the SDK puts the bucket into the path.
 * - `host[:port]/<bucket>` of an S3-compatible endpoint: the bucket is in the path.
 * @param regionalDomainName undefined in a program's own tests, whose mocks may not give it
 */
export function allowedSourceOf(bucket: string, regionalDomainName = UNKNOWN_HOST): AllowedSource {
  const [host = "", ...path] = regionalDomainName.split("/");
  if (path.length > 0) return { origin: `https://${host}`, pathPrefix: `/${path.join("/")}/` };
  if (bucket.includes(".") && host.startsWith(`${bucket}.`))
    return { origin: `https://${host.slice(bucket.length + 1)}`, pathPrefix: `/${bucket}/` };
  return { origin: `https://${host}`, pathPrefix: "/" };
}
