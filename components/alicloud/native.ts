/** Mode `native`: OSS replicates by itself. The bridge has no functions. */
import * as alicloud from "@pulumi/alicloud";
import * as pulumi from "@pulumi/pulumi";
import type { NativeBridge, Sides } from "../cloud";
import { isMainland } from "../config";
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
    new alicloud.oss.BucketReplication(
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
    this.registerOutputs({ sourceBucket: this.sourceBucket, destinationBucket: this.destinationBucket });
  }
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
