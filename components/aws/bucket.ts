/** A bucket and its settings, or an adopted bucket and none of them. */
import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import type { BridgeContext } from "../platform";
import { make } from "../transforms";
import { secureTransportPolicy } from "./policies";

export interface BucketFacts {
  name: pulumi.Output<string>;
  arn: pulumi.Output<string>;
  regionalDomainName: pulumi.Output<string>;
  /** What a notification must wait for; empty for an adopted bucket. */
  settled: pulumi.Resource[];
}

export type LifecycleRule = aws.types.input.s3.BucketLifecycleConfigurationRule;

/** Parts of an upload that nobody finished cost money and show up in no listing. */
export const ABANDONED_UPLOADS: LifecycleRule = {
  id: "abort-abandoned-uploads",
  status: "Enabled",
  filter: { prefix: "" },
  abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
};

export function adoptBucket(context: BridgeContext, side: "source" | "destination", parent: pulumi.Resource): BucketFacts {
  const found = aws.s3.getBucketOutput({ bucket: context.config[side].bucket }, { parent, provider: context.provider });
  return { name: found.bucket, arn: found.arn, regionalDomainName: found.bucketRegionalDomainName, settled: [] };
}

/**
 * Settings are retained with their bucket: a bucket that outlives the stack must not lose its encryption, its versions or
 * its public access block on the way.
 */
export function createBucket(
  context: BridgeContext,
  side: "source" | "destination",
  rules: LifecycleRule[],
  parent: pulumi.Resource,
): BucketFacts {
  const { config, provider, transform } = context;
  const { bucket: bucketName, kmsKeyArn, versioning: keepsVersions = true } = config[side];
  const name = `${context.name}-${side}`;
  const transforms = transform[side] ?? {};
  const opts = (...dependsOn: pulumi.Resource[]): pulumi.CustomResourceOptions => ({
    parent,
    provider,
    retainOnDelete: config.retainBuckets,
    ...(dependsOn.length > 0 ? { dependsOn } : {}),
  });

  const bucket = make(aws.s3.Bucket, name, { bucket: bucketName, forceDestroy: config.forceDestroy }, opts(), transforms.bucket);
  // Absent rather than suspended: taking the resource away suspends what was on.
  const versioning = keepsVersions
    ? [
        make(
          aws.s3.BucketVersioning,
          `${name}-versioning`,
          { bucket: bucket.bucket, versioningConfiguration: { status: "Enabled" } },
          opts(),
          transforms.versioning,
        ),
      ]
    : [];
  const publicAccessBlock = make(
    aws.s3.BucketPublicAccessBlock,
    `${name}-public-access-block`,
    {
      bucket: bucket.bucket,
      blockPublicAcls: true,
      blockPublicPolicy: true,
      ignorePublicAcls: true,
      restrictPublicBuckets: true,
    },
    opts(),
    transforms.publicAccessBlock,
  );
  make(
    aws.s3.BucketServerSideEncryptionConfiguration,
    `${name}-encryption`,
    {
      bucket: bucket.bucket,
      rules: [
        kmsKeyArn === undefined
          ? { applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }
          : {
              applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms", kmsMasterKeyId: kmsKeyArn },
              bucketKeyEnabled: true,
            },
      ],
    },
    opts(),
    transforms.encryption,
  );
  make(
    aws.s3.BucketOwnershipControls,
    `${name}-ownership`,
    { bucket: bucket.bucket, rule: { objectOwnership: "BucketOwnerEnforced" } },
    opts(),
    transforms.ownership,
  );
  const policy = make(
    aws.s3.BucketPolicy,
    `${name}-policy`,
    { bucket: bucket.bucket, policy: bucket.arn.apply((arn) => JSON.stringify(secureTransportPolicy(arn))) },
    // S3 refuses a policy and a public access block that arrive together.
    opts(publicAccessBlock),
    transforms.policy,
  );
  make(
    aws.s3.BucketLifecycleConfiguration,
    `${name}-lifecycle`,
    { bucket: bucket.bucket, rules },
    // Rules about noncurrent versions are only accepted where versions are decided.
    opts(...versioning),
    transforms.lifecycle,
  );
  return {
    name: bucket.bucket,
    arn: bucket.arn,
    regionalDomainName: bucket.bucketRegionalDomainName,
    settled: [...versioning, policy],
  };
}
