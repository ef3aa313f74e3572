/** What `pulumi up` creates in each mode: boxes from the recorded plans of the example stacks, arrows by hand. Pure. */
import { type Arrow, BORDER_X, type Box, GAP_X, OUTER_X, type Picture, rowY, type Side, TOP_Y } from "./draw";

/** A resource of a recorded plan. */
export interface Planned {
  type: string;
  name: string;
  provider?: string;
  inputs?: Readonly<Record<string, unknown>>;
}

type Place = Pick<Box, "column" | "row" | "title">;

interface Layout extends Omit<Picture, "boxes" | "notes"> {
  /** The example stack, which names `tests/golden/examples/<stack>.json`. */
  stack: string;
  /** The bridge's name, with which logical names begin. */
  bridge: string;
  /** Each resource of one of these types has a place, so that the picture shows all of them. */
  services: Readonly<Record<string, string>>;
  places: Readonly<Record<string, Place>>;
  notes: readonly string[];
}

/** Resources that the notes count. */
const COUNTED: Readonly<Record<string, string>> = {
  "aws:cloudwatch/metricAlarm:MetricAlarm": "alarm",
  "aws:iam/role:Role": "role",
  "aws:cloudwatch/logGroup:LogGroup": "log group",
  "alicloud:cms/alarm:Alarm": "alarm",
  "alicloud:ram/role:Role": "role",
  "alicloud:log/store:Store": "log store",
};

const LAMBDA = { "aws:lambda/function:Function": "Lambda" } as const;
const S3 = { "aws:s3/bucket:Bucket": "S3" } as const;
const SCHEDULE = { "aws:cloudwatch/eventRule:EventRule": "EventBridge" } as const;

const pull: Layout = {
  stack: "aws-to-china",
  bridge: "reports",
  title: "A deployed bridge in mode pull: AWS Global to AWS China",
  description:
    "In the source account a bucket, a work queue, the sender in a network with one fixed address, a schedule, an outage queue and a dead-letter queue. In the destination account an API, the receiver, the copier and a bucket. Only a signed notice and the object's bytes cross the border.",
  panels: { source: "Source account, AWS Global", destination: "Destination account, AWS China" },
  rows: 4,
  services: {
    ...LAMBDA,
    ...S3,
    ...SCHEDULE,
    "aws:sqs/queue:Queue": "SQS",
    "aws:apigateway/restApi:RestApi": "API Gateway",
    "aws:ec2/natGateway:NatGateway": "VPC",
  },
  places: {
    source: { column: 0, row: 0, title: "Source bucket" },
    queue: { column: 1, row: 0, title: "Work queue" },
    tick: { column: 0, row: 1, title: "Tick, once a minute" },
    sender: { column: 1, row: 1, title: "Sender" },
    outage: { column: 0, row: 2, title: "Outage queue" },
    "egress-gateway": { column: 1, row: 2, title: "NAT, a fixed address" },
    "dead-letters": { column: 0, row: 3, title: "Dead-letter queue" },
    "receiver-endpoint-api": { column: 0, row: 1, title: "Endpoint, allowlist" },
    receiver: { column: 1, row: 1, title: "Receiver" },
    copier: { column: 1, row: 2, title: "Copier" },
    destination: { column: 0, row: 3, title: "Destination bucket" },
  },
  arrows: [
    work(["source", "right"], ["queue", "left"], { text: "event", x: GAP_X.source, y: rowY(0) - 7 }),
    work(["queue", "bottom"], ["sender", "top"]),
    work(["tick", "right", -10], ["sender", "left", -10]),
    work(["sender", "bottom"], ["egress-gateway", "top"]),
    {
      ...work(["egress-gateway", "right"], ["receiver-endpoint-api", "left"], {
        text: "signed notice",
        x: BORDER_X,
        y: rowY(2) + 18,
      }),
      via: [{ x: BORDER_X + 24 }],
    },
    trouble(["sender", "left", 16], ["outage", "right"], "source"),
    trouble(["sender", "left", 16], ["dead-letters", "right"], "source"),
    work(["receiver-endpoint-api", "right", -10], ["receiver", "left", -10]),
    work(["receiver", "bottom"], ["copier", "top"]),
    {
      ...bytes(["source", "top"], ["receiver", "right"], [{ y: TOP_Y }, { x: OUTER_X.destination }]),
      label: { text: "the object’s bytes, by presigned URL", x: BORDER_X, y: TOP_Y - 8 },
    },
    bytes(["source", "top"], ["copier", "right"], [{ y: TOP_Y }, { x: OUTER_X.destination }]),
    bytes(["receiver", "left", 16], ["destination", "right", -8], [{ x: GAP_X.destination }]),
    bytes(["copier", "left"], ["destination", "right", -8], [{ x: GAP_X.destination }]),
  ],
  notes: [
    "No storage credential of one account is known in the other. Names begin with crossborderbridge-reports where … stands.",
  ],
};

