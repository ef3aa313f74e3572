import * as pulumi from "@pulumi/pulumi";
import type { Role } from "../runtime/protocol/env";
import type { CrossBorderBridgeArgs } from "./args";
import { customZip, prebuiltBundle, prebuiltZip } from "./bundles";
import { type BridgeConfig, ConfigInvalid, noticesOf, parseBridgeConfig } from "./config";
import { type BySide, LatencyProbe } from "./latency-probe";
import type { BridgeContext, NativeBridge, PushBridge, Sides } from "./platform";
import { PLATFORMS } from "./platforms";
import { withTransforms } from "./transforms";

/** What a mode may leave behind; a mode has no output for what it has not. */
interface Built extends Omit<Partial<PushBridge & NativeBridge>, "ready"> {
  receiverUrl?: pulumi.Output<string>;
  queueUrl?: pulumi.Output<string>;
  senderFunctionName?: pulumi.Output<string>;
  receiverFunctionName?: pulumi.Output<string>;
  copierFunctionName?: pulumi.Output<string>;
  requiredNotification?: pulumi.Output<string>;
  proberFunctionNames?: BySide;
  sourceBucket: pulumi.Output<string>;
  destinationBucket: pulumi.Output<string>;
}

/** What the bridge is, and what its first object has to wait for. */
interface BuiltMode {
  built: Built;
  ready: pulumi.Resource[];
}

/**
 * Keeps a destination bucket in step with a source bucket, across partitions and clouds, with no storage credential crossing the
 * border.
 *
 * In mode `pull` it makes at the source the bucket (or adopts one), what holds its events, the sender, a dead-letter queue and
 * alarms; at the destination the bucket, an HTTPS endpoint, the receiver and the copier. In mode `push` everything but the
 * destination bucket is at the source. In mode `native` the store replicates by itself, and nothing of the bridge runs. With
 * `probe.enabled` there is a prober on each side as well. Each side's account pays for what runs there; the source pays the egress
 * of the objects.
 *
 * ```ts
 * const bridge = new CrossBorderBridge("reports", {
 *   source: { cloud: "aws", region: "us-east-1", bucket: "reports-global", provider: global },
 *   destination: { cloud: "aws-cn", region: "cn-north-1", bucket: "reports-china", provider: china },
 *   egress: "static",
 *   token: config.requireSecret("token"),
 * });
 * ```
 */
export class CrossBorderBridge extends pulumi.ComponentResource {
  readonly sourceBucket: pulumi.Output<string>;
  readonly destinationBucket: pulumi.Output<string>;
  /** Mode `pull`: where the sender posts; it answers only the allowlist. */
  readonly receiverUrl?: pulumi.Output<string>;
  /** Absent with `buffer: none`. */
  readonly queueUrl?: pulumi.Output<string>;
  /** Keys that were given up, each with its reason. Absent in mode `native`. */
  readonly deadLetterQueueUrl?: pulumi.Output<string>;
  /** Mode `pull`, as the two that follow. */
  readonly senderFunctionName?: pulumi.Output<string>;
  readonly receiverFunctionName?: pulumi.Output<string>;
  readonly copierFunctionName?: pulumi.Output<string>;
  /** Mode `push`, as the two that follow. */
  readonly flowName?: pulumi.Output<string>;
  readonly dispatcherFunctionName?: pulumi.Output<string>;
  readonly pusherFunctionName?: pulumi.Output<string>;
  /** An adopted source in AWS only: JSON to merge into the bucket's notification configuration. */
  readonly requiredNotification?: pulumi.Output<string>;
  /** Mode `native` in AWS, as the next: the role that S3 replicates in. */
  readonly replicationRoleArn?: pulumi.Output<string>;
  /** With `direction: two-way`: the role of the way back. */
  readonly backwardReplicationRoleArn?: pulumi.Output<string>;
  /** Mode `native` in AWS with `existingObjects: replicate`: the role for jobs of S3 Batch Operations. */
  readonly backfillRoleArn?: pulumi.Output<string>;
  /** For each adopted bucket that replicas come to from another account: a JSON list of statements that its policy needs. */
  readonly requiredBucketPolicyStatements?: { source?: pulumi.Output<string>; destination?: pulumi.Output<string> };
  /** With `probe.enabled`: the functions that `npm run bridge -- probe` asks. */
  readonly proberFunctionNames?: { source: pulumi.Output<string>; destination: pulumi.Output<string> };
  /**
   * For each side with a `kmsKeyArn`: a JSON statement that its key policy needs; a list of them in mode `native` and with
   * `probe.enabled`.
   */
  readonly kmsKeyPolicyStatements: { source?: pulumi.Output<string>; destination?: pulumi.Output<string> };
  /** What an operator should know about this configuration; also shown as warnings while deploying. */
  readonly notices: string[];
  /** All of the above that this bridge has, for a program to export as it is. */
  readonly outputs: Readonly<Record<string, pulumi.Input<unknown>>>;

  /** @throws ConfigInvalid when the arguments do not fit together, with every problem at once. */
  constructor(name: string, args: CrossBorderBridgeArgs, opts?: pulumi.ComponentResourceOptions) {
    super("crossborder:index:CrossBorderBridge", name, {}, withTransforms(opts, args.transform));
    const config = validate(name, args);
    this.notices = noticesOf(config, { tokenIsGiven: args.token !== undefined });
    for (const notice of this.notices) void pulumi.log.warn(notice, this);

    const { sourceBucket, destinationBucket, kmsKeyPolicyStatements = {}, ...rest } = build(this, name, args, config);
    this.sourceBucket = sourceBucket;
    this.destinationBucket = destinationBucket;
    this.kmsKeyPolicyStatements = kmsKeyPolicyStatements;
    // The engine warns about an exported output that is undefined.
    const others = definedOnly(rest);
    Object.assign(this, others);
    this.outputs = { sourceBucket, destinationBucket, ...others, kmsKeyPolicyStatements, notices: this.notices };
    this.registerOutputs(this.outputs);
  }
}

