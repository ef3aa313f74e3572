/** Creates a bucket with its settings, or adopts a bucket and changes nothing in it. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { BridgeContext } from "../cloud";
import type { BridgeConfig } from "../config";
import { document, type Statement, secureTransportPolicy } from "./policies";

export interface BucketFacts {
  name: pulumi.Output<string>;
  arn: pulumi.Output<string>;
  regionalDomainName: pulumi.Output<string>;
  /** Resources that a notification must wait for; empty for an adopted bucket. */
  settled: pulumi.Resource[];
}

/** A bucket without a policy. The caller writes the policy once, when it knows the statements. */
export interface OpenBucket extends BucketFacts {
  writePolicy(statements: pulumi.Input<Statement[]>): pulumi.Resource;
}

export type LifecycleRule = aws.types.input.s3.BucketLifecycleConfigurationRule;

/** Parts of an unfinished upload cost money and do not appear in a listing. The days are more than a key may wait (312 hours). */
export const ABANDONED_UPLOADS: LifecycleRule = {
  id: "abort-abandoned-uploads",
  status: "Enabled",
  filter: { prefix: "" },
  abortIncompleteMultipartUpload: { daysAfterInitiation: 14 },
};

/**
 * Records of copies are needed for minutes. After a crash an operator has a week to look at them. Provenance records have another prefix: they
 * are needed as long as their objects.
 * @param prefix of the records
 */
export const leftoverRecords = (prefix: string): LifecycleRule => ({
  id: "expire-bridge-records",
  status: "Enabled",
  filter: { prefix },
  expiration: { days: 7 },
  noncurrentVersionExpiration: { noncurrentDays: 1 },
});

export function adoptBucket(context: BridgeContext, side: "source" | "destination", parent: pulumi.Resource): BucketFacts {
  const found = aws.s3.getBucketOutput({ bucket: context.config[side].bucket }, { parent, provider: context.provider });
  return { name: found.bucket, arn: found.arn, regionalDomainName: found.bucketRegionalDomainName, settled: [] };
}

export function createBucket(
  context: BridgeContext,
  side: "source" | "destination",
  rules: LifecycleRule[],
  parent: pulumi.Resource,
): BucketFacts {
  const bucket = createOpenBucket(context, side, { rules }, parent);
  return { ...bucket, settled: [...bucket.settled, bucket.writePolicy([])] };
}

/**
 * Settings are retained with their bucket: a bucket that outlives the stack must keep its encryption, its versions and its
 * public access block.
 */
export function createOpenBucket(
  context: BridgeContext,
  side: "source" | "destination",
  settings: { rules: LifecycleRule[]; objectOwnership?: "BucketOwnerEnforced" | "ObjectWriter" },
  parent: pulumi.Resource,
): OpenBucket {
  const { config, provider } = context;
  const { bucket: bucketName, kmsKeyArn, versioning: keepsVersions = true } = config[side];
  const name = `${context.name}-${side}`;
  const opts = (...dependsOn: pulumi.Resource[]): pulumi.CustomResourceOptions => ({
    parent,
    provider,
    retainOnDelete: config.retainBuckets,
    ...(dependsOn.length > 0 ? { dependsOn } : {}),
  });

  const bucket = new aws.s3.Bucket(name, { bucket: bucketName, forceDestroy: config.forceDestroy }, opts());
  // Without versions there is no resource. Removing the resource suspends versioning that was on.
  const versioning = keepsVersions
    ? [
        new aws.s3.BucketVersioning(
          `${name}-versioning`,
          { bucket: bucket.bucket, versioningConfiguration: { status: "Enabled" } },
          opts(),
        ),
      ]
    : [];
  const publicAccessBlock = new aws.s3.BucketPublicAccessBlock(
    `${name}-public-access-block`,
    {
      bucket: bucket.bucket,
      blockPublicAcls: true,
      blockPublicPolicy: true,
      ignorePublicAcls: true,
      restrictPublicBuckets: true,
    },
    opts(),
  );
  new aws.s3.BucketServerSideEncryptionConfiguration(
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
  );
  new aws.s3.BucketOwnershipControls(
    `${name}-ownership`,
    { bucket: bucket.bucket, rule: { objectOwnership: settings.objectOwnership ?? "BucketOwnerEnforced" } },
    opts(),
  );
  new aws.s3.BucketLifecycleConfiguration(
    `${name}-lifecycle`,
    { bucket: bucket.bucket, rules: [...settings.rules, ...(side === "destination" ? lifecycleRules(config.destination) : [])] },
    // S3 accepts rules about noncurrent versions only after versioning is set.
    opts(...versioning),
  );
  return {
    name: bucket.bucket,
    arn: bucket.arn,
    regionalDomainName: bucket.bucketRegionalDomainName,
    settled: versioning,
    writePolicy: (statements) =>
      new aws.s3.BucketPolicy(
        `${name}-policy`,
        {
          bucket: bucket.bucket,
          policy: pulumi
            .all([bucket.arn, statements])
            .apply(([arn, more]) => JSON.stringify(document(...secureTransportPolicy(arn).Statement, ...more))),
        },
        // S3 refuses a policy and a public access block that are written at the same time.
        opts(publicAccessBlock),
      ),
  };
}

const lifecycleRules = ({ lifecycle }: Pick<BridgeConfig["destination"], "lifecycle">): LifecycleRule[] =>
  lifecycle.map(({ id, prefix, expirationDays, noncurrentExpirationDays, transitions }) => ({
    id,
    status: "Enabled",
    filter: { prefix },
    ...(expirationDays === undefined ? {} : { expiration: { days: expirationDays } }),
    ...(noncurrentExpirationDays === undefined
      ? {}
      : { noncurrentVersionExpiration: { noncurrentDays: noncurrentExpirationDays } }),
    ...(transitions.length === 0 ? {} : { transitions }),
  }));
