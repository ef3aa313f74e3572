/** Mode `native` inside one partition of AWS: S3 replicates by itself. The bridge has no functions. */
import * as pulumi from "@pulumi/pulumi";
import type { BridgeContext, NativeBridge, Sides } from "../../cloud";
import type { BridgeConfig } from "../../config";
import type { S3StorageClass } from "../../config/clouds";
import type { Statement } from "../policies";
import { NativeStore } from "../stores";
import { isCrossAccount } from "./accounts";
import { BackfillRole } from "./backfill";
import { createNativeDashboards } from "./dashboard";
import { NativeReplication, type ReplicationSettings } from "./replication";
import { enabledRules, grantedRules, type ReplicatedBucket, type ReplicationRule } from "./rules";
import { aliasInTwoWay, TwoWayReplication } from "./two-way";

export function createNative(sides: Sides): NativeBridge {
  const context = sides.source;
  const { config } = context;
  const stores = {
    source: new NativeStore(sides.source, "source"),
    destination: new NativeStore(sides.destination, "destination"),
  };
  const ends = { source: endOf(sides.source, "source", stores), destination: endOf(sides.destination, "destination", stores) };
  const { forward, backward } = replicate(context, ends);
  const backfill = config.existingObjects === "replicate" ? createBackfill(context, stores.source) : undefined;
  const ruleIds = enabledRules(rulesOf(config)).map(({ id }) => id);
  return {
    sourceBucket: stores.source.bucket.name,
    destinationBucket: stores.destination.bucket.name,
    replicationRoleArn: forward.roleArn,
    ...(backward === undefined ? {} : { backwardReplicationRoleArn: backward.roleArn }),
    ...(backfill === undefined ? {} : { backfillRoleArn: backfill.roleArn }),
    kmsKeyPolicyStatements: keyStatements(config, forward, backward, backfill),
    ...bucketStatements(config, forward, backward),
    ...createNativeDashboards(sides, { ends, ruleIds, forward, backward }),
    ready: defined<pulumi.Resource>(forward, backward),
  };
}

type End = "source" | "destination";
interface Directions {
  forward: NativeReplication;
  backward?: NativeReplication;
}

function endOf(context: BridgeContext, side: End, stores: Record<End, NativeStore>): ReplicatedBucket {
  const { config, provider, alarmTopicArn } = context;
  const { bucket, allow } = stores[side];
  const { region, accountId, kmsKeyArn } = config[side];
  // The configuration's rules allow only classes of S3 here, and only topics of the source's region.
  const storageClass = side === "destination" ? (config.destination.storageClass as S3StorageClass | undefined) : undefined;
  return {
    bucketName: bucket.name,
    bucketArn: bucket.arn,
    region,
    provider,
    accountId,
    kmsKeyArn,
    storageClass,
    alarmTopicArn: region === config.source.region ? alarmTopicArn : undefined,
    dependsOn: bucket.settled,
    allow,
  };
}

function replicate(context: BridgeContext, { source, destination }: Record<End, ReplicatedBucket>): Directions {
  const { config, parent } = context;
  const name = `${context.name}-replication`;
  const { timeControl, metrics, replicaModifications, ownership } = config.replication;
  const shared: ReplicationSettings = {
    rules: rulesOf(config),
    deletes: config.deletes,
    timeControl,
    metrics,
    lagAlarmSeconds: config.probe.lagAlarmSeconds,
    runbookUrl: config.runbookUrl,
    ownership,
  };
  if (config.direction === "two-way") {
    const names = { forward: physicalName(config, "replication"), backward: physicalName(config, "backward") };
    const args = { ...shared, first: source, second: destination, replicaModifications, names };
    return new TwoWayReplication(name, args, { parent });
  }
  // This bucket receives no replicas.
  source.allow?.(pulumi.output([]));
  const args = { ...shared, source, destination, replicaModifications, name: physicalName(config, "replication") };
  const aliases = [aliasInTwoWay(name, parent)];
  return { forward: new NativeReplication(name, args, { parent, aliases }) };
}

/** A fixed name, as in `../account.ts`. With the longest name of a bridge it still has at most 64 characters. */
const physicalName = ({ name }: Pick<BridgeConfig, "name">, part: "replication" | "backward" | "backfill"): string =>
  `crossborderbridge-${name}-${part}`;

/** Without configured rules there is one for each prefix of the scope. */
export function rulesOf({ name, scope, replication }: Pick<BridgeConfig, "name" | "scope" | "replication">): ReplicationRule[] {
  if (replication.rules.length > 0) return replication.rules;
  const prefixes = scope.prefixes.length === 0 ? [""] : [...new Set(scope.prefixes)];
  return prefixes.map((prefix, index) => ({
    id: `crossborderbridge-${name}-${index + 1}`,
    priority: index + 1,
    prefix,
    tags: scope.tags,
  }));
}

function createBackfill(context: BridgeContext, source: NativeStore): BackfillRole {
  const { config } = context;
  const prefixes = grantedRules(rulesOf(config)).map(({ prefix = "" }) => prefix);
  return new BackfillRole(context, { bucketArn: source.bucket.arn, prefixes, physicalName: physicalName(config, "backfill") });
}

const json = (...lists: pulumi.Output<Statement[]>[]): pulumi.Output<string> =>
  pulumi.all(lists).apply((all) => JSON.stringify(all.flat()));

const defined = <T>(...values: (T | undefined)[]): T[] => values.filter((value) => value !== undefined);

function keyStatements(
  config: BridgeContext["config"],
  forward: NativeReplication,
  backward: NativeReplication | undefined,
  backfill: BackfillRole | undefined,
): Exclude<NativeBridge["kmsKeyPolicyStatements"], undefined> {
  const there = forward.kmsKeyPolicyStatements;
  const back = backward?.kmsKeyPolicyStatements;
  return {
    ...(config.source.kmsKeyArn === undefined
      ? {}
      : { source: json(...defined(there.source, back?.destination, backfill?.kmsKeyPolicyStatements)) }),
    ...(config.destination.kmsKeyArn === undefined ? {} : { destination: json(...defined(there.destination, back?.source)) }),
  };
}

/** The bridge writes the policies of the buckets that it creates. */
function bucketStatements(
  { source, destination }: BridgeContext["config"],
  forward: NativeReplication,
  backward: NativeReplication | undefined,
): Pick<NativeBridge, "requiredBucketPolicyStatements"> {
  if (!isCrossAccount(source, destination)) return {};
  const statements = {
    ...(source.adopt && backward !== undefined ? { source: json(backward.requiredBucketPolicyStatements) } : {}),
    ...(destination.adopt ? { destination: json(forward.requiredBucketPolicyStatements) } : {}),
  };
  return Object.keys(statements).length === 0 ? {} : { requiredBucketPolicyStatements: statements };
}
