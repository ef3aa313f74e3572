/** The parts of a bucket's configuration. The id is the bucket's name. */

import type * as S3 from "@aws-sdk/client-s3";
import {
  DeleteBucketEncryptionCommand,
  DeleteBucketLifecycleCommand,
  DeleteBucketOwnershipControlsCommand,
  DeleteBucketPolicyCommand,
  DeletePublicAccessBlockCommand,
  GetBucketEncryptionCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketOwnershipControlsCommand,
  GetBucketPolicyCommand,
  GetBucketReplicationCommand,
  GetBucketVersioningCommand,
  GetPublicAccessBlockCommand,
  PutBucketEncryptionCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketOwnershipControlsCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutPublicAccessBlockCommand,
} from "@aws-sdk/client-s3";
import type { Failure, Infer, Schema } from "../../schema";
import { type AwsContext, clientsOf, ignoreMissing, resource, unlessMissing } from "../context";
import { lifecycleFailures } from "../lifecycle-rules";
import { untilPrincipalsAreKnown } from "../principals";

interface Configuration<S extends Schema> {
  token: string;
  inputs: S;
  check?(inputs: Infer<S & { "bucket!": "string" }>): Iterable<Failure>;
  /** Rules that need the cloud. */
  admit?(context: AwsContext, inputs: Infer<S & { "bucket!": "string" }>): Promise<void>;
  put(s3: S3.S3Client, Bucket: string, inputs: Infer<S & { "bucket!": "string" }>): Promise<unknown>;
  get(s3: S3.S3Client, Bucket: string): Promise<unknown>;
  remove(s3: S3.S3Client, Bucket: string): Promise<unknown>;
}

function configuration<const S extends Schema>({ token, inputs, check, admit, put, get, remove }: Configuration<S>) {
  const s3Of = (context: AwsContext) => clientsOf(context).s3;
  return resource({
    token,
    inputs: { "bucket!": "string", ...inputs },
    computed: [],
    replaceOn: ["bucket", "region"],
    fixedIdentity: true,
    check: check && ((given) => check(given as Infer<S & { "bucket!": "string" }>)),
    create: async (context, given) => {
      const typed = given as Infer<S & { "bucket!": "string" }>;
      const { bucket } = given as { bucket: string };
      await admit?.(context, typed);
      await put(s3Of(context), bucket, typed);
      return bucket;
    },
    read: async (context, id) => ((await unlessMissing(get(s3Of(context), id))) === undefined ? undefined : {}),
    update: async (context, id, news) => {
      const typed = news as Infer<S & { "bucket!": "string" }>;
      await admit?.(context, typed);
      await put(s3Of(context), id, typed);
    },
    delete: (context, id) => ignoreMissing(remove(s3Of(context), id)),
  });
}

export const bucketVersioning = configuration({
  token: "aws:s3/bucketVersioning:BucketVersioning",
  inputs: { "versioningConfiguration!": { "status!": "string" } },
  put: (s3, Bucket, { versioningConfiguration: { status } }) => putVersioning(s3, Bucket, status as S3.BucketVersioningStatus),
  get: (s3, Bucket) => s3.send(new GetBucketVersioningCommand({ Bucket })),
  // Versioning cannot be removed, only suspended.
  remove: (s3, Bucket) => putVersioning(s3, Bucket, "Suspended"),
});

/** Unlike S3, the emulator lets a bucket with replication suspend versioning. */
async function putVersioning(s3: S3.S3Client, Bucket: string, Status: S3.BucketVersioningStatus): Promise<void> {
  if (Status !== "Enabled" && (await unlessMissing(s3.send(new GetBucketReplicationCommand({ Bucket })))) !== undefined) {
    throw new Error(
      `InvalidBucketState: A replication configuration is present on this bucket, so you cannot change the versioning state. ` +
        `To change the versioning state, first delete the replication configuration: ${Bucket}`,
    );
  }
  await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } }));
}

export const bucketPublicAccessBlock = configuration({
  token: "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
  inputs: {
    blockPublicAcls: "boolean",
    blockPublicPolicy: "boolean",
    ignorePublicAcls: "boolean",
    restrictPublicBuckets: "boolean",
  },
  put: (s3, Bucket, inputs) =>
    s3.send(
      new PutPublicAccessBlockCommand({
        Bucket,
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: inputs.blockPublicAcls ?? false,
          BlockPublicPolicy: inputs.blockPublicPolicy ?? false,
          IgnorePublicAcls: inputs.ignorePublicAcls ?? false,
          RestrictPublicBuckets: inputs.restrictPublicBuckets ?? false,
        },
      }),
    ),
  get: (s3, Bucket) => s3.send(new GetPublicAccessBlockCommand({ Bucket })),
  remove: (s3, Bucket) => s3.send(new DeletePublicAccessBlockCommand({ Bucket })),
});

