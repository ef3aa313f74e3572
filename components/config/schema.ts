/**
 * The configuration: every setting with its shape, its default, its bounds and its description. `npm run
 * docs:configuration` writes Pulumi.yaml, docs/configuration.md and the argument types in `settings.ts` from it. Checks that span
 * several settings are in `bridge-rules.ts` and its neighbours.
 */
import { z } from "zod";
import { BOUNDS, DELETES, LOG_LEVELS } from "../../runtime/protocol/env";
import { MAX_PROBE_SIZE_BYTES } from "../../runtime/protocol/probe";
import { alarmSettings } from "./alarm-schema";
import { ACCELERATIONS, CLOUDS, LOG_RETENTION_DAYS, MODES, OSS_STORAGE_CLASSES, S3_STORAGE_CLASSES } from "./clouds";
import {
  anyText,
  bridgeName,
  bucketName,
  choice,
  cidr,
  domainName,
  flag,
  keyPart,
  list,
  MIB,
  numberChoice,
  resourceTags,
  signingToken,
  tags,
  text,
  whole,
} from "./fields";
import { LIMITS } from "./limits";
import { lifecycleSchema, replicationSchema } from "./s3-schema";

/** The longest run of Function Compute; `cloud-rules.ts` checks the shorter limits of other clouds. */
const DAY_SECONDS = LIMITS.fcSeconds.most;
const ANY_SIZE = { min: 0, max: Number.MAX_SAFE_INTEGER };

const store = {
  cloud: choice(CLOUDS).describe("Cloud of this side. AWS Global (`aws`) and AWS China (`aws-cn`) are two clouds."),
  region: anyText("a region", "a region of the side's cloud").describe(
    "Region of the bucket, of this side's functions and of its provider.",
  ),
  bucket: bucketName().describe("Name of the bucket."),
  adopt: flag()
    .default(false)
    .describe(
      "Use an existing bucket and leave its settings as they are. The bridge never writes the notifications of an adopted source in AWS: merge the output `requiredNotification` into them. OSS keeps several triggers, so the bridge adds its own there.",
    ),
  versioning: flag().optional().meta({
    description: "Keep versions in a bucket that the bridge creates. S3 replicates only buckets that keep versions.",
    fallback: "true",
  }),
  kmsKeyArn: anyText("a key ARN", "the ARN of a KMS key of the bucket's region")
    .optional()
    .describe(
      "AWS: KMS key of the bucket's objects. The key's policy must allow this bridge: see the output `kmsKeyPolicyStatements`.",
    ),
  kmsKeyId: text(/^[\w-]{1,64}$/, "the id of a KMS key of the bucket's region")
    .optional()
    .describe("Alibaba Cloud: id of the KMS key of the bucket's objects, in the bucket's region."),
  acceleration: choice(ACCELERATIONS).optional().meta({
    description:
      "Alibaba Cloud: send objects through transfer acceleration. Mode `push` takes it at the destination. Mode `pull` takes it at the source, for the URLs that the destination reads. `overseas` enters outside the Chinese mainland. The bridge switches it on at buckets that it creates. With `customDomain` it works only where the domain's CNAME record leads to the acceleration endpoint.",
    fallback: "`global` at the destination of a push to another region without `customDomain`, otherwise none",
  }),
  customDomain: domainName()
    .optional()
    .describe(
      "Alibaba Cloud: a domain of yours, for all access from outside the bucket's region: for the URLs that the destination reads, for a push from another region, and for the operator's commands. Functions in the bucket's own region keep the internal host. Accounts that activated OSS since 2025-03-20 need it for a bucket on the Chinese mainland. The bridge binds the domain to a bucket that it creates; the certificate and the DNS records are yours.",
    ),
  profile: text(/^\S.*$/, "the name of a profile in the configuration files of the cloud's CLI")
    .optional()
    .describe("Named profile of the credentials. Only `index.ts` uses it, for the provider that it creates."),
  accountId: text(/^\d{6,20}$/, "12 digits on AWS, the account's UID on Alibaba Cloud, in quotes")
    .optional()
    .describe(
      "Account that the credentials must belong to; the deployment stops where they do not. In mode `native` in AWS give it on both sides or on neither: two accounts that differ get the permissions to hand the replicas over.",
    ),
};

