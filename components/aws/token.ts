/** The signing secrets at one side: in the operator's parameter, or in one that the bridge creates from the stack's secret. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { type BridgeContext, type SecretArgs, signingSecrets } from "../cloud";
import { parameterName } from "./account";

export interface SecretParameter {
  name: pulumi.Output<string>;
  arn: pulumi.Output<string>;
}

export function parameterArn(partition: string, region: string, accountId: string, name: string): string {
  return `arn:${partition}:ssm:${region}:${accountId}:parameter/${name.replace(/^\//, "")}`;
}

/** Creates a SecureString. */
export function createSecret(context: BridgeContext, parent: pulumi.Resource, args: SecretArgs): SecretParameter {
  const name = parameterName(context.config.name, args.side, args.secret);
  const parameter = new aws.ssm.Parameter(
    `${context.name}-${args.side}-${args.secret}`,
    { name, type: "SecureString", value: pulumi.secret(args.value), description: args.description },
    { parent, provider: context.provider },
  );
  return { name: pulumi.output(name), arn: parameter.arn };
}

export function tokenAt(
  context: BridgeContext,
  parent: pulumi.Resource,
  side: "source" | "destination",
  account: { partition: pulumi.Output<string>; accountId: pulumi.Output<string> },
): SecretParameter {
  return signingSecrets(context, side, {
    create: (args) => createSecret(context, parent, args),
    existing: (name) => ({
      name,
      arn: pulumi
        .all([account.partition, account.accountId, name])
        .apply(([partition, accountId, known]) => parameterArn(partition, context.config[side].region, accountId, known)),
    }),
  });
}