export const bucketEncryption = configuration({
  token: "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
  inputs: {
    "rules!": [
      {
        applyServerSideEncryptionByDefault: { "sseAlgorithm!": "string", kmsMasterKeyId: "string" },
        bucketKeyEnabled: "boolean",
      },
    ],
  },
  put: (s3, Bucket, { rules }) =>
    s3.send(
      new PutBucketEncryptionCommand({
        Bucket,
        ServerSideEncryptionConfiguration: {
          Rules: rules.map(({ applyServerSideEncryptionByDefault: byDefault, bucketKeyEnabled }) => ({
            BucketKeyEnabled: bucketKeyEnabled,
            ApplyServerSideEncryptionByDefault: byDefault && {
              SSEAlgorithm: byDefault.sseAlgorithm as S3.ServerSideEncryption,
              KMSMasterKeyID: byDefault.kmsMasterKeyId,
            },
          })),
        },
      }),
    ),
  get: (s3, Bucket) => s3.send(new GetBucketEncryptionCommand({ Bucket })),
  remove: (s3, Bucket) => s3.send(new DeleteBucketEncryptionCommand({ Bucket })),
});

export const bucketPolicy = configuration({
  token: "aws:s3/bucketPolicy:BucketPolicy",
  inputs: { "policy!": "json" },
  admit: (context, { policy }) => untilPrincipalsAreKnown(context, policy, "MalformedPolicy: Invalid principal in policy"),
  put: (s3, Bucket, { policy }) => s3.send(new PutBucketPolicyCommand({ Bucket, Policy: policy })),
  get: (s3, Bucket) => s3.send(new GetBucketPolicyCommand({ Bucket })),
  remove: (s3, Bucket) => s3.send(new DeleteBucketPolicyCommand({ Bucket })),
});

export const bucketOwnershipControls = configuration({
  token: "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
  inputs: { "rule!": { "objectOwnership!": "string" } },
  put: (s3, Bucket, { rule }) =>
    s3.send(
      new PutBucketOwnershipControlsCommand({
        Bucket,
        OwnershipControls: { Rules: [{ ObjectOwnership: rule.objectOwnership as S3.ObjectOwnership }] },
      }),
    ),
  get: (s3, Bucket) => s3.send(new GetBucketOwnershipControlsCommand({ Bucket })),
  remove: (s3, Bucket) => s3.send(new DeleteBucketOwnershipControlsCommand({ Bucket })),
});

export const bucketLifecycle = configuration({
  token: "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
  inputs: {
    "rules!": [
      {
        "id!": "string",
        "status!": "string",
        filter: {
          prefix: "string",
          tag: { "key!": "string", "value!": "string" },
          objectSizeGreaterThan: "number",
          objectSizeLessThan: "number",
        },
        expiration: { days: "number", expiredObjectDeleteMarker: "boolean" },
        noncurrentVersionExpiration: { "noncurrentDays!": "number", newerNoncurrentVersions: "number" },
        abortIncompleteMultipartUpload: { daysAfterInitiation: "number" },
        transitions: [{ days: "number", "storageClass!": "string" }],
      },
    ],
  },
  check: ({ rules }) => lifecycleFailures(rules),
  put: (s3, Bucket, { rules }) =>
    s3.send(
      new PutBucketLifecycleConfigurationCommand({
        Bucket,
        LifecycleConfiguration: {
          Rules: rules.map((rule) => ({
            ID: rule.id,
            Status: rule.status as S3.ExpirationStatus,
            Filter: {
              Prefix: rule.filter?.prefix ?? (rule.filter?.tag === undefined ? "" : undefined),
              Tag: rule.filter?.tag && { Key: rule.filter.tag.key, Value: rule.filter.tag.value },
              ObjectSizeGreaterThan: rule.filter?.objectSizeGreaterThan,
              ObjectSizeLessThan: rule.filter?.objectSizeLessThan,
            },
            Expiration: rule.expiration && {
              Days: rule.expiration.days,
              ExpiredObjectDeleteMarker: rule.expiration.expiredObjectDeleteMarker,
            },
            NoncurrentVersionExpiration: rule.noncurrentVersionExpiration && {
              NoncurrentDays: rule.noncurrentVersionExpiration.noncurrentDays,
              NewerNoncurrentVersions: rule.noncurrentVersionExpiration.newerNoncurrentVersions,
            },
            AbortIncompleteMultipartUpload: rule.abortIncompleteMultipartUpload && {
              DaysAfterInitiation: rule.abortIncompleteMultipartUpload.daysAfterInitiation,
            },
            Transitions: rule.transitions?.map(({ days, storageClass }) => ({
              Days: days,
              StorageClass: storageClass as S3.TransitionStorageClass,
            })),
          })),
        },
      }),
    ),
  get: (s3, Bucket) => s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket })),
  remove: (s3, Bucket) => s3.send(new DeleteBucketLifecycleCommand({ Bucket })),
});
