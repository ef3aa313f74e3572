/** The rules of S3's own replication: as a program says them, and as S3 takes them. */
import type * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import type { S3_STORAGE_CLASSES } from "../../config/clouds";
import type { Statement } from "../policies";

export type StorageClass = (typeof S3_STORAGE_CLASSES)[number];

/** Which objects of a bucket are replicated, and how. https://docs.aws.amazon.com/AmazonS3/latest/API/API_ReplicationRule.html */
export interface ReplicationRule {
  /** Unique in its bucket, 1 to 255 characters; also the dimension `RuleId` of the rule's metrics. */
  id: string;
  /** Unique in its bucket. Of the rules that an object fits, the one with the highest number applies. */
  priority: number;
  /** Keys that begin with it. @default "", for every key */
  prefix?: string | undefined;
  /** Objects that have every one of these tags. @default {} */
  tags?: Record<string, string> | undefined;
  /** A rule that is off replicates nothing. @default true */
  enabled?: boolean | undefined;
  /** Whether delete markers are replicated; never with tags. @default the `deletes` of the whole replication */
  deletes?: "ignore" | "replicate" | undefined;
  /** Of the replicas. @default the destination's, else the source object's */
  storageClass?: StorageClass | undefined;
}

/** A bucket that is there and keeps versions. */
export interface ReplicatedBucket {
  bucketName: pulumi.Input<string>;
  bucketArn: pulumi.Input<string>;
  region: string;
  /** Of the bucket's account and region. */
  provider: pulumi.ProviderResource;
  /** Both or neither; where they differ, everything that replication across accounts needs is made. @default one account */
  accountId?: string | undefined;
  /** KMS key of the bucket's objects. @default none */
  kmsKeyArn?: string | undefined;
  /** Of replicas that arrive here. @default the source object's */
  storageClass?: StorageClass | undefined;
  /** SNS topic of the bucket's region, for alarms that are there. @default none */
  alarmTopicArn?: pulumi.Input<string> | undefined;
  /** What must be there before S3 replicates from or to the bucket: its versioning. @default [] */
  dependsOn?: pulumi.Resource[] | undefined;
  /**
   * Puts what replication needs into the policy of a bucket that replicas go to; empty inside one account. Replication waits
   * for what it returns.
   * @default nothing: see the output `requiredBucketPolicyStatements`
   */
  allow?: ((statements: pulumi.Output<Statement[]>) => pulumi.Resource) | undefined;
}