function build(parent: pulumi.Resource, name: string, args: CrossBorderBridgeArgs, config: BridgeConfig): Built {
  const context = contextOf(parent, name, args, config);
  const sides: Sides = {
    source: { ...context, provider: args.source.provider },
    destination: { ...context, provider: args.destination.provider },
  };
  const { built, ready } = buildMode(config, sides);
  if (!config.probe.enabled) return built;
  const buckets = { source: built.sourceBucket, destination: built.destinationBucket };
  const probe = new LatencyProbe(sides, { buckets, ready });
  return {
    ...built,
    proberFunctionNames: probe.functionNames,
    kmsKeyPolicyStatements: probe.withKeyStatements(built.kmsKeyPolicyStatements ?? {}),
  };
}

function buildMode(config: BridgeConfig, sides: Sides): BuiltMode {
  const platform = PLATFORMS[config.source.cloud];
  switch (config.mode) {
    case "pull":
      return createPull(config, sides);
    case "push":
      return builtBy(supported(platform.createPush, config)(sides), [
        "flowName",
        "dispatcherFunctionName",
        "pusherFunctionName",
        "deadLetterQueueUrl",
      ]);
    case "native":
      return builtBy(supported(platform.createNative, config)(sides), [
        "replicationRoleArn",
        "backwardReplicationRoleArn",
        "backfillRoleArn",
        "kmsKeyPolicyStatements",
        "requiredBucketPolicyStatements",
      ]);
  }
}

/** What a component made, without the component: its own URN, for one, is none of the bridge's. */
function builtBy<T extends NativeBridge, K extends keyof T & keyof Built>(made: T, names: readonly K[]): BuiltMode {
  const { sourceBucket, destinationBucket, ready } = made;
  return { built: { sourceBucket, destinationBucket, ...Object.fromEntries(names.map((name) => [name, made[name]])) }, ready };
}

function supported<T>(create: T | undefined, { mode, source }: BridgeConfig): T {
  if (create === undefined)
    throw new Error(`the configuration's rules let mode ${mode} pass, which ${source.cloud} does not have`);
  return create;
}

function createPull(config: BridgeConfig, sides: Sides): BuiltMode {
  const source = PLATFORMS[config.source.cloud].createSource(sides.source);
  const destination = PLATFORMS[config.destination.cloud].createDestination(sides.destination);
  const receiver = destination.createReceiver({
    allowedSources: source.store.allowedSources,
    allowedCidrs: [...config.allowedCidrs.map((cidr) => pulumi.output(cidr)), ...(source.egress?.cidrs ?? [])],
  });
  const trigger = source.createTrigger(receiver);
  const built: Built = {
    sourceBucket: source.store.bucketName,
    destinationBucket: destination.store.bucketName,
    receiverUrl: receiver.url,
    ...(trigger.queueUrl === undefined ? {} : { queueUrl: trigger.queueUrl }),
    deadLetterQueueUrl: trigger.deadLetterQueueUrl,
    senderFunctionName: trigger.senderFunctionName,
    receiverFunctionName: receiver.receiverFunctionName,
    copierFunctionName: receiver.copierFunctionName,
    ...(trigger.requiredNotification === undefined ? {} : { requiredNotification: trigger.requiredNotification }),
    kmsKeyPolicyStatements: {
      ...(trigger.kmsKeyStatement === undefined ? {} : { source: trigger.kmsKeyStatement }),
      ...(receiver.kmsKeyStatement === undefined ? {} : { destination: receiver.kmsKeyStatement }),
    },
  };
  return { built, ready: trigger.ready };
}

/** The plain part of the arguments, checked as the stack's configuration is: values that come later cannot be. */
function validate(name: string, args: CrossBorderBridgeArgs): BridgeConfig {
  const { source, destination, token, alarmTopicArn, transform: _transform, bundles: _bundles, ...settings } = args;
  const { provider: _source, ...plainSource } = source;
  const { provider: _destination, ...plainDestination } = destination;
  const config = parseBridgeConfig(
    {
      ...settings,
      source: plainSource,
      destination: plainDestination,
      ...(typeof token === "string" ? { token } : {}),
      ...(typeof alarmTopicArn === "string" ? { alarmTopicArn } : {}),
    },
    { stack: name, tokenIsDeferred: token !== undefined && typeof token !== "string" },
  );
  const problems = (["source", "destination"] as const).flatMap((side) => {
    const { provider } = PLATFORMS[config[side].cloud];
    if (provider.isInstance(args[side].provider)) return [];
    return [`${side}.provider: cannot deploy to ${config[side].cloud}; allowed: an ${provider.type}`];
  });
  if (problems.length > 0) throw new ConfigInvalid(problems);
  return config;
}

function contextOf(
  parent: pulumi.Resource,
  name: string,
  args: CrossBorderBridgeArgs,
  { token: _token, ...config }: BridgeConfig,
): Omit<BridgeContext, "provider"> {
  return {
    name,
    config,
    parent,
    bundle: (role: Role) => args.bundles?.[role] ?? prebuiltBundle("aws-lambda", role),
    zip: (role: Role) => {
      const own = args.bundles?.[role];
      return pulumi.output(own === undefined ? prebuiltZip(role) : customZip(role, own));
    },
    ...(args.token === undefined ? {} : { token: pulumi.secret(args.token) }),
    ...(args.alarmTopicArn === undefined ? {} : { alarmTopicArn: args.alarmTopicArn }),
  };
}

const definedOnly = <T extends object>(values: T): Partial<T> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>;
