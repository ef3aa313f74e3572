/** One variation for each setting, or way of combining them, that changes what a bridge declares. */

import type { Cloud } from "../../components/config";
import { CLOUDS } from "../../components/config/clouds";
import { inOss, ossDestination, native as ossNative, ossSource, push } from "./alicloud/fixture";
import { ACROSS, KEYS, nativeSettings, TWO_WAY } from "./aws/native/fixture";
import type { Variation } from "./bridge-fixture";

const OWN_TOKEN = { token: undefined, auth: { tokenParameter: "ours-token" } } satisfies Variation;
const KMS = { kmsKeyArn: "arn:aws:kms:us-east-1:111111111111:key/k1" };
const CANARY = { probe: { enabled: true, everyMinutes: 5 } } satisfies Variation;
const SCOPE = { prefixes: ["in/", "odd*$x/"], suffixes: [".pdf"], tags: { public: "yes" }, minSizeBytes: 1 };
const ADOPTED = { bucket: "kept-shanghai", adopt: true };

const REGIONS = {
  aws: { source: "us-east-1", destination: "eu-west-1" },
  "aws-cn": { source: "cn-north-1", destination: "cn-northwest-1" },
  alicloud: { source: "cn-shanghai", destination: "us-west-1" },
} as const;

/** The same settings whatever the clouds. */
export const pair = (from: Cloud, to: Cloud): Variation => ({
  source: { cloud: from, region: REGIONS[from].source, bucket: "from-here" },
  destination: { cloud: to, region: REGIONS[to].destination, bucket: "to-there", prefix: "copies/" },
  scope: { prefixes: ["in/"] },
  deletes: "replicate",
  statusTags: true,
});