/** The settings of either side, for the type that both extend. */
export const storeSchema = z
  .strictObject(store)
  .meta({ title: "Store", typeName: "StoreSettings", description: "The bucket of either side." });

const sourceSchema = z
  .strictObject({
    ...store,
    noRuleToDestination: flag().optional().meta({
      description:
        "Mode `native` in OSS, with two adopted buckets: you have looked, and the source has no replication rule to the destination but the bridge's own. OSS takes one rule for a pair of buckets; where there is one, Pulumi's provider takes over the first rule of the bucket, and deletes it with the stack.",
      fallback: "not looked",
    }),
  })
  .meta({ title: "Source", typeName: "SourceSettings", description: "Where objects come from." });

const destinationSchema = z
  .strictObject({
    ...store,
    prefix: anyText("text", "at most 512 bytes").default("").describe("Text in front of every source key."),
    storageClass: choice([...S3_STORAGE_CLASSES, ...OSS_STORAGE_CLASSES])
      .optional()
      .meta({
        description:
          "Storage class of the replicas, by the name that the destination's cloud gives it. Not in two-way bridges, which have replicas on both sides.",
        fallback: "STANDARD or Standard; with S3 replication the object's own",
      }),
    lifecycle: lifecycleSchema,
  })
  .meta({ title: "Destination", typeName: "DestinationSettings", description: "Where replicas go." });

export const scopeSchema = z
  .strictObject({
    prefixes: list(keyPart("prefix"), { what: "prefixes", max: 50 }).describe(
      "Replicate keys that begin with one of these; every key when the list is empty.",
    ),
    suffixes: list(keyPart("suffix"), { what: "suffixes", max: 50 }).describe(
      "Replicate keys that end with one of these; every key when the list is empty.",
    ),
    tags: tags().describe("Replicate objects that have all of these tags."),
    minSizeBytes: whole(ANY_SIZE, "bytes").default(0).describe("Do not replicate smaller objects."),
    maxSizeBytes: whole(ANY_SIZE, "bytes")
      .optional()
      .meta({ description: "Do not replicate larger objects.", fallback: "no limit" }),
  })
  .meta({
    title: "Scope: which objects",
    typeName: "ScopeArgs",
    description: "Which objects are replicated. The bridge leaves all others alone, and their deletes too.",
  });

const authSchema = z
  .strictObject({
    kind: choice(["token", "iam"])
      .default("token")
      .describe("`token` in front of a receiver in AWS China needs an ICP licence; `iam` does not."),
    tokenParameter: text(
      /^(?!\/?(?:aws|ssm))\/?[A-Za-z0-9_.-]+(?:\/[A-Za-z0-9_.-]+)*$/i,
      "the name of an SSM SecureString that is there at both ends: letters, digits, _ . - and /, not beginning with aws or ssm",
    )
      .optional()
      .describe(
        "Name of an existing SSM SecureString (secret parameter of OOS) with the signing secrets, the same at both sides. Use it instead of `token`.",
      ),
  })
  .meta({
    title: "Authorization",
    typeName: "AuthArgs",
    description:
      "How requests are authorized: by their signature (`token`), or by an AWS signature as well (`iam`), which AWS China serves without an ICP licence.",
  });

const rateLimitSchema = z
  .strictObject({
    requestsPerSecond: whole({ min: 1, max: 10_000 }, "requests a second")
      .default(50)
      .describe("Requests a second, each with up to 10 keys. The receiver answers 429 to more, and the sender asks again."),
    burst: whole({ min: 1, max: 5_000 }, "requests").default(100).describe("Requests at once."),
  })
  .meta({ title: "Rate limit of the receiver", typeName: "RateLimitArgs", description: "How many requests the receiver takes." });

