/** What a bridge costs each month, whether or not there are objects. Tests compare the numbers with the recorded plans and with the roles. */
import type { Mode } from "../components/config";
import type { Side, Usage } from "./model";
import { type FunctionRole, functionSize } from "./times";

type Place = Side & { accountId?: string | undefined };

export interface Deployment {
  mode: Mode;
  source: Place;
  destination?: Place | undefined;
  /** A dashboard in CloudWatch on each side in AWS, one where both are in one account. @default true */
  dashboard?: boolean | undefined;
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
} as const;

export function idleUsage(deployment: Deployment): Usage[] {
  const { mode, source, egress = "shared" } = deployment;
  if (mode === "native") return [];
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

/** A dashboard of Simple Log Service costs nothing. */
function dashboardUsage({ source, destination, dashboard = true }: Deployment): Usage[] {
  if (!dashboard) return [];
  const isOneAccount = source.cloud === destination?.cloud && source.accountId === destination.accountId;
  const places = destination === undefined || isOneAccount ? [source] : [source, destination];
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
