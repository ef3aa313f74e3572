/**
 * Rules of S3 on a replication configuration that need only the configuration and that the emulator does not check:
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-add-config.html
 */
import type { Failure, Infer } from "../schema";

const status = { "status!": "string" } as const;
const minutes = { "minutes!": "number" } as const;

/** The version with filters. S3's older version, with a prefix and without priorities, is not supported. */
export const REPLICATION_RULE = {
  id: "string",
  priority: "number",
  "status!": "string",
  "filter!": { prefix: "string", tag: { "key!": "string", "value!": "string" }, and: { prefix: "string", tags: "map" } },
  deleteMarkerReplication: status,
  sourceSelectionCriteria: { replicaModifications: status, sseKmsEncryptedObjects: status },
  "destination!": {
    "bucket!": "string",
    account: "string",
    storageClass: "string",
    accessControlTranslation: { "owner!": "string" },
    encryptionConfiguration: { "replicaKmsKeyId!": "string" },
    replicationTime: { "status!": "string", "time!": minutes },
    metrics: { "status!": "string", eventThreshold: minutes },
  },
} as const;
export type ReplicationRule = Infer<typeof REPLICATION_RULE>;

const MAX_RULES = 1000;
const MAX_ID_LENGTH = 255;
const GUIDE = "Please refer to S3 Developer Guide for more information.";
/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_Destination.html */
const STORAGE_CLASSES = [
  "STANDARD",
  "REDUCED_REDUNDANCY",
  "STANDARD_IA",
  "ONEZONE_IA",
  "INTELLIGENT_TIERING",
  "GLACIER",
  "GLACIER_IR",
  "DEEP_ARCHIVE",
];

export function* replicationFailures(bucket: string, rules: ReplicationRule[]): Generator<Failure> {
  if (rules.length === 0 || rules.length > MAX_RULES) {
    yield { property: "rules", reason: `MalformedXML: a configuration has 1 to ${MAX_RULES} rules, not ${rules.length}` };
  }
  const [ids, priorities] = [new Set<string>(), new Set<number>()];
  for (const [index, rule] of rules.entries()) {
    const { id, priority = 0 } = rule;
    const refuse = (path: string, reason: string) => ({ property: `rules[${index}].${path}`, reason });
    if (id !== undefined && ids.has(id)) yield refuse("id", `InvalidArgument: Rule Id must be unique: ${id}`);
    if (id !== undefined && id.length > MAX_ID_LENGTH) {
      yield refuse("id", `InvalidArgument: Rule Id cannot be greater than ${MAX_ID_LENGTH}`);
    }
    if (priorities.has(priority)) yield refuse("priority", `InvalidRequest: Found duplicate priority ${priority}.`);
    if (id !== undefined) ids.add(id);
    priorities.add(priority);
    for (const failure of ruleFailures(bucket, rule)) yield refuse(failure.property, failure.reason);
  }
}

function* ruleFailures(bucket: string, rule: ReplicationRule): Generator<Failure> {
  const { filter, destination, deleteMarkerReplication, priority = 0 } = rule;
  if (!Number.isInteger(priority) || priority < 0 || priority > 2 ** 31 - 1) {
    yield { property: "priority", reason: `InvalidRequest: Priority must be between 0 and 2147483647, not ${priority}` };
  }
  const forms = Object.values(filter).filter((form) => form !== undefined);
  if (forms.length > 1) yield { property: "filter", reason: "MalformedXML: a filter is one of prefix, tag and and" };
  if (filter.and !== undefined && conditions(filter.and) < 2) {
    yield { property: "filter.and", reason: "MalformedXML: and combines a prefix and tags, or several tags" };
  }
  const tagged = filter.tag !== undefined || Object.keys(filter.and?.tags ?? {}).length > 0;
  if (deleteMarkerReplication === undefined) {
    const reason = `InvalidRequest: DeleteMarkerReplication must be specified for this version of Cross Region Replication configuration schema. ${GUIDE}`;
    yield { property: "deleteMarkerReplication", reason };
  } else if (tagged && deleteMarkerReplication.status === "Enabled") {
    const reason = `InvalidRequest: Delete marker replication is not supported if any Tag filter is specified. ${GUIDE}`;
    yield { property: "deleteMarkerReplication", reason };
  }
  for (const [property, given] of statuses(rule)) {
    if (given !== "Enabled" && given !== "Disabled") {
      yield { property, reason: `MalformedXML: "${given}" is neither Enabled nor Disabled` };
    }
  }
  yield* destinationFailures(bucket, destination);
}

function* destinationFailures(bucket: string, destination: ReplicationRule["destination"]): Generator<Failure> {
  const { storageClass, accessControlTranslation: translation, account } = destination;
  if (!/^arn:[\w-]+:s3:::[a-z0-9][a-z0-9.-]+$/.test(destination.bucket)) {
    yield { property: "destination.bucket", reason: `InvalidArgument: Invalid bucket ARN: ${destination.bucket}` };
  } else if (destination.bucket.endsWith(`:::${bucket}`)) {
    const reason = `InvalidRequest: Destination bucket cannot be the same as the source bucket: ${bucket}`;
    yield { property: "destination.bucket", reason };
  }
  if (storageClass !== undefined && !STORAGE_CLASSES.includes(storageClass)) {
    yield {
      property: "destination.storageClass",
      reason: `MalformedXML: ${storageClass} is none of ${STORAGE_CLASSES.join(", ")}`,
    };
  }
  if (translation !== undefined && translation.owner !== "Destination") {
    yield {
      property: "destination.accessControlTranslation.owner",
      reason: `MalformedXML: "${translation.owner}" is not Destination`,
    };
  }
  if (translation !== undefined && account === undefined) {
    const reason = "InvalidRequest: Account must be specified if the Owner in AccessControlTranslation has a value";
    yield { property: "destination.account", reason };
  }
}

function conditions({ prefix, tags }: { prefix?: string | undefined; tags?: Record<string, string> | undefined }): number {
  return (prefix === undefined ? 0 : 1) + Object.keys(tags ?? {}).length;
}

function statuses(rule: ReplicationRule): [property: string, status: string][] {
  const { sourceSelectionCriteria: criteria, destination } = rule;
  const found: [string, { status: string } | undefined][] = [
    ["status", rule],
    ["deleteMarkerReplication.status", rule.deleteMarkerReplication],
    ["sourceSelectionCriteria.replicaModifications.status", criteria?.replicaModifications],
    ["sourceSelectionCriteria.sseKmsEncryptedObjects.status", criteria?.sseKmsEncryptedObjects],
    ["destination.replicationTime.status", destination.replicationTime],
    ["destination.metrics.status", destination.metrics],
  ];
  return found.flatMap(([property, holder]) => (holder === undefined ? [] : [[property, holder.status]]));
}
