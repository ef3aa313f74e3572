/** What must wake an operator: something was given up, work does not get done, or it takes too long. */
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
  /** Of the queue, the function or the flow. */
  of: pulumi.Output<string>;
  /** Where that is. @default "source" */
  side?: Side;
  /** Rings beyond it. @default 0, so that it rings when there is one at all */
  threshold?: number;
}

export function createAlarm(context: BridgeContext, parent: pulumi.Resource, args: AlarmArgs): void {
  const { what, side = "source", threshold = 0 } = args;
  const { region } = context.config[side];
  // Groups are an account's own.
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
