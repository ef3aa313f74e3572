/** The partition, the account and the service principals of one side, from its provider. None of them is hard-coded. */
import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import type { BridgeContext } from "../cloud";
import type { ProberPart } from "../prober";

/** The roles that have a function in AWS. */
export type AwsRole = "sender" | "receiver" | "copier" | "prober" | "notifier";

export class Account {
  readonly partition: pulumi.Output<string>;
  readonly accountId: pulumi.Output<string>;
  private readonly options: pulumi.InvokeOutputOptions;

  constructor(context: BridgeContext, parent: pulumi.Resource) {
    this.options = { parent, provider: context.provider };
    this.partition = aws.getPartitionOutput({}, this.options).partition;
    this.accountId = aws.getCallerIdentityOutput({}, this.options).accountId;
  }

  /** The principal of a service, as roles and policies name it. */
  service(serviceName: "lambda" | "s3" | "apigateway" | "events" | "sns", region: string): pulumi.Output<string> {
    return aws.getServicePrincipalOutput({ serviceName, region }, this.options).name;
  }
}

/**
 * Physical names are fixed, not generated: an operator finds every resource of a bridge by its id, and a policy can name a
 * function before it exists. Deploying two bridges with one id in one account fails.
 */
export const physicalName = (
  bridgeId: string,
  part: AwsRole | ProberPart | "alarms" | "dead-letters" | "invoker" | "outage" | "queue" | "tick" | "undelivered-alarms",
): string => `crossborderbridge-${bridgeId}-${part}`;

export const parameterName = (
  bridgeId: string,
  side: "source" | "destination",
  secret: "token" | "invoker" | "webhook",
): string => `/crossborderbridge/${bridgeId}/${side}/${secret}`;
