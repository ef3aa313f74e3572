/** Dashboards of CloudWatch. The emulator keeps any text, so what AWS checks is checked here. */
import { DeleteDashboardsCommand, GetDashboardCommand, PutDashboardCommand } from "@aws-sdk/client-cloudwatch";
import { clientsOf, ignoreMissing, resource, unlessMissing } from "../context";

const NAME = /^[A-Za-z0-9_-]{1,255}$/;
/** The types of https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html */
const REQUIRED_PROPERTIES: Readonly<Record<string, readonly string[]>> = {
  metric: ["metrics", "region"],
  log: ["query", "region"],
  text: ["markdown"],
  alarm: ["alarms"],
};
const MOST_WIDGETS = 500;
const MOST_METRICS = 500;
const MOST_ALARMS = 100;

export const dashboard = resource({
  token: "aws:cloudwatch/dashboard:Dashboard",
  inputs: { "dashboardName!": "string", "dashboardBody!": "json" },
  computed: ["dashboardArn"],
  replaceOn: ["dashboardName", "region"],
  check: function* ({ dashboardName, dashboardBody }) {
    if (!NAME.test(dashboardName))
      yield { property: "dashboardName", reason: `${dashboardName} is not 1 to 255 of A-Z a-z 0-9 _ -` };
    for (const reason of bodyProblems(dashboardBody)) yield { property: "dashboardBody", reason };
  },
  create: async (context, { dashboardName, dashboardBody }) => {
    await clientsOf(context).cloudwatch.send(
      new PutDashboardCommand({ DashboardName: dashboardName, DashboardBody: dashboardBody }),
    );
    return dashboardName;
  },
  read: async (context, id) => {
    const call = new GetDashboardCommand({ DashboardName: id });
    const found = await unlessMissing(clientsOf(context).cloudwatch.send(call));
    // A dashboard belongs to no region.
    return found && { dashboardArn: `arn:aws:cloudwatch::${context.accountId}:dashboard/${id}` };
  },
  update: async (context, id, { dashboardBody }) => {
    await clientsOf(context).cloudwatch.send(new PutDashboardCommand({ DashboardName: id, DashboardBody: dashboardBody }));
  },
  delete: (context, id) =>
    ignoreMissing(clientsOf(context).cloudwatch.send(new DeleteDashboardsCommand({ DashboardNames: [id] }))),
});

interface Widget {
  type?: string;
  x?: number;
  y?: number;
  width?: number;
  height?: number;
  properties?: Record<string, unknown>;
}

function bodyProblems(text: string): string[] {
  let body: { widgets?: Widget[] };
  try {
    body = JSON.parse(text) as typeof body;
  } catch {
    return ["the body is not JSON"];
  }
  const { widgets } = body;
  if (!Array.isArray(widgets)) return ["the body has no widgets"];
  if (widgets.length > MOST_WIDGETS) return [`${widgets.length} widgets are more than ${MOST_WIDGETS}`];
  return widgets.flatMap((widget, index) => widgetProblems(widget).map((problem) => `widgets[${index}]: ${problem}`));
}

function widgetProblems({ type = "", x = 0, y = 0, width = 6, height = 6, properties = {} }: Widget): string[] {
  const required = REQUIRED_PROPERTIES[type];
  if (required === undefined) return [`type ${JSON.stringify(type)} is not known`];
  const { metrics = [], alarms = [] } = properties as { metrics?: unknown[]; alarms?: unknown[] };
  return [
    ...required.filter((name) => properties[name] === undefined).map((name) => `${type} needs properties.${name}`),
    ...(isWithin(x, 0, 23) && isWithin(width, 1, 24) && x + width <= 24
      ? []
      : [`x ${x} and width ${width} leave the 24 columns`]),
    ...(isWithin(y, 0, 999_999) && isWithin(height, 1, 1000) ? [] : [`y ${y} or height ${height} is out of range`]),
    ...(metrics.length > MOST_METRICS ? [`${metrics.length} metrics are more than ${MOST_METRICS}`] : []),
    ...(alarms.length > MOST_ALARMS ? [`${alarms.length} alarms are more than ${MOST_ALARMS}`] : []),
    ...metrics.flatMap(metricProblems),
  ];
}

const isWithin = (value: number, least: number, most: number): boolean =>
  Number.isInteger(value) && value >= least && value <= most;

/** Namespace and name, then names and values of dimensions in pairs, then perhaps options. */
function metricProblems(metric: unknown): string[] {
  const said = JSON.stringify(metric);
  if (!Array.isArray(metric)) return [`the metric ${said} is not a list`];
  const last: unknown = metric.at(-1);
  const texts: unknown[] = typeof last === "object" ? metric.slice(0, -1) : metric;
  if (texts.some((text) => typeof text !== "string" || text === "")) return [`the metric ${said} has a name that is no text`];
  return texts.length < 2 || texts.length % 2 === 1 ? [`the metric ${said} has a dimension without a value`] : [];
}
