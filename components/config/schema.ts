/** The shape of the stack configuration, field by field. What spans several fields is in `rules.ts` and its neighbours. */
import { z } from "zod";
import { MAX_PROBE_SIZE_BYTES } from "../../runtime/protocol/probe";
import { ACCELERATIONS, CLOUDS, LOG_RETENTION_DAYS, MODES, OSS_STORAGE_CLASSES, S3_STORAGE_CLASSES } from "./clouds";
import { URL_EXPIRY_MAX_SECONDS } from "./defaults";
import { bridgeName, bucketName, choice, cidr, flag, keyPart, MIB, signingToken, tags, text, whole } from "./fields";
import { lifecycleRuleSchema, lifecycleSchema, replicationRuleSchema, replicationSchema, transitionSchema } from "./s3-schema";

/** The longest run of Function Compute; what is shorter elsewhere is in `cloud-rules.ts`. */
const DAY_SECONDS = 86_400;

const store = {
  cloud: choice(CLOUDS),
  region: z.string({ error: "not a region; allowed: a region of the side's cloud" }),
  bucket: bucketName(),
  /** Use a bucket that is there, and never change its own settings. */
  adopt: flag().default(false),
  /** Keep versions in a created bucket; on when absent. */
  versioning: flag().optional(),
  kmsKeyArn: z.string({ error: "not a key ARN; allowed: the ARN of a KMS key of the bucket's region" }).optional(),
  kmsKeyId: text(/^[\w-]{1,64}$/, "the id of a KMS key of the bucket's region").optional(),
  acceleration: choice(ACCELERATIONS).optional(),
  /** Named profile of the credentials for this side. */
  profile: text(/^\S.*$/, "the name of a profile in the configuration files of the cloud's CLI").optional(),
  /** The deployment stops when the credentials belong to another account. */
  accountId: text(/^\d{6,20}$/, "12 digits on AWS, the account's UID on Alibaba Cloud, in quotes").optional(),
};

export const sourceSchema = z.strictObject(store);
export const destinationSchema = z.strictObject({
  ...store,
  /** Put in front of every source key. */
  prefix: z.string({ error: "not text; allowed: at most 512 bytes" }).default(""),
  storageClass: choice([...S3_STORAGE_CLASSES, ...OSS_STORAGE_CLASSES]).optional(),
  lifecycle: lifecycleSchema,
});

export const scopeSchema = z.strictObject({
  prefixes: z.array(keyPart("prefix"), { error: "not a list; allowed: a list of prefixes" }).max(50).default([]),
  suffixes: z.array(keyPart("suffix"), { error: "not a list; allowed: a list of suffixes" }).max(50).default([]),
  tags: tags(),
  minSizeBytes: whole(0, Number.MAX_SAFE_INTEGER, "bytes").default(0),
  maxSizeBytes: whole(0, Number.MAX_SAFE_INTEGER, "bytes").optional(),
});

export const authSchema = z.strictObject({
  kind: choice(["token", "iam"]).default("token"),
  tokenParameter: text(
    /^(?!\/?(?:aws|ssm))\/?[A-Za-z0-9_.-]+(?:\/[A-Za-z0-9_.-]+)*$/i,
    "the name of an SSM SecureString that is there at both ends: letters, digits, _ . - and /, not beginning with aws or ssm",
  ).optional(),
});

export const rateLimitSchema = z.strictObject({
  requestsPerSecond: whole(1, 10_000, "requests a second").default(50),
  burst: whole(1, 5_000, "requests").default(100),
});

export const copySchema = z.strictObject({
  partSizeBytes: whole(5 * MIB, 5120 * MIB, "bytes").default(16 * MIB),
  /** Parts in memory at once. */
  concurrency: whole(1, 64, "parts").default(8),
  memoryMb: whole(256, 10_240, "MiB").default(1024),
  timeoutSeconds: whole(60, DAY_SECONDS, "seconds").default(900),
});

export const timeoutsSchema = z.strictObject({
  /** Follows from the source's cloud when absent. */
  senderSeconds: whole(5, DAY_SECONDS, "seconds").optional(),
  receiverSeconds: whole(1, 29, "seconds").default(29),
  /** Lifetime of a presigned URL; follows from `copy.timeoutSeconds` when absent. */
  urlExpirySeconds: whole(60, URL_EXPIRY_MAX_SECONDS, "seconds").optional(),
});

/** A prober waits a minute longer, for the other side's schedule, and then tells: all within the 900 s that a function may run. */
const GIVE_UP_MAX_SECONDS = 830;

/** Both sides are woken by the clock: only these come round at the same minutes every day. */
export const CANARY_MINUTES: readonly number[] = [1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60, 120, 180, 240, 360, 480, 720, 1440];
const CANARY_ERROR = `does not divide the hour or the day; allowed: 0, ${CANARY_MINUTES.join(", ")}`;

