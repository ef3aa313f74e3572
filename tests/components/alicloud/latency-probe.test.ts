/** The latency probe on sides in Alibaba Cloud. */
import { CONFIG_VARIABLE, parseEnv } from "../../../runtime/protocol/env";
import { type Recording, settled } from "../../support/record-resources";
import { build, policyOf, quietly, type Variation } from "../bridge-fixture";
import { PIECES as AWS_PIECES } from "../resource-lists";
import { ACCOUNT, inOss, native, ossDestination, ossSource, push, recorded } from "./fixture";
import { PIECES, type Piece } from "./resource-lists";

beforeEach(quietly);

const FUNCTION = "alicloud:fc/v3Function:V3Function";
const ON = { probe: { enabled: true } } satisfies Variation;
const CANARY = { probe: { enabled: true, everyMinutes: 5 } } satisfies Variation;
const FROM = `acs:oss:*:${ACCOUNT}:from-shanghai`;
const TO = `acs:oss:*:${ACCOUNT}:to-silicon-valley`;
const allow = (Action: string[], ...Resource: string[]) => ({ Effect: "Allow", Action, Resource });

function envOf(recording: Recording, side: "source" | "destination") {
  const { environmentVariables } = recording.get(`b-${side}-prober`, FUNCTION).inputs as {
    environmentVariables: Record<string, string>;
  };
  expect(Object.keys(environmentVariables).sort()).toEqual(["CODE_SHA256", CONFIG_VARIABLE]);
  return parseEnv("prober", environmentVariables);
}

describe("what it adds to a bridge", () => {
  const own = (...pieces: Piece[]) => pieces.flatMap((piece) => [...PIECES[piece]]);
  const awsProber = [...AWS_PIECES.sourceProber, ...AWS_PIECES.sourceSchedule];

  test.each<[string, (variation?: Variation) => Variation, Variation, string[]]>([
    ["push, on demand alone", push, ON, own("probe", "sourceProber", "destinationProber")],
    [
      "push, with a canary",
      push,
      CANARY,
      own("probe", "sourceProber", "destinationProber", "sourceSchedule", "destinationSchedule", "destinationProbeAlarms"),
    ],
    [
      "native, with a canary",
      native,
      CANARY,
      own("probe", "sourceProber", "destinationProber", "sourceSchedule", "destinationSchedule", "destinationProbeAlarms"),
    ],
    [
      "pull from OSS to OSS, with a canary",
      inOss,
      CANARY,
      own("probe", "sourceProber", "destinationProber", "sourceSchedule", "destinationSchedule", "destinationProbeAlarms"),
    ],
    [
      "pull from AWS to OSS, with a canary",
      ossDestination,
      CANARY,
      [...own("probe", "destinationProber", "destinationSchedule", "destinationProbeAlarms"), ...awsProber],
    ],
    [
      "pull from OSS to AWS China, with a canary",
      ossSource,
      CANARY,
      [
        ...own("probe", "sourceProber", "sourceSchedule"),
        ...AWS_PIECES.destinationProber,
        ...AWS_PIECES.destinationSchedule,
        ...AWS_PIECES.destinationProbeAlarms,
      ],
    ],
  ])("%s", async (_, kind, variation, pieces) => {
    const without = (await recorded(kind())).list();
    expect((await recorded(kind(variation))).list()).toEqual([...without, ...pieces].sort());
  });

  test("each prober on the provider of its side, with a log of its own", async () => {
    const { get, resources } = await recorded(push(CANARY));
    for (const [side, part] of [
      ["source", "prober-source"],
      ["destination", "prober-dest"],
    ] as const) {
      const children = resources.filter(({ name, type }) => name.startsWith(`b-${side}-prober`) && type.startsWith("alicloud:"));
      expect(new Set(children.map(({ provider }) => provider))).toEqual(new Set([side]));
      expect(get(`b-${side}-prober`, FUNCTION).inputs).toMatchObject({
        functionName: `crossborderbridge-b-${part}`,
        role: `acs:ram::${ACCOUNT}:role/crossborderbridge-b-${part}`,
        memorySize: 512,
        timeout: 900,
        logConfig: { project: `bridge-b-${part}-a088eff9`, logstore: "functions" },
      });
    }
  });

  test("names fit the longest bridge", async () => {
    const { get } = await recorded(push({ ...CANARY, name: "x".repeat(32) }));
    for (const side of ["source", "destination"]) {
      expect(String(get(`b-${side}-prober-role`).inputs.roleName).length).toBeLessThanOrEqual(64);
      expect(String(get(`b-${side}-prober-logs-project`).inputs.projectName).length).toBeLessThanOrEqual(63);
    }
  });

  test("every child has a hook of its side", async () => {
    const seen: string[] = [];
    const hooks = (path: string): object =>
      new Proxy(() => seen.push(path), { get: (_, name) => hooks(`${path} ${String(name)}`) });
    await build(push({ ...CANARY, transform: { alicloud: { prober: hooks("") } } }));
    const both = ["attachment", "function", "logs index", "logs project", "logs store", "policy", "role", "schedule"];
    expect(seen.sort()).toEqual(
      [
        ...both.flatMap((hook) => [` source ${hook}`, ` destination ${hook}`]),
        " destination lateAlarm",
        " destination errorAlarm",
      ].sort(),
    );
  });
});

