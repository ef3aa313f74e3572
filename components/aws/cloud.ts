/** The components of AWS, for one end of a bridge. The provider determines the partition. */
import * as aws from "@pulumi/aws";
import type {
  BridgeContext,
  CloudComponents,
  DestinationSide,
  NativeBridge,
  Notified,
  Prober,
  ProberArgs,
  Sides,
  SourceSide,
} from "../cloud";
import { AlarmTopic } from "./alarm-topic";
import { createNative } from "./native/bridge";
import { AwsProber } from "./prober";
import { AwsReceiver } from "./receiver";
import { StaticEgress } from "./static-egress";
import { AwsDestinationStore, AwsSourceStore } from "./stores";
import { AwsTrigger } from "./trigger";

export const awsComponents: CloudComponents = {
  provider: {
    type: "aws.Provider",
    isInstance: (provider) => aws.Provider.isInstance(provider),
    // No default tags: they would also apply to event source mappings, which accept none in AWS China.
    create: (name, _side, { region, profile, accountId }, opts) =>
      new aws.Provider(
        name,
        {
          region,
          ...(profile === undefined ? {} : { profile }),
          ...(accountId === undefined ? {} : { allowedAccountIds: [accountId] }),
        },
        opts,
      ),
  },
  createNotifications(context: BridgeContext): Notified {
    const isHeard = context.config.alarmEmails.length > 0 || context.webhook !== undefined;
    return isHeard ? { alarmTopicArn: new AlarmTopic(context).topicArn } : {};
  },
  createSource(context: BridgeContext): SourceSide {
    const store = new AwsSourceStore(context);
    const egress = context.config.egress === "static" ? new StaticEgress(context) : undefined;
    return { store, egress, createTrigger: (receiver) => new AwsTrigger(context, { store, receiver, egress }) };
  },
  createDestination(context: BridgeContext): DestinationSide {
    const store = new AwsDestinationStore(context);
    return { store, createReceiver: (args) => new AwsReceiver(context, { store, ...args }) };
  },
  createProber: (context: BridgeContext, args: ProberArgs): Prober => new AwsProber(context, args),
  createNative: (sides: Sides): NativeBridge => createNative(sides),
};
