/** Mode native inside a partition of AWS, as a whole bridge. */
import { type Built, build, quietly, type Variation } from "../../bridge-fixture";
import { ACCOUNT, aliasesOf, deploymentOrder, native, ROLE, TWO_WAY } from "./fixture";

jest.mock("../../../support/mock-aws", () =>
  jest
    .requireActual<typeof import("./second-account")>("./second-account")
    .withSecondAccount(jest.requireActual("../../../support/mock-aws")),
);

beforeEach(quietly);

const CONFIGURATION = "aws:s3/bucketReplicationConfig:BucketReplicationConfig";

describe("the tree", () => {
  const EVERYTHING = { ...TWO_WAY, replication: { metrics: true }, existingObjects: "replicate" } satisfies Variation;
  let whole: Built;
  beforeAll(async () => {
    quietly();
    whole = await native(EVERYTHING);
  });

  test("in one run without a cycle, replication after versions and policies", () => {
    const order = deploymentOrder(whole.resources);
    for (const name of ["b-replication", "b-replication-back"]) {
      expect(whole.get(name, CONFIGURATION).dependsOn).toEqual(
        expect.arrayContaining(["b-source-versioning", "b-destination-versioning"]),
      );
      for (const versioning of ["b-source-versioning", "b-destination-versioning"])
        expect(order.indexOf(versioning)).toBeLessThan(order.indexOf(name));
    }
    expect(whole.get("b-replication", CONFIGURATION).dependsOn).toContain("b-destination-policy");
    expect(whole.get("b-replication-back", CONFIGURATION).dependsOn).toContain("b-source-policy");
  });

  test("buckets and their settings stay by default, replication goes", () => {
    const kept = whole.resources.filter(({ retainOnDelete }) => retainOnDelete);
    expect(kept).toHaveLength(14);
    expect(kept.filter(({ parent }) => !parent?.endsWith("-store"))).toEqual([]);
  });
});

describe("the buckets", () => {
  test("are those of mode pull, so that a change of mode keeps them", async () => {
    const bucketsOf = ({ resources }: Built) =>
      resources.filter(({ parent }) => parent?.endsWith("-store")).map(({ type, name, parent }) => `${type} ${name} ${parent}`);
    const pull = await build({ destination: { cloud: "aws", region: "eu-west-1" } });
    expect(bucketsOf(await native()).sort()).toEqual(bucketsOf(pull).sort());
  });

  /** Provenance records stay: the rule names the folder of the other ones. */
  const leftovers = (folder: string) => [
    expect.objectContaining({ id: "abort-abandoned-uploads" }),
    expect.objectContaining({ id: "expire-bridge-records", filter: { prefix: `.crossborderbridge/${folder}/` } }),
  ];
  const LIFECYCLE = {
    lifecycle: [
      {
        id: "old",
        prefix: "reports/",
        expirationDays: 400,
        noncurrentExpirationDays: 30,
        transitions: [
          { days: 30, storageClass: "STANDARD_IA" as const },
          { days: 90, storageClass: "GLACIER" as const },
        ],
      },
      { id: "short", prefix: "", expirationDays: 7 },
    ],
  };
  const RULES = [
    {
      id: "old",
      status: "Enabled",
      filter: { prefix: "reports/" },
      expiration: { days: 400 },
      noncurrentVersionExpiration: { noncurrentDays: 30 },
      transitions: [
        { days: 30, storageClass: "STANDARD_IA" },
        { days: 90, storageClass: "GLACIER" },
      ],
    },
    { id: "short", status: "Enabled", filter: { prefix: "" }, expiration: { days: 7 } },
  ];

  test("the destination has the lifecycle that it is given, whatever the mode", async () => {
    const { get } = await native({ destination: LIFECYCLE });
    expect(get("b-source-lifecycle").inputs.rules).toEqual(leftovers("backfill"));
    expect(get("b-destination-lifecycle").inputs.rules).toEqual([...leftovers("backfill"), ...RULES]);
    const pull = await build({ destination: { cloud: "aws", region: "eu-west-1", ...LIFECYCLE } });
    expect(pull.get("b-source-lifecycle").inputs.rules).toHaveLength(1);
    expect(pull.get("b-destination-lifecycle").inputs.rules).toEqual([...leftovers("b"), ...RULES]);
  });
});

