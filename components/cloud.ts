/**
 * The types that a cloud implements so that a bridge can begin or end in it. `CrossBorderBridge` composes the two sides only through these
 * types. To add a cloud, write one folder with its `CloudComponents`, and one line in `registry.ts`. Functions that the clouds share are
 * below the types.
 */
import type * as alicloud from "@pulumi/alicloud";
import type * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import type { AllowedSources, AuthConfig, ReceiverConfig, Role, SenderConfig } from "../runtime/protocol/env";
import { type BridgeConfig, ConfigInvalid } from "./config";
import type { DeclaredConfig, ResolvedConfig } from "./late-config";
import type { OutputProperties, Present } from "./outputs";

export type Side = "source" | "destination";

/** The arguments that every component of a bridge gets. */
export interface BridgeContext {
  /** Prefix of every logical name. */
  name: string;
  /** The bridge, for problems that are found while deploying: `CrossBorderBridge "reports"`. */
  component: string;
  /** Values that may come from other resources are outputs. */
  config: DeclaredConfig;
  /** The same, for what is made inside outputs. */
  resolved: pulumi.Output<ResolvedConfig>;
  /** Signing secrets; absent when the operator keeps them in `auth.tokenParameter`. */
  token?: pulumi.Output<string> | undefined;
  /** The side's own provider. */
  provider: pulumi.ProviderResource;
  parent: pulumi.Resource;
  /** Packed handlers for Lambda, by role. */
  bundle: (role: Role) => pulumi.asset.Archive;
  /** Packed handlers for Function Compute, by role. */
  zip: (role: Role) => pulumi.Output<string>;
  alarmTopicArn?: pulumi.Input<string> | undefined;
  /** The bridge's own contact group in CloudMonitor. */
  ownContactGroup?: pulumi.Output<string> | undefined;
  /** URL that CloudMonitor calls itself; a secret. */
  alarmCallback?: pulumi.Output<string> | undefined;
  /** Where alarms of the source are posted to. Both values are secrets. */
  webhook?: { url: pulumi.Output<string>; secret: pulumi.Output<string> | undefined } | undefined;
}

/** Where the alarms of a source go beside what the configuration names. */
export type Notified = Pick<BridgeContext, "alarmTopicArn" | "ownContactGroup" | "alarmCallback">;

export interface SourceStore {
  bucketName: pulumi.Output<string>;
  /** Origins and paths that presigned URLs of this store may have. */
  allowedSources: pulumi.Output<AllowedSources>;
}

export interface DestinationStore {
  bucketName: pulumi.Output<string>;
}

/** A fixed address for requests that leave the source's network. */
export interface Egress {
  /** Networks that the receiver's allowlist must contain. */
  cidrs: pulumi.Output<string>[];
}

/** An endpoint that accepts signed notices. */
export interface Receiver extends Present<"receiverFunctionName" | "copierFunctionName"> {
  url: pulumi.Output<string>;
  /** With `auth: iam`: the invoke-only credentials as the sender reads them, `{"accessKeyId","secretAccessKey"}`. */
  invokerCredentials?: pulumi.Output<string>;
  /** Statement for the destination key's policy, as JSON. */
  kmsKeyStatement?: pulumi.Output<string>;
  /** Address of the dashboard on this side. */
  dashboardUrl?: pulumi.Output<string> | undefined;
}

/** Turns events of a source into requests. */
export interface Trigger
  extends Present<"senderFunctionName" | "queueUrl" | "outageQueueUrl" | "deadLetterQueueUrl">,
    Pick<OutputProperties, "requiredNotification"> {
  /** Resources that must exist before a new object is replicated. */
  ready: pulumi.Resource[];
  /** Statement for the source key's policy, as JSON. */
  kmsKeyStatement?: pulumi.Output<string>;
  /** Address of the dashboard on this side. */
  dashboardUrl?: pulumi.Output<string> | undefined;
}

