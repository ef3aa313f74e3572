/** The rules of S3's own replication: their types, their checks, and the arguments of the resource. */
import type * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import type { S3StorageClass } from "../../config/clouds";
import type { Statement } from "../policies";

/** Selects objects of a bucket, and says how they are replicated. https://docs.aws.amazon.com/AmazonS3/latest/API/API_ReplicationRule.html */
export interface ReplicationRule {
  /** Unique in its bucket, 1 to 255 characters. It is also the dimension `RuleId` of the rule's metrics. */
  id: string;
  /** Unique in its bucket. When several rules cover an object, the one with the highest number applies. */
  priority: number;
  /** The rule covers keys that begin with this text. @default "", for every key */
  prefix?: string | undefined;
  /** The rule covers objects that have all of these tags. @default {} */
  tags?: Record<string, string> | undefined;
  /** A disabled rule replicates nothing. @default true */
  enabled?: boolean | undefined;
  /** Whether delete markers are replicated. A rule with tags cannot replicate them. @default the `deletes` of the whole replication */
  deletes?: "ignore" | "replicate" | undefined;
  /** Storage class of the replicas. @default the destination's, else the source object's */
  storageClass?: S3StorageClass | undefined;
}

/** An existing bucket that keeps versions. */
export interface ReplicatedBucket {
  /** Name of the bucket. */
  bucketName: pulumi.Input<string>;
  /** ARN of the bucket. */
  bucketArn: pulumi.Input<string>;
  /** Region of the bucket. */
  region: string;
  /** Provider for the bucket's account and region. */
  provider: pulumi.ProviderResource;
  /** Give it for both buckets or for neither. Two different accounts get the permissions that replication needs. @default one account */
  accountId?: string | undefined;
  /** KMS key of the bucket's objects. @default none */
  kmsKeyArn?: pulumi.Input<string> | undefined;
  /** Storage class of replicas in this bucket. @default the source object's */
  storageClass?: S3StorageClass | undefined;
  /** SNS topic of the bucket's region, for the alarms in this region. @default none */
  alarmTopicArn?: pulumi.Input<string> | undefined;
  /** Resources that must exist before S3 replicates from or to the bucket: its versioning. @default [] */
  dependsOn?: pulumi.Resource[] | undefined;
  /**
   * Adds the statements that replication needs to the policy of a destination bucket. The list is empty inside one account. Replication
   * waits for the returned resource.
   * @default nothing: see the output `requiredBucketPolicyStatements`
   */
  allow?: ((statements: pulumi.Output<Statement[]>) => pulumi.Resource) | undefined;
}

/** Settings that all rules of one direction share. */
export interface RuleSettings {
  destinationArn: string;
  /** Set if the destination is in another account and that account owns the replicas. */
  ownerAccountId?: string | undefined;
  /** KMS key of the replicas. Without one, S3 does not replicate objects that are encrypted with a KMS key. */
  replicaKeyArn?: string | undefined;
  storageClass?: S3StorageClass | undefined;
  deletes: "ignore" | "replicate";
  timeControl: boolean;
  metrics: boolean;
  replicaModifications: boolean;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-requirements.html */
const MAX_RULES = 1000;
/** The only value that S3 accepts. https://docs.aws.amazon.com/AmazonS3/latest/API/API_ReplicationTimeValue.html */
const TIME_CONTROL = { minutes: 15 };

export const replicatesDeletes = (rule: ReplicationRule, deletes: RuleSettings["deletes"]): boolean =>
  (rule.deletes ?? deletes) === "replicate";

const isOn = ({ enabled = true }: ReplicationRule): boolean => enabled;

export const enabledRules = (rules: readonly ReplicationRule[]): ReplicationRule[] => rules.filter(isOn);

/** The rules that a policy allows: the enabled ones. When none is enabled, all of them, because a policy must name some objects. */
export function grantedRules(rules: readonly ReplicationRule[]): readonly ReplicationRule[] {
  const enabled = enabledRules(rules);
  return enabled.length > 0 ? enabled : rules;
}

/** Problems that S3 would refuse or silently ignore. */
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
      .map(
        ({ id }) =>
          `rules: ${id} has tags; S3 does not replicate delete markers for a rule with tags; allowed: deletes: ignore, or no tags`,
      ),
  ];
}

/** Writes a rule in S3's current form, with an explicit filter, priority and delete marker setting. */
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

/** S3 accepts one prefix or one tag directly, and any combination only inside `and`. */
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
