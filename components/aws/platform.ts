/** AWS as one end of a bridge, in either partition: the provider decides which. */
import * as aws from "@pulumi/aws";
import type { BridgeContext, DestinationSide, NativeBridge, Platform, Prober, ProberArgs, Sides, SourceSide } from "../platform";
import { AwsDestinationStore } from "./destination-store";
import { createNative } from "./native/bridge";
import { AwsProber } from "./prober";
import { AwsReceiver } from "./receiver";
import { AwsSourceStore } from "./source-store";
import { StaticEgress } from "./static-egress";
import { AwsTrigger } from "./trigger";

export const awsPlatform: Platform = {
  provider: { type: "aws.Provider", isInstance: (provider) => aws.Provider.isInstance(provider) },
  createSource(context: BridgeContext): SourceSide {
    const store = new AwsSourceStore(context);
    const egress = context.config.egress === "static" ? { egress: new StaticEgress(context) } : {};
    return { store, ...egress, createTrigger: (receiver) => new AwsTrigger(context, { store, receiver, ...egress }) };
  },
  createDestination(context: BridgeContext): DestinationSide {
    const store = new AwsDestinationStore(context);
    return { store, createReceiver: (args) => new AwsReceiver(context, { store, ...args }) };
  },
  createProber: (context: BridgeContext, args: ProberArgs): Prober => new AwsProber(context, args),
  createNative: (sides: Sides): NativeBridge => createNative(sides),
};
