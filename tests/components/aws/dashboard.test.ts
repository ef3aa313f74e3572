/**
 * The dashboards of CloudWatch. `GOLDEN=write npx jest tests/components/aws/dashboard` records the body of one that shows everything.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type * as pulumi from "@pulumi/pulumi";
import { type DashboardBody, type DashboardFacts, dashboardBody } from "../../../components/aws/dashboard-body";
import { METRIC_NAMESPACE, METRIC_UNITS } from "../../../runtime/platforms/aws-lambda/metrics";
import { build, quietly, type Variation } from "../bridge-fixture";

beforeEach(quietly);

const TYPE = "aws:cloudwatch/dashboard:Dashboard";
const GOLDEN = join(__dirname, "..", "..", "golden", "dashboard.json");

const EVERYTHING: DashboardFacts = {
  bridge: "reports",
  way: "From aws:from-here (us-east-1) to aws:to-there (eu-west-1)",
  runbook: "https://wiki.example.com/runbook",
  alarmArns: ["arn:aws:cloudwatch:us-east-1:111111111111:alarm:crossborderbridge-reports-late"],
  source: {
    region: "us-east-1",
    senderFunctionName: "crossborderbridge-reports-sender",
    queueNames: {
      work: "crossborderbridge-reports-queue",
      outage: "crossborderbridge-reports-outage",
      deadLetters: "crossborderbridge-reports-dead-letters",
    },
  },
  destination: {
    region: "eu-west-1",
    receiverFunctionName: "crossborderbridge-reports-receiver",
    copierFunctionName: "crossborderbridge-reports-copier",
  },
  watchers: [
    { side: "source", region: "us-east-1" },
    { side: "destination", region: "eu-west-1" },
  ],
};

interface Shown {
  name: string;
  bodies: DashboardBody;
}

/** The dashboards of a bridge, by their names. */
async function dashboards(variation: Variation = {}): Promise<Shown[]> {
  const { resources } = await build(variation);
  return resources
    .filter(({ type }) => type === TYPE)
    .map(({ inputs: { dashboardName, dashboardBody: body } }) => ({
      name: String(dashboardName),
      bodies: JSON.parse(String(body)) as DashboardBody,
    }))
    .sort((one, other) => one.name.localeCompare(other.name));
}

const metricsOf = ({ widgets }: DashboardBody): unknown[][] =>
  widgets.flatMap(({ properties: { metrics = [] } }) => metrics as unknown[][]);
const known = (output: pulumi.Output<string> | undefined) =>
  new Promise<string | undefined>((resolve) => (output === undefined ? resolve(undefined) : output.apply(resolve)));
const titles = ({ widgets }: DashboardBody) => widgets.flatMap(({ properties: { title } }) => title ?? []);

test("the body is what was recorded", () => {
  const text = `${JSON.stringify(dashboardBody(EVERYTHING), null, 1)}\n`;
  if (process.env.GOLDEN === "write") writeFileSync(GOLDEN, text);
  expect(JSON.parse(text)).toEqual(JSON.parse(readFileSync(GOLDEN, "utf8")));
});

test("it shows lag, backlog, age, dead letters, failures, bytes, objects and the functions of both sides", () => {
  expect(titles(dashboardBody(EVERYTHING))).toEqual([
    "Alarms",
    "Lag from the write to the verified copy (ms)",
    "Objects",
    "Bytes copied",
    "Backlog (messages)",
    "Age of the oldest",
    "Dead letters",
    "Failures by kind",
    "Why keys wait",
    "Sender: invocations, errors, throttles",
    "Canaries that arrive at the source",
    "Canaries that arrive at the destination",
    "Receiver: invocations, errors, throttles",
    "Copier: invocations, errors, throttles",
    "Duration, p95 (ms)",
  ]);
});

test("each metric of the bridge is one that the functions write, with the dimensions that they write", () => {
  const own = metricsOf(dashboardBody(EVERYTHING)).filter(([namespace]) => namespace === METRIC_NAMESPACE);
  expect(own.length).toBeGreaterThan(10);
  for (const [, name, service, role, bridgeId, bridge] of own) {
    expect(Object.keys(METRIC_UNITS)).toContain(name);
    expect([service, bridgeId, bridge]).toEqual(["service", "BridgeId", "reports"]);
    expect(role).toMatch(String(name).startsWith("Probe") ? /^prober-(source|destination)$/ : /^sender$/);
  }
});

