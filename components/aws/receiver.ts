/** The endpoint at the destination: a regional REST API, the receiver function, and the copier that it starts. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { controlPrefix } from "../../runtime/protocol/control";
import type { AllowedSources } from "../../runtime/protocol/env";
import { type BridgeContext, type Receiver, receiverSettings } from "../cloud";
import { Account, physicalName } from "./account";
import { Copier } from "./copier";
import { createDestinationDashboard } from "./dashboard";
import { Endpoint } from "./endpoint";
import { BridgeFunction } from "./function";
import { invokerPolicy, kmsKeyStatement, receiverPolicy } from "./policies";
import { warnOfQuota } from "./quota";
import { type AwsDestinationStore, storeConfig } from "./stores";
import { type SecretParameter, tokenAt } from "./token";

/** The receiver streams objects. More memory mostly brings more network and CPU for checksums. */
const MEMORY_MB = 1024;

export interface AwsReceiverArgs {
  store: AwsDestinationStore;
  allowedSources: pulumi.Output<AllowedSources>;
  allowedCidrs: pulumi.Output<string[]>;
}

/** `crossborder:aws:Receiver` */
export class AwsReceiver extends pulumi.ComponentResource implements Receiver {
  readonly url: pulumi.Output<string>;
  readonly receiverFunctionName: pulumi.Output<string>;
  readonly copierFunctionName: pulumi.Output<string>;
  readonly dashboardUrl: pulumi.Output<string> | undefined;
  readonly invokerCredentials?: pulumi.Output<string>;
  readonly kmsKeyStatement?: pulumi.Output<string>;

  constructor(context: BridgeContext, args: AwsReceiverArgs) {
    const name = `${context.name}-receiver`;
    super("crossborder:aws:Receiver", name, {}, { parent: context.parent });
    const { config } = context;
    const account = new Account(context, this);
    const token = tokenAt(context, this, "destination", account);
    const copier = new Copier(context, { account, store: args.store, allowedSources: args.allowedSources, parent: this });
    const receiver = this.createFunction(name, context, { ...args, account, token, copier });
    const invoker = config.auth.kind === "iam" ? this.createInvoker(name, context) : undefined;
    const endpoint = new Endpoint(`${name}-endpoint`, {
      context,
      account,
      function: receiver.function,
      allowedCidrs: args.allowedCidrs,
      invokerArn: invoker?.user.arn,
      parent: this,
    });
    if (invoker !== undefined) {
      new aws.iam.UserPolicy(
        `${name}-invoker-policy`,
        {
          name: "invoke-receiver",
          user: invoker.user.name,
          policy: endpoint.methodArn.apply((arn) => JSON.stringify(invokerPolicy(arn))),
        },
        { parent: this, provider: context.provider },
      );
      this.invokerCredentials = invoker.credentials;
    }
    const { kmsKeyArn } = config.destination;
    if (kmsKeyArn !== undefined)
      this.kmsKeyStatement = pulumi
        .all([kmsKeyArn, receiver.roleArn, copier.roleArn])
        .apply(([key, ...roles]) =>
          JSON.stringify(kmsKeyStatement("CrossBorderBridgeWrites", key, roles, ["kms:GenerateDataKey", "kms:Decrypt"])),
        );
    warnOfQuota(context, this, "destination");
    this.url = endpoint.url;
    this.receiverFunctionName = receiver.functionName;
    this.copierFunctionName = copier.functionName;
    this.dashboardUrl = createDestinationDashboard(context, this, this);
    this.registerOutputs({
      url: this.url,
      receiverFunctionName: this.receiverFunctionName,
      copierFunctionName: this.copierFunctionName,
    });
  }

  private createFunction(
    name: string,
    context: BridgeContext,
    parts: AwsReceiverArgs & { account: Account; token: SecretParameter; copier: Copier },
  ): BridgeFunction<"receiver"> {
    const { config } = context;
    const { store, token, copier } = parts;
    return new BridgeFunction(
      name,
      {
        context,
        account: parts.account,
        role: "receiver",
        region: config.destination.region,
        memoryMb: MEMORY_MB,
        timeoutSeconds: config.timeouts.receiverSeconds,
        description: `Receives notices for bridge ${config.name}`,
        policy: pulumi
          .all([store.bucket.arn, copier.functionArn, token.arn, config.destination.kmsKeyArn])
          .apply(([bucketArn, copierArn, tokenArn, kmsKeyArn]) =>
            receiverPolicy({
              bucketArn,
              prefix: config.destination.prefix,
              controlPrefix: controlPrefix(config.name),
              kmsKeyArn,
              deletes: config.deletes,
              copierArn,
              parameterArns: [tokenArn],
            }),
          ),
        config: pulumi
          .all([context.resolved, token.name, store.bucketName, parts.allowedSources, copier.functionName])
          .apply(([settings, tokenName, bucket, allowedSources, copierFunctionName]) => ({
            ...receiverSettings(settings, { token: tokenName, copierFunctionName }),
            destination: storeConfig(settings, "destination", bucket),
            allowedSources,
            // The endpoint's own policy contains the allowlist.
            allowedCidrs: [],
          })),
      },
      { parent: this },
    );
  }

  /** Creates a user whose key leaves the destination's partition. The key may only call the endpoint's one method. */
  private createInvoker(name: string, context: BridgeContext): { user: aws.iam.User; credentials: pulumi.Output<string> } {
    const child = { parent: this, provider: context.provider };
    const user = new aws.iam.User(`${name}-invoker`, { name: physicalName(context.config.name, "invoker") }, child);
    const key = new aws.iam.AccessKey(`${name}-invoker-key`, { user: user.name }, child);
    const credentials = pulumi.secret(
      pulumi
        .all([key.id, key.secret])
        .apply(([accessKeyId, secretAccessKey]) => JSON.stringify({ accessKeyId, secretAccessKey })),
    );
    return { user, credentials };
  }
}
