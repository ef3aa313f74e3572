/** The components of Alibaba Cloud, for one end of a bridge or for both. */
import * as alicloud from "@pulumi/alicloud";
import type * as pulumi from "@pulumi/pulumi";
import {
  assertAccount,
  type BridgeContext,
  type CloudComponents,
  type DestinationSide,
  type NativeBridge,
  type Notified,
  type Prober,
  type ProberArgs,
  type PushBridge,
  type Side,
  type Sides,
  type SourceSide,
} from "../cloud";
import { createContacts } from "./alarm-contacts";
import { AlicloudNative } from "./native";
import { AlicloudProber } from "./prober";
import { AlicloudPush } from "./push";
import { AlicloudReceiver } from "./receiver";
import { AlicloudDestinationStore, AlicloudSourceStore } from "./stores";
import { AlicloudTrigger } from "./trigger";

export const alicloudComponents: CloudComponents = {
  provider: {
    type: "alicloud.Provider",
    isInstance: (provider) => alicloud.Provider.isInstance(provider),
    create: (name, side, { region, profile, accountId }, opts = {}) => {
      const given = { region, ...(profile === undefined ? {} : { profile }) };
      if (accountId === undefined) return new alicloud.Provider(name, given, opts);
      return createVerified(name, given, { side, accountId, opts });
    },
  },
  createNotifications: (context: BridgeContext): Notified => createContacts(context),
  createSource(context: BridgeContext): SourceSide {
    const store = new AlicloudSourceStore(context);
    return { store, createTrigger: (receiver) => new AlicloudTrigger(context, { store, receiver }) };
  },
  createDestination(context: BridgeContext): DestinationSide {
    const store = new AlicloudDestinationStore(context);
    return { store, createReceiver: (args) => new AlicloudReceiver(context, { store, ...args }) };
  },
  createProber: (context: BridgeContext, args: ProberArgs): Prober => new AlicloudProber(context, args),
  createPush: (sides: Sides): PushBridge => new AlicloudPush(sides),
  createNative: (sides: Sides): NativeBridge => new AlicloudNative(sides),
};

/**
 * The provider of Alibaba Cloud cannot check the account by itself. The first provider looks the account up. The second one, which
 * deploys, waits for the result.
 */
function createVerified(
  name: string,
  given: { region: string; profile?: string },
  { side, accountId, opts }: { side: Side; accountId: string; opts: pulumi.ResourceOptions },
): alicloud.Provider {
  const provider = new alicloud.Provider(`${name}-account`, given, opts);
  const found = alicloud.getAccountOutput({ provider }).id;
  const region = found.apply((id) => {
    assertAccount(side, id, accountId);
    return given.region;
  });
  return new alicloud.Provider(name, { ...given, region }, opts);
}
