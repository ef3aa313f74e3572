/** Alibaba Cloud as one end of a bridge, or as both. */
import * as alicloud from "@pulumi/alicloud";
import type {
  BridgeContext,
  DestinationSide,
  NativeBridge,
  Platform,
  Prober,
  ProberArgs,
  PushBridge,
  Sides,
  SourceSide,
} from "../platform";
import { AlicloudDestinationStore } from "./destination-store";
import { AlicloudNative } from "./native";
import { AlicloudProber } from "./prober";
import { AlicloudPush } from "./push";
import { AlicloudReceiver } from "./receiver";
import { AlicloudSourceStore } from "./source-store";
import { AlicloudTrigger } from "./trigger";

export const alicloudPlatform: Platform = {
  provider: { type: "alicloud.Provider", isInstance: (provider) => alicloud.Provider.isInstance(provider) },
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