const copySchema = z
  .strictObject({
    partSizeBytes: whole({ min: 5 * MIB, max: 5120 * MIB }, "bytes")
      .default(16 * MIB)
      .describe("Size of a part. It grows where an object would need more than 10,000 parts."),
    concurrency: whole(BOUNDS.copiesAtOnce, "copies")
      .default(3)
      .describe(
        "Copies that run at once. A new account runs 10 functions at once in AWS, for everything in it; the default leaves room for the others.",
      ),
    partsAtOnce: whole(BOUNDS.partsAtOnce, "connections")
      .default(16)
      .describe(
        "Connections that carry the parts of one copy at once, at most. A copy begins with a few and takes more as long as that makes it faster.",
      ),
    memoryMb: whole({ min: 256, max: 10_240 }, "MiB")
      .default(1024)
      .describe("Memory of the copier, which it needs little of. More memory also brings more CPU and network."),
    timeoutSeconds: whole({ min: 60, max: DAY_SECONDS }, "seconds")
      .default(900)
      .describe(
        "Longest run of a copy: at most 900 at a destination in AWS, 3480 at one in Alibaba Cloud, 86400 in mode `push`. A copy that takes longer resumes from the parts that are there.",
      ),
  })
  .meta({ title: "Large objects", typeName: "CopyArgs", description: "How the copier copies large objects." });

const timeoutsSchema = z
  .strictObject({
    senderSeconds: whole({ min: 5, max: DAY_SECONDS }, "seconds")
      .default(90)
      .describe("Timeout of the sender, longer than the receiver's. At most 900 at a source in AWS."),
    receiverSeconds: whole(BOUNDS.receiverSeconds, "seconds")
      .default(29)
      .describe("Timeout of the receiver: the hard end of an attempt to write a small object. 29 is API Gateway's limit."),
    urlExpirySeconds: whole(BOUNDS.urlExpirySeconds, "seconds")
      .optional()
      .meta({
        description: `Lifetime of presigned URLs, at most ${BOUNDS.urlExpirySeconds.max}.`,
        fallback: "copy.timeoutSeconds + 300",
      }),
  })
  .meta({ title: "Timeouts", typeName: "TimeoutsArgs", description: "How long functions run and URLs live." });

/** A prober waits one minute longer for the other side's schedule, and then reports. Both must fit in the 900 s of a function. */
const GIVE_UP_MAX_SECONDS = 830;

/** Each side has its own schedule. Only these intervals fall on the same minutes every day. */
export const CANARY_MINUTES = [1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60, 120, 180, 240, 360, 480, 720, 1440] as const;

const probeSchema = z
  .strictObject({
    enabled: flag().default(false).describe("Deploy the functions, which `npm run bridge -- probe` calls."),
    everyMinutes: numberChoice([0, ...CANARY_MINUTES], "does not divide the hour or the day")
      .default(0)
      .describe(
        "Send an object, the canary, at this interval, and alarm when it is late; 0 for no canary. The interval divides the hour or the day.",
      ),
    sizeBytes: whole({ min: 0, max: MAX_PROBE_SIZE_BYTES }, "bytes")
      .default(128 * 1024)
      .describe("Size of the canary."),
    lagAlarmSeconds: whole({ min: 1, max: DAY_SECONDS }, "seconds")
      .default(300)
      .describe(
        "A canary that takes longer raises an alarm. With `replication.metrics` it is the limit of S3's own latency as well.",
      ),
    giveUpAfterSeconds: whole({ min: 1, max: GIVE_UP_MAX_SECONDS }, "seconds")
      .default(600)
      .describe("The prober stops waiting for a canary that takes longer; the limit is what a function may run."),
  })
  .meta({
    title: "Latency probe",
    typeName: "ProbeArgs",
    description: "The latency probe: a function on each side that puts objects, watches for them and deletes them again.",
  });

