/** The configurations that are accepted, all errors at once, and secrets. */
import fc from "fast-check";
import { ABANDONED_UPLOADS } from "../../../components/aws/bucket";
import { parseBridgeConfig } from "../../../components/config";
import { CLOUDS } from "../../../components/config/clouds";
import { OWN_LIFECYCLE_IDS } from "../../../components/config/lifecycle-rules";
import {
  ACCOUNTS,
  bridge,
  CANARY,
  HERE,
  moving,
  native,
  parse,
  problemsOf,
  pull,
  push,
  type Raw,
  rule,
  s3,
  s3TwoWay,
  THERE,
  TOKEN,
  withLifecycle,
  withRules,
} from "./fixture";

const TEN_PREFIXES = Array.from({ length: 10 }, (_, index) => `${index}/`);

const PAIRS = CLOUDS.flatMap((from) => CLOUDS.map((to) => [from, to] as const));
test.each(PAIRS)("%s -> %s by pull is accepted, and parses to itself", (from, to) => {
  const config = parse(pull({ from, to }));
  expect(config.mode).toBe("pull");
  expect(parse(config as unknown as Raw)).toEqual(config);
});

// biome-ignore format: a case is one line.
const ACCEPTED: [name: string, given: Raw][] = [
  ["a day of copying", push({ copy: { timeoutSeconds: 86_400 } })],
  ["a sender that runs for a day", pull({ to: "aws", timeouts: { senderSeconds: 86_400 } })],
  ["an operator's token parameter", pull({ token: undefined, auth: { tokenParameter: "bridges/token" } })],
  ["an AWS signature from OSS", pull({ to: "aws-cn", auth: { kind: "iam" } })],
  ["a fixed address to OSS", pull({ from: "aws", egress: "static", allowedCidrs: [] })],
  ["acceleration none", pull({ destination: { acceleration: "none" } })],
  ["one account on both sides", push({ source: { accountId: "3333333333333333" }, destination: { accountId: "3333333333333333" } })],
  ["OSS without versions on both sides", native({ source: { versioning: false }, destination: { versioning: false } })],
  ["prefixes inside ten others", native({ scope: { prefixes: [...TEN_PREFIXES, "0/", "1/a/", "2/b/"] } })],
  ["eleven prefixes of a push", push({ scope: { prefixes: [...TEN_PREFIXES, "more/"] } })],
  ["S3 replication in China", s3({ from: "aws-cn", to: "aws-cn" })],
  ["a two-way bridge in China", s3TwoWay({ from: "aws-cn", to: "aws-cn" })],
  ["S3 replication inside one region", s3({ destination: { region: "us-east-1" } })],
  ["existing objects in S3", s3({ existingObjects: "replicate" })],
  ["a scope of prefixes and tags", s3({ scope: { prefixes: ["a/", "b/"], tags: { share: "yes" } } })],
  ["a key for the replicas alone", s3({ destination: { kmsKeyArn: THERE } })],
  ["keys on both sides of a two-way bridge", s3TwoWay({ source: { kmsKeyArn: HERE }, destination: { kmsKeyArn: THERE } })],
  ["an archive class for replicas", s3({ destination: { storageClass: "DEEP_ARCHIVE" } })],
  ["two accounts", s3(ACCOUNTS)],
  ["two accounts whose replicas keep their owner", s3({ ...ACCOUNTS, replication: { ownership: "source" } })],
  ["one account that keeps the ACLs of an adopted source", s3({ source: { adopt: true }, replication: { ownership: "source" } })],
  ["adopted buckets of a two-way bridge", s3TwoWay({ source: { adopt: true }, destination: { adopt: true } })],
  ["a rule by tags that ignores the bridge's deletes", withRules([rule("a", 1, { tags: { a: "b" }, deletes: "ignore" })], { deletes: "replicate" })],
  ["a thousand replication rules", withRules(Array.from({ length: 1000 }, (_, index) => rule(`r-${index}`, index)))],
  ["an archive class by rule of a two-way bridge", s3TwoWay({ replication: { rules: [rule("a", 1, { storageClass: "GLACIER" })] } })],
  ["default settings of S3 in mode pull", pull({ from: "aws", replication: { rules: [], metrics: false } })],
  ["a lifecycle rule with pull", withLifecycle([{ id: "a", prefix: "logs/", expirationDays: 1 }])],
  ["a lifecycle rule with S3 replication", s3({ destination: { lifecycle: [{ id: "a", expirationDays: 1 }] } })],
  ["an archive on day 0", moving({}, [0, "DEEP_ARCHIVE"])],
  ["four transitions", moving({}, [30, "STANDARD_IA"], [60, "GLACIER_IR"], [61, "GLACIER"], [62, "DEEP_ARCHIVE"])],
  ["two lifecycle rules", withLifecycle([{ id: "a", expirationDays: 1 }, { id: "b", expirationDays: 1 }])],
  ["canaries of a pull", pull({ probe: CANARY })],
  ["canaries of a push", push({ probe: CANARY })],
  ["canaries of OSS replication", native({ probe: CANARY })],
  ["canaries of S3 replication", s3({ probe: CANARY })],
  ["canaries of a two-way bridge", s3TwoWay({ probe: CANARY })],
  ["a scope below the canary's size, without canaries", pull({ probe: { enabled: true }, scope: { maxSizeBytes: 1 } })],
  ["a canary of the only size in scope", pull({ probe: { ...CANARY, sizeBytes: 9 }, scope: { minSizeBytes: 9, maxSizeBytes: 9 } })],
  ["an empty canary", s3({ probe: { ...CANARY, sizeBytes: 0 } })],
  ["a probe with a rule for every key", withRules([rule("a", 1)], { probe: { enabled: true } })],
  ["a probe with a rule of its own", withRules([rule("a", 1, { prefix: "x/" }), rule("b", 2, { prefix: "crossborderbridge-probe/" })], { probe: { enabled: true } })],
];
test.each(ACCEPTED)("%s: accepted", (_, given) => {
  expect(problemsOf(given)).toEqual([]);
});

