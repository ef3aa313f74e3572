/** What a bridge costs each month, whether or not there are objects. Tests compare the numbers with the recorded plans and with the roles. */
import type { BridgeConfig, Mode } from "../components/config";
import type { Side, Usage } from "./model";
import type { Billed } from "./prices";
import { type FunctionRole, functionSize } from "./times";

type Place = Side & { accountId?: string | undefined };

export interface Deployment {
  mode: Mode;
  source: Place;
  destination?: Place | undefined;
  /** A dashboard in CloudWatch on each side in AWS, one where both are in one account. @default true */
  dashboard?: boolean | undefined;
  /** Mode `native`: one-way where nothing is said. */
  direction?: BridgeConfig["direction"] | undefined;
  /** Mode `native` in AWS: whether S3 reports metrics, and for which rules. */
  replication?: { metrics: boolean; rules: readonly { enabled?: boolean | undefined }[] } | undefined;
  scope?: Pick<BridgeConfig["scope"], "prefixes"> | undefined;
  probe?: Pick<BridgeConfig["probe"], "everyMinutes"> | undefined;
  /** `static`: a NAT gateway with one address. @default "shared" */
  egress?: "shared" | "static" | undefined;
}

export const MONTH_HOURS = 730;
const MONTH_MINUTES = MONTH_HOURS * 60;
const MONTH_DAYS = MONTH_HOURS / 24;

export const IDLE = {
  /** The timer wakes a function once a minute. From AWS it waits one second for a message, then counts the queue. */
  tickMs: { aws: 1_100, alicloud: 300 },
  tickQueueCalls: { aws: 2, alicloud: 7 },
  /** Lambda's five pollers each wait at most 20 s for a message. https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html */
  pollsEachMinute: 5 * 3,
  /** Queues of a bridge. Simple Message Queue bills each by the day. */
  queues: 3,
  /** Metrics of one's own that every tick writes. */
  metrics: 6,
  /** Metrics that the alarms of a source in AWS read. CloudMonitor's alarms cost nothing. */
  alarmMetrics: 13,
  /** Metrics of S3 for a rule of its own replication, billed as one's own. https://docs.aws.amazon.com/AmazonS3/latest/userguide/repl-metrics.html */
  replicationMetrics: 4,
  /** Metrics that the alarms of such a rule read. */
  replicationAlarmMetrics: 2,
} as const;

export function idleUsage(deployment: Deployment): Usage[] {
  const { mode, source, egress = "shared" } = deployment;
  if (mode === "native") return nativeUsage(deployment);
  const { cloud } = source;
  const atSource = cloud === "alicloud" ? alicloudUsage(mode === "push" ? "pusher" : "sender") : awsUsage(cloud);
  const fixed = [...atSource, ...dashboardUsage(deployment)];
  if (egress === "shared" || cloud === "alicloud") return fixed;
  const nat = { group: "endpoint", cloud, quantity: MONTH_HOURS } as const;
  return [
    ...fixed,
    { ...nat, item: "egress: static, the NAT gateway", billed: "natHour" },
    { ...nat, item: "egress: static, its address", billed: "addressHour" },
  ];
}

/** Where S3 reports metrics of its replication. The probers are not counted, in any mode. */
function nativeUsage(deployment: Deployment): Usage[] {
  const { source, direction = "one-way", probe } = deployment;
  const { cloud } = source;
  if (cloud === "alicloud") return [];
  const rules = measuredRules(deployment) * (direction === "two-way" ? 2 : 1);
  const canaries = (probe?.everyMinutes ?? 0) > 0;
  const metrics = ([item, billed, each]: readonly [string, Billed, number]): Usage => {
    return { item, group: "logs", cloud, billed, quantity: rules * each };
  };
  const reported = [
    ["S3's metrics of replication", "metricMonth", IDLE.replicationMetrics],
    ["metrics that alarms read", "alarmMetricMonth", IDLE.replicationAlarmMetrics],
  ] as const;
  const isTwoWay = direction === "two-way";
  const dashboards = dashboardUsage(deployment, {
    source: rules > 0 || (canaries && (isTwoWay || isOneAccount(deployment))),
    destination: canaries || (isTwoWay && rules > 0),
  });
  return [...(rules === 0 ? [] : reported.map(metrics)), ...dashboards];
}

/** Rules of one direction, each with metrics of its own. Without rules there is one for each prefix. */
function measuredRules({ replication, scope }: Deployment): number {
  if (replication === undefined || !replication.metrics) return 0;
  if (replication.rules.length > 0) return replication.rules.filter(({ enabled = true }) => enabled).length;
  return Math.max(1, new Set(scope?.prefixes).size);
}

const isOneAccount = ({ source, destination }: Deployment): boolean =>
  source.cloud === destination?.cloud && source.accountId === destination.accountId;

/** A dashboard of Simple Log Service costs nothing. */
function dashboardUsage(deployment: Deployment, shown = { source: true, destination: true }): Usage[] {
  const { source, destination, dashboard = true } = deployment;
  if (!dashboard) return [];
  const places = [
    ...(shown.source ? [source] : []),
    ...(shown.destination && destination !== undefined && !isOneAccount(deployment) ? [destination] : []),
  ];
  return places
    .filter(({ cloud }) => cloud !== "alicloud")
    .map(({ cloud }): Usage => ({ item: "dashboard", group: "logs", cloud, billed: "dashboardMonth", quantity: 1 }));
}

function awsUsage(cloud: "aws" | "aws-cn"): Usage[] {
  const seconds = (MONTH_MINUTES * IDLE.tickMs.aws) / 1000;
  const { memoryMb } = functionSize(cloud, "sender");
  return [
    { item: "tick: calls", group: "functions", cloud, billed: "functionCall", quantity: MONTH_MINUTES },
    { item: "tick: memory", group: "functions", cloud, billed: "functionGbSecond", quantity: seconds * (memoryMb / 1024) },
    {
      item: "outage queue: the tick's calls",
      group: "queue",
      cloud,
      billed: "queueRequest",
      quantity: IDLE.tickQueueCalls.aws * MONTH_MINUTES,
    },
    {
      item: "work queue: Lambda's polls",
      group: "queue",
      cloud,
      billed: "queueRequest",
      quantity: IDLE.pollsEachMinute * MONTH_MINUTES,
    },
    { item: "metrics of the bridge", group: "logs", cloud, billed: "metricMonth", quantity: IDLE.metrics },
    { item: "metrics that alarms read", group: "logs", cloud, billed: "alarmMetricMonth", quantity: IDLE.alarmMetrics },
  ];
}

function alicloudUsage(role: FunctionRole): Usage[] {
  const cloud = "alicloud";
  const seconds = (MONTH_MINUTES * IDLE.tickMs.alicloud) / 1000;
  const { memoryMb, vcpus } = functionSize(cloud, role);
  return [
    { item: "tick: calls", group: "functions", cloud, billed: "functionCall", quantity: MONTH_MINUTES },
    { item: "tick: memory", group: "functions", cloud, billed: "functionGbSecond", quantity: seconds * (memoryMb / 1024) },
    { item: "tick: processor", group: "functions", cloud, billed: "functionVcpuSecond", quantity: seconds * vcpus },
    {
      item: "queues: the tick's calls",
      group: "queue",
      cloud,
      billed: "queueRequest",
      quantity: IDLE.tickQueueCalls.alicloud * MONTH_MINUTES,
    },
    { item: "queues: by the day", group: "queue", cloud, billed: "queueDay", quantity: IDLE.queues * MONTH_DAYS },
  ];
}
