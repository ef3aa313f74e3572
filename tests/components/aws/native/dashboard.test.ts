/** Dashboards of bridges that leave replication to S3. */
import { type DashboardBody, dashboardBody } from "../../../../components/aws/dashboard-body";
import { settled } from "../../../support/record-resources";
import { type Built, quietly, type Variation } from "../../bridge-fixture";
import { ACCOUNT, ACROSS, ELSEWHERE, native, TWO_WAY } from "./fixture";

jest.mock("../../../support/mock-aws", () =>
  jest
    .requireActual<typeof import("./second-account")>("./second-account")
    .withSecondAccount(jest.requireActual("../../../support/mock-aws")),
);

beforeEach(quietly);

const METRICS = { replication: { metrics: true } } satisfies Variation;
const CANARIES = { probe: { enabled: true, everyMinutes: 5 } } satisfies Variation;

const dashboardsOf = ({ resources }: Built) =>
  resources
    .filter(({ type }) => type === "aws:cloudwatch/dashboard:Dashboard")
    .map(({ inputs, provider }) => ({
      name: String(inputs.dashboardName),
      provider,
      body: JSON.parse(String(inputs.dashboardBody)) as DashboardBody,
    }))
    .sort((one, other) => one.name.localeCompare(other.name));

interface Metrics {
  title: string;
  region: string;
  metrics: unknown[][];
}
const charts = ({ widgets }: DashboardBody): Metrics[] =>
  widgets.filter(({ type }) => type === "metric").map(({ properties }) => properties as unknown as Metrics);
const titles = (body: DashboardBody) => charts(body).map(({ title }) => title);

test("shows the four metrics of S3, each in the region that S3 reports it in", async () => {
  const built = await native(METRICS);
  const [dashboard, ...others] = dashboardsOf(built);
  expect(others).toEqual([]);
  expect(dashboard?.name).toBe("crossborderbridge-b");
  const dimensions = ["SourceBucket", "from-here", "DestinationBucket", "to-there", "RuleId", "crossborderbridge-b-1"];
  const shown = { stat: "Maximum", label: "crossborderbridge-b-1" };
  // The table in https://docs.aws.amazon.com/AmazonS3/latest/userguide/repl-metrics.html
  expect(charts(dashboard?.body as DashboardBody)).toMatchObject([
    {
      title: "Behind (s), from-here to to-there",
      region: "eu-west-1",
      metrics: [["AWS/S3", "ReplicationLatency", ...dimensions, shown]],
    },
    { region: "eu-west-1", metrics: [["AWS/S3", "OperationsPendingReplication", ...dimensions, shown]] },
    { region: "eu-west-1", metrics: [["AWS/S3", "BytesPendingReplication", ...dimensions, shown]] },
    {
      region: "us-east-1",
      metrics: [["AWS/S3", "OperationsFailedReplication", ...dimensions, { ...shown, stat: "Sum" }]],
    },
  ]);
  const alarms = dashboard?.body.widgets.find(({ type }) => type === "alarm")?.properties.alarms;
  expect(alarms).toHaveLength(2);
  expect(await settled(built.bridge.dashboardUrls?.source ?? fail())).toBe(
    "https://console.aws.amazon.com/cloudwatch/home?region=us-east-1#dashboards/dashboard/crossborderbridge-b",
  );
  expect(built.bridge.dashboardUrls?.destination).toBeUndefined();
});

test("one account has one for both directions, with the canaries of both sides", async () => {
  const [dashboard, ...others] = dashboardsOf(await native({ ...METRICS, ...TWO_WAY, ...CANARIES }));
  expect(others).toEqual([]);
  expect(titles(dashboard?.body as DashboardBody)).toEqual([
    ...["Behind (s)", "Operations that wait", "Bytes that wait", "Operations that S3 gave up"].map(
      (one) => `${one}, from-here to to-there`,
    ),
    ...["Behind (s)", "Operations that wait", "Bytes that wait", "Operations that S3 gave up"].map(
      (one) => `${one}, to-there to from-here`,
    ),
    "Canaries that arrive at the source",
    "Canaries that arrive at the destination",
  ]);
});

