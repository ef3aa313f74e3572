/** The latency probe on sides in AWS; what is in Alibaba Cloud is in alicloud/latency-probe.test.ts. */
import * as pulumi from "@pulumi/pulumi";
import { proberPolicy } from "../../components/aws/policies";
import { METRIC_NAMESPACE } from "../../runtime/platforms/aws-lambda/metrics";
import { CONFIG_VARIABLE, parseEnv } from "../../runtime/protocol/env";
import { type Recording, settled } from "../support/record-resources";
import { type Built, policyOf, quietly, build as record, type Variation } from "./bridge-fixture";
import { allow, deploymentOrder, native as recordNative, TWO_WAY } from "./native-fixture";
import { PIECES, type Piece } from "./resource-lists";

beforeEach(quietly);

const ON = { probe: { enabled: true } } satisfies Variation;
const CANARY = { probe: { enabled: true, everyMinutes: 5 } } satisfies Variation;
const FUNCTION = "aws:lambda/function:Function";
const BOTH: Piece[] = ["probe", "sourceProber", "destinationProber"];
const SCHEDULES: Piece[] = ["sourceSchedule", "destinationSchedule"];
const SCOPE = { prefixes: ["in/", "more/"], suffixes: [".pdf", ".txt"], tags: { public: "yes" } };

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

function envOf(recording: Recording, side: "source" | "destination") {
  const { environment } = recording.get(`b-${side}-prober`, FUNCTION).inputs as {
    environment: { variables: Record<string, string> };
  };
  expect(Object.keys(environment.variables)).toEqual([CONFIG_VARIABLE]);
  return parseEnv("prober", environment.variables);
}

describe("what it adds to a bridge", () => {
  const twoWay = (variation: Variation = {}) => native({ ...TWO_WAY, ...variation });

  test.each<[string, (variation?: Variation) => Promise<Built>, Variation, Piece[]]>([
    ["pull, nothing by default", build, { probe: { enabled: false } }, []],
    ["pull, on demand alone", build, ON, BOTH],
    ["pull, with a canary", build, CANARY, [...BOTH, ...SCHEDULES, "destinationProbeAlarms"]],
    ["native, with a canary", native, CANARY, [...BOTH, ...SCHEDULES, "destinationProbeAlarms"]],
    ["two ways, on demand alone", twoWay, ON, BOTH],
    ["two ways, with a canary", twoWay, CANARY, [...BOTH, ...SCHEDULES, "sourceProbeAlarms", "destinationProbeAlarms"]],
  ])("%s", async (_, kind, variation, pieces) => {
    const without = (await kind()).list();
    expect((await kind(variation)).list()).toEqual([...without, ...pieces.flatMap((piece) => [...PIECES[piece]])].sort());
  });
});