export const probeSchema = z.strictObject({
  enabled: flag().default(false),
  /** Of the canary; 0 for none. */
  everyMinutes: z
    .number({ error: CANARY_ERROR })
    .refine((minutes) => minutes === 0 || CANARY_MINUTES.includes(minutes), { error: CANARY_ERROR })
    .default(0),
  sizeBytes: whole(0, MAX_PROBE_SIZE_BYTES, "bytes").default(128 * 1024),
  lagAlarmSeconds: whole(1, DAY_SECONDS, "seconds").default(300),
  giveUpAfterSeconds: whole(1, GIVE_UP_MAX_SECONDS, "seconds").default(600),
});

/** The settings besides the two stores. Their defaults are also in Pulumi.yaml; a test holds the two together. */
const settings = {
  name: bridgeName().optional(),
  mode: choice(MODES).optional(),
  direction: choice(["one-way", "two-way"]).default("one-way"),
  /** Follows from the source's cloud when absent. */
  buffer: choice(["sqs", "none"]).optional(),
  scope: scopeSchema.prefault({}),
  deletes: choice(["ignore", "replicate"]).default("ignore"),
  existingObjects: choice(["ignore", "replicate"]).default("ignore"),
  replication: replicationSchema.prefault({}),
  statusTags: flag().default(false),
  auth: authSchema.prefault({}),
  token: signingToken().optional(),
  egress: choice(["shared", "static"]).default("shared"),
  allowedCidrs: z.array(cidr(), { error: "not a list; allowed: a list of IPv4 networks" }).max(100).default([]),
  rateLimit: rateLimitSchema.prefault({}),
  /**
   * 8 MiB take 8 s of the receiver's 29 s at the 1 MiB/s that one connection across the border gets on a bad day, so a
   * batch still finishes; anything larger has 15 minutes in the copier.
   */
  inlineLimitBytes: whole(0, 1024 * MIB, "bytes").default(8 * MIB),
  copy: copySchema.prefault({}),
  timeouts: timeoutsSchema.prefault({}),
  /** Sender functions at work at once; AWS allows no fewer than 2 for a queue. */
  concurrency: whole(2, 1000, "functions").default(10),
  maxAttempts: whole(1, 1000, "attempts").default(20),
  probe: probeSchema.prefault({}),
  logLevel: choice(["debug", "info", "warn", "error"]).default("info"),
  logRetentionDays: z
    .union(
      LOG_RETENTION_DAYS.map((days) => z.literal(days)),
      { error: `not a retention that CloudWatch Logs knows; allowed: ${LOG_RETENTION_DAYS.join(", ")}` },
    )
    .default(30),
  /** Leave created buckets and their objects in place when the stack is destroyed. */
  retainBuckets: flag().default(true),
  /** Delete created buckets with everything in them when the stack is destroyed. */
  forceDestroy: flag().default(false),
  alarmTopicArn: z.string({ error: "not a topic ARN; allowed: the ARN of an SNS topic of the source's region" }).optional(),
  alarmContactGroups: z
    .array(text(/^.{1,128}$/u, "the name of a contact group of CloudMonitor"), {
      error: "not a list; allowed: a list of names of contact groups of CloudMonitor",
    })
    .max(100)
    .default([]),
};

export const bridgeSchema = z.strictObject({ source: sourceSchema, destination: destinationSchema, ...settings });
export type ParsedConfig = z.output<typeof bridgeSchema>;

/** For the rules that span fields: every field may be missing, so that they can look at what is valid of an invalid whole. */
export const lenientSchema = z.object({
  source: sourceSchema.partial().optional(),
  destination: destinationSchema.partial().optional(),
  ...settings,
});
export type LenientConfig = z.output<typeof lenientSchema>;

const keysOf = (schema: { shape: object }) => Object.keys(schema.shape);

/** Known keys by path, for "did you mean"; `[]` stands for any element of a list. */
export const KNOWN_KEYS: Readonly<Record<string, readonly string[]>> = {
  "": keysOf(bridgeSchema),
  source: keysOf(sourceSchema),
  destination: keysOf(destinationSchema),
  "destination.lifecycle[]": keysOf(lifecycleRuleSchema),
  "destination.lifecycle[].transitions[]": keysOf(transitionSchema),
  scope: keysOf(scopeSchema),
  auth: keysOf(authSchema),
  rateLimit: keysOf(rateLimitSchema),
  copy: keysOf(copySchema),
  timeouts: keysOf(timeoutsSchema),
  replication: keysOf(replicationSchema),
  "replication.rules[]": keysOf(replicationRuleSchema),
  probe: keysOf(probeSchema),
};
