/** The signing secrets at one side: the operator's parameter, or one made from the stack's secret. */
import * as alicloud from "@pulumi/alicloud";
import * as pulumi from "@pulumi/pulumi";
import type { BridgeContext } from "../platform";
import { make } from "../transforms";
import { type Place, secretArns, secretName } from "./names";
import type { SecretArns } from "./policies";

export interface SecretParameter {
  name: string;
  arns: pulumi.Output<SecretArns>;
  /** Empty for a parameter of the operator's. */
  dependsOn: pulumi.Resource[];
}

export type SecretArgs = {
  place: pulumi.Output<Place>;
  value: pulumi.Output<string>;
  description: string;
} & ({ side: "source" | "destination"; secret: "token" } | { side: "source"; secret: "invoker" });

/** A secret parameter of OOS that this bridge owns. */
export function createSecret(context: BridgeContext, parent: pulumi.Resource, args: SecretArgs): SecretParameter {
  const name = secretName(context.config.name, args.side, args.secret);
  const hook = args.secret === "invoker" ? "sourceInvoker" : args.side === "source" ? "sourceToken" : "destinationToken";
  const parameter = make(
    alicloud.oos.SecretParameter,
    `${context.name}-${args.side}-${args.secret}`,
    { secretParameterName: name, type: "Secret", value: pulumi.secret(args.value), description: args.description },
    { parent, provider: context.provider },
    context.transform.alicloud?.[hook],
  );
  return { name, arns: args.place.apply((place) => secretArns(place, name)), dependsOn: [parameter] };
}

export function tokenAt(
  context: BridgeContext,
  parent: pulumi.Resource,
  side: "source" | "destination",
  place: pulumi.Output<Place>,
): SecretParameter {
  const { config, token } = context;
  if (token !== undefined)
    return createSecret(context, parent, {
      side,
      secret: "token",
      place,
      value: token,
      description: `Signing secrets of bridge ${config.name}, newest first`,
    });
  const name = config.auth.tokenParameter;
  if (name === undefined) throw new Error(`bridge ${config.name} has neither a token nor auth.tokenParameter`);
  return { name, arns: place.apply((where) => secretArns(where, name)), dependsOn: [] };
}