const push: Layout = {
  stack: "oss-accelerated",
  bridge: "oss-accelerated",
  title: "A deployed bridge in mode push: OSS to OSS",
  description:
    "In the source region a bucket, the dispatcher, a CloudFlow flow, the pusher with a timer, a bucket for leases, a work queue, an outage queue and a dead-letter queue. In the destination region only the bucket. A prober on each side measures the latency.",
  panels: { source: "Source region", destination: "Destination region" },
  rows: 5,
  services: {
    "alicloud:fc/v3Function:V3Function": "Function Compute",
    "alicloud:message/serviceQueue:ServiceQueue": "Simple Message Queue",
    "alicloud:oss/bucket:Bucket": "OSS",
    "alicloud:fnf/flow:Flow": "CloudFlow",
  },
  places: {
    source: { column: 0, row: 0, title: "Source bucket" },
    dispatcher: { column: 1, row: 0, title: "Dispatcher" },
    flow: { column: 1, row: 1, title: "Flow" },
    control: { column: 0, row: 1, title: "Leases of copies" },
    pusher: { column: 1, row: 2, title: "Pusher, with a timer" },
    queue: { column: 0, row: 2, title: "Work queue" },
    outage: { column: 0, row: 3, title: "Outage queue" },
    "dead-letters": { column: 0, row: 4, title: "Dead-letter queue" },
    "source-prober": { column: 1, row: 4, title: "Prober" },
    destination: { column: 0, row: 2, title: "Destination bucket" },
    "destination-prober": { column: 0, row: 4, title: "Prober" },
  },
  arrows: [
    work(["source", "right"], ["dispatcher", "left"], { text: "event", x: GAP_X.source, y: rowY(0) - 7 }),
    work(["dispatcher", "bottom"], ["flow", "top"]),
    work(["flow", "bottom"], ["pusher", "top"]),
    { ...work(["pusher", "left", -14], ["control", "right"]), via: [{ x: GAP_X.source }] },
    trouble(["pusher", "left", 12], ["queue", "right", 12], "source"),
    trouble(["pusher", "left", 12], ["outage", "right"], "source"),
    trouble(["pusher", "left", 12], ["dead-letters", "right"], "source"),
    bytes(["source", "top"], ["pusher", "right", -14], [{ y: TOP_Y }, { x: OUTER_X.source }]),
    {
      ...bytes(["pusher", "right", 12], ["destination", "left", 12], []),
      label: { text: "accelerated", x: BORDER_X, y: rowY(2) + 30 },
    },
  ],
  notes: [
    "Both buckets are in one account. Each object is one execution of the flow. Except for the prober, nothing runs in the destination region.",
  ],
};

