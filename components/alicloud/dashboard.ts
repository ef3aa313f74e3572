/**
 * The dashboards in Alibaba Cloud, in Simple Log Service. They chart the lines that the functions write about their work. Queues and
 * invocations are metrics of CloudMonitor, which a dashboard of Simple Log Service does not show.
 */
import * as alicloud from "@pulumi/alicloud";
import type * as pulumi from "@pulumi/pulumi";
import type { MetricName } from "../../runtime/protocol/ports";
import type { BridgeContext, Side } from "../cloud";
import type { Logs } from "./logs";
import { aliasesInModes } from "./names";

/** https://www.alibabacloud.com/help/en/sls/developer-reference/api-sls-2020-12-30-struct-chart */
interface Chart {
  title: string;
  type: "linepro" | "tablepro";
  search: { logstore: string; topic: string; query: string; start: string; end: string };
  display: {
    xAxis: string[];
    yAxis: string[];
    xPos: number;
    yPos: number;
    width: number;
    height: number;
    displayName: string;
  };
  action: object;
}

const COLUMNS = 3;
const WIDTH = 10;
const HEIGHT = 8;
const MINUTE = "date_format(__time__ - __time__ % 60, '%m-%d %H:%i') AS time";

/** The part of a line with the number. Whether the service puts words in front of the JSON does not matter. */
const numberOf = (name: MetricName): string => `cast(regexp_extract(message, '"${name}":([0-9.]+)', 1) AS double)`;
const textOf = (name: string): string => `regexp_extract(message, '"${name}":"([^"]*)"', 1)`;

interface Query {
  title: string;
  type?: Chart["type"];
  query: string;
  x: string[];
  y: string[];
}

function perMinute(title: string, shown: Readonly<Record<string, string>>): Query {
  const columns = Object.entries(shown).map(([column, expression]) => `${expression} AS ${column}`);
  const query = `"metrics" | SELECT ${[MINUTE, ...columns].join(", ")} GROUP BY time ORDER BY time LIMIT 1000`;
  return { title, query, x: ["time"], y: Object.keys(shown) };
}

const sum = (name: MetricName): string => `sum(${numberOf(name)})`;
const most = (name: MetricName): string => `max(${numberOf(name)})`;
const percentile = (name: MetricName, part: number): string => `approx_percentile(${numberOf(name)}, ${part})`;

/** Reads the metrics of the source's functions. */
const WORK: readonly Query[] = [
  perMinute("Lag, the greatest of each invocation (ms)", {
    p50: percentile("LagMs", 0.5),
    p95: percentile("LagMs", 0.95),
    p99: percentile("LagMs", 0.99),
  }),
  perMinute("Objects", {
    copied: sum("Replicated"),
    equal_already: sum("Unchanged"),
    deleted: sum("Deleted"),
    out_of_scope: sum("Skipped"),
  }),
  perMinute("Bytes copied", { bytes: sum("BytesMoved") }),
  perMinute("Age of the oldest key that waits (ms)", { oldest: most("OldestUnprovenAgeMs") }),
  perMinute("Failures by kind", {
    failed: sum("Retried"),
    waits: sum("Waited"),
    waits_for_room: sum("WaitingForRoom"),
    given_up: sum("Parked"),
    other_side_down: most("BreakerOpen"),
  }),
  {
    title: "Why keys wait",
    type: "tablepro",
    query:
      `"put back" or "held" or "parked" | SELECT ${textOf("place")} AS place, ${textOf("reason")} AS reason, count(1) AS times, ` +
      `max_by(${textOf("key")}, __time__) AS example GROUP BY place, reason ORDER BY times DESC LIMIT 20`,
    x: [],
    y: [],
  },
];

/** Reads the metrics of a prober that watches for canaries. */
const CANARIES: readonly Query[] = [
  perMinute("Canaries that arrived: lag (ms)", { lag: most("ProbeLagMs") }),
  perMinute("Canaries that did not arrive", { gave_up: sum("ProbeGaveUp") }),
];

const SHOWN = { work: WORK, canaries: CANARIES } as const;

/** The charts, three in a row. */
export const dashboardCharts = (what: keyof typeof SHOWN, logstore: string): Chart[] =>
  SHOWN[what].map(({ title, type = "linepro", query, x, y }, index) => ({
    title,
    type,
    search: { logstore, topic: "", query, start: "-10800s", end: "now" },
    display: {
      ...{ xAxis: x, yAxis: y },
      ...{ xPos: (index % COLUMNS) * WIDTH, yPos: Math.floor(index / COLUMNS) * HEIGHT, width: WIDTH, height: HEIGHT },
      displayName: title,
    },
    action: {},
  }));

export interface DashboardArgs {
  logs: Pick<Logs, "project" | "store">;
  side: Side;
  what: keyof typeof SHOWN;
}

/** Returns the address, if the bridge has dashboards. */
export function createDashboard(
  context: BridgeContext,
  parent: pulumi.Resource,
  { logs, side, what }: DashboardArgs,
): pulumi.Output<string> | undefined {
  const { config, provider } = context;
  if (!config.dashboard) return undefined;
  const part = what === "work" ? "" : `-${what}`;
  const dashboardName = `crossborderbridge-${config.name}${part}`;
  const dashboard = new alicloud.log.Dashboard(
    `${context.name}-${side}${part}-dashboard`,
    {
      projectName: logs.project,
      dashboardName,
      displayName: `Bridge ${config.name}${what === "work" ? "" : `: ${what}`}`,
      attribute: JSON.stringify({ type: "grid" }),
      charList: logs.store.apply((name) => JSON.stringify(dashboardCharts(what, name))),
    },
    { parent, provider, aliases: what === "work" ? aliasesInModes(context) : [] },
  );
  return dashboard.projectName.apply(
    (name) => `https://sls.console.aliyun.com/lognext/project/${name}/dashboard/${dashboardName}`,
  );
}
