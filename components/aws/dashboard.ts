/** The dashboard of a bridge in CloudWatch. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { runbookOf } from "../alarm-text";
import type { BridgeContext, Receiver, Side } from "../cloud";
import { dutiesOf, inSourceAccount } from "../prober";
import { type DashboardFacts, dashboardBody } from "./dashboard-body";
import type { Queues } from "./queues";

const CONSOLES = { aws: "console.aws.amazon.com", "aws-cn": "console.amazonaws.cn" } as const;

type Functions = Pick<Receiver, "receiverFunctionName" | "copierFunctionName">;

export interface SourceDashboardArgs {
  senderFunctionName: pulumi.Output<string>;
  queues: Queues;
  alarmArns: pulumi.Output<string>[];
  /** Functions at the destination, which may be in another cloud. */
  receiver: Functions;
}

/** At the source. Shows the destination too where the same account can read its metrics. Returns the address, if the bridge has dashboards. */
export function createSourceDashboard(
  context: BridgeContext,
  parent: pulumi.Resource,
  { senderFunctionName, queues, alarmArns, receiver }: SourceDashboardArgs,
): pulumi.Output<string> | undefined {
  const { config } = context;
  const names = pulumi.output({ work: queues.work.name, outage: queues.outage.name, deadLetters: queues.deadLetters.name });
  const source = pulumi
    .all([senderFunctionName, names])
    .apply(([name, queueNames]) => ({ region: config.source.region, senderFunctionName: name, queueNames }));
  const destination = inSourceAccount(config, "destination") ? destinationFacts(context, receiver) : undefined;
  return createDashboard(context, parent, "source", { alarmArns: pulumi.all(alarmArns), source, destination });
}

/** At a destination whose metrics the source's account cannot read. */
export function createDestinationDashboard(
  context: BridgeContext,
  parent: pulumi.Resource,
  receiver: Functions,
): pulumi.Output<string> | undefined {
  if (inSourceAccount(context.config, "destination")) return undefined;
  const destination = destinationFacts(context, receiver);
  return createDashboard(context, parent, "destination", { alarmArns: [], destination });
}

const destinationFacts = ({ config }: BridgeContext, { receiverFunctionName, copierFunctionName }: Functions) =>
  pulumi.all([receiverFunctionName, copierFunctionName]).apply(([receiver, copier]) => ({
    ...{ region: config.destination.region, receiverFunctionName: receiver, copierFunctionName: copier },
  }));

type Shown = {
  [Key in "alarmArns" | "source" | "destination" | "replications"]?:
    | pulumi.Input<Exclude<DashboardFacts[Key], undefined>>
    | undefined;
};

/** Returns the address, if the bridge has dashboards. */
export function createDashboard(
  context: BridgeContext,
  parent: pulumi.Resource,
  side: Side,
  { alarmArns: alarms = [], source, destination, replications }: Shown,
): pulumi.Output<string> | undefined {
  const { config, provider } = context;
  if (!config.dashboard) return undefined;
  const { cloud, region } = config[side];
  const sides: Side[] = side === "source" && inSourceAccount(config, "destination") ? ["source", "destination"] : [side];
  const known = {
    bridge: config.name,
    runbook: runbookOf(config),
    watchers:
      config.probe.everyMinutes === 0
        ? []
        : sides.filter((one) => dutiesOf(config, one).watches).map((one) => ({ side: one, region: config[one].region })),
  };
  const way = pulumi.interpolate`From ${storeName(config.source)} to ${storeName(config.destination)}`;
  // A dashboard's name is unique in all regions of an account.
  const dashboardName = `crossborderbridge-${config.name}${side === "source" ? "" : "-destination"}`;
  const dashboard = new aws.cloudwatch.Dashboard(
    `${context.name}-${side}-dashboard`,
    {
      dashboardName,
      dashboardBody: pulumi
        .all([way, pulumi.output(alarms), pulumi.output(source), pulumi.output(destination), pulumi.output(replications)])
        .apply(([text, alarmArns, from, to, directions]) =>
          JSON.stringify(
            dashboardBody({ ...known, way: text, alarmArns, source: from, destination: to, replications: directions }),
          ),
        ),
    },
    { parent, provider },
  );
  const console = CONSOLES[cloud as keyof typeof CONSOLES];
  return dashboard.dashboardName.apply(
    (name) => `https://${console}/cloudwatch/home?region=${region}#dashboards/dashboard/${name}`,
  );
}

const storeName = ({ cloud, bucket, region }: BridgeContext["config"][Side]): pulumi.Output<string> =>
  pulumi.interpolate`${cloud}:${bucket} (${region})`;