/** The side where a bridge begins. The store is created first, because the receiver must know which URLs it may read. */
export interface SourceSide {
  store: SourceStore;
  /** Present with `egress: static`. */
  egress?: Egress | undefined;
  /** Creates the trigger. It is created last, because it posts to the receiver. */
  createTrigger(receiver: Receiver): Trigger;
}

/** The side where a bridge ends. */
export interface DestinationSide {
  store: DestinationStore;
  createReceiver(args: { allowedSources: pulumi.Output<AllowedSources>; allowedCidrs: pulumi.Output<string[]> }): Receiver;
}

/** The contexts of both sides, for components that use both. */
export interface Sides {
  source: BridgeContext;
  destination: BridgeContext;
}

/** Mode `push`: one workflow execution per object. One identity reaches both stores. */
export interface PushBridge
  extends Present<
    | "sourceBucket"
    | "destinationBucket"
    | "flowName"
    | "dispatcherFunctionName"
    | "pusherFunctionName"
    | "queueUrl"
    | "outageQueueUrl"
    | "deadLetterQueueUrl"
  > {
  /** Resources that must exist before a new object is replicated. */
  ready: pulumi.Resource[];
}

/** Mode `native`: the store's own replication. The roles and statements are those of S3. */
export interface NativeBridge
  extends Present<"sourceBucket" | "destinationBucket">,
    Pick<
      OutputProperties,
      "replicationRoleArn" | "backwardReplicationRoleArn" | "backfillRoleArn" | "requiredBucketPolicyStatements" | "dashboardUrls"
    > {
  /** For each side with a key, a JSON list of the statements that its policy needs. */
  kmsKeyPolicyStatements?: OutputProperties["kmsKeyPolicyStatements"];
  /** Resources that must exist before a new object is replicated. */
  ready: pulumi.Resource[];
}

export interface ProberArgs {
  side: Side;
  bucketName: pulumi.Output<string>;
  /** Resources that must exist before the schedule sends a canary. */
  ready: pulumi.Resource[];
}

/** The latency probe's function on one side, in any mode. */
export interface Prober {
  functionName: pulumi.Output<string>;
  /** Address of a dashboard of the canaries alone, in a cloud where that of the bridge cannot show them. */
  dashboardUrl?: pulumi.Output<string> | undefined;
  /** Statement for the key's policy, as JSON. */
  kmsKeyStatement?: pulumi.Output<string>;
}

export type CloudProvider = aws.Provider | alicloud.Provider;

export interface CloudComponents {
  provider: {
    type: string;
    /** Whether the provider can deploy to this cloud. The engine would silently use the default provider instead of a wrong one. */
    isInstance(provider: unknown): boolean;
    /** Creates a provider of this logical name. It deploys only to the configured account. */
    create(
      name: string,
      side: Side,
      settings: Pick<BridgeConfig[Side], "region" | "profile" | "accountId">,
      opts?: pulumi.ResourceOptions,
    ): CloudProvider;
  };
  /** Subscribes the addresses and the webhook of the configuration. */
  createNotifications(context: BridgeContext): Notified;
  createSource(context: BridgeContext): SourceSide;
  createDestination(context: BridgeContext): DestinationSide;
  createProber(context: BridgeContext, args: ProberArgs): Prober;
  /** For two sides in this cloud. Absent when the cloud has no such mode; then the configuration's rules refuse the mode. */
  createPush?(sides: Sides): PushBridge;
  createNative?(sides: Sides): NativeBridge;
}

/**
 * @param found undefined in a program's own tests, whose mocks may know no account
 * @throws ConfigInvalid when the credentials belong to another account.
 */
export function assertAccount(side: string, found: string | undefined, expected: string): void {
  if (found === expected || found === undefined) return;
  throw new ConfigInvalid([
    `${side}.accountId = ${expected}: the credentials of the ${side} belong to account ${found}; allowed: ${found}, or ${side}.profile with credentials of ${expected}`,
  ]);
}

