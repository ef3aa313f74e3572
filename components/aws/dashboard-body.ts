/**
 * Makes the body of a CloudWatch dashboard from names, as pure functions. CloudWatch exists in every region of both partitions.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
 */
import type { MetricName } from "../../runtime/protocol/ports";
import type { Side } from "../cloud";

/** Namespace of the functions' metrics. A test compares it with the runtime's. */
export const BRIDGE_NAMESPACE = "CrossBorderBridge";

export interface DashboardFacts {
  bridge: string;
  /** Where objects come from and go to, in words. */
  way: string;
  /** URL or path of the runbook. */
  runbook: string;
  /** Shown first, with their states. */
  alarmArns: string[];
  source?: { region: string; senderFunctionName: string; queueNames: QueueNames } | undefined;
  destination?: { region: string; receiverFunctionName: string; copierFunctionName: string } | undefined;
  /** Sides whose prober watches for canaries. */
  watchers: { side: Side; region: string }[];
  /** Directions in which S3 itself replicates, and reports metrics. */
  replications?: ReplicationFacts[] | undefined;
}

/** One direction of S3's own replication. */
export interface ReplicationFacts {
  source: { bucket: string; region: string };
  destination: { bucket: string; region: string };
  ruleIds: string[];
}

export interface QueueNames {
  work: string;
  outage: string;
  deadLetters: string;
}

type Series = (string | { stat: string; label: string; yAxis?: "right" } | { expression: string; id: string })[];

interface Widget {
  type: "metric" | "log" | "text" | "alarm";
  x: number;
  y: number;
  width: number;
  height: number;
  properties: Record<string, unknown>;
}
type Unplaced = Pick<Widget, "type" | "height" | "properties">;

export interface DashboardBody {
  start: string;
  widgets: Widget[];
}

const COLUMNS = 24;
const CHART_HEIGHT = 6;
const PERIOD_SECONDS = 60;
/** CloudWatch's limit of a widget. https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html */
const ALARMS_OF_A_WIDGET = 100;
/** With more rules, one search stands for the metrics of all of them: the 50 metrics of a dashboard that costs nothing are soon used up. */
const RULES_BY_NAME = 11;
/** The reason of a key that is put back, held or given up is in one of these lines of the sender. */
const REASON_LINES = ["put back", "held", "parked"] as const;

export function dashboardBody(facts: DashboardFacts): DashboardBody {
  const rows = [
    [headline(facts)],
    ...chunks(facts.alarmArns, ALARMS_OF_A_WIDGET).map((some) => [alarmStates(some)]),
    ...(facts.source === undefined ? [] : sourceRows(facts.bridge, facts.source)),
    ...replicationRows(facts.replications ?? []),
    ...(facts.watchers.length === 0 ? [] : [facts.watchers.map((watcher) => canaries(facts.bridge, watcher))]),
    ...(facts.destination === undefined ? [] : destinationRows(facts.destination)),
  ];
  return { start: "-PT3H", widgets: placed(rows) };
}

/** The widgets of a row share its width. */
function placed(rows: readonly (readonly Unplaced[])[]): Widget[] {
  let y = 0;
  return rows.flatMap((row) => {
    const [width, top] = [Math.floor(COLUMNS / row.length), y];
    y += Math.max(...row.map(({ height }) => height));
    return row.map(({ type, height, properties }, index) => ({ type, x: index * width, y: top, width, height, properties }));
  });
}

function headline({ bridge, way, runbook }: DashboardFacts): Unplaced {
  const where = /^https:/.test(runbook) ? `[the runbook](${runbook})` : `the runbook, ${runbook}`;
  const markdown = `## Bridge ${bridge}\n${way}. From a symptom to the command: ${where}. Which keys wait, and why: \`npm run bridge -- status\`.`;
  return { type: "text", height: 2, properties: { markdown } };
}

const alarmStates = (alarms: readonly string[]): Unplaced => ({
  type: "alarm",
  height: 3,
  properties: { title: "Alarms", alarms },
});

function sourceRows(bridge: string, source: NonNullable<DashboardFacts["source"]>): Unplaced[][] {
  const { region, senderFunctionName, queueNames } = source;
  const own = (name: MetricName, stat: string, label: string): Series => bridgeSeries(bridge, "sender", name, { stat, label });
  const counted = (name: MetricName, label: string) => own(name, "Sum", label);
  const queue = (queueName: string, metric: string, label: string): Series => [
    ...["AWS/SQS", metric, "QueueName", queueName],
    { stat: "Maximum", label },
  ];
  return [
    [
      chart(region, "Lag from the write to the verified copy (ms)", [
        own("LagMs", "p50", "p50"),
        own("LagMs", "p95", "p95"),
        own("LagMs", "p99", "p99"),
      ]),
      chart(region, "Objects", [
        counted("Replicated", "copied"),
        counted("Unchanged", "equal already"),
        counted("Deleted", "deleted"),
        counted("Skipped", "out of scope"),
      ]),
      chart(region, "Bytes copied", [counted("BytesMoved", "bytes")]),
    ],
    [
      chart(region, "Backlog (messages)", [
        queue(queueNames.work, "ApproximateNumberOfMessagesVisible", "due"),
        queue(queueNames.work, "ApproximateNumberOfMessagesNotVisible", "in work"),
        queue(queueNames.work, "ApproximateNumberOfMessagesDelayed", "put back"),
        queue(queueNames.outage, "ApproximateNumberOfMessagesVisible", "held: receiver down"),
      ]),
      chart(region, "Age of the oldest", [
        own("OldestUnprovenAgeMs", "Maximum", "key that was put back or held (ms)"),
        [
          ...["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", queueNames.work],
          { stat: "Maximum", label: "message in the work queue (s)", yAxis: "right" },
        ],
      ]),
      chart(region, "Dead letters", [
        queue(queueNames.deadLetters, "ApproximateNumberOfMessagesVisible", "letters"),
        counted("Parked", "given up"),
      ]),
    ],
    [
      chart(region, "Failures by kind", [
        counted("Retried", "failed, tried again"),
        counted("Waited", "waits, nothing tried"),
        counted("WaitingForRoom", "waits for copy.concurrency"),
        counted("Parked", "given up"),
        own("BreakerOpen", "Maximum", "receiver down"),
      ]),
      reasons(region, senderFunctionName),
      functions(region, "Sender", { sender: senderFunctionName }),
    ],
  ];
}

