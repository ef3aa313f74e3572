import * as pulumi from "@pulumi/pulumi";
import { costLines } from "../cost/summary";
import type { Role } from "../runtime/protocol/env";
import type { CrossBorderBridgeArgs, DestinationArgs, SourceArgs } from "./args";
import { customZip, prebuiltBundle, prebuiltZip } from "./bundles";
import type { BridgeContext, NativeBridge, PushBridge, Side, Sides } from "./cloud";
import { ConfigInvalid, noticesOf } from "./config";
import { declareBridge } from "./declare-bridge";
import { type DeclaredConfig, type LateConfig, readArguments } from "./late-config";
import { LatencyProbe } from "./latency-probe";
import { ComponentWithOutputs, type OutputProperties, outputsAmong, type Present } from "./outputs";
import { keepPlace } from "./place";
import { CLOUD_COMPONENTS } from "./registry";
import { tagging } from "./tags";
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
 *
 * Names of buckets, keys and what else comes from other resources may be outputs: `bucket: existing.bucket`. They are checked when they are
 * known. Whether such an argument is there, and every other argument, decides which resources there are, so that must be plain.
 */
export class CrossBorderBridge extends ComponentWithOutputs {
  /** The outputs that this bridge has, for a program to export as they are. */
  readonly outputs: Readonly<Record<string, pulumi.Input<unknown>>>;

  /** @throws ConfigInvalid when the arguments do not fit together, with every problem at once. */
  constructor(name: string, args: CrossBorderBridgeArgs, opts?: pulumi.ComponentResourceOptions) {
    super("crossborder:index:CrossBorderBridge", name, {}, withTransforms(opts, [tagging(args.tags), ...(args.transform ?? [])]));
    const component = `CrossBorderBridge "${name}"`;
    const config = validate(component, name, args);
    const { plain } = config;
    if (config.namesArePlain) declareBridge(name, plain);
    else config.resolved.apply((known) => declareBridge(name, known));
    keepPlace(args.placeName ?? `${name}-place`, plain, { component, parent: this });
    const notices = noticesOf(plain, { tokenIsGiven: args.token !== undefined });
    for (const notice of notices) void pulumi.log.warn(notice, this);
    // Absent outputs have no key: the engine warns about an exported output that is undefined.
    const outputs = {
      kmsKeyPolicyStatements: {},
      ...build(contextOf(this, component, name, args, config), args),
      estimatedCost: costLines(plain),
      notices,
    };
    Object.assign(this, outputs);
    this.outputs = outputs;
    this.registerOutputs(outputs);
  }
}

function build(context: Omit<BridgeContext, "provider">, args: CrossBorderBridgeArgs): Built["outputs"] {
  const { config } = context;
  const { createNotifications } = CLOUD_COMPONENTS[config.source.cloud];
  const notified = createNotifications({ ...context, provider: args.source.provider });
  const sides: Sides = {
    source: { ...context, ...notified, provider: args.source.provider },
    destination: { ...context, ...notified, provider: args.destination.provider },
  };
  const { outputs: own, ready } = buildMode(config, sides);
  const outputs = {
    ...own,
    ...(notified.alarmTopicArn === undefined ? {} : { alarmTopicArn: pulumi.output(notified.alarmTopicArn) }),
  };
  if (!config.probe.enabled) return outputs;
  const buckets = { source: outputs.sourceBucket, destination: outputs.destinationBucket };
  const probe = new LatencyProbe(sides, { buckets, ready });
  return {
    ...outputs,
    ...dashboardUrls({ ...probe.dashboardUrls, ...outputs.dashboardUrls }),
    proberFunctionNames: probe.functionNames,
    kmsKeyPolicyStatements: probe.withKeyStatements(outputs.kmsKeyPolicyStatements ?? {}),
  };
}

function buildMode(config: DeclaredConfig, sides: Sides): Built {
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

function supported<T>(create: T | undefined, { mode, source }: DeclaredConfig): T {
  if (create === undefined)
    throw new Error(`the configuration's rules let mode ${mode} pass, which ${source.cloud} does not have`);
  return create;
}

function createPull(config: DeclaredConfig, sides: Sides): Built {
  const source = CLOUD_COMPONENTS[config.source.cloud].createSource(sides.source);
  const destination = CLOUD_COMPONENTS[config.destination.cloud].createDestination(sides.destination);
  const receiver = destination.createReceiver({
    allowedSources: source.store.allowedSources,
    allowedCidrs: pulumi
      .all([config.allowedCidrs, pulumi.all(source.egress?.cidrs ?? [])])
      .apply(([configured, own]) => [...configured, ...own]),
  });
  const trigger = source.createTrigger(receiver);
  const outputs = {
    ...outputsAmong(receiver),
    ...outputsAmong(trigger),
    sourceBucket: source.store.bucketName,
    destinationBucket: destination.store.bucketName,
    receiverUrl: receiver.url,
    ...dashboardUrls({ source: trigger.dashboardUrl, destination: receiver.dashboardUrl }),
    ...(source.egress?.cidrs[0] === undefined ? {} : { senderAddress: source.egress.cidrs[0] }),
    kmsKeyPolicyStatements: {
      ...(trigger.kmsKeyStatement === undefined ? {} : { source: trigger.kmsKeyStatement }),
      ...(receiver.kmsKeyStatement === undefined ? {} : { destination: receiver.kmsKeyStatement }),
    },
  };
  return { outputs, ready: trigger.ready };
}

/** Absent where there is no dashboard. */
function dashboardUrls(urls: { [Key in Side]?: pulumi.Output<string> | undefined }): Pick<OutputProperties, "dashboardUrls"> {
  const known = Object.fromEntries(Object.entries(urls).filter(([, url]) => url !== undefined));
  return Object.keys(known).length === 0 ? {} : { dashboardUrls: known };
}

/** Checks the arguments by the rules of a stack's configuration. */
function validate(component: string, name: string, args: CrossBorderBridgeArgs): LateConfig {
  const { transform: _transform, bundles: _bundles, placeName: _place, ...settings } = args;
  const config = readArguments(component, name, {
    ...settings,
    source: withoutProvider(args.source),
    destination: withoutProvider(args.destination),
  });
  const problems = (["source", "destination"] as const).flatMap((side) => {
    const { cloud } = config.plain[side];
    const { provider } = CLOUD_COMPONENTS[cloud];
    if (provider.isInstance(args[side].provider)) return [];
    return [`${component}: ${side}.provider: cannot deploy to ${cloud}; allowed: an ${provider.type}`];
  });
  if (problems.length > 0) throw new ConfigInvalid(problems);
  return config;
}

/** A value that is no section is left as it is: the check refuses it. */
function withoutProvider(side: SourceArgs | DestinationArgs): unknown {
  if (pulumi.Output.isInstance(side) || typeof side !== "object" || side === null) return side;
  const { provider: _provider, ...plain } = side;
  return plain;
}

function contextOf(
  parent: pulumi.Resource,
  component: string,
  name: string,
  args: CrossBorderBridgeArgs,
  { declared, resolved, token, webhook }: LateConfig,
): Omit<BridgeContext, "provider"> {
  return {
    name,
    component,
    config: declared,
    resolved,
    parent,
    bundle: (role: Role) => args.bundles?.[role] ?? prebuiltBundle("aws-lambda", role),
    zip: (role: Role) => {
      const own = args.bundles?.[role];
      return pulumi.output(own === undefined ? prebuiltZip(role) : customZip(component, role, own));
    },
    token,
    alarmTopicArn: declared.alarmTopicArn,
    webhook,
  };
}
