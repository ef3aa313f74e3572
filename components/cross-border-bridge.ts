import * as pulumi from "@pulumi/pulumi";
import type { Role } from "../runtime/protocol/env";
import type { CrossBorderBridgeArgs } from "./args";
import { customZip, prebuiltBundle, prebuiltZip } from "./bundles";
import type { BridgeContext, NativeBridge, PushBridge, Sides } from "./cloud";
import { type BridgeConfig, ConfigInvalid, noticesOf, parseBridgeConfig } from "./config";
import { declareBridge } from "./declare-bridge";
import { LatencyProbe } from "./latency-probe";
import { ComponentWithOutputs, type OutputProperties, outputsAmong, type Present } from "./outputs";
import { keepPlace } from "./place";
import { CLOUD_COMPONENTS } from "./registry";
import { withTransforms } from "./transforms";

/** The outputs of a mode, and the resources that must exist before the first object is replicated. */
interface Built {
  outputs: Partial<OutputProperties> & Present<"sourceBucket" | "destinationBucket">;
  ready: pulumi.Resource[];
}

/**
 * Keeps a destination bucket in step with a source bucket, across partitions and clouds, with no storage credential crossing the
 * border.
 *
 * In mode `pull` it creates at the source the bucket (or adopts one), a queue for its events, the sender, a dead-letter queue and alarms. At
 * the destination it creates the bucket, an HTTPS endpoint, the receiver and the copier. In mode `push` everything but the destination
 * bucket is at the source. In mode `native` the store replicates by itself, and the bridge has no functions. With `probe.enabled` there is
 * a prober on each side as well. Each side's account pays for its own resources. The source pays the egress of the objects.
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
export class CrossBorderBridge extends ComponentWithOutputs {
  /** The outputs that this bridge has, for a program to export as they are. */
  readonly outputs: Readonly<Record<string, pulumi.Input<unknown>>>;

  /** @throws ConfigInvalid when the arguments do not fit together, with every problem at once. */
  constructor(name: string, args: CrossBorderBridgeArgs, opts?: pulumi.ComponentResourceOptions) {
    super("crossborder:index:CrossBorderBridge", name, {}, withTransforms(opts, args.transform));
    const config = validate(name, args);
    declareBridge(name, config);
    keepPlace(args.placeName ?? `${name}-place`, config, this);
    const notices = noticesOf(config, { tokenIsGiven: args.token !== undefined });
    for (const notice of notices) void pulumi.log.warn(notice, this);
    // Absent outputs have no key: the engine warns about an exported output that is undefined.
    const outputs = { kmsKeyPolicyStatements: {}, ...build(this, name, args, config), notices };
    Object.assign(this, outputs);
    this.outputs = outputs;
    this.registerOutputs(outputs);
  }
}

function build(parent: pulumi.Resource, name: string, args: CrossBorderBridgeArgs, config: BridgeConfig): Built["outputs"] {
  const context = contextOf(parent, name, args, config);
  const sides: Sides = {
    source: { ...context, provider: args.source.provider },
    destination: { ...context, provider: args.destination.provider },
  };
  const { outputs, ready } = buildMode(config, sides);
  if (!config.probe.enabled) return outputs;
  const buckets = { source: outputs.sourceBucket, destination: outputs.destinationBucket };
  const probe = new LatencyProbe(sides, { buckets, ready });
  return {
    ...outputs,
    proberFunctionNames: probe.functionNames,
    kmsKeyPolicyStatements: probe.withKeyStatements(outputs.kmsKeyPolicyStatements ?? {}),
  };
}

function buildMode(config: BridgeConfig, sides: Sides): Built {
  const platform = CLOUD_COMPONENTS[config.source.cloud];
  switch (config.mode) {
    case "pull":
      return createPull(config, sides);
    case "push":
      return builtBy(supported(platform.createPush, config)(sides));
    case "native":
      return builtBy(supported(platform.createNative, config)(sides));
  }
}

function builtBy(made: PushBridge | NativeBridge): Built {
  const { sourceBucket, destinationBucket, ready } = made;
  return { outputs: { ...outputsAmong(made), sourceBucket, destinationBucket }, ready };
}

function supported<T>(create: T | undefined, { mode, source }: BridgeConfig): T {
  if (create === undefined)
    throw new Error(`the configuration's rules let mode ${mode} pass, which ${source.cloud} does not have`);
  return create;
}

function createPull(config: BridgeConfig, sides: Sides): Built {
  const source = CLOUD_COMPONENTS[config.source.cloud].createSource(sides.source);
  const destination = CLOUD_COMPONENTS[config.destination.cloud].createDestination(sides.destination);
  const receiver = destination.createReceiver({
    allowedSources: source.store.allowedSources,
    allowedCidrs: [...config.allowedCidrs.map((cidr) => pulumi.output(cidr)), ...(source.egress?.cidrs ?? [])],
  });
  const trigger = source.createTrigger(receiver);
  const outputs = {
    ...outputsAmong(receiver),
    ...outputsAmong(trigger),
    sourceBucket: source.store.bucketName,
    destinationBucket: destination.store.bucketName,
    receiverUrl: receiver.url,
    kmsKeyPolicyStatements: {
      ...(trigger.kmsKeyStatement === undefined ? {} : { source: trigger.kmsKeyStatement }),
      ...(receiver.kmsKeyStatement === undefined ? {} : { destination: receiver.kmsKeyStatement }),
    },
  };
  return { outputs, ready: trigger.ready };
}

/** Checks the plain arguments by the rules of a stack's configuration. Values that are known only while deploying are not checked. */
function validate(name: string, args: CrossBorderBridgeArgs): BridgeConfig {
  const {
    source,
    destination,
    token,
    alarmTopicArn,
    transform: _transform,
    bundles: _bundles,
    placeName: _place,
    ...settings
  } = args;
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
    const { provider } = CLOUD_COMPONENTS[config[side].cloud];
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
    token: args.token === undefined ? undefined : pulumi.secret(args.token),
    alarmTopicArn: args.alarmTopicArn,
  };
}