const REGIONS =
  "cn-shanghai cn-hongkong cn-wuhan-lr cn-shanghai-finance-1 ap-southeast-5 us-east-1 eu-west-1 me-central-1 na-south-1".split(
    " ",
  );
test.each(REGIONS)("region %s of Alibaba Cloud: accepted", (region) => {
  expect(problemsOf(pull({ to: "aws", source: { region } }))).toEqual([]);
});

test("a parsed configuration parses to itself", () => {
  const text = (maxLength: number) => fc.string({ minLength: 1, maxLength });
  const isName = (name: string) => name !== "__proto__";
  const tags = fc.dictionary(text(9).filter(isName), fc.string({ maxLength: 9 }), { noNullPrototype: true });
  // No pattern, no URL, and no way out of the bucket.
  const prefix = text(50).map((one) => `k${one.replace(/\*|\.\./g, "")}`);
  const prefixes = fc.array(prefix, { maxLength: 3 });
  const seconds = (min: number) => fc.integer({ min, max: 900 });
  const optional = { requiredKeys: [] };
  const settings = fc.record(
    {
      buffer: fc.constantFrom("sqs", "none"),
      deletes: fc.constantFrom("ignore", "replicate"),
      statusTags: fc.boolean(),
      scope: fc.record({ prefixes, tags, maxSizeBytes: fc.nat() }, optional),
      copy: fc.record({ timeoutSeconds: seconds(60) }, optional),
      timeouts: fc.record({ senderSeconds: seconds(30) }, optional),
    },
    optional,
  );
  fc.assert(
    fc.property(settings, (change) => {
      const once = parse(bridge(change));
      expect(parse(once as unknown as Raw)).toEqual(once);
    }),
  );
});

