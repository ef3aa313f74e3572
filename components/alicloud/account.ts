/** What the provider of one side knows about where it deploys. No account is ever written down. */
import * as alicloud from "@pulumi/alicloud";
import type * as pulumi from "@pulumi/pulumi";
import type { BridgeContext } from "../platform";
import type { Place } from "./names";

export function placeOf(context: BridgeContext, side: "source" | "destination", parent: pulumi.Resource): pulumi.Output<Place> {
  const { region } = context.config[side];
  const { id } = alicloud.getAccountOutput({ parent, provider: context.provider });
  return id.apply((accountId) => ({ accountId, region }));
}