/** What all rules of one direction have in common. */
export interface RuleSettings {
  destinationArn: string;
  /** The destination's account, where the replicas are to belong to it and the source is in another one. */
  ownerAccountId?: string | undefined;
  /** Of the replicas. S3 replicates objects under KMS only where it is given one. */
  replicaKeyArn?: string | undefined;
  storageClass?: StorageClass | undefined;
  deletes: "ignore" | "replicate";
  timeControl: boolean;
  metrics: boolean;
  replicaModifications: boolean;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-requirements.html */
const MAX_RULES = 1000;
/** The only value that S3 takes. https://docs.aws.amazon.com/AmazonS3/latest/API/API_ReplicationTimeValue.html */
const TIME_CONTROL = { minutes: 15 };

export const replicatesDeletes = (rule: ReplicationRule, deletes: RuleSettings["deletes"]): boolean =>
  (rule.deletes ?? deletes) === "replicate";

const isOn = ({ enabled = true }: ReplicationRule): boolean => enabled;

export const enabledRules = (rules: readonly ReplicationRule[]): ReplicationRule[] => rules.filter(isOn);

/** Those that a policy has to allow: the enabled ones, or all where none is, as a policy cannot name no objects. */
export function grantedRules(rules: readonly ReplicationRule[]): readonly ReplicationRule[] {
  const enabled = enabledRules(rules);
  return enabled.length > 0 ? enabled : rules;
}

/** What S3 would refuse, or silently not do. */
export function rulesProblems(rules: readonly ReplicationRule[], deletes: RuleSettings["deletes"]): string[] {
  const repeated = (values: readonly (string | number)[]) => [...new Set(values.filter((one, at) => values.indexOf(one) !== at))];
  return [
    ...(rules.length === 0 ? ["rules: none, so nothing would be replicated; allowed: 1 or more"] : []),
    ...(rules.length > MAX_RULES ? [`rules: ${rules.length}; allowed: at most ${MAX_RULES}`] : []),
    ...rules
      .filter(({ id }) => id.length < 1 || id.length > 255)
      .map(({ id }) => `rules: the id "${id}" has ${id.length} characters; allowed: 1 to 255`),
    ...repeated(rules.map(({ id }) => id)).map((id) => `rules: several have the id ${id}; allowed: one`),
    ...repeated(rules.map(({ priority }) => priority)).map((one) => `rules: several have the priority ${one}; allowed: one`),
    ...rules
      .filter((rule) => Object.keys(rule.tags ?? {}).length > 0 && replicatesDeletes(rule, deletes))
      .map(({ id }) => `rules: ${id} has tags, by which S3 replicates no delete markers; allowed: deletes: ignore, or no tags`),
  ];
}

/** Always the present form of rules, in which a filter, a priority and the delete markers are said out. */
export function ruleArgs(rule: ReplicationRule, settings: RuleSettings): aws.types.input.s3.BucketReplicationConfigRule {
  return {
    id: rule.id,
    status: status(isOn(rule)),
    priority: rule.priority,
    filter: filterOf(rule),
    deleteMarkerReplication: { status: status(replicatesDeletes(rule, settings.deletes)) },
    ...selection(settings),
    destination: destinationOf(rule, settings),
  };
}

const status = (on: boolean): string => (on ? "Enabled" : "Disabled");

/** S3 takes a prefix or one tag as they are, and everything more inside an And. */
function filterOf({ prefix = "", tags = {} }: ReplicationRule): aws.types.input.s3.BucketReplicationConfigRuleFilter {
  const [first, ...others] = Object.entries(tags);
  if (first === undefined) return { prefix };
  if (prefix === "" && others.length === 0) return { tag: { key: first[0], value: first[1] } };
  return { and: { ...(prefix === "" ? {} : { prefix }), tags } };
}

function selection({
  replicaKeyArn,
  replicaModifications,
}: RuleSettings): Pick<aws.types.input.s3.BucketReplicationConfigRule, "sourceSelectionCriteria"> {
  if (replicaKeyArn === undefined && !replicaModifications) return {};
  return {
    sourceSelectionCriteria: {
      ...(replicaKeyArn === undefined ? {} : { sseKmsEncryptedObjects: { status: "Enabled" } }),
      ...(replicaModifications ? { replicaModifications: { status: "Enabled" } } : {}),
    },
  };
}

function destinationOf(rule: ReplicationRule, settings: RuleSettings): aws.types.input.s3.BucketReplicationConfigRuleDestination {
  const { ownerAccountId, replicaKeyArn, timeControl, metrics } = settings;
  const storageClass = rule.storageClass ?? settings.storageClass;
  return {
    bucket: settings.destinationArn,
    ...(storageClass === undefined ? {} : { storageClass }),
    ...(ownerAccountId === undefined ? {} : { account: ownerAccountId, accessControlTranslation: { owner: "Destination" } }),
    ...(replicaKeyArn === undefined ? {} : { encryptionConfiguration: { replicaKmsKeyId: replicaKeyArn } }),
    ...(timeControl ? { replicationTime: { status: "Enabled", time: TIME_CONTROL } } : {}),
    // S3 refuses a threshold without time control.
    ...(metrics ? { metrics: { status: "Enabled", ...(timeControl ? { eventThreshold: TIME_CONTROL } : {}) } } : {}),
  };
}
