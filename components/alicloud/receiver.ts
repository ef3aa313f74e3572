/** The endpoint at an OSS destination: an HTTP trigger, the receiver function, and the copier that it starts. */
import * as alicloud from "@pulumi/alicloud";
import * as pulumi from "@pulumi/pulumi";
import type { AllowedSources } from "../../runtime/protocol/env";
import { type BridgeContext, type Receiver, receiverSettings } from "../cloud";
import type { BridgeConfig } from "../config";
import { receiverInstances } from "../config/defaults";
import { ControlBucket } from "./control-bucket";
import { Copier } from "./copier";
import { BridgeFunction, REPLACED_WHOLE } from "./function";
import { Logs } from "./logs";
import { physicalName } from "./names";
import { receiverPolicy } from "./policies";
import { type AlicloudDestinationStore, destinationPolicyArgs, destinationSettings } from "./stores";
import { type SecretParameter, tokenAt } from "./token";

/** The receiver streams objects. More memory mostly brings more network and CPU for checksums. */
const MEMORY_MB = 1024;
/** The minimum of Function Compute. */
const SHORTEST_EVENT_AGE_SECONDS = 1;
/** The trigger is anonymous. The function checks address, signature and rate, and limits failed signatures. */
const HTTP_TRIGGER_CONFIG = { authType: "anonymous", methods: ["POST"], disableURLInternet: false };

export interface AlicloudReceiverArgs {
  store: AlicloudDestinationStore;
  allowedSources: pulumi.Output<AllowedSources>;
  allowedCidrs: pulumi.Output<string[]>;
}

interface Parts extends AlicloudReceiverArgs {
  logs: Logs;
  control: ControlBucket;
  token: SecretParameter;
  copier: Copier;
}

/** `crossborder:alicloud:Receiver` */
export class AlicloudReceiver extends pulumi.ComponentResource implements Receiver {
  readonly url: pulumi.Output<string>;
  readonly receiverFunctionName: pulumi.Output<string>;
  readonly copierFunctionName: pulumi.Output<string>;

  constructor(context: BridgeContext, args: AlicloudReceiverArgs) {
    const name = `${context.name}-receiver`;
    super("crossborder:alicloud:Receiver", name, {}, { parent: context.parent });
    const { store } = args;
    const { place } = store;
    const logs = new Logs(context, { side: "destination", place, parent: this });
    const control = new ControlBucket(context, { side: "destination", place, parent: this });
    const token = tokenAt(context, this, "destination", place);
    const copier = new Copier(context, { store, control, logs, allowedSources: args.allowedSources, parent: this });
    const receiver = this.createFunction(name, context, { ...args, logs, control, token, copier });
    // A caller of the anonymous trigger may ask for an asynchronous invocation, which Function Compute accepts before the function checks it.
    // No sender does. Nothing is repeated, and what cannot run at once is dropped.
    const invocations = new alicloud.fc.V3AsyncInvokeConfig(
      `${name}-invocations`,
      { functionName: receiver.functionName, maxAsyncRetryAttempts: 0, maxAsyncEventAgeInSeconds: SHORTEST_EVENT_AGE_SECONDS },
      { parent: this, provider: context.provider, ...REPLACED_WHOLE },
    );
    const endpoint = new alicloud.fc.V3Trigger(
      `${name}-endpoint`,
      {
        functionName: receiver.functionName,
        triggerName: physicalName(context.config.name, "receiver"),
        triggerType: "http",
        qualifier: "LATEST",
        triggerConfig: JSON.stringify(HTTP_TRIGGER_CONFIG),
      },
      // The URL exists only after the number of instances and the asynchronous invocations are limited.
      { parent: this, provider: context.provider, dependsOn: [invocations, ...receiver.ready] },
    );
    this.url = endpoint.httpTrigger.urlInternet;
    this.receiverFunctionName = receiver.functionName;
    this.copierFunctionName = copier.functionName;
    this.registerOutputs({
      url: this.url,
      receiverFunctionName: this.receiverFunctionName,
      copierFunctionName: this.copierFunctionName,
    });
  }

  private createFunction(name: string, context: BridgeContext, parts: Parts): BridgeFunction<"receiver"> {
    const { config } = context;
    const { store, control, token, copier } = parts;
    const { instances, ...rateLimit } = instanceRate(config);
    return new BridgeFunction(
      name,
      {
        context,
        role: "receiver",
        logs: parts.logs,
        memoryMb: MEMORY_MB,
        timeoutSeconds: config.timeouts.receiverSeconds,
        description: `Receives notices for bridge ${config.name}`,
        instances,
        policy: pulumi
          .all([destinationPolicyArgs(context, { store, control }), copier.functionArn, token.arns])
          .apply(([destination, copierArn, arns]) =>
            receiverPolicy({ ...destination, deletes: config.deletes, copierArn, secrets: [arns] }),
          ),
        config: pulumi
          .all([
            context.resolved,
            token.name,
            destinationSettings(context, { store, control }),
            parts.allowedSources,
            copier.functionName,
            parts.allowedCidrs,
          ])
          .apply(([settings, tokenName, destination, allowedSources, copierFunctionName, allowedCidrs]) => ({
            ...receiverSettings(settings, { token: tokenName, copierFunctionName }),
            ...destination,
            allowedSources,
            // An HTTP trigger has no allowlist and no rate limit, so the function checks both.
            allowedCidrs,
            rateLimit,
          })),
        dependsOn: [...control.settled, ...token.dependsOn, ...copier.ready],
      },
      { parent: this },
    );
  }
}

/** Each instance counts its own requests, so the configured rate is divided by the maximum of instances. */
export function instanceRate(config: Pick<BridgeConfig, "concurrency" | "rateLimit">): {
  instances: number;
  requestsPerSecond: number;
  burst: number;
} {
  const { rateLimit } = config;
  const instances = receiverInstances(config);
  return { instances, requestsPerSecond: rateLimit.requestsPerSecond / instances, burst: rateLimit.burst / instances };
}
