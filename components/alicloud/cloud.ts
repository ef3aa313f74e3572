/** The components of Alibaba Cloud, for one end of a bridge or for both. */
import * as alicloud from "@pulumi/alicloud";
import {
  assertAccount,
  type BridgeContext,
  type CloudComponents,
  type DestinationSide,
  type NativeBridge,
  type Prober,
  type ProberArgs,
  type PushBridge,
  type Side,
  type Sides,
  type SourceSide,
} from "../cloud";
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
    create: (side, { region, profile, accountId }) => {
      const given = { region, ...(profile === undefined ? {} : { profile }) };
      return accountId === undefined ? new alicloud.Provider(side, given) : createVerified(side, given, accountId);
    },
  },
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
function createVerified(side: Side, given: { region: string; profile?: string }, accountId: string): alicloud.Provider {
  const provider = new alicloud.Provider(`${side}-account`, given);
  const found = alicloud.getAccountOutput({ provider }).id;
  return new alicloud.Provider(side, {
    ...given,
    region: found.apply((id) => {
      assertAccount(side, id, accountId);
      return given.region;
    }),
  });
}
