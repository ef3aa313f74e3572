/** Alarms for an operator: a key was given up, work is not done, or work takes too long. */
import * as alicloud from "@pulumi/alicloud";
import type * as pulumi from "@pulumi/pulumi";
import type { BridgeContext, Side } from "../cloud";
import { inSourceAccount } from "../prober";

const PERIOD_SECONDS = 300;
/** The group that every account has, as the international site calls it. */
const DEFAULT_CONTACT_GROUP = "Default Contact Group";

/** https://help.aliyun.com/document_detail/163515.html https://www.alibabacloud.com/help/en/functioncompute/fc/monitoring-metrics-1 */
const METRICS = {
  deadLetters: { project: "acs_mns_new", metric: "ActiveMessages", statistics: "Average", dimension: "queue" },
  functionErrors: { project: "acs_fc", metric: "FunctionFunctionErrors", statistics: "Value", dimension: "functionName" },
  /** In ms. */
  longestRun: { project: "acs_fc", metric: "FunctionMaxDuration", statistics: "Value", dimension: "functionName" },
  failedExecutions: { project: "acs_fnf", metric: "ExecutionsFailed", statistics: "Value", dimension: "flowName" },
} as const;

export interface AlarmArgs {
  /** Logical name. */
  name: string;
  physicalName: string;
  what: keyof typeof METRICS;
  /** Name of the queue, the function or the flow. */
  of: pulumi.Output<string>;
  /** Side of that resource. @default "source" */
  side?: Side;
  /** The alarm fires above this value. @default 0 */
  threshold?: number;
}

export function createAlarm(context: BridgeContext, parent: pulumi.Resource, args: AlarmArgs): void {
  const { what, side = "source", threshold = 0 } = args;
  const { region } = context.config[side];
  // A contact group exists in one account only.
  const alarmContactGroups = inSourceAccount(context.config, side) ? context.config.alarmContactGroups : [];
  const { project, metric, statistics, dimension } = METRICS[what];
  new alicloud.cms.Alarm(
    args.name,
    {
      name: args.physicalName,
      project,
      metric,
      metricDimensions: args.of.apply((value) => JSON.stringify([{ region, [dimension]: value }])),
      period: PERIOD_SECONDS,
      contactGroups: alarmContactGroups.length > 0 ? alarmContactGroups : [DEFAULT_CONTACT_GROUP],
      escalationsCritical: { statistics, comparisonOperator: ">", threshold: String(threshold), times: 1 },
    },
    { parent, provider: context.provider },
  );
}
