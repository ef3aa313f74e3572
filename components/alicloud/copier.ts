/** The copier of mode `pull`: a function for long copies, which the receiver starts. */
import * as alicloud from "@pulumi/alicloud";
import * as pulumi from "@pulumi/pulumi";
import type { AllowedSources } from "../../runtime/protocol/env";
import { type BridgeContext, identity } from "../cloud";
import { COPIER_EVENT_AGE_SECONDS } from "../config";
import type { ControlBucket } from "./control-bucket";
import { BridgeFunction, REPLACED_WHOLE } from "./function";
import type { Logs } from "./logs";
import { copierPolicy } from "./policies";
import { type AlicloudDestinationStore, destinationPolicyArgs, destinationSettings } from "./stores";

/** `crossborder:alicloud:Copier` */
export class Copier extends pulumi.ComponentResource {
  readonly functionArn: pulumi.Output<string>;
  readonly functionName: pulumi.Output<string>;
  readonly ready: pulumi.Resource[];

  constructor(
    context: BridgeContext,
    args: {
      store: AlicloudDestinationStore;
      control: ControlBucket;
      logs: Logs;
      allowedSources: pulumi.Output<AllowedSources>;
      parent: pulumi.Resource;
    },
  ) {
    const name = `${context.name}-copier`;
    super("crossborder:alicloud:Copier", name, {}, { parent: args.parent });
    const { config } = context;
    const copier = new BridgeFunction(
      name,
      {
        context,
        role: "copier",
        logs: args.logs,
        memoryMb: config.copy.memoryMb,
        timeoutSeconds: config.copy.timeoutSeconds,
        // The receiver starts no more copies than this. Otherwise a backfill would take all instances of the account.
        instances: config.copy.concurrency,
        description: `Copies large objects for bridge ${config.name}`,
        policy: destinationPolicyArgs(context, args).apply(copierPolicy),
        config: pulumi
          .all([context.resolved, destinationSettings(context, args), args.allowedSources])
          .apply(([settings, destination, allowedSources]) => ({
            ...identity(settings),
            ...destination,
            allowedSources,
            timeoutSeconds: config.copy.timeoutSeconds,
            partSizeBytes: config.copy.partSizeBytes,
            partsAtOnce: config.copy.partsAtOnce,
          })),
        dependsOn: args.control.settled,
      },
      { parent: this },
    );
    // The sender asks again until the object is there. A start that Function Compute repeats or delays would outlive its lease.
    const invocations = new alicloud.fc.V3AsyncInvokeConfig(
      `${name}-invocations`,
      { functionName: copier.functionName, maxAsyncRetryAttempts: 0, maxAsyncEventAgeInSeconds: COPIER_EVENT_AGE_SECONDS },
      { parent: this, provider: context.provider, ...REPLACED_WHOLE },
    );
    this.functionArn = copier.functionArn;
    this.functionName = copier.functionName;
    this.ready = [invocations, ...copier.ready];
    this.registerOutputs({ functionName: this.functionName });
  }
}