/** A key must be parked before its queue drops it: SQS keeps a message for at most 14 days, Simple Message Queue for 7. */
export const GIVE_UP_MAX_HOURS = { aws: 13 * 24, alicloud: 6 * 24 + 12 } as const;

/** The settings besides the two stores. */
const settings = {
  name: bridgeName().optional().meta({
    description:
      "Id of the bridge: 1 to 32 of a-z, 0-9 and -. It is part of every physical name and of every replica's provenance.",
    fallback: "the stack's name, or the resource's where a program declares the component",
  }),
  mode: choice(MODES).optional().meta({
    description:
      "How objects travel. `pull` works for every pair of clouds. `native`, the store's own replication, works inside one partition of AWS or inside Alibaba Cloud. `push`, a workflow for each object, works from alicloud to alicloud.",
    fallback: "push for alicloud to alicloud, pull between clouds and partitions, native inside a partition of AWS",
  }),
  direction: choice(["one-way", "two-way"])
    .default("one-way")
    .describe("`two-way` works with `mode: native` inside one partition of AWS."),
  buffer: choice(["sqs", "none"]).optional().meta({
    description:
      "Holds events until their objects are verified: a queue, or the function's own asynchronous invocation. With `none` at a source in AWS, S3 invokes the sender itself, as often at once as it has events: see `reserveConcurrency`. Keys that have to wait go into a queue in any case.",
    fallback: "sqs at a source in AWS, none (the only choice) at one in Alibaba Cloud",
  }),
  scope: scopeSchema.prefault({}),
  deletes: choice(DELETES)
    .default("ignore")
    .describe("Whether the bridge deletes a replica that it wrote when the source object is gone."),
  existingObjects: choice(["ignore", "replicate"])
    .default("ignore")
    .describe(
      "In mode `native`: whether objects that are older than the bridge are replicated too. OSS does it by itself. For S3 the bridge creates the role of the jobs that `npm run bridge -- backfill` starts.",
    ),
  replication: replicationSchema.prefault({}),
  statusTags: flag()
    .default(false)
    .describe(
      "Tag each source object PENDING, COMPLETED or FAILED. The tag is `crossborderbridge-status-<name>`; tags that begin with `crossborderbridge-status` are not replicated.",
    ),
  auth: authSchema.prefault({}),
  token: signingToken()
    .optional()
    .describe(
      "Signing secret, base64 of 24 to 64 random bytes, set with `pulumi config set --secret`. During rotation there are several, newest first, separated by spaces. The bridge keeps it as a SecureString (secret parameter of OOS) at both sides. Use it instead of `auth.tokenParameter`.",
    ),
  egress: choice(["shared", "static"])
    .default("shared")
    .describe("`static` gives a sender in AWS one fixed address (a NAT gateway) and adds that address to the allowlist."),
  allowedCidrs: list(cidr(), { what: "IPv4 networks", max: 100 }).describe(
    "Networks that may reach the receiver. Must not be empty with `mode: pull` and `egress: shared`.",
  ),
  rateLimit: rateLimitSchema.prefault({}),
  // A receiver has 29 s. The sender lowers the limit to what the link carries in a part of them, and to no less than 8 MiB.
  inlineLimitBytes: whole({ min: 0, max: 1024 * MIB }, "bytes")
    .default(64 * MIB)
    .describe("The copier copies larger objects. Over a slow link it copies objects above 8 MiB as well."),
  copy: copySchema.prefault({}),
  timeouts: timeoutsSchema.prefault({}),
  // AWS requires at least 2 for a queue.
  concurrency: whole({ min: 2, max: LIMITS.queuedConcurrency.most }, "functions")
    .default(5)
    .describe(
      "Senders at work at once, and in Alibaba Cloud also receivers. A sender of an OSS source has two requests at once, so there are half as many.",
    ),
  batchSeconds: whole({ min: 0, max: 60 }, "seconds")
    .default(0)
    .describe(
      "A source in AWS: how long an event waits for others, so that one request asks about up to 50 objects instead of 10. Many small objects cost a quarter less, and a lone object arrives this much later.",
    ),
  reserveConcurrency: flag()
    .default(false)
    .describe(
      "A source in AWS: reserve executions for the sender out of the account's, `concurrency` + 1, and with `buffer: none` twice `concurrency` + 1. The sender then gets them at any time, and never more. Lambda keeps 100 unreserved, so it refuses this in an account that has few: a new account may have 10 in all.",
    ),
  maxAttempts: whole({ min: 1, max: 1000 }, "attempts")
    .default(20)
    .describe(
      "Failed attempts at one state of an object, after which the bridge parks the key in the dead-letter queue. Waiting does not count: for a receiver that cannot be reached, for a store that throttles, for a copy that runs.",
    ),
  giveUpAfterHours: whole({ min: 1, max: GIVE_UP_MAX_HOURS.aws }, "hours")
    .default(168)
    .describe(
      `A key that has waited this long is parked with the reason of its last wait. The source's queues set the limit: they keep a message for 14 days in AWS (at most ${GIVE_UP_MAX_HOURS.aws} hours) and for 7 days in Alibaba Cloud (at most 168 hours, of which the last ${168 - GIVE_UP_MAX_HOURS.alicloud} are left out).`,
    ),
  settleSeconds: whole({ min: 0, max: 300 }, "seconds")
    .default(30)
    .describe(
      "A new role, policy or log store in Alibaba Cloud rests this long before its first use, because other services know it only after some seconds, and the provider does not try again. Deployments without new ones do not wait.",
    ),
  probe: probeSchema.prefault({}),
  logLevel: choice(LOG_LEVELS)
    .default("info")
    .describe("Log level of the functions. `debug` also logs which objects were skipped, and why."),
  logRetentionDays: numberChoice(LOG_RETENTION_DAYS, "not a retention that CloudWatch Logs knows")
    .default(30)
    .describe("Days that the functions' logs are kept."),
  tags: resourceTags().describe(
    "Tags of every resource that the bridge creates and that can have tags, for bills and policies. Adopted buckets keep their own.",
  ),
  retainBuckets: flag()
    .default(true)
    .describe("Keep the buckets that the bridge created, with their objects, when the bridge is destroyed."),
  forceDestroy: flag()
    .default(false)
    .describe("Delete the buckets that the bridge created, with everything in them. Needs `retainBuckets: false`."),
  ...alarmSettings,
};

