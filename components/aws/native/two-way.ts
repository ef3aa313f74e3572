import * as pulumi from "@pulumi/pulumi";
import { type Transform, withTransforms } from "../../transforms";
import { NativeReplication, type ReplicatedBucket, type ReplicationSettings } from "./replication";

/** Arguments of {@link TwoWayReplication}. */
export interface TwoWayReplicationArgs extends ReplicationSettings {
  /** One bucket. */
  first: ReplicatedBucket;
  /** The other bucket, in the same partition of AWS. */
  second: ReplicatedBucket;
  /** Replicate changes of tags and ACLs that are made to replicas. @default true */
  replicaModifications?: boolean | undefined;
  /** Names of the roles, and prefixes of the alarms' names. @default generated */
  names?:
    | {
        /** From the first bucket to the second. */
        forward: string;
        /** From the second bucket to the first. */
        backward: string;
      }
    | undefined;
  /** Changes to children in both directions before they are declared, each made by `on`. @default [] */
  transform?: readonly Transform[] | undefined;
}

/**
 * Two buckets that S3 keeps in step: objects that are written to one of them are replicated to the other. S3 never replicates a replica, so
 * there is no loop. Both buckets keep every version. When both sides write a key at once, the newer write becomes the current version.
 *
 * ```ts
 * new TwoWayReplication("reports", {
 *   first: { bucketName: a.bucket, bucketArn: a.arn, region: "us-east-1", provider: east, dependsOn: [aVersioning] },
 *   second: { bucketName: b.bucket, bucketArn: b.arn, region: "eu-west-1", provider: west, dependsOn: [bVersioning] },
 *   rules: [{ id: "everything", priority: 1 }],
 * });
 * ```
 */
export class TwoWayReplication extends pulumi.ComponentResource {
  /** From the first bucket to the second. */
  readonly forward: NativeReplication;
  /** From the second bucket to the first. */
  readonly backward: NativeReplication;

  /** @throws ConfigInvalid when the arguments do not fit together, with every problem at once. */
  constructor(name: string, args: TwoWayReplicationArgs, opts: pulumi.ComponentResourceOptions = {}) {
    super(TWO_WAY, name, {}, withTransforms(opts, args.transform));
    const { first, second, names, transform: _transform, replicaModifications = true, ...settings } = args;
    const shared = { ...settings, replicaModifications };
    this.forward = new NativeReplication(
      name,
      { ...shared, source: first, destination: second, name: names?.forward },
      // With the alias, a change from one-way to two-way keeps the existing replication instead of creating a second one.
      { parent: this, aliases: [{ parent: opts.parent ?? pulumi.rootStackResource }] },
    );
    this.backward = new NativeReplication(
      `${name}-back`,
      { ...shared, source: second, destination: first, name: names?.backward },
      { parent: this },
    );
    this.registerOutputs({ forwardRoleArn: this.forward.roleArn, backwardRoleArn: this.backward.roleArn });
  }
}

const TWO_WAY = "crossborder:index:TwoWayReplication";

/** Alias for a change from two-way to one-way: the forward direction's place inside `TwoWayReplication`. */
export const aliasInTwoWay = (name: string, parent: pulumi.Resource): pulumi.Alias => ({
  parent: pulumi.createUrn(name, TWO_WAY, parent),
});
