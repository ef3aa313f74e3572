/** Calls that services make as a role of the bridge, by their documentation. The functions' own requests do not show them. */
import { BACKFILL_PREFIX } from "../../../components/aws/native/policies";
import { NATIVE, type Places } from "./aws-bridges";
import type { Need } from "./grants";
import type { Place } from "./required";

export interface ServiceCall extends Need {
  why: string;
}

const ANY_KEY = "in/any-key";

/** https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html#events-sqs-permissions */
export const pollsAs = (principal: string, queueArn: string): ServiceCall[] =>
  ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"].map((action) => ({
    principal,
    action,
    resource: queueArn,
    why: "Lambda's event source mapping polls as the function's role",
  }));

/** https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html */
export function logsAs(principal: string, { partition, region, accountId }: Place): ServiceCall[] {
  const group = `arn:${partition}:logs:${region}:${accountId}:log-group:/aws/lambda/${principal.slice("role/".length)}`;
  return ["logs:CreateLogStream", "logs:PutLogEvents"].map((action) => ({
    principal,
    action,
    resource: `${group}:log-stream:2026/01/01/[$LATEST]0123456789abcdef`,
    why: "Lambda writes a function's log as its role",
  }));
}

/** Calls of S3 itself: replication in both directions of the bridge, and Batch Operations. */
export function insideS3({ source, destination }: Places): ServiceCall[] {
  const here = { place: source, bucket: `arn:aws:s3:::${NATIVE.buckets.source}` };
  const there = { place: destination, bucket: `arn:aws:s3:::${NATIVE.buckets.destination}` };
  return [
    ...replicatesAs("role/crossborderbridge-both-replication", here, there),
    ...replicatesAs("role/crossborderbridge-both-backward", there, here),
    ...backfillsAs("role/crossborderbridge-both-backfill", here),
  ];
}

interface End {
  place: Place;
  /** ARN. */
  bucket: string;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html */
function replicatesAs(principal: string, from: End, to: End): ServiceCall[] {
  const s3 = (why: string, resource: string, ...actions: string[]) =>
    actions.map((action) => ({ principal, action, resource, why }));
  return [
    ...s3("S3 reads the rules", from.bucket, "s3:GetReplicationConfiguration", "s3:ListBucket"),
    ...s3(
      "S3 reads a version with its ACL and its tags",
      `${from.bucket}/${ANY_KEY}`,
      "s3:GetObjectVersionForReplication",
      "s3:GetObjectVersionAcl",
      "s3:GetObjectVersionTagging",
    ),
    ...s3(
      "S3 writes replicas, changed tags and delete markers",
      `${to.bucket}/${ANY_KEY}`,
      "s3:ReplicateObject",
      "s3:ReplicateTags",
      "s3:ReplicateDelete",
    ),
    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html
    ...usesKey(principal, "S3 reads an object under a key", from, ANY_KEY, "kms:Decrypt"),
    ...usesKey(principal, "S3 puts a replica under a key", to, ANY_KEY, "kms:Encrypt", "kms:GenerateDataKey", "kms:Decrypt"),
  ];
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-batch-replication-policies.html, with a manifest that S3 makes */
function backfillsAs(principal: string, source: End): ServiceCall[] {
  const record = `${BACKFILL_PREFIX}manifest.csv`;
  const s3 = (why: string, resource: string, ...actions: string[]) =>
    actions.map((action) => ({ principal, action, resource, why }));
  return [
    ...s3("Batch Operations replicates", `${source.bucket}/${ANY_KEY}`, "s3:InitiateReplication"),
    ...s3(
      "Batch Operations lists the missing objects",
      source.bucket,
      "s3:GetReplicationConfiguration",
      "s3:PutInventoryConfiguration",
    ),
    ...s3("Batch Operations reads its manifest", `${source.bucket}/${record}`, "s3:GetObject", "s3:GetObjectVersion"),
    ...s3("Batch Operations writes manifest and report", `${source.bucket}/${record}`, "s3:PutObject"),
    ...usesKey(principal, "Batch Operations uses the bucket's key", source, record, "kms:GenerateDataKey", "kms:Decrypt"),
  ];
}

/** The encryption context is the bucket with a bucket key, and the object without one. */
function usesKey(principal: string, why: string, { place, bucket }: End, key: string, ...actions: string[]): ServiceCall[] {
  const contexts = [bucket, `${bucket}/${key}`].map((arn) => ({
    "kms:ViaService": `s3.${place.region}.amazonaws.com`,
    "kms:EncryptionContext:aws:s3:arn": arn,
  }));
  return actions.flatMap((action) =>
    contexts.map((context) => ({ principal, action, resource: place.kmsKeyArn ?? "", context, why })),
  );
}
