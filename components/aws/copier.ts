/** The copier: a function for long copies of up to 15 minutes, which the receiver starts. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { controlPrefix } from "../../runtime/protocol/control";
import type { AllowedSources } from "../../runtime/protocol/env";
import { type BridgeContext, identity } from "../cloud";
import { COPIER_EVENT_AGE_SECONDS } from "../config";
import type { Account } from "./account";
import { BridgeFunction } from "./function";
import { copierPolicy } from "./policies";
import { type AwsDestinationStore, storeConfig } from "./stores";

/** `crossborder:aws:Copier` */
export class Copier extends pulumi.ComponentResource {
  readonly functionArn: pulumi.Output<string>;
  readonly functionName: pulumi.Output<string>;
  readonly roleArn: pulumi.Output<string>;

  constructor(
    context: BridgeContext,
    args: {
      account: Account;
      store: AwsDestinationStore;
      allowedSources: pulumi.Output<AllowedSources>;
      parent: pulumi.Resource;
    },
  ) {
    const name = `${context.name}-copier`;
    super("crossborder:aws:Copier", name, {}, { parent: args.parent });
    const { config } = context;
    const { store } = args;
    const copier = new BridgeFunction(
      name,
      {
        context,
        account: args.account,
        role: "copier",
        region: config.destination.region,
        memoryMb: config.copy.memoryMb,
        timeoutSeconds: config.copy.timeoutSeconds,
        description: `Copies large objects for bridge ${config.name}`,
        policy: pulumi.all([store.bucket.arn, config.destination.kmsKeyArn]).apply(([bucketArn, kmsKeyArn]) =>
          copierPolicy({
            bucketArn,
            prefix: config.destination.prefix,
            controlPrefix: controlPrefix(config.name),
            kmsKeyArn,
          }),
        ),
        config: pulumi
          .all([context.resolved, store.bucketName, args.allowedSources])
          .apply(([settings, bucket, allowedSources]) => ({
            ...identity(settings),
            destination: storeConfig(settings, "destination", bucket),
            destinationPrefix: config.destination.prefix,
            allowedSources,
            timeoutSeconds: config.copy.timeoutSeconds,
            partSizeBytes: config.copy.partSizeBytes,
            partsAtOnce: config.copy.partsAtOnce,
          })),
      },
      { parent: this },
    );
    // The sender asks again until the object is there. A start that Lambda repeats or delays would outlive its lease.
    new aws.lambda.FunctionEventInvokeConfig(
      `${name}-invocations`,
      {
        functionName: copier.functionName,
        maximumRetryAttempts: 0,
        maximumEventAgeInSeconds: COPIER_EVENT_AGE_SECONDS,
      },
      { parent: this, provider: context.provider },
    );
    this.functionArn = copier.function.arn;
    this.functionName = copier.functionName;
    this.roleArn = copier.roleArn;
    this.registerOutputs({ functionName: this.functionName });
  }
}