const native: Layout = {
  stack: "two-way",
  bridge: "two-way",
  title: "A deployed bridge in mode native: S3 replication, two-way",
  description:
    "A bucket on each side with versions and a replication rule to the other one, a role for each direction, a role for the backfill, and a prober with a schedule on each side. No function of the bridge copies anything.",
  panels: { source: "Source region", destination: "Destination region" },
  rows: 3,
  services: { ...LAMBDA, ...S3, ...SCHEDULE, "aws:iam/role:Role": "IAM role" },
  places: {
    source: { column: 1, row: 0, title: "Source bucket" },
    destination: { column: 0, row: 0, title: "Destination bucket" },
    "replication-role": { column: 1, row: 1, title: "Replication there" },
    "replication-back-role": { column: 0, row: 1, title: "Replication back" },
    "backfill-role": { column: 0, row: 1, title: "Backfill" },
    "source-prober": { column: 1, row: 2, title: "Prober" },
    "destination-prober": { column: 0, row: 2, title: "Prober" },
    "source-prober-schedule": { column: 0, row: 2, title: "Schedule of canaries" },
    "destination-prober-schedule": { column: 1, row: 2, title: "Schedule of canaries" },
  },
  arrows: [
    {
      ...bytes(["source", "right", -10], ["destination", "left", -10], []),
      label: { text: "S3 copies", x: BORDER_X, y: rowY(0) - 20 },
    },
    bytes(["destination", "left", 10], ["source", "right", 10], []),
    work(["replication-role", "top"], ["source", "bottom"]),
    work(["replication-back-role", "top"], ["destination", "bottom"]),
    work(["source-prober-schedule", "right"], ["source-prober", "left"]),
    work(["destination-prober-schedule", "left"], ["destination-prober", "right"]),
  ],
  notes: ["S3 copies every version by itself. No code of the bridge takes part in it; the probers only measure."],
};

export const LAYOUTS: Readonly<Record<"pull" | "push" | "native", Layout>> = { pull, push, native };

function work(from: Arrow["from"], to: Arrow["to"], label?: Arrow["label"]): Arrow {
  return { from, to, kind: "work", ...(label === undefined ? {} : { label }) };
}
function trouble(from: Arrow["from"], to: Arrow["to"], side: Side): Arrow {
  return { from, to, kind: "trouble", via: [{ x: GAP_X[side] }] };
}
function bytes(from: Arrow["from"], to: Arrow["to"], via: NonNullable<Arrow["via"]>): Arrow {
  return { from, to, kind: "bytes", via };
}

/** @throws Error if a resource has no place, or a place has no resource */
export function pictureOf(layout: Layout, plan: readonly Planned[]): Picture {
  const { services, places, bridge, stack, ...picture } = layout;
  const ids = new Set<string>();
  const boxes = plan.flatMap((resource): Box[] => {
    const service = services[resource.type];
    const role = resource.type.endsWith("role:Role");
    if (service === undefined) return [];
    const id = idOf(resource.name, bridge);
    const place = places[id];
    // The roles of functions are counted with their functions.
    if (place === undefined && role) return [];
    if (place === undefined) throw new Error(`the picture of ${stack} has no place for ${resource.name} (${resource.type})`);
    ids.add(id);
    const side: Side = resource.provider === "destination" ? "destination" : "source";
    return [{ id, side, service, ...place, name: nameOf(resource, bridge) }];
  });
  const missing = Object.keys(places).filter((id) => !ids.has(id));
  if (missing.length > 0) throw new Error(`the plan of ${stack} has no ${missing.join(", ")}`);
  return { ...picture, boxes, notes: [...picture.notes, countsOf(plan, stack)] };
}

const idOf = (name: string, bridge: string): string => name.slice(bridge.length + 1);

/** Without what all names begin with. */
function nameOf({ inputs = {} }: Planned, bridge: string): string {
  const name = inputs.bucket ?? inputs.functionName ?? inputs.queueName ?? inputs.roleName ?? inputs.name;
  return typeof name === "string" ? name.replace(`crossborderbridge-${bridge}-`, "…-").replace(/^(.{25}).{8,}$/, "$1…") : "";
}

function countsOf(plan: readonly Planned[], stack: string): string {
  const counts = new Map<string, number>();
  for (const { type } of plan) {
    const noun = COUNTED[type];
    if (noun !== undefined) counts.set(noun, (counts.get(noun) ?? 0) + 1);
  }
  const parts = [...counts].sort().map(([noun, count]) => `${count} ${noun}${count === 1 ? "" : "s"}`);
  return `Also there: ${parts.join(", ")}. This is the example stack ${stack}: npm run preview -- ${stack} lists every resource.`;
}
