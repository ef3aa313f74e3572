import * as pulumi from "@pulumi/pulumi";
import type { Role } from "../runtime/protocol/env";
import type { CrossBorderBridgeArgs } from "./args";
import { prebuiltBundle } from "./bundles";
import { type BridgeConfig, noticesOf, parseBridgeConfig } from "./config";
import type { BridgeContext } from "./platform";
import { PLATFORMS } from "./platforms";

/**
 * Keeps a destination bucket in step with a source bucket, across partitions, with no storage credential crossing the border.
 *
 * At the source it makes the bucket (or adopts one), a queue with its dead-letter queue, the sender and two alarms; at the
 * destination the bucket, a REST endpoint, the receiver and the copier. Each side's account pays for what runs there; the
 * source pays the egress of the objects.
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
  /** Where the sender posts; it answers only the allowlist. */
  readonly receiverUrl: pulumi.Output<string>;
  /** Absent with `buffer: none`. */
  readonly queueUrl?: pulumi.Output<string>;
  /** Keys that were given up, each with its reason. */
  readonly deadLetterQueueUrl: pulumi.Output<string>;
  readonly senderFunctionName: pulumi.Output<string>;
  readonly receiverFunctionName: pulumi.Output<string>;
  readonly copierFunctionName: pulumi.Output<string>;
  /** An adopted source only: JSON to merge into the bucket's notification configuration. */
  readonly requiredNotification?: pulumi.Output<string>;
  /** For each side with a `kmsKeyArn`: a JSON statement that its key policy needs. */
  readonly kmsKeyPolicyStatements: { source?: pulumi.Output<string>; destination?: pulumi.Output<string> };
  /** What an operator should know about this configuration; also shown as warnings while deploying. */
  readonly notices: string[];
  /** All of the above that this bridge has, for a program to export as it is. */
  readonly outputs: Readonly<Record<string, pulumi.Input<unknown>>>;

  /** @throws ConfigInvalid when the arguments do not fit together, with every problem at once. */
  constructor(name: string, args: CrossBorderBridgeArgs, opts?: pulumi.ComponentResourceOptions) {
    super("crossborder:index:CrossBorderBridge", name, {}, opts);
    const config = validate(name, args);
    this.notices = noticesOf(config);
    for (const notice of this.notices) void pulumi.log.warn(notice, this);

    const context = contextOf(this, name, args, config);
    const source = PLATFORMS[config.source.cloud].createSource({ ...context, provider: args.source.provider });
    const destination = PLATFORMS[config.destination.cloud].createDestination({
      ...context,
      provider: args.destination.provider,
    });
    const receiver = destination.createReceiver({
      allowedSources: source.store.allowedSources,
      allowedCidrs: [...config.allowedCidrs.map((cidr) => pulumi.output(cidr)), ...(source.egress?.cidrs ?? [])],
    });
    const trigger = source.createTrigger(receiver);

    this.sourceBucket = source.store.bucketName;
    this.destinationBucket = destination.store.bucketName;
    this.receiverUrl = receiver.url;
    this.receiverFunctionName = receiver.receiverFunctionName;
    this.copierFunctionName = receiver.copierFunctionName;
    this.senderFunctionName = trigger.senderFunctionName;
    this.deadLetterQueueUrl = trigger.deadLetterQueueUrl;
    if (trigger.queueUrl !== undefined) this.queueUrl = trigger.queueUrl;
    if (trigger.requiredNotification !== undefined) this.requiredNotification = trigger.requiredNotification;
    this.kmsKeyPolicyStatements = {
      ...(trigger.kmsKeyStatement === undefined ? {} : { source: trigger.kmsKeyStatement }),
      ...(receiver.kmsKeyStatement === undefined ? {} : { destination: receiver.kmsKeyStatement }),
    };
    this.outputs = definedOnly({
      sourceBucket: this.sourceBucket,
      destinationBucket: this.destinationBucket,
      receiverUrl: this.receiverUrl,
      queueUrl: this.queueUrl,
      deadLetterQueueUrl: this.deadLetterQueueUrl,
      senderFunctionName: this.senderFunctionName,
      receiverFunctionName: this.receiverFunctionName,
      copierFunctionName: this.copierFunctionName,
      requiredNotification: this.requiredNotification,
      kmsKeyPolicyStatements: this.kmsKeyPolicyStatements,
      notices: this.notices,
    });
    this.registerOutputs(this.outputs);
  }
}

/** The plain part of the arguments, checked as the stack's configuration is: values that come later cannot be. */
function validate(name: string, args: CrossBorderBridgeArgs): BridgeConfig {
  const { source, destination, token, alarmTopicArn, transform: _transform, bundles: _bundles, ...settings } = args;
  const { provider: _source, ...plainSource } = source;
  const { provider: _destination, ...plainDestination } = destination;
  return parseBridgeConfig(
    {
      ...settings,
      source: plainSource,
      destination: plainDestination,
      ...(typeof token === "string" ? { token } : {}),
      ...(typeof alarmTopicArn === "string" ? { alarmTopicArn } : {}),
    },
    { stack: name, tokenIsDeferred: token !== undefined && typeof token !== "string" },
  );
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
    transform: args.transform ?? {},
    bundle: (role: Role) => args.bundles?.[role] ?? prebuiltBundle(role),
    ...(args.token === undefined ? {} : { token: pulumi.secret(args.token) }),
    ...(args.alarmTopicArn === undefined ? {} : { alarmTopicArn: args.alarmTopicArn }),
  };
}

/** The engine warns about an exported output that is undefined. */
const definedOnly = (outputs: Record<string, pulumi.Input<unknown>>): Record<string, pulumi.Input<unknown>> =>
  Object.fromEntries(Object.entries(outputs).filter(([, value]) => value !== undefined));