test("two accounts have one each, because S3 reports to the account of a direction's source", async () => {
  const found = dashboardsOf(await native({ ...ACROSS, ...METRICS, ...TWO_WAY }));
  expect(found.map(({ name, provider }) => [name, provider])).toEqual([
    ["crossborderbridge-b", "source"],
    ["crossborderbridge-b-destination", "destination"],
  ]);
  const [here, there] = found.map(({ body }) => charts(body));
  expect(here?.map(({ title }) => title.replace(/.*, /, ""))).toEqual(Array(4).fill("from-here to to-there"));
  expect(there?.map(({ title }) => title.replace(/.*, /, ""))).toEqual(Array(4).fill("to-there to from-here"));
  expect(there?.at(0)?.region).toBe("us-east-1");
  expect(there?.at(3)?.region).toBe(ELSEWHERE.region);
  expect(ACCOUNT).not.toBe(ELSEWHERE.account);
});

test("one way into another account shows the canaries there", async () => {
  const found = dashboardsOf(await native({ ...ACROSS, ...METRICS, ...CANARIES }));
  expect(found.map(({ body }) => titles(body).length)).toEqual([4, 1]);
  expect(titles(found[1]?.body as DashboardBody)).toEqual(["Canaries that arrive at the destination"]);
});

test("without S3's metrics it shows the canaries alone", async () => {
  const [dashboard] = dashboardsOf(await native(CANARIES));
  expect(titles(dashboard?.body as DashboardBody)).toEqual(["Canaries that arrive at the destination"]);
});

test.each<[string, Variation]>([
  ["neither metrics nor canaries", {}],
  ["a prober without canaries", { probe: { enabled: true } }],
  ["dashboard: false", { ...METRICS, dashboard: false }],
])("%s: there is nothing to show, and no dashboard", async (_case, variation) => {
  const built = await native(variation);
  expect(dashboardsOf(built)).toEqual([]);
  expect(built.bridge.dashboardUrls).toBeUndefined();
});

describe("many rules", () => {
  const bodyOf = (rules: number) =>
    dashboardBody({
      bridge: "b",
      way: "",
      runbook: "docs/runbook.md",
      alarmArns: Array.from({ length: 2 * rules }, (_, index) => `arn:aws:cloudwatch:us-east-1:111111111111:alarm:${index}`),
      watchers: [
        { side: "source", region: "us-east-1" },
        { side: "destination", region: "eu-west-1" },
      ],
      replications: [
        {
          source: { bucket: "from-here", region: "us-east-1" },
          destination: { bucket: "to-there", region: "eu-west-1" },
          ruleIds: Array.from({ length: rules }, (_, index) => `rule-${index}`),
        },
      ],
    });

  test.each([1, 11, 12, 1000])("%i rules reference at most the 50 metrics that cost nothing", (rules) => {
    expect(charts(bodyOf(rules)).flatMap(({ metrics }) => metrics).length).toBeLessThanOrEqual(50);
  });

  test("a search stands for the metrics of all of them", () => {
    // https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html
    expect(charts(bodyOf(12))[0]?.metrics).toEqual([
      [
        {
          expression:
            "SEARCH('{AWS/S3,SourceBucket,DestinationBucket,RuleId} " +
            'MetricName="ReplicationLatency" SourceBucket="from-here" DestinationBucket="to-there"\', \'Maximum\', 60)',
          id: "rules",
        },
      ],
    ]);
  });

  test("a widget has at most 100 alarms", () => {
    const widgets = bodyOf(1000).widgets.filter(({ type }) => type === "alarm");
    expect(widgets.map(({ properties }) => (properties.alarms as string[]).length)).toEqual(Array(20).fill(100));
  });
});