test("AWS shows it for nothing as one of the first three: at most 50 metrics", () => {
  expect(metricsOf(dashboardBody(EVERYTHING)).length).toBeLessThanOrEqual(50);
});

test("no widget lies on another one, and none leaves the 24 columns", () => {
  const cells = dashboardBody(EVERYTHING).widgets.flatMap(({ x, y, width, height }) =>
    Array.from({ length: width * height }, (_, index) => `${x + (index % width)},${y + Math.floor(index / width)}`),
  );
  expect(new Set(cells).size).toBe(cells.length);
  expect(cells.filter((cell) => Number(cell.split(",")[0]) >= 24)).toEqual([]);
});

describe("a bridge", () => {
  test("across partitions has a dashboard on each side, each with what its account can read", async () => {
    const { bridge } = await build();
    const [source, destination] = await dashboards();
    expect([source?.name, destination?.name]).toEqual(["crossborderbridge-b", "crossborderbridge-b-destination"]);
    expect(titles(source?.bodies as DashboardBody).join()).not.toContain("Receiver");
    expect(titles(destination?.bodies as DashboardBody).join()).not.toContain("Sender");
    const { source: sourceUrl, destination: destinationUrl } = bridge.dashboardUrls ?? {};
    expect(await known(sourceUrl)).toBe(
      "https://console.aws.amazon.com/cloudwatch/home?region=us-east-1#dashboards/dashboard/crossborderbridge-b",
    );
    expect(await known(destinationUrl)).toBe(
      "https://console.amazonaws.cn/cloudwatch/home?region=cn-north-1#dashboards/dashboard/crossborderbridge-b-destination",
    );
  });

  test("within one account has one dashboard with both sides, each in its region", async () => {
    const found = await dashboards({ destination: { cloud: "aws", region: "eu-west-1" } });
    expect(found.map(({ name }) => name)).toEqual(["crossborderbridge-b"]);
    const [{ bodies }] = found as [Shown];
    const regionOf = (title: string) => bodies.widgets.find(({ properties }) => properties.title === title)?.properties.region;
    expect(regionOf("Sender: invocations, errors, throttles")).toBe("us-east-1");
    expect(regionOf("Receiver: invocations, errors, throttles")).toBe("eu-west-1");
  });

  test("between two accounts has two dashboards", async () => {
    const found = await dashboards({
      source: { accountId: "111111111111" },
      destination: { cloud: "aws", region: "eu-west-1", accountId: "333333333333" },
    });
    expect(found.map(({ name }) => name)).toEqual(["crossborderbridge-b", "crossborderbridge-b-destination"]);
  });

  test("names every alarm of the sender and every queue", async () => {
    const { resources } = await build();
    const [source] = await dashboards();
    const text = JSON.stringify(source?.bodies);
    const names = resources
      .filter(({ type }) => /metricAlarm:MetricAlarm|sqs\/queue:Queue/.test(type))
      .map(({ inputs }) => String(inputs.name));
    expect(names.filter((name) => !text.includes(name))).toEqual([]);
  });

  test("shows the canaries where its probers watch for them", async () => {
    const [, destination] = await dashboards({ probe: { enabled: true, everyMinutes: 5 } });
    expect(titles(destination?.bodies as DashboardBody)).toContain("Canaries that arrive at the destination");
  });

  test("with dashboard: false has none, and no address", async () => {
    const { bridge } = await build({ dashboard: false });
    expect(await dashboards({ dashboard: false })).toEqual([]);
    expect(bridge.outputs).not.toHaveProperty("dashboardUrls");
  });
});

test("the fixed address of the sender is an output with egress: static alone", async () => {
  const fixed = await build({ egress: "static" });
  expect(await known(fixed.bridge.senderAddress)).toBe("203.0.113.7/32");
  expect((await build()).bridge.outputs).not.toHaveProperty("senderAddress");
});
