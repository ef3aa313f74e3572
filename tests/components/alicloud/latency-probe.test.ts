/** The latency probe on sides in Alibaba Cloud. */
import { CONFIG_VARIABLE, parseEnv } from "../../../runtime/protocol/env";
import { type Recording, settled } from "../../support/record-resources";
import { quietly, type Variation } from "../bridge-fixture";
import { ACCOUNT, inOss, native, ossDestination, push, recorded } from "./fixture";

beforeEach(quietly);

const FUNCTION = "alicloud:fc/v3Function:V3Function";
const ON = { probe: { enabled: true } } satisfies Variation;
const CANARY = { probe: { enabled: true, everyMinutes: 5 } } satisfies Variation;

function envOf(recording: Recording, side: "source" | "destination") {
  const { environmentVariables } = recording.get(`b-${side}-prober`, FUNCTION).inputs as {
    environmentVariables: Record<string, string>;
  };
  expect(Object.keys(environmentVariables)).toEqual([CONFIG_VARIABLE]);
  return parseEnv("prober", environmentVariables);
}

test.each([
  ["kept-shanghai", true],
  ["plain-shanghai", false],
])("an adopted bucket %s is treated as what it is", async (bucket, versioned) => {
  const recording = await recorded(push({ ...ON, source: { adopt: true, bucket } }));
  expect(envOf(recording, "source").store).toMatchObject({ bucket, versioned });
  expect(envOf(recording, "source")).not.toHaveProperty("canary");
});

describe("the schedule", () => {
  test.each([
    [1, "CRON_TZ=UTC 0 * * * * *"],
    [5, "CRON_TZ=UTC 0 */5 * * * *"],
    [60, "CRON_TZ=UTC 0 0 * * * *"],
    [120, "CRON_TZ=UTC 0 0 */2 * * *"],
    [1440, "CRON_TZ=UTC 0 0 0 * * *"],
  ])("every %i min: %s, on both sides", async (everyMinutes, cronExpression) => {
    const { get } = await recorded(push({ probe: { enabled: true, everyMinutes } }));
    for (const [side, part] of [
      ["source", "prober-source"],
      ["destination", "prober-dest"],
    ]) {
      const { triggerConfig, ...inputs } = get(`b-${side}-prober-schedule`).inputs;
      expect(JSON.parse(String(triggerConfig))).toEqual({ cronExpression, enable: true, payload: "" });
      expect(inputs).toEqual({
        functionName: `crossborderbridge-b-${part}`,
        triggerName: `crossborderbridge-b-${part}`,
        triggerType: "timer",
        qualifier: "LATEST",
        description: "Canaries of bridge b",
      });
    }
  });

  test.each([
    ["push", push, "b-events-trigger"],
    ["native", native, "b-replication"],
    ["pull", inOss, "b-events-trigger"],
    ["pull from AWS", ossDestination, "b-trigger-notification"],
  ] as const)("no canary before the bridge is there: %s", async (_, kind, last) => {
    const { get } = await recorded(kind(CANARY));
    expect(get("b-destination-prober-schedule").dependsOn).toContain(last);
  });
});

describe("alarms", () => {
  test.each([
    [{ lagAlarmSeconds: 60 }, "60000"],
    // One that is given up has not come for as long.
    [{ lagAlarmSeconds: 900, giveUpAfterSeconds: 600 }, "600000"],
  ])("with %j a run that waits longer than %s ms", async (settings, threshold) => {
    const { get } = await recorded(push({ probe: { ...CANARY.probe, ...settings }, alarmContactGroups: ["ops"] }));
    expect(get("b-destination-prober-late-alarm").inputs).toEqual({
      name: "crossborderbridge-b-prober-dest-late",
      project: "acs_fc",
      metric: "FunctionMaxDuration",
      metricDimensions: JSON.stringify([{ region: "us-west-1", functionName: "crossborderbridge-b-prober-dest" }]),
      period: 300,
      contactGroups: ["ops"],
      escalationsCritical: { statistics: "Value", comparisonOperator: ">", threshold, times: 1 },
      tags: { bridge: "b", runbook: "docs/runbook.md#the-latency-probe-is-late" },
    });
  });

  test("a prober that fails", async () => {
    expect((await recorded(push(CANARY))).get("b-destination-prober-error-alarm").inputs).toMatchObject({
      name: "crossborderbridge-b-prober-dest-errors",
      metric: "FunctionFunctionErrors",
      metricDimensions: JSON.stringify([{ region: "us-west-1", functionName: "crossborderbridge-b-prober-dest" }]),
      escalationsCritical: { threshold: "0" },
    });
  });

  test("contact groups are the source account's own", async () => {
    const groups = async (variation: Variation) =>
      (await recorded(variation)).get("b-destination-prober-late-alarm").inputs.contactGroups;
    const ours = { ...CANARY, alarmContactGroups: ["ops"] };
    expect(await groups(inOss(ours))).toEqual(["ops"]);
    const apart = { source: { accountId: ACCOUNT }, destination: { accountId: "4444444444444444" } };
    expect(await groups(inOss({ ...ours, ...apart }))).toEqual(["Default Contact Group"]);
    expect(await groups(ossDestination(CANARY))).toEqual(["Default Contact Group"]);
  });
});

test("the functions' names are an output", async () => {
  const { bridge } = await recorded(ossDestination(ON));
  const names = bridge.proberFunctionNames;
  if (names === undefined) throw new Error("no names");
  expect([await settled(names.source), await settled(names.destination)]).toEqual([
    "crossborderbridge-b-prober-source",
    "crossborderbridge-b-prober-dest",
  ]);
});
