/** The latency probe on sides in AWS; what is in Alibaba Cloud is in alicloud/latency-probe.test.ts. */
import * as pulumi from "@pulumi/pulumi";
import { proberPolicy } from "../../components/aws/policies";
import { METRIC_NAMESPACE } from "../../runtime/platforms/aws-lambda/metrics";
import { settled } from "../support/record-resources";
import { deploymentOrder, native as recordNative, TWO_WAY } from "./aws/native/fixture";
import { type Built, quietly, build as record, type Variation } from "./bridge-fixture";

beforeEach(quietly);

const ON = { probe: { enabled: true } } satisfies Variation;
const CANARY = { probe: { enabled: true, everyMinutes: 5 } } satisfies Variation;

const recordings = new Map<string, Promise<Built>>();

/** Once for each variation: these tests only read. */
const once =
  (kind: string, make: (variation: Variation) => Promise<Built>) =>
  (variation: Variation = {}): Promise<Built> => {
    const name = `${kind} ${JSON.stringify(variation)}`;
    const found = recordings.get(name) ?? make(variation);
    recordings.set(name, found);
    return found;
  };
const build = once("pull", record);
const native = once("native", recordNative);

describe("the tree", () => {
  let whole: Built;
  beforeAll(async () => {
    quietly();
    whole = await native({ ...TWO_WAY, ...CANARY });
  });

  test("names of both sides differ, as they may be in one account, and fit the longest bridge", async () => {
    expect(whole.get("b-source-prober-role").inputs.name).toBe("crossborderbridge-b-prober-source");
    expect(whole.get("b-destination-prober-role").inputs.name).toBe("crossborderbridge-b-prober-dest");
    const long = await build({ ...CANARY, name: "x".repeat(32) });
    for (const side of ["source", "destination"])
      expect(String(long.get(`b-${side}-prober-role`).inputs.name).length).toBeLessThanOrEqual(64);
  });

  test("no canary is sent before the bridge is there, and nothing goes round", () => {
    const { get, resources } = whole;
    for (const side of ["source", "destination"])
      expect(get(`b-${side}-prober-target`).dependsOn).toEqual(
        expect.arrayContaining([`b-${side}-prober-permission`, "b-replication", "b-replication-back"]),
      );
    const order = deploymentOrder(resources);
    expect(order.indexOf("b-source-prober-target")).toBeGreaterThan(order.indexOf("b-replication-back"));
  });

  test("nor, with pull, before the source tells of its objects", async () => {
    const { get } = await build(CANARY);
    expect(get("b-source-prober-target").dependsOn).toContain("b-trigger-notification");
    expect(get("b-destination-prober-target").dependsOn).toContain("b-trigger-notification");
  });
});

describe("the schedule", () => {
  test.each([
    [5, "cron(0/5 * * * ? *)"],
    [1440, "cron(0 0 * * ? *)"],
  ])("every %i min: %s, on both sides", async (everyMinutes, scheduleExpression) => {
    const { get } = await build({ probe: { enabled: true, everyMinutes } });
    for (const side of ["source", "destination"])
      expect(get(`b-${side}-prober-schedule`).inputs.scheduleExpression).toBe(scheduleExpression);
  });
});

describe("alarms", () => {
  const TOPIC = "arn:aws:sns:us-east-1:111111111111:ops";
  const common = {
    namespace: METRIC_NAMESPACE,
    dimensions: { service: "prober-destination", BridgeId: "b" },
    statistic: "Maximum",
    period: 300,
    comparisonOperator: "GreaterThanThreshold",
  };

  test("late until a canary is in time; given up, or silent, at once", async () => {
    const { get } = await build({ probe: { enabled: true, everyMinutes: 5, lagAlarmSeconds: 60 }, alarmTopicArn: TOPIC });
    expect(get("b-destination-prober-lag-alarm").inputs).toEqual({
      ...common,
      name: "crossborderbridge-b-prober-dest-late",
      alarmDescription:
        "Bridge b: a canary took more than 60 s to the destination. Read what is late, and why, with `npm run bridge -- status`. " +
        "See docs/runbook.md#the-latency-probe-is-late",
      metricName: "ProbeLagMs",
      threshold: 60_000,
      evaluationPeriods: 1,
      treatMissingData: "ignore",
    });
    expect(get("b-destination-prober-gave-up-alarm").inputs).toEqual({
      ...common,
      name: "crossborderbridge-b-prober-dest-gave-up",
      alarmDescription:
        "Bridge b: a canary did not come to the destination within 600 s. Read what waits, and why, with `npm run bridge -- status`. " +
        "Without data the prober at the destination does not run: read its log. See docs/runbook.md#the-latency-probe-is-late",
      metricName: "ProbeGaveUp",
      threshold: 0,
      evaluationPeriods: 4,
      datapointsToAlarm: 1,
      treatMissingData: "missing",
    });
  });

  test("go to the topic where it is of their region and account", async () => {
    const actions = { alarmActions: [TOPIC], okActions: [TOPIC] };
    const pair = await native({ ...TWO_WAY, ...CANARY, alarmTopicArn: TOPIC });
    expect(pair.get("b-source-prober-lag-alarm").inputs).toMatchObject({
      ...actions,
      dimensions: { service: "prober-source" },
    });
    expect(pair.get("b-source-prober-gave-up-alarm").inputs).toMatchObject({ ...actions, insufficientDataActions: [TOPIC] });
    expect(pair.get("b-destination-prober-lag-alarm").inputs).not.toHaveProperty("alarmActions");
    const near = await native({ ...CANARY, alarmTopicArn: TOPIC, destination: { region: "us-east-1" } });
    expect(near.get("b-destination-prober-lag-alarm").inputs).toMatchObject(actions);
  });

  test.each([
    [1, 600, 13],
    [1440, 830, 2],
  ])(
    "every %i min, given up after %i s: %i periods, within what CloudWatch evaluates",
    async (everyMinutes, giveUpAfterSeconds, n) => {
      const { get } = await build({ probe: { enabled: true, everyMinutes, giveUpAfterSeconds } });
      const { period, evaluationPeriods } = get("b-destination-prober-gave-up-alarm").inputs as Record<string, number>;
      expect([period, evaluationPeriods]).toEqual([everyMinutes * 60, n]);
      const longest = everyMinutes < 60 ? 86_400 : 604_800;
      expect((period ?? 0) * (evaluationPeriods ?? 0)).toBeLessThanOrEqual(longest);
    },
  );
});

test("the policy stays within IAM's 10,240 characters at its largest", () => {
  const long = "x".repeat(1024);
  const removal = ["s3:DeleteObject", "s3:DeleteObjectVersion"] as const;
  const document = proberPolicy({ bucketArn: long, prefix: long, puts: true, tagged: true, removal, kmsKeyArn: long });
  expect(JSON.stringify(document).length).toBeLessThan(10_240);
});

test("the functions' names are an output, with the probe alone", async () => {
  const { bridge } = await build(ON);
  const { source, destination } = bridge.proberFunctionNames ?? {};
  expect(await settled(pulumi.all([source, destination]))).toEqual([
    "crossborderbridge-b-prober-source",
    "crossborderbridge-b-prober-dest",
  ]);
  expect(bridge.outputs).toHaveProperty("proberFunctionNames");
  expect(bridge.outputs).not.toHaveProperty("ready");
  expect((await build()).bridge.outputs).not.toHaveProperty("proberFunctionNames");
});
