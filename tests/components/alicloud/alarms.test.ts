/** Every alarm is rung by what it is for, and a healthy bridge rings none. */
import { readFileSync } from "node:fs";
import { PushOutage } from "../../simulation/world/push-outage";
import { firingTimes, MetricRecord } from "../../support/alarms";
import { type CloudMonitorAlarm, metricName, ruleOf } from "../../support/cloudmonitor-alarms";
import { quietly, type Variation } from "../bridge-fixture";
import { inOss, push, recorded } from "./fixture";

beforeEach(quietly);

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

async function alarmsOf(variation: Variation): Promise<CloudMonitorAlarm[]> {
  const { resources } = await recorded(variation);
  return resources
    .filter(({ type }) => type === "alicloud:cms/alarm:Alarm")
    .map(({ inputs }) => inputs as unknown as CloudMonitorAlarm);
}

/** Names of the alarms that fire within the time, each with the minutes until then. */
async function rung(variation: Variation, record: MetricRecord, untilMs: number): Promise<Record<string, number>> {
  const times = (await alarmsOf(variation)).flatMap((alarm): [string, number][] => {
    const [first] = firingTimes(ruleOf(alarm), record, { fromMs: 0, toMs: untilMs });
    return first === undefined ? [] : [[alarm.name.replace("crossborderbridge-b-", ""), first / MINUTE_MS]];
  });
  return Object.fromEntries(times);
}

const queueMetric = (metric: string, queue: string) =>
  metricName("acs_mns_new", metric, { region: "cn-shanghai", queue: `crossborderbridge-b-${queue}` });
const functionErrors = (name: string) =>
  metricName("acs_fc", "FunctionFunctionErrors", { region: "cn-shanghai", functionName: `crossborderbridge-b-${name}` });
const failedExecutions = metricName("acs_fnf", "ExecutionsFailed", {
  region: "cn-shanghai",
  flowName: "crossborderbridge-b-flow",
});

/** A value per minute. */
function recordOf(values: Record<string, (minute: number) => number>, minutes = 60): MetricRecord {
  const record = new MetricRecord();
  for (let minute = 0; minute < minutes; minute++)
    for (const [metric, value] of Object.entries(values)) record.add(metric, value(minute), minute * MINUTE_MS);
  return record;
}

const HEALTHY = {
  [queueMetric("ActiveMessages", "dead-letters")]: () => 0,
  [queueMetric("ActiveMessages", "outage")]: () => 0,
  [queueMetric("InactiveMessages", "outage")]: () => 0,
  // A backfill: each minute hundreds of keys are due just before the tick.
  [queueMetric("ActiveMessages", "queue")]: (minute: number) => 600 + (minute % 7) * 50,
  [functionErrors("sender")]: () => 0,
  [functionErrors("dispatcher")]: () => 0,
  [failedExecutions]: () => 0,
};

describe.each([
  ["pull", inOss(), "sender"],
  ["push", push(), "dispatcher"],
] as const)("%s", (mode, variation, role) => {
  test("a healthy bridge rings nothing, also while many keys wait", async () => {
    expect(await rung(variation, recordOf(HEALTHY), HOUR_MS)).toEqual({});
  });

  test.each<[string, string, (minute: number) => number, number]>([
    ["dead-letters-not-empty", queueMetric("ActiveMessages", "dead-letters"), (minute) => (minute < 3 ? 0 : 1), 10],
    ["outage-not-empty", queueMetric("ActiveMessages", "outage"), (minute) => (minute === 2 ? 1 : 0), 10],
    ["outage-being-read", queueMetric("InactiveMessages", "outage"), (minute) => (minute === 2 ? 1 : 0), 10],
    ["queue-backlog", queueMetric("ActiveMessages", "queue"), (minute) => 1_001 + minute * 20, 20],
    [`${role}-errors`, functionErrors(role), (minute) => (minute === 1 ? 1 : 0), 10],
  ])("%s rings for what it is for, alone and in time", async (alarm, metric, value, withinMinutes) => {
    const found = await rung(variation, recordOf({ ...HEALTHY, [metric]: value }), HOUR_MS);
    expect(Object.keys(found)).toEqual([alarm]);
    expect(found[alarm]).toBeLessThanOrEqual(withinMinutes);
  });

  test("every alarm is one of these, and names the section that says what to do", async () => {
    const alarms = await alarmsOf(variation);
    expect(alarms).toHaveLength(mode === "push" ? 6 : 5);
    const sections = readFileSync("docs/runbook.md", "utf8").match(/^## .+$/gm) ?? [];
    const anchors = sections.map((heading) => heading.slice(3).toLowerCase().replaceAll(" ", "-"));
    for (const alarm of alarms) {
      const { runbook = "" } = (alarm as unknown as { tags: Record<string, string> }).tags;
      expect(anchors.map((anchor) => `docs/runbook.md#${anchor}`)).toContain(runbook);
    }
  });
});

test("a failed execution rings", async () => {
  const record = recordOf({ ...HEALTHY, [failedExecutions]: (minute) => (minute === 1 ? 1 : 0) });
  expect(Object.keys(await rung(push(), record, HOUR_MS))).toEqual(["flow-failed"]);
});

test.each([0, 10, 25, 40, 55])(
  "an outage of the destination pages within 10 minutes, for one key too, when CloudMonitor looks %i s after the tick",
  async (afterTickSeconds) => {
    const world = new PushOutage();
    const beginMs = world.time.now();
    world.down.destination = true;
    await world.write("k");
    const record = new MetricRecord();
    for (let minute = 1; minute < 15; minute++) {
      await world.runUntil(beginMs + minute * MINUTE_MS + afterTickSeconds * 1000);
      const { messages } = world.outage;
      const visible = messages.filter(({ visibleAtMs }) => visibleAtMs <= world.time.now()).length;
      const atMs = world.time.now() - beginMs;
      record.add(queueMetric("ActiveMessages", "outage"), visible, atMs);
      record.add(queueMetric("InactiveMessages", "outage"), messages.length - visible, atMs);
    }
    const found = await rung(push(), record, 15 * MINUTE_MS);
    expect(Math.min(...Object.values(found))).toBeLessThanOrEqual(10);
  },
);
