/**
 * The job of S3 Batch Operations that replicates what a bucket's own replication has not. Pure.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-batch-replication-existing-config.html
 */
import { createHash } from "node:crypto";
import type { CreateJobRequest } from "@aws-sdk/client-s3-control";
import { CONTROL_PREFIX } from "../../../runtime/protocol/control";
import { UsageError } from "../../command";

/** Reports lie here, in the source bucket: out of every scope, and where the role may write. */
export const REPORT_PREFIX = `${CONTROL_PREFIX}backfill`;

export const REPORTS = { all: "AllTasks", failed: "FailedTasksOnly" } as const;
export type Report = keyof typeof REPORTS;

export interface ReplicationJob {
  stack: string;
  bucket: string;
  /** Empty for the whole bucket. */
  prefix: string;
  roleArn: string;
  report: Report;
  /** Of one backfill: asking again with the same one makes no second job. */
  token: string;
}

export interface RoleName {
  partition: string;
  accountId: string;
}

/** @throws UsageError for what is no role's ARN */
export function parseRoleArn(arn: string): RoleName {
  const [, partition, accountId] = /^arn:([\w-]+):iam::(\d{12}):role\/.+$/.exec(arn) ?? [];
  if (partition === undefined || accountId === undefined)
    throw new UsageError(`the output backfillRoleArn is no ARN of an IAM role: ${arn}`);
  return { partition, accountId };
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_CreateJob.html */
export function createJobRequest({ stack, bucket, prefix, roleArn, report, token }: ReplicationJob): CreateJobRequest {
  const { partition, accountId } = parseRoleArn(roleArn);
  const bucketArn = `arn:${partition}:s3:::${bucket}`;
  return {
    AccountId: accountId,
    ClientRequestToken: token,
    // The job counts its objects first, and waits for a word.
    ConfirmationRequired: true,
    Description: description(stack, prefix),
    Operation: { S3ReplicateObject: {} },
    Priority: 1,
    RoleArn: roleArn,
    ManifestGenerator: {
      S3JobManifestGenerator: {
        ExpectedBucketOwner: accountId,
        SourceBucket: bucketArn,
        EnableManifestOutput: false,
        Filter: {
          EligibleForReplication: true,
          ObjectReplicationStatuses: ["NONE", "FAILED"],
          ...(prefix === "" ? {} : { KeyNameConstraint: { MatchAnyPrefix: [prefix] } }),
        },
      },
    },
    Report: {
      Bucket: bucketArn,
      ExpectedBucketOwner: accountId,
      Enabled: true,
      Format: "Report_CSV_20180820",
      Prefix: REPORT_PREFIX,
      ReportScope: REPORTS[report],
    },
  };
}

const MAX_DESCRIPTION = 256;

const description = (stack: string, prefix: string): string =>
  `CrossBorderBridge backfill of ${stack}${prefix === "" ? "" : `, prefix ${prefix}`}`.slice(0, MAX_DESCRIPTION);

/** The same for one backfill of one bucket whatever happens in between: 64 hex digits, as many as a token may have. */
export function tokenOf(parts: { stack: string; bucket: string; prefix: string; startedAt: string }): string {
  const { stack, bucket, prefix, startedAt } = parts;
  return createHash("sha256")
    .update(JSON.stringify([stack, bucket, prefix, startedAt]))
    .digest("hex");
}