export const bridgeSchema = z
  .strictObject({ source: sourceSchema, destination: destinationSchema, ...settings })
  .meta({ title: "The bridge", typeName: "BridgeSettings", description: "Settings of the bridge as a whole." });
export type ParsedConfig = z.output<typeof bridgeSchema>;

/** The schema for rules that span settings. Every setting may be missing, so a rule sees the valid part of an invalid configuration. */
export const lenientSchema = z.object({
  source: sourceSchema.partial().optional(),
  destination: destinationSchema.partial().optional(),
  ...settings,
});
export type LenientConfig = z.output<typeof lenientSchema>;

/** Known keys by path, for "did you mean"; `[]` stands for any element of a list. */
export const KNOWN_KEYS: Readonly<Record<string, readonly string[]>> = keysByPath(bridgeSchema, "");

function keysByPath(schema: z.core.$ZodType, path: string): Record<string, string[]> {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault)
    return keysByPath(schema.def.innerType, path);
  if (schema instanceof z.ZodArray) return keysByPath(schema.element, `${path}[]`);
  if (!(schema instanceof z.ZodObject)) return {};
  const inside = Object.entries(schema.shape as Record<string, z.core.$ZodType>).map(([key, field]) =>
    keysByPath(field, path === "" ? key : `${path}.${key}`),
  );
  return Object.assign({ [path]: Object.keys(schema.shape) }, ...inside);
}
