/** The signing secrets at one side: the operator's parameter, or one made from the stack's secret. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { BridgeContext } from "../platform";
import { make } from "../transforms";
import { parameterName } from "./account";

export interface SecretParameter {
  name: string;
  arn: pulumi.Output<string>;
}

export function parameterArn(partition: string, region: string, accountId: string, name: string): string {
  return `arn:${partition}:ssm:${region}:${accountId}:parameter/${name.replace(/^\//, "")}`;
}

export type SecretArgs = {
  value: pulumi.Output<string>;
  description: string;
} & ({ side: "source" | "destination"; secret: "token" } | { side: "source"; secret: "invoker" });

/** A SecureString that this bridge owns. */
export function createSecret(context: BridgeContext, parent: pulumi.Resource, args: SecretArgs): SecretParameter {
  const name = parameterName(context.config.name, args.side, args.secret);
  const hook = args.secret === "invoker" ? "sourceInvoker" : args.side === "source" ? "sourceToken" : "destinationToken";
  const parameter = make(
    aws.ssm.Parameter,
    `${context.name}-${args.side}-${args.secret}`,
    { name, type: "SecureString", value: pulumi.secret(args.value), description: args.description },
    { parent, provider: context.provider },
    context.transform.secrets?.[hook],
  );
  return { name, arn: parameter.arn };
}

export function tokenAt(
  context: BridgeContext,
  parent: pulumi.Resource,
  side: "source" | "destination",
  account: { partition: pulumi.Output<string>; accountId: pulumi.Output<string> },
): SecretParameter {
  const { config, token } = context;
  if (token !== undefined)
    return createSecret(context, parent, {
      side,
      secret: "token",
      value: token,
      description: `Signing secrets of bridge ${config.name}, newest first`,
    });
  const name = config.auth.tokenParameter;
  if (name === undefined) throw new Error(`bridge ${config.name} has neither a token nor auth.tokenParameter`);
  const arn = pulumi
    .all([account.partition, account.accountId])
    .apply(([partition, accountId]) => parameterArn(partition, config[side].region, accountId, name));
  return { name, arn };
}
