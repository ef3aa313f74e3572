/** Mode `native`: OSS replicates by itself. The bridge has no functions. */
import * as alicloud from "@pulumi/alicloud";
import * as pulumi from "@pulumi/pulumi";
import type { NativeBridge, Sides } from "../cloud";
import { ConfigInvalid, isMainland } from "../config";
import { outermost } from "../config/defaults";
import { bucketArn, keyArn, physicalName } from "./names";
import { replicationPolicy } from "./policies";
import { oneAccount } from "./push";
import { createRole } from "./role";
import { AlicloudDestinationStore, AlicloudSourceStore } from "./stores";

/** `crossborder:alicloud:NativeReplication` */
export class AlicloudNative extends pulumi.ComponentResource implements NativeBridge {
  readonly sourceBucket: pulumi.Output<string>;
  readonly destinationBucket: pulumi.Output<string>;
  readonly ready: pulumi.Resource[] = [this];

  constructor(sides: Sides) {
    const context = sides.source;
    const name = `${context.name}-replication`;
    super("crossborder:alicloud:NativeReplication", name, {}, { parent: context.parent });
    const { config } = context;

    const source = new AlicloudSourceStore(context);
    const destination = new AlicloudDestinationStore(sides.destination);
    const { prefixes } = config.scope;
    const { kmsKeyId } = config.destination;
    const role = createRole(name, {
      context,
      physicalName: physicalName(config.name, "replication"),
      service: "oss.aliyuncs.com",
      description: `Replication of bridge ${config.name}`,
      policy: pulumi
        .all([
          oneAccount(context.component, source, destination),
          destination.place,
          source.bucketName,
          destination.bucketName,
          config.source.kmsKeyId,
          kmsKeyId,
        ])
        .apply(([from, to, sourceBucket, destinationBucket, sourceKey, destinationKey]) =>
          replicationPolicy({
            sourceArn: bucketArn(from, sourceBucket),
            destinationArn: bucketArn(to, destinationBucket),
            sourceKeyArn: sourceKey === undefined ? undefined : keyArn(from, sourceKey),
            destinationKeyArn: destinationKey === undefined ? undefined : keyArn(to, destinationKey),
            deletes: config.deletes,
          }),
        ),
      parent: this,
    });
    const rule = new alicloud.oss.BucketReplication(
      name,
      {
        bucket: source.bucketName,
        destination: {
          bucket: destination.bucketName,
          location: `oss-${config.destination.region}`,
          transferType: transferType(config),
        },
        action: config.deletes === "replicate" ? "ALL" : "PUT",
        historicalObjectReplication: config.existingObjects === "replicate" ? "enabled" : "disabled",
        syncRole: role.roleName,
        ...prefixSetOf(prefixes),
        ...(kmsKeyId === undefined
          ? {}
          : {
              encryptionConfiguration: { replicaKmsKeyId: kmsKeyId },
              sourceSelectionCriteria: { sseKmsEncryptedObjects: { status: "Enabled" } },
            }),
      },
      {
        parent: this,
        provider: context.provider,
        dependsOn: [role.attachment, ...source.bucket.settled, ...destination.bucket.settled],
        // OSS takes one rule for a pair of buckets, and no rule can be changed.
        deleteBeforeReplace: true,
      },
    );
    this.sourceBucket = source.bucketName;
    this.destinationBucket = destination.bucketName;
    // Fails the deployment, as every error inside an output does.
    pulumi
      .all([rule.id, rule.urn, rule.destination, rule.syncRole, this.destinationBucket, role.roleName])
      .apply(([id, urn, found, syncRole, bucket, roleName]) =>
        ownRule({ id, urn, bucket: found.bucket, syncRole }, { bucket, syncRole: roleName }),
      );
    this.registerOutputs({ sourceBucket: this.sourceBucket, destinationBucket: this.destinationBucket });
  }
}

interface FoundRule {
  /** `<source bucket>:<id of the rule>`. */
  id: string;
  urn: string;
  bucket: string;
  syncRole?: string | undefined;
}

/**
 * OSS takes one rule for a pair of buckets. Where there is one, the provider takes over the first rule of the bucket, whoever made it, and a
 * destroy would delete it. A rule without a role looks like the bridge's own, so `native-rules.ts` asks before the deployment.
 * @throws ConfigInvalid for a rule of somebody else
 */
export function ownRule({ id, urn, bucket, syncRole }: FoundRule, own: { bucket: string; syncRole: string }): string {
  if (bucket === own.bucket && syncRole === own.syncRole) return id;
  throw new ConfigInvalid([
    `mode = native: the source has the replication rule ${id} to ${bucket} with the role ${syncRole ?? "(none)"}, which the bridge did ` +
      `not make, and the provider took it over. Give it back before you do anything else: pulumi state delete '${urn}'. ` +
      "Then remove that rule, or set mode: push",
  ]);
}

/** OSS replicates across the mainland's border only through transfer acceleration. https://www.alibabacloud.com/help/en/object-storage-service/latest/configure-crr */
export function transferType({
  source,
  destination,
}: Record<"source" | "destination", { region: string }>): "internal" | "oss_acc" {
  return isMainland(source.region) === isMainland(destination.region) ? "internal" : "oss_acc";
}

/** Removes nested prefixes, because OSS refuses prefixes of one rule that overlap. */
const prefixSetOf = (prefixes: readonly string[]): { prefixSet?: { prefixes: string[] } } =>
  prefixes.length === 0 ? {} : { prefixSet: { prefixes: outermost(prefixes) } };