function destinationRows({
  region,
  receiverFunctionName,
  copierFunctionName,
}: NonNullable<DashboardFacts["destination"]>): Unplaced[][] {
  const duration = (functionName: string, label: string): Series => [
    ...["AWS/Lambda", "Duration", "FunctionName", functionName],
    { stat: "p95", label },
  ];
  return [
    [
      functions(region, "Receiver", { receiver: receiverFunctionName }),
      functions(region, "Copier", { copier: copierFunctionName }),
      chart(region, "Duration, p95 (ms)", [duration(receiverFunctionName, "receiver"), duration(copierFunctionName, "copier")]),
    ],
  ];
}

/**
 * S3 reports failures in the source's region, and everything else in the destination's.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/repl-metrics.html
 */
function replicationRows(replications: readonly ReplicationFacts[]): Unplaced[][] {
  const byName = replications.reduce((sum, { ruleIds }) => sum + ruleIds.length, 0) <= RULES_BY_NAME;
  return replications.map((one) => {
    const { source, destination } = one;
    const shown = (region: string, title: string, metric: string, stat: "Maximum" | "Sum") =>
      chart(region, `${title}, ${source.bucket} to ${destination.bucket}`, replicationSeries(one, { metric, stat, byName }));
    return [
      shown(destination.region, "Behind (s)", "ReplicationLatency", "Maximum"),
      shown(destination.region, "Operations that wait", "OperationsPendingReplication", "Maximum"),
      shown(destination.region, "Bytes that wait", "BytesPendingReplication", "Maximum"),
      shown(source.region, "Operations that S3 gave up", "OperationsFailedReplication", "Sum"),
    ];
  });
}

function replicationSeries(
  { source, destination, ruleIds }: ReplicationFacts,
  { metric, stat, byName }: { metric: string; stat: string; byName: boolean },
): Series[] {
  if (byName)
    return ruleIds.map((ruleId) => [
      ...["AWS/S3", metric, "SourceBucket", source.bucket, "DestinationBucket", destination.bucket, "RuleId", ruleId],
      { stat, label: ruleId },
    ]);
  const wanted = `MetricName="${metric}" SourceBucket="${source.bucket}" DestinationBucket="${destination.bucket}"`;
  const search = `SEARCH('{AWS/S3,SourceBucket,DestinationBucket,RuleId} ${wanted}', '${stat}', ${PERIOD_SECONDS})`;
  return [[{ expression: search, id: "rules" }]];
}

function chunks<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, index) => list.slice(index * size, (index + 1) * size));
}

const canaries = (bridge: string, { side, region }: DashboardFacts["watchers"][number]): Unplaced =>
  chart(region, `Canaries that arrive at the ${side}`, [
    bridgeSeries(bridge, `prober-${side}`, "ProbeLagMs", { stat: "Maximum", label: "lag (ms)" }),
    [...bridgeMetric(bridge, `prober-${side}`, "ProbeGaveUp"), { stat: "Sum", label: "did not arrive", yAxis: "right" }],
  ]);

function functions(region: string, title: string, names: Readonly<Record<string, string>>): Unplaced {
  const series = Object.entries(names).flatMap(([role, name]) =>
    ["Invocations", "Errors", "Throttles"].map(
      (metric): Series => [
        ...["AWS/Lambda", metric, "FunctionName", name],
        { stat: "Sum", label: `${role}: ${metric.toLowerCase()}` },
      ],
    ),
  );
  return chart(region, `${title}: invocations, errors, throttles`, series);
}

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html */
function reasons(region: string, senderFunctionName: string): Unplaced {
  const query = [
    `SOURCE '/aws/lambda/${senderFunctionName}'`,
    `filter message in ${JSON.stringify(REASON_LINES)}`,
    "stats count(*) as times, latest(key) as example by place, reason",
    "sort times desc",
    "limit 20",
  ].join(" | ");
  return { type: "log", height: CHART_HEIGHT, properties: { title: "Why keys wait", region, view: "table", query } };
}

const bridgeMetric = (bridge: string, service: string, name: MetricName): string[] => [
  ...[BRIDGE_NAMESPACE, name, "service", service, "BridgeId", bridge],
];

const bridgeSeries = (bridge: string, service: string, name: MetricName, shown: { stat: string; label: string }): Series => [
  ...bridgeMetric(bridge, service, name),
  shown,
];

const chart = (region: string, title: string, metrics: readonly Series[]): Unplaced => ({
  type: "metric",
  height: CHART_HEIGHT,
  properties: { title, region, view: "timeSeries", stacked: false, period: PERIOD_SECONDS, metrics },
});
