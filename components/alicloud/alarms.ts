/** Alarms for an operator: a key was given up, work is not done, or work takes too long. */
import * as alicloud from "@pulumi/alicloud";
import * as pulumi from "@pulumi/pulumi";
import type { BridgeContext, Side } from "../cloud";
import { inSourceAccount } from "../prober";

const PERIOD_SECONDS = 300;
/** The group that every account has, as the international site calls it. */
const DEFAULT_CONTACT_GROUP = "Default Contact Group";

/** The metric of an alarm, and the section of docs/runbook.md for it. CloudMonitor's alarms have no text, so a tag names it. */
interface Watched {
  project: string;
  metric: string;
  statistics: string;
  dimension: string;
  runbook: string;
  /** Periods in a row above the threshold. @default 1 */
  times?: number;
}

const QUEUE = { project: "acs_mns_new", dimension: "queue" } as const;
const FUNCTION = { project: "acs_fc", dimension: "functionName" } as const;

/**
 * SMQ reports every 300 s. `Maximum` finds a message that was there for one moment of the period, `Minimum` one that was never away.
 * https://help.aliyun.com/document_detail/163515.html https://www.alibabacloud.com/help/en/functioncompute/fc/monitoring-metrics-1
 */
const METRICS = {
  deadLetters: { ...QUEUE, metric: "ActiveMessages", statistics: "Maximum", runbook: "dead-letters-not-empty" },
  /** The tick hides the few keys that it looks at, so one metric alone can miss a small outage. */
  outage: { ...QUEUE, metric: "ActiveMessages", statistics: "Maximum", runbook: "receiver-unreachable" },
  outageHidden: { ...QUEUE, metric: "InactiveMessages", statistics: "Maximum", runbook: "receiver-unreachable" },
  /** Keys that are due leave the queue every minute. */
  backlog: { ...QUEUE, metric: "ActiveMessages", statistics: "Minimum", times: 3, runbook: "queue-stuck" },
  functionErrors: { ...FUNCTION, metric: "FunctionFunctionErrors", statistics: "Value", runbook: "sender-crashes" },
  /** In ms. */
  longestRun: { ...FUNCTION, metric: "FunctionMaxDuration", statistics: "Value", runbook: "the-latency-probe-is-late" },
  failedExecutions: {
    project: "acs_fnf",
    metric: "ExecutionsFailed",
    statistics: "Value",
    dimension: "flowName",
    runbook: "dead-letters-not-empty",
  },
} as const satisfies Record<string, Watched>;

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
  const isHeard = inSourceAccount(context.config, side);
  const own = context.ownContactGroup === undefined ? [] : [context.ownContactGroup];
  const contactGroups = pulumi
    .all(isHeard ? [context.config.alarmContactGroups, pulumi.all(own)] : [])
    .apply((lists) => lists.flat());
  const { project, metric, statistics, dimension, runbook, times = 1 }: Watched = METRICS[what];
  new alicloud.cms.Alarm(
    args.name,
    {
      name: args.physicalName,
      project,
      metric,
      metricDimensions: args.of.apply((value) => JSON.stringify([{ region, [dimension]: value }])),
      period: PERIOD_SECONDS,
      contactGroups: contactGroups.apply((groups) => (groups.length > 0 ? groups : [DEFAULT_CONTACT_GROUP])),
      ...(isHeard && context.alarmCallback !== undefined ? { webhook: context.alarmCallback } : {}),
      escalationsCritical: { statistics, comparisonOperator: ">", threshold: String(threshold), times },
      tags: { bridge: context.config.name, runbook: `docs/runbook.md#${runbook}` },
    },
    { parent, provider: context.provider },
  );
}
