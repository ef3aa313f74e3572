import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { ConfigInvalid } from "../../config";
import { checkedFor } from "../../config/errors";
import { type Transform, withTransforms } from "../../transforms";
import { assumedBy, type Statement } from "../policies";
import { isCrossAccount, partitionProblems, verifiedAccounts } from "./accounts";
import { createReplicationAlarms } from "./alarms";
import { bucketStatements, keyStatements, type ReplicationPolicyArgs, replicationPolicy } from "./policies";
import {
  enabledRules,
  grantedRules,
  type ReplicatedBucket,
  type ReplicationRule,
  replicatesDeletes,
  ruleArgs,
  rulesProblems,
} from "./rules";

export type { ReplicatedBucket } from "./rules";

/** How objects are replicated, in either direction. */
export interface ReplicationSettings {
  /** Which objects are replicated: 1 to 1000 rules. */
  rules: ReplicationRule[];
  /** Whether delete markers are replicated. A rule may have its own setting. @default "ignore" */
  deletes?: "ignore" | "replicate" | undefined;
  /** S3 Replication Time Control, at a price per GB. @default false */
  timeControl?: boolean | undefined;
  /** CloudWatch metrics and two alarms for each rule. @default timeControl */
  metrics?: boolean | undefined;
  /** With `metrics`: the alarm fires above this latency, in seconds. @default 900 */
  lagAlarmSeconds?: number | undefined;
  /** The operator's own copy of docs/runbook.md, which the alarms' texts link. @default the texts name docs/runbook.md */
  runbookUrl?: string | undefined;
  /** Between two accounts: the account that owns the replicas. `source` keeps owner and ACL. @default "destination" */
  ownership?: "destination" | "source" | undefined;
}

/** Arguments of {@link NativeReplication}. */
export interface NativeReplicationArgs extends ReplicationSettings {
  /** Where objects come from. */
  source: ReplicatedBucket;
  /** Where replicas go, in the same partition of AWS. */
  destination: ReplicatedBucket;
  /** Replicate changes of tags and ACLs that are made to replicas in the source. The other direction needs it too. @default false */
  replicaModifications?: boolean | undefined;
  /** Name of the role, and prefix of the alarms' names. @default generated */
  name?: string | undefined;
  /** Changes to children before they are declared, each made by `on`. @default [] */
  transform?: readonly Transform[] | undefined;
}

/**
 * S3's own replication from one bucket to another one of its partition: the role, its policy and the replication configuration. A bucket
 * has only one such configuration. With `metrics` there are alarms as well. There are no functions. The source's account pays the
 * requests and the transfer.
 *
 * ```ts
 * new NativeReplication("reports", {
 *   source: { bucketName: from.bucket, bucketArn: from.arn, region: "us-east-1", provider: east, dependsOn: [fromVersioning] },
 *   destination: { bucketName: to.bucket, bucketArn: to.arn, region: "eu-west-1", provider: west, dependsOn: [toVersioning] },
 *   rules: [{ id: "reports", priority: 1, prefix: "reports/" }],
 * });
 * ```
 */
export class NativeReplication extends pulumi.ComponentResource {
  /** ARN of the role in which S3 replicates. */
  readonly roleArn: pulumi.Output<string>;
  /** Statements that the destination's bucket policy needs; empty inside one account. */
  readonly requiredBucketPolicyStatements: pulumi.Output<Statement[]>;
  /** Statements that the policy of each key needs; empty without a key. */
  readonly kmsKeyPolicyStatements: {
    /** For the key of the source. */
    source: pulumi.Output<Statement[]>;
    /** For the key of the destination. */
    destination: pulumi.Output<Statement[]>;
  };
  /** Alarms: two for each enabled rule; empty without `metrics`. */
  readonly alarmArns: pulumi.Output<string>[];

  /** @throws ConfigInvalid when the arguments do not fit together, with every problem at once. */
  constructor(name: string, args: NativeReplicationArgs, opts?: pulumi.ComponentResourceOptions) {
    super("crossborder:index:NativeReplication", name, {}, withTransforms(opts, args.transform));
    checkedFor(`NativeReplication "${name}"`, () => validate(args));
    const facts = this.policyFacts(args);
    const role = this.createRole(name, args);
    const rolePolicy = this.createRolePolicy(name, args, role, facts);

    this.roleArn = role.arn;
    this.requiredBucketPolicyStatements = pulumi
      .all([role.arn, facts])
      .apply(([roleArn, one]) => (isCrossAccount(args.source, args.destination) ? bucketStatements(roleArn, one) : []));
    const keys = pulumi.all([role.arn, facts]).apply(([roleArn, one]) => keyStatements(roleArn, one));
    this.kmsKeyPolicyStatements = { source: keys.source, destination: keys.destination };

    const bucketPolicy = args.destination.allow?.(this.requiredBucketPolicyStatements);
    this.createConfiguration(name, args, role, [rolePolicy, ...(bucketPolicy === undefined ? [] : [bucketPolicy])]);
    this.alarmArns = this.createAlarms(name, args);
    this.registerOutputs({
      roleArn: this.roleArn,
      requiredBucketPolicyStatements: this.requiredBucketPolicyStatements,
      kmsKeyPolicyStatements: this.kmsKeyPolicyStatements,
      alarmArns: this.alarmArns,
    });
  }

