import {
  DeleteBucketReplicationCommand,
  GetBucketReplicationCommand,
  GetBucketVersioningCommand,
  PutBucketReplicationCommand,
  type ReplicationRuleFilter,
  type ReplicationRule as SdkRule,
} from "@aws-sdk/client-s3";
import type { Infer } from "../../schema";
import { type AwsContext, clientsOf, ignoreMissing, resource, unlessMissing } from "../context";
import { assertMayReplicate } from "../replication-role";
import { REPLICATION_RULE, type ReplicationRule, replicationFailures } from "../replication-rules";
import { tagList } from "../tags";

const inputs = { "bucket!": "string", "role!": "string", "rules!": [REPLICATION_RULE] } as const;
type Inputs = Infer<typeof inputs>;

/** One per bucket. As on AWS, it replaces all rules of the bucket. */
export const bucketReplicationConfig = resource({
  token: "aws:s3/bucketReplicationConfig:BucketReplicationConfig",
  inputs,
  computed: [],
  replaceOn: ["bucket", "region"],
  fixedIdentity: true,
  check: ({ bucket, rules }) => replicationFailures(bucket, rules),
  create: async (context, given) => {
    await put(context, given);
    return given.bucket;
  },
  read: async (context, id) => {
    const call = clientsOf(context).s3.send(new GetBucketReplicationCommand({ Bucket: id }));
    return (await unlessMissing(call)) === undefined ? undefined : {};
  },
  update: (context, _id, news) => put(context, news),
  delete: (context, id) => ignoreMissing(clientsOf(context).s3.send(new DeleteBucketReplicationCommand({ Bucket: id }))),
});

async function put(context: AwsContext, { bucket: Bucket, role: Role, rules }: Inputs): Promise<void> {
  await assertDestinations(context, rules);
  await assertMayReplicate(context, Role, Bucket, rules);
  // AWS applies the matching rule with the highest priority, the emulator the first one.
  const Rules = rules.map(ruleOf).sort((a, b) => (b.Priority ?? 0) - (a.Priority ?? 0));
  await clientsOf(context).s3.send(new PutBucketReplicationCommand({ Bucket, ReplicationConfiguration: { Role, Rules } }));
}

/** The emulator accepts a destination that does not exist. */
async function assertDestinations(context: AwsContext, rules: readonly ReplicationRule[]): Promise<void> {
  const { s3Anywhere } = clientsOf(context);
  for (const arn of new Set(rules.map(({ destination }) => destination.bucket))) {
    const Bucket = arn.slice(arn.lastIndexOf(":") + 1);
    const found = await unlessMissing(s3Anywhere.send(new GetBucketVersioningCommand({ Bucket })));
    if (found === undefined) throw new Error(`InvalidRequest: Destination bucket must exist: ${Bucket}`);
    if (found.Status !== "Enabled") throw new Error(`InvalidRequest: Destination bucket must have versioning enabled: ${Bucket}`);
  }
}

function ruleOf(rule: ReplicationRule): SdkRule {
  const { destination, sourceSelectionCriteria: criteria, deleteMarkerReplication } = rule;
  const { replicationTime, metrics, accessControlTranslation, encryptionConfiguration } = destination;
  return {
    ID: rule.id,
    Priority: rule.priority ?? 0,
    Status: rule.status as SdkRule["Status"],
    Filter: filterOf(rule.filter),
    DeleteMarkerReplication: { Status: deleteMarkerReplication?.status as Status },
    SourceSelectionCriteria: criteria && {
      ReplicaModifications: criteria.replicaModifications && { Status: criteria.replicaModifications.status as Status },
      SseKmsEncryptedObjects: criteria.sseKmsEncryptedObjects && { Status: criteria.sseKmsEncryptedObjects.status as Status },
    },
    Destination: {
      Bucket: destination.bucket,
      Account: destination.account,
      StorageClass: destination.storageClass as StorageClass,
      AccessControlTranslation: accessControlTranslation && { Owner: accessControlTranslation.owner as "Destination" },
      EncryptionConfiguration: encryptionConfiguration && { ReplicaKmsKeyID: encryptionConfiguration.replicaKmsKeyId },
      ReplicationTime: replicationTime && {
        Status: replicationTime.status as Status,
        Time: { Minutes: replicationTime.time.minutes },
      },
      Metrics: metrics && {
        Status: metrics.status as Status,
        EventThreshold: metrics.eventThreshold && { Minutes: metrics.eventThreshold.minutes },
      },
    },
  };
}

type Status = "Enabled" | "Disabled";
type StorageClass = NonNullable<SdkRule["Destination"]>["StorageClass"];

function filterOf({ prefix, tag, and }: ReplicationRule["filter"]): ReplicationRuleFilter {
  if (and !== undefined) return { And: { Prefix: and.prefix, Tags: tagList(and.tags ?? {}) } };
  if (tag !== undefined) return { Tag: { Key: tag.key, Value: tag.value } };
  return prefix === undefined ? {} : { Prefix: prefix };
}
