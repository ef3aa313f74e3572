/** What must wake an operator: something was given up, or work does not get done. */
import * as alicloud from "@pulumi/alicloud";
import type * as pulumi from "@pulumi/pulumi";
import type { BridgeContext } from "../platform";
import { make, type Transform } from "../transforms";

const PERIOD_SECONDS = 300;
/** The group that every account has, as the international site calls it. */
const DEFAULT_CONTACT_GROUP = "Default Contact Group";

/** https://help.aliyun.com/document_detail/163515.html */
const METRICS = {
  deadLetters: { project: "acs_mns_new", metric: "ActiveMessages", statistics: "Average", dimension: "queue" },
  functionErrors: { project: "acs_fc", metric: "FunctionFunctionErrors", statistics: "Value", dimension: "functionName" },
  failedExecutions: { project: "acs_fnf", metric: "ExecutionsFailed", statistics: "Value", dimension: "flowName" },
} as const;

export interface AlarmArgs {
  /** Logical name. */
  name: string;
  physicalName: string;
  what: keyof typeof METRICS;
  /** Of the queue, the function or the flow. */
  of: pulumi.Output<string>;
  transform: Transform<alicloud.cms.AlarmArgs> | undefined;
}

/** Rings when there is one at all. */
export function createAlarm(context: BridgeContext, parent: pulumi.Resource, args: AlarmArgs): void {
  const { region } = context.config.source;
  const { alarmContactGroups } = context.config;
  const { project, metric, statistics, dimension } = METRICS[args.what];
  make(
    alicloud.cms.Alarm,
    args.name,
    {
      name: args.physicalName,
      project,
      metric,
      metricDimensions: args.of.apply((value) => JSON.stringify([{ region, [dimension]: value }])),
      period: PERIOD_SECONDS,
      contactGroups: alarmContactGroups.length > 0 ? alarmContactGroups : [DEFAULT_CONTACT_GROUP],
      escalationsCritical: { statistics, comparisonOperator: ">", threshold: "0", times: 1 },
    },
    { parent, provider: context.provider },
    args.transform,
  );
}