  private policyFacts(args: NativeReplicationArgs): pulumi.Output<ReplicationPolicyArgs> {
    const { source, destination, deletes = "ignore" } = args;
    const rules = grantedRules(args.rules);
    const { dnsSuffix } = aws.getPartitionOutput({}, { parent: this, provider: source.provider });
    return pulumi
      .all([source.bucketArn, destination.bucketArn, dnsSuffix, source.kmsKeyArn, destination.kmsKeyArn])
      .apply(([sourceArn, destinationArn, suffix, sourceKey, destinationKey]) => ({
        source: { bucketArn: sourceArn, region: source.region, kmsKeyArn: sourceKey },
        destination: { bucketArn: destinationArn, region: destination.region, kmsKeyArn: destinationKey },
        prefixes: rules.map(({ prefix = "" }) => prefix),
        deletes: rules.some((rule) => replicatesDeletes(rule, deletes)),
        ownerOverride: ownerAccountId(args) !== undefined,
        dnsSuffix: suffix,
      }));
  }

  /**
   * The trust policy has no condition on `aws:SourceArn` or `aws:SourceAccount`, which might never hold: AWS does not document that S3 sets
   * them when it assumes the role. The condition is not needed, because a role cannot be passed to S3 in another account.
   */
  private createRole(name: string, { source, destination, ...args }: NativeReplicationArgs): aws.iam.Role {
    const invoke = { parent: this, provider: source.provider };
    const service = aws.getServicePrincipalOutput({ serviceName: "s3", region: source.region }, invoke).name;
    return new aws.iam.Role(
      `${name}-role`,
      {
        ...(args.name === undefined ? {} : { name: args.name }),
        description: pulumi.interpolate`Replicates ${source.bucketName} to ${destination.bucketName}`,
        // The role waits for the check of the accounts, and all other resources wait for the role.
        assumeRolePolicy: pulumi
          .all([service, verifiedAccounts(source, destination, { component: `NativeReplication "${name}"`, parent: this })])
          .apply(([principal]) => JSON.stringify(assumedBy(principal))),
      },
      { parent: this, provider: source.provider },
    );
  }

  private createRolePolicy(
    name: string,
    { source }: NativeReplicationArgs,
    role: aws.iam.Role,
    facts: pulumi.Output<ReplicationPolicyArgs>,
  ): aws.iam.RolePolicy {
    return new aws.iam.RolePolicy(
      `${name}-policy`,
      { name: "replication", role: role.name, policy: facts.apply((one) => JSON.stringify(replicationPolicy(one))) },
      { parent: this, provider: source.provider },
    );
  }

  private createConfiguration(name: string, args: NativeReplicationArgs, role: aws.iam.Role, ready: pulumi.Resource[]): void {
    const { source, destination, rules, deletes = "ignore", timeControl = false } = args;
    const settings = {
      ownerAccountId: ownerAccountId(args),
      storageClass: destination.storageClass,
      deletes,
      timeControl,
      metrics: args.metrics ?? timeControl,
      replicaModifications: args.replicaModifications ?? false,
    };
    new aws.s3.BucketReplicationConfig(
      name,
      {
        bucket: source.bucketName,
        role: role.arn,
        rules: pulumi
          .all([destination.bucketArn, destination.kmsKeyArn])
          .apply(([destinationArn, replicaKeyArn]) =>
            rules.map((rule) => ruleArgs(rule, { ...settings, destinationArn, replicaKeyArn })),
          ),
      },
      {
        parent: this,
        provider: source.provider,
        // S3 does not retry objects that fail before all of these exist.
        dependsOn: [...ready, ...(source.dependsOn ?? []), ...(destination.dependsOn ?? [])],
      },
    );
  }

  private createAlarms(name: string, args: NativeReplicationArgs): pulumi.Output<string>[] {
    const { source, destination, metrics = args.timeControl ?? false, lagAlarmSeconds = 900 } = args;
    if (!metrics) return [];
    return enabledRules(args.rules).flatMap((rule) =>
      createReplicationAlarms(name, {
        rule,
        source,
        destination,
        lagAlarmSeconds,
        runbookUrl: args.runbookUrl,
        physicalName: args.name,
        parent: this,
      }),
    );
  }
}

/** Inside one account there is no override: it would only stop the replication of later changes of the ACL. */
const ownerAccountId = ({ source, destination, ownership = "destination" }: NativeReplicationArgs): string | undefined =>
  ownership === "destination" && isCrossAccount(source, destination) ? destination.accountId : undefined;

function validate(args: NativeReplicationArgs): void {
  const { source, destination, rules, deletes = "ignore", timeControl = false, metrics = timeControl } = args;
  const problems = [
    ...rulesProblems(rules, deletes),
    ...partitionProblems(source.region, destination.region),
    ...(timeControl && !metrics ? ["metrics: false, which S3 refuses with timeControl; allowed: true, or leave it out"] : []),
    ...(source.kmsKeyArn !== undefined && destination.kmsKeyArn === undefined
      ? ["destination.kmsKeyArn: not set, so S3 would leave objects under a key out; allowed: a key of the destination's region"]
      : []),
  ];
  if (problems.length > 0) throw new ConfigInvalid(problems);
}
