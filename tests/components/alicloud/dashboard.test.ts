/** The dashboard in Simple Log Service. */
import { dashboardCharts } from "../../../components/alicloud/dashboard";
import { METRIC_UNITS } from "../../../runtime/platforms/aws-lambda/metrics";
import { settled } from "../../support/record-resources";
import { quietly, type Variation } from "../bridge-fixture";
import { inOss, native, push, recorded } from "./fixture";

beforeEach(quietly);

const charts = dashboardCharts("work", "functions");
const canaries = dashboardCharts("canaries", "functions");

test("it charts lag, objects, bytes, the oldest key, failures by kind and their reasons", () => {
  expect(charts.map(({ title }) => title)).toEqual([
    "Lag, the greatest of each invocation (ms)",
    "Objects",
    "Bytes copied",
    "Age of the oldest key that waits (ms)",
    "Failures by kind",
    "Why keys wait",
  ]);
});

test("each number is one that the functions write", () => {
  const named = [...charts, ...canaries].flatMap(({ search }) =>
    [...search.query.matchAll(/"([A-Z]\w+)":\(/g)].map(([, name]) => name),
  );
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((name) => !Object.keys(METRIC_UNITS).includes(name ?? ""))).toEqual([]);
});

test("each pattern finds its number or text in a line of the functions, whatever the service puts in front", () => {
  const line = JSON.stringify({
    level: "info",
    message: "metrics",
    metrics: { LagMs: 1532, Parked: 2 },
    place: "source",
    reason: "x",
  });
  const patterns = charts.flatMap(({ search }) =>
    [...search.query.matchAll(/regexp_extract\(message, '([^']+)', 1\)/g)].map(([, one]) => one ?? ""),
  );
  const found = patterns.flatMap((pattern) => new RegExp(pattern).exec(`2026-11-30 00:00:00 [INFO] ${line}`)?.[1] ?? []);
  expect(new Set(found)).toEqual(new Set(["1532", "2", "source", "x"]));
});

test("no chart lies on another one", () => {
  const corners = charts.map(({ display: { xPos, yPos } }) => `${xPos},${yPos}`);
  expect(new Set(corners).size).toBe(charts.length);
});

test.each([
  ["pull", inOss()],
  ["push", push()],
])("%s has one in the source's project, and its address is an output", async (_mode, variation) => {
  const { get, bridge } = await recorded(variation);
  const { inputs } = get("b-source-dashboard");
  expect(JSON.parse(String(inputs.charList))).toEqual(charts);
  const url = await new Promise<string>((resolve) => bridge.dashboardUrls?.source?.apply(resolve));
  expect(url).toBe(`https://sls.console.aliyun.com/lognext/project/${String(inputs.projectName)}/dashboard/crossborderbridge-b`);
});

describe("canaries have a dashboard in the project of the prober that watches for them", () => {
  const CANARIES = { probe: { enabled: true, everyMinutes: 5 } } as const;
  const urlsOf = async (variation: Variation) => {
    const { bridge, resources } = await recorded(variation);
    const urls = await Promise.all(
      Object.entries(bridge.dashboardUrls ?? {}).map(async ([side, url]) => [side, await settled(url)] as const),
    );
    return {
      urls: Object.fromEntries(urls),
      dashboards: resources.filter(({ type }) => type === "alicloud:log/dashboard:Dashboard"),
    };
  };

  test("OSS's own replication has no metrics of its own, so this one is all", async () => {
    const { urls, dashboards } = await urlsOf(native(CANARIES));
    expect(dashboards.map(({ name }) => name)).toEqual(["b-destination-canaries-dashboard"]);
    const [{ inputs }] = dashboards as [(typeof dashboards)[0]];
    expect(JSON.parse(String(inputs.charList))).toEqual(canaries);
    expect(urls).toEqual({
      destination: `https://sls.console.aliyun.com/lognext/project/${String(inputs.projectName)}/dashboard/crossborderbridge-b-canaries`,
    });
  });

  test("push has it beside the one of the work", async () => {
    const { urls, dashboards } = await urlsOf(push(CANARIES));
    expect(dashboards.map(({ name }) => name).sort()).toEqual(["b-destination-canaries-dashboard", "b-source-dashboard"]);
    expect(Object.keys(urls).sort()).toEqual(["destination", "source"]);
  });

  test.each([
    ["without canaries", { probe: { enabled: true } }],
    ["without dashboards", { ...CANARIES, dashboard: false }],
  ])("%s there is none", async (_case, more) => {
    expect(await urlsOf(native(more))).toEqual({ urls: {}, dashboards: [] });
  });
});
