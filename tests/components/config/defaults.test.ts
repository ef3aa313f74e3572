/** Defaults that complete a configuration. */
import { probePrefixOf } from "../../../components/config";
import { defaultMode } from "../../../components/config/defaults";
import { MIB } from "../../../components/config/fields";
import { bridge, native, parse, pull, push, type Raw, rule, s3, s3TwoWay, TOKEN, withLifecycle, withRules } from "./fixture";

test("a bridge from AWS Global to AWS China has a default for every setting", () => {
  expect(parse(bridge())).toEqual({
    name: "dev",
    mode: "pull",
    direction: "one-way",
    source: { cloud: "aws", region: "us-east-1", bucket: "from-here", adopt: false },
    destination: { cloud: "aws-cn", region: "cn-northwest-1", bucket: "to-there", adopt: false, prefix: "", lifecycle: [] },
    buffer: "sqs",
    scope: { prefixes: [], suffixes: [], tags: {}, minSizeBytes: 0 },
    deletes: "ignore",
    existingObjects: "ignore",
    replication: { rules: [], timeControl: false, metrics: false, replicaModifications: false, ownership: "destination" },
    statusTags: false,
    auth: { kind: "token" },
    token: TOKEN,
    egress: "shared",
    allowedCidrs: ["198.51.100.0/24"],
    rateLimit: { requestsPerSecond: 50, burst: 100 },
    inlineLimitBytes: 64 * MIB,
    copy: { partSizeBytes: 16 * MIB, concurrency: 3, partsAtOnce: 16, memoryMb: 1024, timeoutSeconds: 900 },
    timeouts: { senderSeconds: 90, receiverSeconds: 29, urlExpirySeconds: 1200 },
    concurrency: 5,
    batchSeconds: 0,
    reserveConcurrency: false,
    giveUpAfterHours: 168,
    settleSeconds: 30,
    maxAttempts: 20,
    probe: { enabled: false, everyMinutes: 0, sizeBytes: 131_072, lagAlarmSeconds: 300, giveUpAfterSeconds: 600 },
    logLevel: "info",
    logRetentionDays: 30,
    tags: {},
    retainBuckets: true,
    forceDestroy: false,
    alarmContactGroups: [],
    alarmEmails: [],
    alarmWebhookFormat: "json",
    dashboard: true,
  });
});

// biome-ignore format: a case is one line, or a line for what is given and a line for what it is completed with.
const COMPLETED: { name: string; given: Raw; complete: Raw }[] = [
  { name: "a push without a mode", given: push({ mode: undefined }), complete: { mode: "push" } },
  { name: "a push", given: push(),
    complete: { buffer: "none", existingObjects: "ignore", alarmContactGroups: [], destination: { acceleration: "global" }, timeouts: { senderSeconds: 90 }, copy: { timeoutSeconds: 900 } } },
  { name: "a push to a custom domain", given: push({ destination: { customDomain: "oss.example.com" } }), complete: { destination: { acceleration: "none" } } },
  { name: "a push inside one region", given: push({ destination: { region: "cn-shanghai" } }), complete: { destination: { acceleration: "none" } } },
  { name: "a pull from OSS", given: pull({ to: "aws" }),
    complete: { buffer: "none", source: { acceleration: "none" }, timeouts: { senderSeconds: 90, urlExpirySeconds: 1200 } } },
  { name: "a pull from S3", given: pull({ from: "aws" }), complete: { buffer: "sqs", timeouts: { senderSeconds: 90 } } },
  { name: "a pull with the longest copies", given: pull({ from: "aws", copy: { timeoutSeconds: 3480 } }), complete: { timeouts: { urlExpirySeconds: 3600 } } },
  { name: "a native bridge of OSS", given: native(), complete: { mode: "native" } },
  { name: "a native bridge of S3 without a mode", given: s3({ mode: undefined }),
    complete: { mode: "native", direction: "one-way", replication: { rules: [], timeControl: false, metrics: false, replicaModifications: false, ownership: "destination" } } },
  { name: "a native bridge in China without a mode", given: s3({ from: "aws-cn", to: "aws-cn", mode: undefined }), complete: { mode: "native" } },
  { name: "time control", given: s3({ replication: { timeControl: true } }), complete: { replication: { timeControl: true, metrics: true } } },
  { name: "metrics alone", given: s3({ replication: { metrics: true } }), complete: { replication: { timeControl: false, metrics: true } } },
  { name: "a two-way bridge", given: s3TwoWay(), complete: { replication: { metrics: false, replicaModifications: true } } },
  { name: "a two-way bridge without changes of replicas", given: s3TwoWay({ replication: { replicaModifications: false } }),
    complete: { replication: { replicaModifications: false } } },
  { name: "a replication rule", given: withRules([rule("all", 0)]),
    complete: { replication: { rules: [{ id: "all", priority: 0, prefix: "", tags: {}, enabled: true }] } } },
  { name: "a lifecycle rule", given: withLifecycle([{ id: "old", noncurrentExpirationDays: 30 }]),
    complete: { destination: { lifecycle: [{ id: "old", prefix: "", noncurrentExpirationDays: 30, transitions: [] }] } } },
];
test.each(COMPLETED)("$name is completed, and parses to itself", ({ given, complete }) => {
  const config = parse(given);
  expect(config).toMatchObject(complete);
  expect(parse(config as unknown as Raw)).toEqual(config);
});

test("a side has no acceleration where the mode does not use it", () => {
  expect(parse(push()).source.acceleration).toBeUndefined();
  expect(parse(pull({ from: "aws" })).destination.acceleration).toBeUndefined();
});

test("a native bridge has no token by default", () => {
  expect(parse(s3({ mode: undefined })).token).toBeUndefined();
});

test.each([
  ["aws", "aws", "native"],
  ["aws-cn", "aws-cn", "native"],
  ["alicloud", "alicloud", "push"],
  ["aws", "aws-cn", "pull"],
  ["aws", "alicloud", "pull"],
  ["alicloud", "aws-cn", "pull"],
])("the default mode of %s -> %s is %s", (from, to, mode) => {
  expect(defaultMode(from, to)).toBe(mode);
});

test("the probe's keys are inside the scope", () => {
  expect(probePrefixOf({ prefixes: [] })).toBe("crossborderbridge-probe/");
  expect(probePrefixOf({ prefixes: ["reports/", "x/"] })).toBe("reports/crossborderbridge-probe/");
});
