/** The signing secrets at one side: in the operator's parameter, or in one that the bridge creates from the stack's secret. */
import * as alicloud from "@pulumi/alicloud";
import * as pulumi from "@pulumi/pulumi";
import { type BridgeContext, type SecretArgs, signingSecrets } from "../cloud";
import { type Place, secretArns, secretName } from "./names";
import type { SecretArns } from "./policies";

export interface SecretParameter {
  name: pulumi.Output<string>;
  arns: pulumi.Output<SecretArns>;
  /** Empty for the operator's own parameter. */
  dependsOn: pulumi.Resource[];
}

/** Creates a secret parameter of OOS. */
export function createSecret(
  context: BridgeContext,
  parent: pulumi.Resource,
  args: SecretArgs & { place: pulumi.Output<Place> },
): SecretParameter {
  const name = secretName(context.config.name, args.side, args.secret);
  const parameter = new alicloud.oos.SecretParameter(
    `${context.name}-${args.side}-${args.secret}`,
    { secretParameterName: name, type: "Secret", value: pulumi.secret(args.value), description: args.description },
    { parent, provider: context.provider },
  );
  return { name: pulumi.output(name), arns: args.place.apply((place) => secretArns(place, name)), dependsOn: [parameter] };
}

export function tokenAt(
  context: BridgeContext,
  parent: pulumi.Resource,
  side: "source" | "destination",
  place: pulumi.Output<Place>,
): SecretParameter {
  return signingSecrets(context, side, {
    create: (args) => createSecret(context, parent, { ...args, place }),
    existing: (name) => ({
      name,
      arns: pulumi.all([place, name]).apply(([where, known]) => secretArns(where, known)),
      dependsOn: [],
    }),
  });
}
