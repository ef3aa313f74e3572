/**
 * What a cloud implements so that a bridge can begin or end in it. `CrossBorderBridge` composes the two sides through these
 * types alone; adding a cloud is one folder with a `Platform` and one line in `platforms.ts`.
 */
import type * as pulumi from "@pulumi/pulumi";
import type { AllowedSources, Role } from "../runtime/protocol/env";
import type { FunctionZip } from "./bundles";
import type { BridgeConfig } from "./config";
import type { OutputProperties, Present } from "./outputs";

export type Side = "source" | "destination";

/** What every piece of a bridge is made from. */
export interface BridgeContext {
  /** Prefix of every logical name. */
  name: string;
  config: Omit<BridgeConfig, "token">;
  /** Signing secrets; absent where the operator keeps them in `auth.tokenParameter`. */
  token?: pulumi.Output<string>;
  /** The side's own provider. */
  provider: pulumi.ProviderResource;
  parent: pulumi.Resource;
  /** Packed handlers for Lambda, by role. */
  bundle: (role: Role) => pulumi.asset.Archive;
  /** Packed handlers for Function Compute, by role. */
  zip: (role: Role) => pulumi.Output<FunctionZip>;
  alarmTopicArn?: pulumi.Input<string>;
}

export interface SourceStore {
  bucketName: pulumi.Output<string>;
  /** Where presigned URLs of this store may point. */
  allowedSources: pulumi.Output<AllowedSources>;
}

export interface DestinationStore {
  bucketName: pulumi.Output<string>;
}

/** A fixed way out of the source's network. */
export interface Egress {
  /** What the receiver's allowlist must have. */
  cidrs: pulumi.Output<string>[];
}

/** An endpoint that takes signed notices. */
export interface Receiver extends Present<"receiverFunctionName" | "copierFunctionName"> {
  url: pulumi.Output<string>;
  /** `auth: iam`: the invoke-only credentials as the sender reads them, `{"accessKeyId","secretAccessKey"}`. */
  invokerCredentials?: pulumi.Output<string>;
  /** Statement for the destination key's policy, as JSON. */
  kmsKeyStatement?: pulumi.Output<string>;
}

/** Turns events of a source into requests. */
export interface Trigger
  extends Present<"senderFunctionName" | "deadLetterQueueUrl">,
    Pick<OutputProperties, "queueUrl" | "requiredNotification"> {
  /** Everything that a new object needs to travel. */
  ready: pulumi.Resource[];
  /** Statement for the source key's policy, as JSON. */
  kmsKeyStatement?: pulumi.Output<string>;
}

/** Where a bridge begins. The store is there first, because the receiver must know whose URLs to read. */
export interface SourceSide {
  store: SourceStore;
  /** With `egress: static`. */
  egress?: Egress;
  /** Made last: it posts to the receiver. */
  createTrigger(receiver: Receiver): Trigger;
}

/** Where a bridge ends. */
export interface DestinationSide {
  store: DestinationStore;
  createReceiver(args: { allowedSources: pulumi.Output<AllowedSources>; allowedCidrs: pulumi.Output<string>[] }): Receiver;
}

/** The contexts of both sides, where one component reaches both. */
export interface Sides {
  source: BridgeContext;
  destination: BridgeContext;
}

/** Mode `push`: one workflow execution per object; one identity reaches both stores. */
export interface PushBridge
  extends Present<
    "sourceBucket" | "destinationBucket" | "flowName" | "dispatcherFunctionName" | "pusherFunctionName" | "deadLetterQueueUrl"
  > {
  /** As the trigger's. */
  ready: pulumi.Resource[];
}

/** Mode `native`: the store's own replication. The roles and statements are those of S3. */
export interface NativeBridge
  extends Present<"sourceBucket" | "destinationBucket">,
    Pick<
      OutputProperties,
      "replicationRoleArn" | "backwardReplicationRoleArn" | "backfillRoleArn" | "requiredBucketPolicyStatements"
    > {
  /** For each side with a key, a JSON list of the statements that its policy needs. */
  kmsKeyPolicyStatements?: OutputProperties["kmsKeyPolicyStatements"];
  /** As the trigger's. */
  ready: pulumi.Resource[];
}

export interface ProberArgs {
  side: Side;
  bucketName: pulumi.Output<string>;
  /** What a canary that is sent on schedule travels by. */
  ready: pulumi.Resource[];
}

/** The latency probe's function on one side, in any mode. */
export interface Prober {
  functionName: pulumi.Output<string>;
  /** Statement for the key's policy, as JSON. */
  kmsKeyStatement?: pulumi.Output<string>;
}

export interface Platform {
  /** Which providers can deploy to it; the engine itself would silently take the default provider for a wrong one. */
  provider: { type: string; isInstance(provider: unknown): boolean };
  createSource(context: BridgeContext): SourceSide;
  createDestination(context: BridgeContext): DestinationSide;
  createProber(context: BridgeContext, args: ProberArgs): Prober;
  /** Where both sides are this platform's. Absent where it has no such mode; the configuration's rules refuse it then. */
  createPush?(sides: Sides): PushBridge;
  createNative?(sides: Sides): NativeBridge;
}
