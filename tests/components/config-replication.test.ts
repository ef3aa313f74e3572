/** S3's own replication: what the configuration takes, fills in and refuses. */
import { noticesOf } from "../../components/config";
import { native, parse, problemsOf, pull, push, type Raw, s3, s3TwoWay } from "./config-pairs";

const HERE = "arn:aws:kms:us-east-1:111111111111:key/here";
const THERE = "arn:aws:kms:eu-west-1:222222222222:key/there";
const ACCOUNTS = { source: { accountId: "111111111111" }, destination: { accountId: "222222222222" } };
const TOPIC = "arn:aws:sns:us-east-1:111111111111:ops";
/** Where both ends hear one topic. */
const INSIDE = { destination: { region: "us-east-1" } };

const rule = (id: string, priority: number, settings: Raw = {}): Raw => ({ id, priority, ...settings });
const ruled = (rules: Raw[], settings: Raw = {}): Raw => s3({}, { replication: { rules }, ...settings });

describe("defaults", () => {
  test("of a one-way bridge", () => {
    const config = parse(s3({}, { mode: undefined }));
    expect(config).toMatchObject({
      mode: "native",
      direction: "one-way",
      replication: { rules: [], timeControl: false, metrics: false, replicaModifications: false, ownership: "destination" },
    });
    expect(config.token).toBeUndefined();
  });

  test.each([
    ["time control brings metrics", s3({}, { replication: { timeControl: true } }), { timeControl: true, metrics: true }],
    ["metrics alone", s3({}, { replication: { metrics: true } }), { timeControl: false, metrics: true }],
    ["two ways bring changes of replicas", s3TwoWay(), { metrics: false, replicaModifications: true }],
    [
      "unless they are not wanted",
      s3TwoWay({}, { replication: { replicaModifications: false } }),
      { replicaModifications: false },
    ],
    ["a rule", ruled([rule("all", 0)]), { rules: [{ id: "all", priority: 0, prefix: "", tags: {}, enabled: true }] }],
  ])("%s", (_, raw, expected) => {
    const config = parse(raw);
    expect(config.replication).toMatchObject(expected);
    expect(parse(config as unknown as Raw)).toEqual(config);
  });
});

describe("what is allowed", () => {
  test.each<[string, Raw]>([
    ["in China", s3({ from: "aws-cn", to: "aws-cn" })],
    ["both ways in China", s3TwoWay({ from: "aws-cn", to: "aws-cn" })],
    ["inside one region", s3({ destination: { region: "us-east-1" } })],
    ["existing objects", s3({}, { existingObjects: "replicate" })],
    ["a scope of prefixes and tags", s3({}, { scope: { prefixes: ["a/", "b/"], tags: { share: "yes" } } })],
    ["a key for the replicas alone", s3({ destination: { kmsKeyArn: THERE } })],
    ["keys on both sides, both ways", s3TwoWay({ source: { kmsKeyArn: HERE }, destination: { kmsKeyArn: THERE } })],
    ["an archive for replicas", s3({ destination: { storageClass: "DEEP_ARCHIVE" } })],
    ["two accounts", s3(ACCOUNTS)],
    ["two accounts, owners kept", s3(ACCOUNTS, { replication: { ownership: "source" } })],
    ["one account, ACLs of an adopted source kept", s3({ source: { adopt: true } }, { replication: { ownership: "source" } })],
    ["adopted buckets, both ways", s3TwoWay({ source: { adopt: true }, destination: { adopt: true } })],
    ["a rule by tags beside deletes", ruled([rule("a", 1, { tags: { a: "b" }, deletes: "ignore" })], { deletes: "replicate" })],
    ["a thousand rules", ruled(Array.from({ length: 1000 }, (_, index) => rule(`r-${index}`, index)))],
    ["an archive by rule, both ways", s3TwoWay({}, { replication: { rules: [rule("a", 1, { storageClass: "GLACIER" })] } })],
    ["defaults of S3 in another mode", pull({ from: "aws" }, { replication: { rules: [], metrics: false } })],
  ])("%s", (_, raw) => {
    expect(problemsOf(raw)).toEqual([]);
  });
});

