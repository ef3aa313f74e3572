import { rulesOf } from "../../../../components/aws/native/bridge";
import { type ReplicationRule, type RuleSettings, ruleArgs, rulesProblems } from "../../../../components/aws/native/rules";
import { type BridgeConfig, parseBridgeConfig } from "../../../../components/config";

const TO = "arn:aws:s3:::to";
const SETTINGS: RuleSettings = {
  destinationArn: TO,
  deletes: "ignore",
  timeControl: false,
  metrics: false,
  replicaModifications: false,
};
const RULE: ReplicationRule = { id: "r", priority: 1 };

test("the least that a rule says", () => {
  expect(ruleArgs(RULE, SETTINGS)).toEqual({
    id: "r",
    status: "Enabled",
    priority: 1,
    filter: { prefix: "" },
    deleteMarkerReplication: { status: "Disabled" },
    destination: { bucket: TO },
  });
});

test.each([
  [{}, { prefix: "" }],
  [{ prefix: "in/" }, { prefix: "in/" }],
  [{ tags: { a: "1" } }, { tag: { key: "a", value: "1" } }],
  [{ tags: { a: "1", b: "" } }, { and: { tags: { a: "1", b: "" } } }],
  [{ prefix: "in/", tags: { a: "1" } }, { and: { prefix: "in/", tags: { a: "1" } } }],
  [{ prefix: "in/", tags: { a: "1", b: "2" } }, { and: { prefix: "in/", tags: { a: "1", b: "2" } } }],
])("%j is the filter %j", (more, filter) => {
  expect(ruleArgs({ ...RULE, ...more }, SETTINGS).filter).toEqual(filter);
});

test.each([
  ["ignore", undefined, "Disabled"],
  ["replicate", undefined, "Enabled"],
  ["ignore", "replicate", "Enabled"],
  ["replicate", "ignore", "Disabled"],
] as const)("with deletes: %s, a rule that says %s has delete markers %s", (deletes, own, status) => {
  const args = ruleArgs({ ...RULE, deletes: own }, { ...SETTINGS, deletes });
  expect(args.deleteMarkerReplication).toEqual({ status });
});

test("a rule that is off is still there", () => {
  expect(ruleArgs({ ...RULE, enabled: false }, SETTINGS).status).toBe("Disabled");
});

test.each<[string, Partial<ReplicationRule>, Partial<RuleSettings>, object]>([
  ["the destination's class", {}, { storageClass: "GLACIER_IR" }, { storageClass: "GLACIER_IR" }],
  ["its own class", { storageClass: "STANDARD_IA" }, { storageClass: "GLACIER_IR" }, { storageClass: "STANDARD_IA" }],
  [
    "another owner",
    {},
    { ownerAccountId: "999999999999" },
    { account: "999999999999", accessControlTranslation: { owner: "Destination" } },
  ],
  ["a key for the replicas", {}, { replicaKeyArn: "key" }, { encryptionConfiguration: { replicaKmsKeyId: "key" } }],
  // S3: "Metrics cannot contain an event threshold when ReplicationTime is not specified or Disabled".
  ["metrics alone", {}, { metrics: true }, { metrics: { status: "Enabled" } }],
  [
    "time control",
    {},
    { metrics: true, timeControl: true },
    {
      replicationTime: { status: "Enabled", time: { minutes: 15 } },
      metrics: { status: "Enabled", eventThreshold: { minutes: 15 } },
    },
  ],
])("the destination has %s", (_, rule, settings, more) => {
  expect(ruleArgs({ ...RULE, ...rule }, { ...SETTINGS, ...settings }).destination).toEqual({ bucket: TO, ...more });
});

test.each([
  [{}, undefined],
  [{ replicaModifications: true }, { replicaModifications: { status: "Enabled" } }],
  [{ replicaKeyArn: "key" }, { sseKmsEncryptedObjects: { status: "Enabled" } }],
  [
    { replicaKeyArn: "key", replicaModifications: true },
    { sseKmsEncryptedObjects: { status: "Enabled" }, replicaModifications: { status: "Enabled" } },
  ],
])("with %j it selects %j", (settings, criteria) => {
  expect(ruleArgs(RULE, { ...SETTINGS, ...settings }).sourceSelectionCriteria).toEqual(criteria);
});

describe("refusals", () => {
  const other = { id: "other", priority: 2 };
  test.each<[string, ReplicationRule[], RegExp | undefined]>([
    ["one rule", [RULE], undefined],
    ["two rules", [RULE, other], undefined],
    ["none", [], /none, so nothing would be replicated/],
    ["too many", Array.from({ length: 1001 }, (_, one) => ({ id: `r${one}`, priority: one })), /1001; allowed: at most 1000/],
    ["one id twice", [RULE, { ...other, id: "r" }], /several have the id r/],
    ["one priority twice", [RULE, { ...other, priority: 1 }], /several have the priority 1/],
    ["an id that is too long", [{ ...RULE, id: "x".repeat(256) }], /has 256 characters/],
    ["no id", [{ ...RULE, id: "" }], /has 0 characters/],
    ["tags", [{ ...RULE, tags: { a: "1" } }], undefined],
    [
      "tags and delete markers",
      [{ ...RULE, tags: { a: "1" }, deletes: "replicate" }],
      /r has tags; S3 does not replicate delete markers for a rule with tags/,
    ],
  ])("%s", (_, rules, problem) => {
    const problems = rulesProblems(rules, "ignore");
    expect(problems).toHaveLength(problem === undefined ? 0 : 1);
    if (problem !== undefined) expect(problems[0]).toMatch(problem);
  });

  test("tags where the whole bridge replicates deletes", () => {
    const tagged = { ...RULE, tags: { a: "1" } };
    expect(rulesProblems([tagged], "replicate")).toHaveLength(1);
    expect(rulesProblems([{ ...tagged, deletes: "ignore" }], "replicate")).toEqual([]);
  });
});

describe("rules of a configuration", () => {
  const configOf = (more: Record<string, unknown>): BridgeConfig =>
    parseBridgeConfig(
      {
        source: { cloud: "aws", region: "us-east-1", bucket: "from-here" },
        destination: { cloud: "aws", region: "eu-west-1", bucket: "to-there" },
        ...more,
      },
      { stack: "b" },
    );

  test("everything is one rule", () => {
    expect(rulesOf(configOf({}))).toEqual([{ id: "crossborderbridge-b-1", priority: 1, prefix: "", tags: {} }]);
  });

  test("a scope is a rule for each prefix, each with the tags", () => {
    expect(rulesOf(configOf({ scope: { prefixes: ["in/", "out/", "in/"], tags: { a: "1" } } }))).toEqual([
      { id: "crossborderbridge-b-1", priority: 1, prefix: "in/", tags: { a: "1" } },
      { id: "crossborderbridge-b-2", priority: 2, prefix: "out/", tags: { a: "1" } },
    ]);
  });

  test("its own rules are taken as they are", () => {
    const rules = [{ id: "mine", priority: 7, prefix: "x/", tags: {}, enabled: false, storageClass: "GLACIER_IR" }];
    expect(rulesOf(configOf({ replication: { rules } }))).toEqual(rules);
  });
});