const LISTS: { name: string; given: Raw; refused: string[] }[] = [
  {
    name: "settings of every kind",
    given: {
      source: { cloud: "aws-cn", region: "us-east-1", bucket: "x", regoin: "", kmsKeyArn: "arn:aws:kms:us-east-1:1:key/k" },
      destination: { cloud: "aws", region: "us-east-1", bucket: "to-there", prefix: ".crossborderbridge/" },
      buffer: "kafka",
      allowedCidrs: ["8.8.8.8"],
      timeouts: { senderSeconds: 10, receiverSeconds: 60 },
      copy: { memoryMb: 128, partsAtOnce: 64 },
      direction: "two-way",
      token: "c2hvcnQ=",
      logLevel: "loud",
    },
    refused: [
      ...["allowedCidrs[0]", "buffer", "copy.memoryMb", "destination.prefix", "direction", "logLevel", "source.bucket"],
      ...["source.kmsKeyArn", "source.regoin", "source.region", "timeouts.receiverSeconds", "token"],
    ],
  },
  {
    name: "settings of S3 replication",
    given: s3TwoWay({
      source: { versioning: false, accountId: "111111111111" },
      destination: { prefix: "x/", storageClass: "GLACIER" },
      scope: { suffixes: [".a"], tags: { a: "b" } },
      statusTags: true,
      replication: { rules: [rule("a", 1), rule("a", 1)], timeControl: true, metrics: false, ownership: "source" },
    }),
    refused: [
      ...["destination.accountId", "destination.prefix", "destination.storageClass", "replication.metrics"],
      ...["replication.ownership", "replication.rules[1].id", "replication.rules[1].priority"],
      ...["scope.suffixes", "scope.tags", "source.versioning", "statusTags"],
    ],
  },
  {
    name: "a pair that native cannot serve, with all that pull needs",
    given: bridge({ mode: "native", allowedCidrs: undefined, token: undefined }),
    refused: ["allowedCidrs", "mode", "token"],
  },
];
test.each(LISTS)("every error is listed once: $name", ({ given, refused }) => {
  const paths = problemsOf(given).map((problem) => problem.replace(/^crossborderbridge:([^ :]+).*$/s, "$1"));
  expect(paths.sort()).toEqual([...refused].sort());
});

test("a stack's name that is no bridge name says where to set one", () => {
  expect(problemsOf(bridge(), "My_Stack")).toEqual([
    expect.stringMatching(/^crossborderbridge:name = "My_Stack": .*set name where it does not fit/),
  ]);
});

test("the id of the bridge's own lifecycle rule is reserved", () => {
  expect(OWN_LIFECYCLE_IDS).toContain(ABANDONED_UPLOADS.id);
});

const SECRET = "hunter2-hunter2-hunter2";
test.each([
  ["a bad token", bridge({ token: SECRET })],
  ["a token of the wrong type", bridge({ token: [SECRET] })],
  ["a token beside a parameter", bridge({ token: Buffer.from(`${SECRET}!`).toString("base64"), auth: { tokenParameter: "/x" } })],
  ["a secret under a wrong name", bridge({ tokn: SECRET })],
  ["a secret of an unknown key", bridge({ source: { secretAccessKey: SECRET } })],
])("errors do not show %s", (_, given) => {
  const text = problemsOf(given).join("\n");
  expect(text).not.toBe("");
  expect(text).not.toContain(SECRET);
  expect(text).not.toContain(Buffer.from(SECRET).toString("base64").slice(0, 20));
});

test.each([
  ["of 32 bytes", true, TOKEN],
  ["with the specification's prefix", true, `whsec_${TOKEN}`],
  ["of two values, during rotation", true, `${TOKEN} whsec_${TOKEN}`],
  ["without padding", true, TOKEN.replace(/=+$/, "")],
  ["of 16 bytes", false, Buffer.alloc(16).toString("base64")],
  ["of 65 bytes", false, Buffer.alloc(65).toString("base64")],
  ["that is no base64", false, "x!".repeat(20)],
  ["of two values with two spaces", false, `${TOKEN}  ${TOKEN}`],
  ["that is empty", false, ""],
])("a token %s is valid: %s", (_, valid, token) => {
  expect(problemsOf(bridge({ token })).length === 0).toBe(valid);
});

test("a token that is known only during the deployment counts", () => {
  const { token: _, ...raw } = bridge();
  expect(parseBridgeConfig(raw, { stack: "dev", tokenIsDeferred: true }).token).toBeUndefined();
});
