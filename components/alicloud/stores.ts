/** The buckets of a bridge in OSS, and their settings for the functions and the policies. */
import * as pulumi from "@pulumi/pulumi";
import type { AllowedSources, StoreConfig } from "../../runtime/protocol/env";
import type { BridgeContext, DestinationStore, SourceStore } from "../cloud";
import type { Acceleration } from "../config";
import type { ResolvedConfig } from "../late-config";
import { type BucketFacts, sideBucket } from "./bucket";
import type { ControlBucket } from "./control-bucket";
import { bucketArn, keyArn, leaseLogsPrefix, type Place, placeOf } from "./names";
import type { DestinationPolicyArgs } from "./policies";

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
    const { name, publicHost, customDomain } = this.bucket;
    this.allowedSources =
      customDomain === undefined
        ? pulumi.all([name, publicHost]).apply(([bucket, host]) => [allowedSourceOf(bucket, presignHost(host, acceleration))])
        : customDomain.apply((domain) => [sourceAtDomain(domain)]);
    this.registerOutputs({ bucketName: this.bucketName });
  }
}

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

export function destinationPolicyArgs(
  { config }: BridgeContext,
  { store, control }: { store: AlicloudDestinationStore; control: ControlBucket },
): pulumi.Output<DestinationPolicyArgs> {
  const { kmsKeyId, prefix } = config.destination;
  return pulumi
    .all([store.place, store.bucketName, store.bucket.versioned, control.bucketName, kmsKeyId])
    .apply(([place, bucket, versioned, controlBucket, key]) => ({
      bucketArn: bucketArn(place, bucket),
      prefix,
      versioned,
      kmsKeyArn: key === undefined ? undefined : keyArn(place, key),
      controlBucketArn: bucketArn(place, controlBucket),
      leaseLogsPrefix: leaseLogsPrefix(config.name),
    }));
}

export function destinationSettings(
  context: BridgeContext,
  { store, control }: { store: AlicloudDestinationStore; control: ControlBucket },
): pulumi.Output<{ destination: StoreConfig; destinationPrefix: string; controlBucket: string }> {
  return pulumi
    .all([context.resolved, store.bucketName, store.bucket.versioned, control.bucketName])
    .apply(([config, bucket, versioned, controlBucket]) => ({
      destination: destinationConfig(config, { bucket, versioned }),
      destinationPrefix: context.config.destination.prefix,
      controlBucket,
    }));
}

type Network = Extract<StoreConfig, { kind: "oss" }>["network"];

const NETWORKS: Readonly<Record<Acceleration, Network>> = {
  none: "public",
  global: "accelerate",
  overseas: "accelerate-overseas",
};

/** For calls and URLs from outside the bucket's region. A custom domain is accelerated by its CNAME record, or not at all. */
const fromOutside = ({ customDomain, acceleration = "none" }: ResolvedConfig["source"]): Network =>
  customDomain === undefined ? NETWORKS[acceleration] : { customDomain };

interface Bucket {
  bucket: string;
  versioned: boolean;
}

/** Functions run in the source's region and read over its internal network. Only mode `pull` presigns URLs. */
export function sourceConfig(config: ResolvedConfig, { bucket, versioned }: Bucket): StoreConfig {
  const { region } = config.source;
  return {
    kind: "oss",
    bucket,
    region,
    versioned,
    network: "internal",
    ...(config.mode === "pull" ? { presignNetwork: fromOutside(config.source) } : {}),
  };
}

/** In mode `pull` functions run in the destination's region, in mode `push` in the source's. */
export function destinationConfig(config: ResolvedConfig, { bucket, versioned }: Bucket): StoreConfig {
  const { region, kmsKeyId, storageClass, acceleration = "none" } = config.destination;
  const isNear = config.mode === "pull" || (acceleration === "none" && region === config.source.region);
  return {
    kind: "oss",
    bucket,
    region,
    versioned,
    network: isNear ? "internal" : fromOutside(config.destination),
    ...(storageClass === undefined ? {} : { storageClass }),
    ...(kmsKeyId === undefined ? {} : { kmsKeyId }),
  };
}

export interface AllowedSource {
  origin: string;
  pathPrefix: string;
}

/**
 * The part of presigned URLs that the receiver checks, as the runtime's store builds them. With an address or localhost as the host, the
 * bucket is in the path instead of the host name.
 */
export function allowedSourceOf(bucket: string, host: string): AllowedSource {
  const { hostname } = new URL(`https://${host}`);
  const byPath = hostname === "localhost" || /^[\d.]+$/.test(hostname) || hostname.startsWith("[");
  return byPath
    ? { origin: `https://${host}`, pathPrefix: `/${bucket}/` }
    : { origin: `https://${bucket}.${host}`, pathPrefix: "/" };
}

/** A custom domain belongs to one bucket, so a URL does not name the bucket. */
export const sourceAtDomain = (domain: string): AllowedSource => ({ origin: `https://${domain}`, pathPrefix: "/" });

/** The host of presigned URLs: the acceleration endpoint, or the region's public host without acceleration. */
export function presignHost(publicHost: string, acceleration: Acceleration): string {
  switch (acceleration) {
    case "none":
      return publicHost;
    case "global":
      return "oss-accelerate.aliyuncs.com";
    case "overseas":
      return "oss-accelerate-overseas.aliyuncs.com";
  }
}