/** The names of the bridge and of both stores, the same at both ends, so both ends write the same provenance. */
export function identity(config: Pick<ResolvedConfig, "name" | "source" | "destination" | "logLevel">) {
  return {
    bridgeId: config.name,
    sourceId: `${config.source.cloud}:${config.source.bucket}`,
    destinationId: `${config.destination.cloud}:${config.destination.bucket}`,
    logLevel: config.logLevel,
  };
}

/** `invoker` is the name of the secret with the invoke-only key. It is defined only with `auth: iam`. */
export function senderSettings(
  config: ResolvedConfig,
  secrets: { token: string; invoker: string | undefined },
): Omit<SenderConfig, "source" | "queueUrl" | "outageQueueUrl" | "deadLetterUrl" | "receiverUrl"> {
  return {
    ...identity(config),
    scope: config.scope,
    deletes: config.deletes,
    statusTags: config.statusTags,
    auth: senderAuth(config, secrets),
    urlExpiresInSeconds: config.timeouts.urlExpirySeconds,
    receiverTimeoutSeconds: config.timeouts.receiverSeconds,
    inlineLimitBytes: config.inlineLimitBytes,
    maxAttempts: config.maxAttempts,
    giveUpAfterSeconds: config.giveUpAfterHours * 3600,
  };
}

function senderAuth(config: ResolvedConfig, { token, invoker }: { token: string; invoker: string | undefined }): AuthConfig {
  if (invoker === undefined) return { kind: "token", parameter: token };
  return { kind: "iam", parameter: token, invokerParameter: invoker, region: config.destination.region };
}

export function receiverSettings(
  config: ResolvedConfig,
  { token, copierFunctionName }: { token: string; copierFunctionName: string },
): Pick<
  ReceiverConfig,
  | "bridgeId"
  | "sourceId"
  | "destinationId"
  | "logLevel"
  | "destinationPrefix"
  | "auth"
  | "inlineLimitBytes"
  | "timeoutSeconds"
  | "copier"
  | "copiesAtOnce"
> {
  return {
    ...identity(config),
    destinationPrefix: config.destination.prefix,
    auth:
      config.auth.kind === "iam"
        ? { kind: "iam", parameter: token, region: config.destination.region }
        : { kind: "token", parameter: token },
    inlineLimitBytes: config.inlineLimitBytes,
    timeoutSeconds: config.timeouts.receiverSeconds,
    copier: { functionName: copierFunctionName, timeoutSeconds: config.copy.timeoutSeconds },
    copiesAtOnce: config.copy.concurrency,
  };
}

export type SecretArgs = { value: pulumi.Output<string>; description: string } & (
  | { side: "source" | "destination"; secret: "token" }
  | { side: "source"; secret: "invoker" | "webhook" }
);

/** The signing secrets: in a parameter that is created from the stack's secret, or in the operator's own. */
export function signingSecrets<T>(
  { config, token }: BridgeContext,
  side: "source" | "destination",
  { create, existing }: { create(args: SecretArgs): T; existing(name: pulumi.Output<string>): T },
): T {
  if (token !== undefined) {
    const description = `Signing secrets of bridge ${config.name}, newest first`;
    return create({ side, secret: "token", value: token, description });
  }
  const name = config.auth.tokenParameter;
  if (name === undefined) throw new Error(`bridge ${config.name} has neither a token nor auth.tokenParameter`);
  return existing(name);
}

/** S3 compares a filter with the URL-encoded key, and OSS does not document it. These characters are the same in both forms. */
const PLAIN = /^[A-Za-z0-9/_.-]+$/;

/**
 * The one value that a notification can filter by. When the scope has several values, or one that needs encoding, the whole bucket sends
 * events and the function checks the scope.
 */
export function onlyPlain(values: readonly string[]): string | undefined {
  const [value, ...others] = values;
  return value !== undefined && others.length === 0 && PLAIN.test(value) ? value : undefined;
}