test("each side reads and writes its own bucket, over the region's own network", async () => {
  const recording = await recorded(
    push({
      scope: { prefixes: ["in/"], suffixes: [".pdf"], tags: { public: "yes" } },
      source: { kmsKeyId: "key-1" },
      destination: { prefix: "copies/", versioning: false },
      ...CANARY,
    }),
  );
  const common = {
    bridgeId: "b",
    sourceId: "alicloud:from-shanghai",
    destinationId: "alicloud:to-silicon-valley",
    logLevel: "info",
    probePrefix: "in/crossborderbridge-probe/",
    suffix: ".pdf",
    tags: { public: "yes" },
    timeoutSeconds: 900,
  };
  const canary = { everyMinutes: 5, sizeBytes: 131_072, giveUpAfterSeconds: 600 };
  const oss = { kind: "oss", network: "internal" };
  expect(envOf(recording, "source")).toEqual({
    ...common,
    side: "source",
    store: { ...oss, bucket: "from-shanghai", region: "cn-shanghai", versioned: true, kmsKeyId: "key-1" },
    keyPrefix: "",
    canary: { ...canary, puts: true, watches: false },
  });
  expect(envOf(recording, "destination")).toEqual({
    ...common,
    side: "destination",
    store: { ...oss, bucket: "to-silicon-valley", region: "us-west-1", versioned: false },
    keyPrefix: "copies/",
    canary: { ...canary, puts: false, watches: true },
  });
});

test.each([
  ["kept-shanghai", true],
  ["plain-shanghai", false],
])("an adopted bucket %s is treated as what it is", async (bucket, versioned) => {
  const recording = await recorded(push({ ...ON, source: { adopt: true, bucket } }));
  expect(envOf(recording, "source").store).toMatchObject({ bucket, versioned });
  expect(envOf(recording, "source")).not.toHaveProperty("canary");
});

describe("what its role may do", () => {
  const statements = (recording: Recording, side: string) =>
    (policyOf(recording, `b-${side}-prober-policy`, "policyDocument") as { Statement: unknown[] }).Statement;
  const logs = (part: string, region: string) =>
    allow(["log:PostLogStoreLogs"], `acs:log:${region}:${ACCOUNT}:project/bridge-b-${part}-a088eff9/logstore/functions`);

  test("on demand alone, at its least", async () => {
    const recording = await recorded(push(ON));
    expect(statements(recording, "source")).toEqual([
      allow(["oss:GetObject", "oss:PutObject", "oss:DeleteObjectVersion"], `${FROM}/crossborderbridge-probe/*`),
      logs("prober-source", "cn-shanghai"),
    ]);
    expect(statements(recording, "destination")).toEqual([
      allow(["oss:GetObject", "oss:DeleteObjectVersion"], `${TO}/crossborderbridge-probe/*`),
      logs("prober-dest", "us-west-1"),
    ]);
  });

  test("with everything on", async () => {
    const recording = await recorded(
      push({
        scope: { prefixes: ["in*/"], tags: { public: "yes" } },
        source: { kmsKeyId: "key-1", versioning: false },
        destination: { kmsKeyId: "key-2", prefix: "copies/" },
        ...CANARY,
      }),
    );
    expect(statements(recording, "source").slice(0, -1)).toEqual([
      allow(
        ["oss:GetObject", "oss:PutObject", "oss:PutObjectTagging", "oss:DeleteObject"],
        `${FROM}/in?/crossborderbridge-probe/*`,
      ),
      allow(["oss:ListObjects"], FROM),
      allow(["kms:GenerateDataKey", "kms:Decrypt"], `acs:kms:cn-shanghai:${ACCOUNT}:key/key-1`),
    ]);
    // It looks, and a look needs no key.
    expect(statements(recording, "destination").slice(0, -1)).toEqual([
      allow(["oss:GetObject", "oss:DeleteObjectVersion"], `${TO}/copies/in?/crossborderbridge-probe/*`),
      allow(["oss:ListObjects"], TO),
    ]);
  });
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