describe("the tree", () => {
  let whole: Built;
  beforeAll(async () => {
    quietly();
    whole = await native({ ...TWO_WAY, ...CANARY });
  });

  test("each prober hangs in the probe, on the provider of its side", () => {
    const { get, resources } = whole;
    expect(get("b-probe").parent).toBe("b");
    for (const side of ["source", "destination"]) {
      expect(get(`b-${side}-prober`, "crossborder:aws:Prober").parent).toBe("b-probe");
      const own = resources.filter(({ name, type }) => name.startsWith(`b-${side}-prober`) && type.startsWith("aws:"));
      expect(new Set(own.map(({ provider }) => provider))).toEqual(new Set([side]));
    }
    expect(resources.filter(({ type, outputsRegistered }) => type.startsWith("crossborder:") && !outputsRegistered)).toEqual([]);
  });

  test("names of both sides differ, as they may be in one account, and fit the longest bridge", async () => {
    expect(whole.get("b-source-prober-role").inputs.name).toBe("crossborderbridge-b-prober-source");
    expect(whole.get("b-destination-prober-role").inputs.name).toBe("crossborderbridge-b-prober-dest");
    const long = await build({ ...CANARY, name: "x".repeat(32) });
    for (const side of ["source", "destination"])
      expect(String(long.get(`b-${side}-prober-role`).inputs.name).length).toBeLessThanOrEqual(64);
  });

  test("every child has a hook of its side", async () => {
    const seen: string[] = [];
    const hooks = (side: string): object =>
      new Proxy(
        {},
        {
          get: (_, hook) => (_args: object, opts: pulumi.CustomResourceOptions) => {
            seen.push(`${side} ${String(hook)}`);
            opts.protect = true;
          },
        },
      );
    const transform = { prober: { source: hooks("source"), destination: hooks("destination") } };
    const { resources } = await recordNative({ ...TWO_WAY, ...CANARY, transform });
    const own = ["function", "gaveUpAlarm", "lagAlarm", "logGroup", "permission", "role", "rolePolicy", "schedule", "target"];
    expect(seen.sort()).toEqual(["destination", "source"].flatMap((side) => own.map((hook) => `${side} ${hook}`)));
    const children = resources.filter(({ name, type }) => name.includes("-prober") && type.startsWith("aws:"));
    expect(children.filter(({ protect }) => !protect)).toEqual([]);
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

describe("what the function is told", () => {
  const common = {
    bridgeId: "b",
    sourceId: "aws:from-here",
    destinationId: "aws-cn:to-there",
    logLevel: "info",
    probePrefix: "in/crossborderbridge-probe/",
    suffix: ".pdf",
    tags: SCOPE.tags,
    timeoutSeconds: 900,
  };
  const canary = { everyMinutes: 15, sizeBytes: 4096, giveUpAfterSeconds: 300 };

  test("one way: objects that the scope takes, each side in its own store", async () => {
    const recording = await build({
      scope: SCOPE,
      destination: { prefix: "copies/" },
      probe: { enabled: true, ...canary },
    });
    expect(envOf(recording, "source")).toEqual({
      ...common,
      side: "source",
      store: { kind: "s3", bucket: "from-here", region: "us-east-1" },
      keyPrefix: "",
      canary: { ...canary, puts: true, watches: false },
    });
    expect(envOf(recording, "destination")).toEqual({
      ...common,
      side: "destination",
      store: { kind: "s3", bucket: "to-there", region: "cn-north-1" },
      keyPrefix: "copies/",
      canary: { ...canary, puts: false, watches: true },
    });
  });

  test("two ways: both put and watch", async () => {
    const recording = await native({ ...TWO_WAY, ...CANARY });
    for (const side of ["source", "destination"] as const)
      expect(envOf(recording, side)).toMatchObject({
        side,
        keyPrefix: "",
        probePrefix: "crossborderbridge-probe/",
        suffix: "",
        tags: {},
        canary: { puts: true, watches: true },
      });
  });

  test("without a schedule there is no canary", async () => {
    expect(envOf(await build(ON), "source")).not.toHaveProperty("canary");
  });

  test("as long and as large as a watch and its objects need", async () => {
    expect((await build(ON)).get("b-destination-prober", FUNCTION).inputs).toMatchObject({
      name: "crossborderbridge-b-prober-dest",
      timeout: 900,
      memorySize: 512,
    });
  });
});

describe("what its role may do", () => {
  const FROM = "arn:aws:s3:::from-here";
  const TO = "arn:aws-cn:s3:::to-there";
  const KEY = "arn:aws:kms:us-east-1:111111111111:key/k1";
  const CHINESE_KEY = "arn:aws-cn:kms:cn-north-1:222222222222:key/k2";
  const statements = (recording: Recording, side: string) =>
    (policyOf(recording, `b-${side}-prober-policy`) as { Statement: unknown[] }).Statement;

  test("the side that watches, at its least", async () => {
    expect(policyOf(await build(CANARY), "b-destination-prober-policy")).toEqual({
      Version: "2012-10-17",
      Statement: [
        allow("Probe", ["s3:GetObject", "s3:DeleteObjectVersion"], [`${TO}/crossborderbridge-probe/*`]),
        allow("TellMissingFromForbidden", ["s3:ListBucket"], [TO]),
        allow(
          "WriteLogs",
          ["logs:CreateLogStream", "logs:PutLogEvents"],
          ["arn:aws-cn:logs:cn-north-1:222222222222:log-group:/aws/lambda/crossborderbridge-b-prober-dest:*"],
        ),
      ],
    });
  });

  test("both sides, with everything on", async () => {
    const recording = await build({
      scope: { prefixes: ["in*/"], tags: SCOPE.tags },
      source: { kmsKeyArn: KEY, versioning: false },
      destination: { kmsKeyArn: CHINESE_KEY, prefix: "copies/", adopt: true },
      ...CANARY,
    });
    expect(statements(recording, "source").slice(0, -1)).toEqual([
      allow(
        "Probe",
        ["s3:GetObject", "s3:PutObject", "s3:PutObjectTagging", "s3:DeleteObject"],
        [`${FROM}/in\${*}/crossborderbridge-probe/*`],
      ),
      allow("TellMissingFromForbidden", ["s3:ListBucket"], [FROM]),
      allow("UseKey", ["kms:GenerateDataKey", "kms:Decrypt"], [KEY]),
    ]);
    expect(statements(recording, "destination").slice(0, -1)).toEqual([
      allow(
        "Probe",
        ["s3:GetObject", "s3:DeleteObject", "s3:DeleteObjectVersion"],
        [`${TO}/copies/in\${*}/crossborderbridge-probe/*`],
      ),
      allow("TellMissingFromForbidden", ["s3:ListBucket"], [TO]),
      allow("UseKey", ["kms:Decrypt"], [CHINESE_KEY]),
    ]);
  });

  test("two ways: each side puts", async () => {
    const recording = await native({ ...TWO_WAY, ...CANARY });
    for (const [side, bucket] of [
      ["source", "from-here"],
      ["destination", "to-there"],
    ] as const)
      expect(statements(recording, side)[0]).toEqual(
        allow(
          "Probe",
          ["s3:GetObject", "s3:PutObject", "s3:DeleteObjectVersion"],
          [`arn:aws:s3:::${bucket}/crossborderbridge-probe/*`],
        ),
      );
  });

  test("keys are told of it beside the bridge's own statements", async () => {
    const sids = async (output: pulumi.Output<string> | undefined) =>
      (JSON.parse(await settled(output ?? pulumi.output("null"))) as { Sid: string }[]).map(({ Sid }) => Sid);
    const { bridge } = await build({ ...ON, source: { kmsKeyArn: KEY } });
    const statement = JSON.parse(await settled(bridge.kmsKeyPolicyStatements.source ?? pulumi.output(""))) as unknown[];
    expect(statement).toEqual([
      expect.objectContaining({ Sid: "CrossBorderBridgeReads" }),
      {
        Sid: "CrossBorderBridgeProbes",
        Effect: "Allow",
        Principal: { AWS: ["arn:aws:iam::111111111111:role/crossborderbridge-b-prober-source"] },
        Action: ["kms:GenerateDataKey", "kms:Decrypt"],
        Resource: KEY,
      },
    ]);
    expect(bridge.kmsKeyPolicyStatements.destination).toBeUndefined();
    const European = "arn:aws:kms:eu-west-1:111111111111:key/k2";
    const pair = await native({ ...ON, source: { kmsKeyArn: KEY }, destination: { kmsKeyArn: European } });
    const { source, destination } = pair.bridge.kmsKeyPolicyStatements;
    expect([await sids(source), await sids(destination)]).toEqual([
      ["CrossBorderBridgeReads", "CrossBorderBridgeProbes"],
      ["CrossBorderBridgeWrites", "CrossBorderBridgeProbes"],
    ]);
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

  test("hands the event over as it is, and only its own rule may", async () => {
    const { get } = await build(CANARY);
    const own = "arn:aws-cn:lambda:cn-north-1:222222222222:function:crossborderbridge-b-prober-dest";
    expect(get("b-destination-prober-target").inputs).toEqual({
      rule: "crossborderbridge-b-prober-dest",
      targetId: "prober",
      arn: own,
    });
    expect(get("b-destination-prober-permission").inputs).toEqual({
      action: "lambda:InvokeFunction",
      function: "crossborderbridge-b-prober-dest",
      principal: "events.amazonaws.com",
      sourceArn: "arn:aws-cn:events:cn-north-1:222222222222:rule/crossborderbridge-b-prober-dest",
    });
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
      alarmDescription: "A canary of bridge b took more than 60 s to the destination",
      metricName: "ProbeLagMs",
      threshold: 60_000,
      evaluationPeriods: 1,
      treatMissingData: "ignore",
    });
    expect(get("b-destination-prober-gave-up-alarm").inputs).toEqual({
      ...common,
      name: "crossborderbridge-b-prober-dest-gave-up",
      alarmDescription: "A canary of bridge b did not come to the destination within 600 s; without data nobody watches for them",
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