export const GROUPS: Readonly<Record<string, Readonly<Record<string, Variation>>>> = {
  pull: {
    "the default": {},
    "buffer none": { buffer: "none" },
    "a token parameter of the user's": { token: undefined, auth: { tokenParameter: "/ours/token" } },
    "auth iam": { auth: { kind: "iam" } },
    "egress static": { egress: "static", allowedCidrs: [] },
    "an adopted source": { source: { adopt: true } },
    "an adopted source without a queue": { source: { adopt: true }, buffer: "none" },
    "an adopted destination": { destination: { adopt: true } },
    "KMS keys": { source: KMS, destination: { kmsKeyArn: "arn:aws-cn:kms:cn-north-1:222222222222:key/k" } },
    "no versioning": { source: { versioning: false }, destination: { versioning: false } },
    scope: { scope: SCOPE },
    "status tags": { statusTags: true, scope: SCOPE },
    "status tags without versioning": { statusTags: true, source: { versioning: false } },
    "status tags on an adopted source": { statusTags: true, source: { adopt: true } },
    "replicated deletes": { deletes: "replicate" },
    "a prefix and a storage class": { destination: { prefix: "copies/", storageClass: "STANDARD_IA" } },
    "sizes and times": {
      timeouts: { senderSeconds: 60, receiverSeconds: 20 },
      copy: { timeoutSeconds: 300, memoryMb: 2048, concurrency: 2, partsAtOnce: 2, partSizeBytes: 33_554_432 },
      logRetentionDays: 7,
      concurrency: 4,
      logLevel: "debug",
      maxAttempts: 3,
    },
    "events that wait for others": { batchSeconds: 2 },
    "a rate limit": { rateLimit: { requestsPerSecond: 7, burst: 9 } },
    tags: { tags: { team: "data", "cost center": "4711" }, ...CANARY, egress: "static", allowedCidrs: [] },
    "an alarm topic": { alarmTopicArn: "arn:aws:sns:us-east-1:111111111111:alarms" },
    "alarms by e-mail and to a webhook": {
      alarmEmails: ["ops@example.com"],
      alarmWebhookUrl: "https://oapi.dingtalk.com/robot/send?access_token=0123",
      alarmWebhookFormat: "dingtalk",
      alarmWebhookSecret: "SEC0123",
    },
    "a runbook of the user's": { runbookUrl: "https://wiki.example.com/runbook" },
    "no dashboard": { dashboard: false },
    "buckets that go": { retainBuckets: false, forceDestroy: true },
    "a lifecycle": {
      destination: {
        lifecycle: [{ id: "old", prefix: "old/", transitions: [{ days: 30, storageClass: "GLACIER" }], expirationDays: 400 }],
      },
    },
    "China to Global": {
      source: { cloud: "aws-cn", region: "cn-northwest-1" },
      destination: { cloud: "aws", region: "eu-west-1" },
    },
    "inside one partition": { destination: { cloud: "aws", region: "us-west-2" } },
    "the least there can be": {
      token: undefined,
      auth: { tokenParameter: "/ours/token" },
      buffer: "none",
      source: { adopt: true },
      destination: { adopt: true },
    },
    "a probe on demand": { probe: { enabled: true } },
    "a canary": CANARY,
    "a canary with keys and a scope": { ...CANARY, source: KMS, scope: SCOPE, destination: { prefix: "copies/" } },
  },
  pairs: Object.fromEntries(CLOUDS.flatMap((from) => CLOUDS.map((to) => [`${from} to ${to}`, pair(from, to)]))),
  native: {
    "one way": nativeSettings(),
    "the default of a pair": nativeSettings({ mode: undefined }),
    "two ways": nativeSettings(TWO_WAY),
    "two ways with metrics": nativeSettings({ ...TWO_WAY, replication: { metrics: true } }),
    "time control": nativeSettings({ replication: { timeControl: true } }),
    "replicated deletes": nativeSettings({ deletes: "replicate" }),
    "a scope": nativeSettings({ scope: { prefixes: ["in/", "more/"], tags: { public: "yes" } } }),
    "existing objects": nativeSettings({ existingObjects: "replicate" }),
    keys: nativeSettings({ source: { kmsKeyArn: KEYS["us-east-1"] }, destination: { kmsKeyArn: KEYS["eu-west-1"] } }),
    "two ways with keys and existing objects": nativeSettings({
      ...TWO_WAY,
      existingObjects: "replicate",
      source: { kmsKeyArn: KEYS["us-east-1"] },
      destination: { kmsKeyArn: KEYS["eu-west-1"] },
    }),
    "an adopted source": nativeSettings({ source: { adopt: true } }),
    "an adopted destination": nativeSettings({ destination: { adopt: true } }),
    "two ways between adopted buckets": nativeSettings({ ...TWO_WAY, source: { adopt: true }, destination: { adopt: true } }),
    "across accounts": nativeSettings(ACROSS),
    "across accounts, two ways": nativeSettings({ ...ACROSS, ...TWO_WAY }),
    "inside China": nativeSettings({
      source: { cloud: "aws-cn", region: "cn-north-1" },
      destination: { cloud: "aws-cn", region: "cn-northwest-1" },
    }),
    "a canary": nativeSettings(CANARY),
    "two ways with a canary": nativeSettings({ ...TWO_WAY, ...CANARY }),
  },
  "oss-source": {
    "to AWS China": ossSource(),
    "auth iam": ossSource({ auth: { kind: "iam" } }),
    "accelerated URLs": ossSource({ source: { acceleration: "global" } }),
    "a custom domain": ossSource({ source: { customDomain: "oss.example.com" } }),
    "a custom domain of an adopted source": ossSource({ source: { ...ADOPTED, customDomain: "oss.example.com" } }),
    "an adopted source": ossSource({ source: ADOPTED }),
    "everything on": ossSource({
      auth: { kind: "iam" },
      statusTags: true,
      deletes: "replicate",
      scope: SCOPE,
      source: { kmsKeyId: "key-1" },
    }),
    "a canary": ossSource(CANARY),
  },
  "oss-destination": {
    "from AWS Global": ossDestination(),
    "a prefix and a key": ossDestination({ destination: { prefix: "copies/", kmsKeyId: "key-2" } }),
    "replicated deletes": ossDestination({ deletes: "replicate" }),
    "no versioning": ossDestination({ destination: { versioning: false } }),
    "no versioning, replicated deletes": ossDestination({ deletes: "replicate", destination: { versioning: false } }),
    "static egress": ossDestination({ egress: "static", allowedCidrs: [] }),
    "a canary": ossDestination(CANARY),
  },
  "oss-pull": {
    "the default": inOss(),
    "a token parameter of the user's": inOss(OWN_TOKEN),
    "a canary": inOss(CANARY),
  },
  push: {
    "the default": push(),
    "no acceleration": push({ destination: { acceleration: "none" } }),
    "custom domains": push({ source: { customDomain: "from.example.com" }, destination: { customDomain: "to.example.com" } }),
    "inside a region": push({ destination: { region: "cn-shanghai" } }),
    "adopted buckets": push({ source: ADOPTED, destination: { bucket: "kept-silicon-valley", adopt: true } }),
    "no versioning": push({ destination: { versioning: false } }),
    "everything on": push({
      deletes: "replicate",
      statusTags: true,
      scope: { prefixes: ["in/"], suffixes: [".pdf"], tags: { public: "yes" } },
      source: { kmsKeyId: "key-1" },
      destination: { kmsKeyId: "key-2", prefix: "copies/" },
    }),
    "adopted buckets, one without versions": push({
      source: { bucket: "plain-shanghai", adopt: true },
      destination: { bucket: "kept-silicon-valley", adopt: true },
    }),
    "sizes and times": push({
      copy: { timeoutSeconds: 7200 },
      timeouts: { receiverSeconds: 10 },
      maxAttempts: 3,
      concurrency: 4,
    }),
    "buckets that go": push({ retainBuckets: false, forceDestroy: true }),
    "alarm groups": push({ alarmContactGroups: ["oncall"] }),
    tags: push({ tags: { team: "data" }, ...CANARY }),
    "a probe on demand": push({ probe: { enabled: true } }),
    "a canary": push(CANARY),
    "a canary with keys and a scope": push({
      ...CANARY,
      scope: { prefixes: ["in/"], suffixes: [".pdf"], tags: { public: "yes" } },
      source: { kmsKeyId: "key-1" },
      destination: { prefix: "copies/", kmsKeyId: "key-2" },
    }),
  },
  "oss-native": {
    "the default": ossNative(),
    "replicated deletes": ossNative({ deletes: "replicate" }),
    "keys and a scope": ossNative({
      scope: { prefixes: ["in/", "odd*s/"] },
      source: { kmsKeyId: "key-1" },
      destination: { kmsKeyId: "key-2" },
    }),
    "a canary": ossNative(CANARY),
    "adopted buckets": ossNative({
      source: { ...ADOPTED, noRuleToDestination: true },
      destination: { bucket: "kept-silicon-valley", adopt: true },
    }),
  },
};