describe("replication", () => {
  test("is what the configuration says", async () => {
    const { get } = await native({
      scope: { prefixes: ["in/", "out/"], tags: { a: "1" } },
      destination: { storageClass: "STANDARD_IA" },
      replication: { timeControl: true },
    });
    const rule = (priority: number, prefix: string) => ({
      id: `crossborderbridge-b-${priority}`,
      status: "Enabled",
      priority,
      filter: { and: { prefix, tags: { a: "1" } } },
      deleteMarkerReplication: { status: "Disabled" },
      destination: {
        bucket: "arn:aws:s3:::to-there",
        storageClass: "STANDARD_IA",
        replicationTime: { status: "Enabled", time: { minutes: 15 } },
        metrics: { status: "Enabled", eventThreshold: { minutes: 15 } },
      },
    });
    expect(get("b-replication", CONFIGURATION).inputs).toEqual({
      bucket: "from-here",
      role: `${ROLE}-replication`,
      rules: [rule(1, "in/"), rule(2, "out/")],
    });
  });

  test("by rules of its own", async () => {
    const rules = [
      { id: "hot", priority: 2, prefix: "hot/", deletes: "replicate" as const },
      { id: "cold", priority: 1, tags: { keep: "yes" }, storageClass: "GLACIER_IR" as const, enabled: false },
    ];
    expect((await native({ replication: { rules } })).get("b-replication", CONFIGURATION).inputs.rules).toEqual([
      expect.objectContaining({
        id: "hot",
        filter: { prefix: "hot/" },
        deleteMarkerReplication: { status: "Enabled" },
        destination: { bucket: "arn:aws:s3:::to-there" },
      }),
      expect.objectContaining({
        id: "cold",
        status: "Disabled",
        filter: { tag: { key: "keep", value: "yes" } },
        destination: { bucket: "arn:aws:s3:::to-there", storageClass: "GLACIER_IR" },
      }),
    ]);
  });

  test("a rule that is off is not backfilled", async () => {
    const rules = [
      { id: "on", priority: 1, prefix: "on/" },
      { id: "off", priority: 2, prefix: "off/", enabled: false },
    ];
    const { get } = await native({ existingObjects: "replicate", replication: { rules } });
    const policy = String(get("b-backfill-policy").inputs.policy);
    expect(policy).toContain("arn:aws:s3:::from-here/on/*");
    expect(policy).not.toContain("/off/");
  });

  test("roles have names that fit the longest bridge", async () => {
    const { resources } = await native({ ...TWO_WAY, existingObjects: "replicate", name: "n".repeat(32) });
    const names = resources.filter(({ type }) => type.endsWith(":Role")).map(({ inputs }) => String(inputs.name));
    expect(names).toHaveLength(3);
    for (const name of names) expect(name.length).toBeLessThanOrEqual(64);
  });

  test("alarms go to the topic where it can hear them", async () => {
    const alarmTopicArn = `arn:aws:sns:us-east-1:${ACCOUNT}:ops`;
    const actionsOf = async (variation: Variation) => {
      const { resources } = await native({
        replication: { metrics: true },
        probe: { lagAlarmSeconds: 60 },
        alarmTopicArn,
        ...variation,
      });
      const alarms = resources.filter(({ type }) => type.endsWith(":MetricAlarm"));
      return Object.fromEntries(alarms.map(({ name, inputs }) => [name, [inputs.threshold, inputs.alarmActions]]));
    };
    expect(await actionsOf({})).toEqual({
      "b-replication-1-lag-alarm": [60, undefined],
      "b-replication-1-failure-alarm": [0, [alarmTopicArn]],
    });
    expect(await actionsOf({ destination: { region: "us-east-1" } })).toEqual({
      "b-replication-1-lag-alarm": [60, [alarmTopicArn]],
      "b-replication-1-failure-alarm": [0, [alarmTopicArn]],
    });
    expect(await actionsOf(TWO_WAY)).toEqual({
      "b-replication-1-lag-alarm": [60, undefined],
      "b-replication-1-failure-alarm": [0, [alarmTopicArn]],
      "b-replication-back-1-lag-alarm": [60, [alarmTopicArn]],
      "b-replication-back-1-failure-alarm": [0, undefined],
    });
  });
});

test("a direction that is taken away again leaves the other one alone", async () => {
  const found = await aliasesOf(() => native());
  const urn = "urn:pulumi:test::crossborderbridge::crossborder:index:CrossBorderBridge$crossborder:index:TwoWayReplication$";
  expect(found["crossborder:index:NativeReplication b-replication"]).toEqual([
    `${urn}crossborder:index:NativeReplication::b-replication`,
  ]);
  expect(found[`${CONFIGURATION} b-replication`]).toEqual([
    `${urn}crossborder:index:NativeReplication$${CONFIGURATION}::b-replication`,
  ]);
  const moved = Object.keys(found).filter((one) => found[one]?.some((old) => old.startsWith(urn)));
  expect(moved.map((one) => one.split(" ")[1]).sort()).toEqual([
    "b-replication",
    "b-replication",
    "b-replication-policy",
    "b-replication-role",
  ]);
});
