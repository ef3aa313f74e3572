/** What the provider of one side knows about where it deploys. No account is ever written down. */
import * as alicloud from "@pulumi/alicloud";
import type * as pulumi from "@pulumi/pulumi";
import type { BridgeContext } from "../platform";
import type { Place } from "./names";

export const accountIdOf = (context: BridgeContext, parent: pulumi.Resource): pulumi.Output<string> =>
  alicloud.getAccountOutput({ parent, provider: context.provider }).id;

export function placeOf(context: BridgeContext, side: "source" | "destination", parent: pulumi.Resource): pulumi.Output<Place> {
  const { region } = context.config[side];
  return accountIdOf(context, parent).apply((accountId) => ({ accountId, region }));
}