describe("one error", () => {
  test.each<[string, Raw, string]>([
    [
      "both ways by pull",
      pull({ from: "aws", to: "aws" }, { direction: "two-way" }),
      'direction = "two-way": only S3\'s own replication goes both ways; allowed: one-way, or mode: native between two buckets of one partition (aws -> aws, aws-cn -> aws-cn)',
    ],
    ["both ways in OSS", native({}, { direction: "two-way" }), "only S3's own replication goes both ways"],
    ["both ways between partitions", pull({ from: "aws", to: "aws-cn" }, { direction: "two-way" }), "only S3's own replication"],
    [
      "settings of S3 with pull",
      pull({ from: "aws", to: "aws" }, { replication: { timeControl: true } }),
      'replication = {"timeControl":true}: settings of S3\'s own replication; allowed: leave it out, or mode: native between two buckets of one partition of AWS',
    ],
    ["settings of S3 with OSS", native({}, { replication: { ownership: "source" } }), "settings of S3's own replication"],
    ["settings of S3 with push", push({}, { replication: { rules: [rule("a", 1)] } }), "settings of S3's own replication"],
    [
      "the same bucket",
      s3({ destination: { bucket: "from-here" } }),
      'destination.bucket = "from-here": the source bucket itself, so every replica would be an event again',
    ],
    [
      "the same bucket, adopted, both ways",
      s3TwoWay({ source: { adopt: true }, destination: { bucket: "from-here", adopt: true } }),
      "the source bucket itself",
    ],
    [
      "suffixes",
      s3({}, { scope: { suffixes: [".pdf"] } }),
      'scope.suffixes = [".pdf"]: not with mode: native, where S3 itself replicates, by prefix and tags; allowed: leave it out, or mode: pull',
    ],
    ["a least size", s3({}, { scope: { minSizeBytes: 1 } }), "scope.minSizeBytes = 1: not with mode: native, where S3 itself"],
    ["a greatest size", s3({}, { scope: { maxSizeBytes: 1 } }), "scope.maxSizeBytes = 1: not with mode: native"],
    ["status tags", s3({}, { statusTags: true }), "statusTags = true: not with mode: native, where S3 keeps each object's"],
    [
      "other keys",
      s3({ destination: { prefix: "x/" } }),
      'destination.prefix = "x/": not with mode: native, where every replica has the key of its object; allowed: leave it out, or mode: pull',
    ],
    [
      "no versions at the source",
      s3({ source: { versioning: false } }),
      "source.versioning = false: S3 replicates only between buckets that keep versions; allowed: true, or mode: pull",
    ],
    ["no versions at the destination", s3({ destination: { versioning: false } }), "destination.versioning = false: S3"],
    [
      "one account known",
      s3({ source: { accountId: "111111111111" } }),
      "destination.accountId is not set: source.accountId is given, and who owns the replicas depends on both; allowed:",
    ],
    ["the other account known", s3({ destination: { accountId: "222222222222" } }), "source.accountId is not set"],
    [
      "a key at the source alone",
      s3({ source: { kmsKeyArn: HERE } }),
      "destination.kmsKeyArn is not set: S3 replicates objects under source.kmsKeyArn only with a key for the replicas; allowed: the ARN of a key of the destination's region",
    ],
    [
      "both ways, a key at the destination alone",
      s3TwoWay({ destination: { kmsKeyArn: THERE } }),
      "source.kmsKeyArn is not set: S3 replicates objects under destination.kmsKeyArn only with a key for the replicas",
    ],
    [
      "time control without metrics",
      s3({}, { replication: { timeControl: true, metrics: false } }),
      "replication.metrics = false: S3 takes time control only together with metrics; allowed: true, or leave it out, or timeControl: false",
    ],
    [
      "owners that are kept of nothing",
      s3({}, { replication: { ownership: "source" } }),
      'replication.ownership = "source": both buckets are of one account, and a created source has no ACLs that could be kept; allowed: destination, or',
    ],
    [
      "owners that are kept both ways",
      s3TwoWay(ACCOUNTS, { replication: { ownership: "source" } }),
      "each bucket of a two-way bridge holds replicas of the other",
    ],
    [
      "a class of replicas for one way of two",
      s3TwoWay({ destination: { storageClass: "STANDARD_IA" } }),
      'destination.storageClass = "STANDARD_IA": replicas go both ways, and this would hold for one of them; allowed: leave it out, or storageClass in replication.rules',
    ],
    [
      "a class of OSS",
      ruled([rule("a", 1, { storageClass: "IA" })]),
      'replication.rules[0].storageClass = "IA": not one of the choices; allowed: STANDARD, STANDARD_IA',
    ],
    ["a rule without a priority", ruled([{ id: "a" }]), "replication.rules[0].priority is not set: not a priority; allowed:"],
    ["a rule without an id", ruled([{ priority: 1 }]), "replication.rules[0].id is not set: not valid; allowed: 1 to 128 of"],
    [
      "an unknown key of a rule",
      ruled([rule("a", 1, { delets: "ignore" })]),
      "replication.rules[0].delets: unknown key; did you mean replication.rules[0].deletes? allowed: id, priority, prefix",
    ],
    [
      "an id twice",
      ruled([rule("a", 1), rule("b", 2), rule("a", 3)]),
      'replication.rules[2].id = "a": the id of an earlier rule as well; allowed: another one',
    ],
    [
      "a priority twice",
      ruled([rule("a", 1), rule("b", 1)]),
      "replication.rules[1].priority = 1: the priority of rule a as well, so neither would come first; allowed: another one",
    ],
    [
      "too many rules",
      ruled(Array.from({ length: 1001 }, (_, index) => rule(`r-${index}`, index))),
      "not a list of rules of replication; allowed: a list of at most 1000",
    ],
    [
      "rules and prefixes",
      ruled([rule("a", 1)], { scope: { prefixes: ["a/"] } }),
      'scope.prefixes = ["a/"]: replication.rules say as well which objects are replicated; allowed: one or the other',
    ],
    ["rules and tags", ruled([rule("a", 1)], { scope: { tags: { a: "b" } } }), 'scope.tags = {"a":"b"}: replication.rules say'],
    [
      "deletes by tag",
      s3({}, { scope: { tags: { a: "b" } }, deletes: "replicate" }),
      'deletes = "replicate": S3 replicates no delete markers by a rule that looks at tags; allowed: ignore, or no scope.tags',
    ],
    [
      "deletes of a rule by tag",
      ruled([rule("a", 1, { tags: { a: "b" }, deletes: "replicate" })]),
      'replication.rules[0].deletes = "replicate": S3 replicates no delete markers by a rule that looks at tags; allowed: deletes: ignore in this rule, or no tags',
    ],
    [
      "deletes of the bridge by a rule's tag",
      ruled([rule("a", 1), rule("b", 2, { tags: { a: "b" } })], { deletes: "replicate" }),
      'replication.rules[1].tags = {"a":"b"}: S3 replicates no delete markers',
    ],
    [
      "a rule about the bridge's records",
      ruled([rule("a", 1, { prefix: ".crossborderbridge/x/" })]),
      'replication.rules[0].prefix = ".crossborderbridge/x/": reserved for the bridge\'s own records; allowed: anything that does not begin with .crossborderbridge/',
    ],
    [
      "a scope of the bridge's records",
      s3({}, { scope: { prefixes: ["a/", ".crossborderbridge/"] } }),
      'scope.prefixes[1] = ".crossborderbridge/": reserved for the bridge\'s own records',
    ],
  ])("%s", (_, raw, expected) => {
    const problems = problemsOf(raw);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(`crossborderbridge:`);
    expect(problems[0]).toContain(expected);
  });

  test("every error comes at once, each once", () => {
    const raw = s3TwoWay(
      { source: { versioning: false, accountId: "111111111111" }, destination: { prefix: "x/", storageClass: "GLACIER" } },
      {
        scope: { suffixes: [".a"], tags: { a: "b" } },
        statusTags: true,
        replication: { rules: [rule("a", 1), rule("a", 1)], timeControl: true, metrics: false, ownership: "source" },
      },
    );
    expect(
      problemsOf(raw)
        .map((problem) => problem.replace(/^crossborderbridge:([^ :]+).*$/s, "$1"))
        .sort(),
    ).toEqual([
      "destination.accountId",
      "destination.prefix",
      "destination.storageClass",
      "replication.metrics",
      "replication.ownership",
      "replication.rules[1].id",
      "replication.rules[1].priority",
      "scope.suffixes",
      "scope.tags",
      "source.versioning",
      "statusTags",
    ]);
  });
});

describe("notices", () => {
  test.each<[string, Raw, string[]]>([
    ["a plain bridge", s3(), []],
    ["deletes", s3({}, { deletes: "replicate" }), ["neither the deletion of a version nor what a lifecycle rule expires"]],
    ["deletes of one rule", ruled([rule("a", 1, { deletes: "replicate" }), rule("b", 2)]), ["neither the deletion of a version"]],
    ["deletes of a disabled rule", ruled([rule("a", 1, { deletes: "replicate", enabled: false }), rule("b", 2)]), []],
    ["both ways", s3TwoWay(), ["deleted on one side stays on the other", "both buckets keep both versions"]],
    [
      "both ways, with deletes",
      s3TwoWay({}, { deletes: "replicate" }),
      ["neither the deletion", "both buckets keep both versions"],
    ],
    ["an adopted source", s3({ source: { adopt: true } }), ["The source bucket is adopted: it must keep versions"]],
    ["an adopted destination", s3({ destination: { adopt: true } }), ["not replicated on to a third bucket"]],
    ["an archive", s3({ destination: { storageClass: "GLACIER" } }), ["must be restored before they can be read"]],
    ["an archive of one rule", ruled([rule("a", 1, { storageClass: "DEEP_ARCHIVE" })]), ["must be restored"]],
    [
      "an archive in time",
      s3({ destination: { lifecycle: [{ id: "a", transitions: [{ days: 0, storageClass: "GLACIER" }] }] } }),
      ["must be restored"],
    ],
    ["a class that is no archive", s3({ destination: { storageClass: "GLACIER_IR" } }), []],
    ["existing objects", s3({}, { existingObjects: "replicate" }), ["`npm run bridge -- backfill` starts the job."]],
    ["time control", s3({}, { replication: { timeControl: true } }), []],
    [
      "time control in China",
      s3({ from: "aws-cn", to: "aws-cn" }, { replication: { timeControl: true } }),
      ["without saying that it is available there"],
    ],
    [
      "what only other modes use",
      s3(
        {},
        { egress: "static", copy: { memoryMb: 2048 }, timeouts: { receiverSeconds: 20 }, allowedCidrs: ["198.51.100.0/24"] },
      ),
      ["Mode native leaves the work to the store itself: allowedCidrs, egress, copy, timeouts are not used."],
    ],
    ["a topic without alarms", s3(INSIDE, { alarmTopicArn: TOPIC }), ["store itself: alarmTopicArn is not used."]],
    ["a topic for alarms on metrics", s3(INSIDE, { alarmTopicArn: TOPIC, replication: { metrics: true } }), []],
    ["a topic for alarms on canaries", s3(INSIDE, { alarmTopicArn: TOPIC, probe: { enabled: true, everyMinutes: 15 } }), []],
  ])("%s", (_, raw, expected) => {
    const notices = noticesOf(parse(raw));
    expect(notices).toHaveLength(expected.length);
    for (const [index, text] of expected.entries()) expect(notices[index]).toContain(text);
  });

  test("an adopted bucket that objects leave loses the replication it had", () => {
    const replaced = (raw: Raw) => noticesOf(parse(raw)).filter((text) => text.includes("is replaced by this bridge's")).length;
    const both = { source: { adopt: true }, destination: { adopt: true } };
    expect(replaced(s3(both))).toBe(1);
    expect(replaced(s3TwoWay(both))).toBe(2);
  });
});
