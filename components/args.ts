/** What a user of the component gives. The stack configuration has the same shape, without providers and hooks. */
import type * as alicloud from "@pulumi/alicloud";
import type * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import type { Role } from "../runtime/protocol/env";
import type { Acceleration, Cloud, Mode } from "./config";
import type { OSS_STORAGE_CLASSES, S3_STORAGE_CLASSES, S3_TRANSITION_CLASSES } from "./config/clouds";
import type { BridgeTransforms } from "./transforms";

/** One end of a bridge. */
export interface StoreArgs {
  /** The cloud of this end; each partition of AWS is a cloud of its own. */
  cloud: Cloud;
  /** Region of the bucket, of this end's functions and of its provider. */
  region: string;
  /** Name of the bucket. */
  bucket: string;
  /**
   * Use a bucket that is there and leave its own settings alone. The notifications of an adopted source in AWS are never
   * written: merge the output `requiredNotification` into them. OSS keeps triggers side by side, so there the bridge adds its own.
   * @default false
   */
  adopt?: boolean | undefined;
  /**
   * Keep versions in a created bucket; S3 replicates nothing without them.
   * @default true
   */
  versioning?: boolean | undefined;
  /** AWS: KMS key of the bucket's objects. Its policy must let this bridge in: see the output `kmsKeyPolicyStatements`. */
  kmsKeyArn?: string | undefined;
  /** Alibaba Cloud: id of the KMS key of the bucket's objects, in the bucket's region. */
  kmsKeyId?: string | undefined;
  /**
   * Alibaba Cloud: send objects through transfer acceleration. At the destination in mode `push`; at the source in mode `pull`,
   * for the URLs that the destination reads. `overseas` enters outside the Chinese mainland. Switched on at created buckets.
   * @default `global` at the destination of a push to another region, otherwise none
   */
  acceleration?: Acceleration | undefined;
  /** For `index.ts`, which makes the provider: a named profile of the credentials. */
  profile?: string | undefined;
  /**
   * For `index.ts`, which makes the provider: the account that the credentials must belong to. With `mode: native` in AWS two
   * accounts that differ are also how the bridge knows to hand the replicas over: give both or neither.
   */
  accountId?: string | undefined;
}

export interface SourceArgs extends StoreArgs {
  /** Deploys everything on this side. */
  provider: aws.Provider | alicloud.Provider;
}

export interface DestinationArgs extends StoreArgs {
  /** Deploys everything on this side. */
  provider: aws.Provider | alicloud.Provider;
  /**
   * Put in front of every source key.
   * @default ""
   */
  prefix?: string | undefined;
  /**
   * Storage class of the replicas, as the destination's cloud calls it. Not in two-way bridges, whose replicas are on both sides.
   * @default the bucket's own, STANDARD or Standard; with S3 replication the object's
   */
  storageClass?: (typeof S3_STORAGE_CLASSES)[number] | (typeof OSS_STORAGE_CLASSES)[number] | undefined;
  /** AWS: rules for a created bucket, in any mode, beside the bridge's own, which clear up after it. @default [] */
  lifecycle?: LifecycleRuleArgs[] | undefined;
}

/** One rule of a bucket's lifecycle; it does at least one thing. */
export interface LifecycleRuleArgs {
  /** Another one for every rule. */
  id: string;
  /** Of keys in the destination bucket, its `prefix` included. @default "" */
  prefix?: string | undefined;
  /** Objects this old are deleted: in a bucket that keeps versions, by a delete marker. @default never */
  expirationDays?: number | undefined;
  /** Versions are deleted for good this long after another one has taken their place. @default never */
  noncurrentExpirationDays?: number | undefined;
  /** In the order in which they happen. @default [] */
  transitions?:
    | {
        /** Age of the object; at least 30 for STANDARD_IA and ONEZONE_IA, and 30 more for what follows them. */
        days: number;
        /** GLACIER and DEEP_ARCHIVE must be restored before they can be read. */
        storageClass: (typeof S3_TRANSITION_CLASSES)[number];
      }[]
    | undefined;
}

/** Which objects S3 itself replicates, and how. */
export interface ReplicationRuleArgs {
  /** Another one for every rule. */
  id: string;
  /** Another one for every rule. Where rules overlap, the highest decides. */
  priority: number;
  /** Objects whose keys begin with it; every key when empty. @default "" */
  prefix?: string | undefined;
  /** Objects that have every one of these tags; such a rule replicates no deletes. @default {} */
  tags?: Record<string, string> | undefined;
  /** What only a disabled rule covers stays. @default true */
  enabled?: boolean | undefined;
  /** Whether delete markers are replicated. @default the bridge's own `deletes` */
  deletes?: "ignore" | "replicate" | undefined;
  /** Of this rule's replicas, in two-way bridges on both sides. @default destination.storageClass, or the object's own */
  storageClass?: (typeof S3_STORAGE_CLASSES)[number] | undefined;
}

/** `mode: native` in AWS: everything that S3 replication can be told. */
export interface ReplicationArgs {
  /** Instead of `scope.prefixes` and `scope.tags`; without any, one for each prefix of the scope, with the scope's tags. @default [] */
  rules?: ReplicationRuleArgs[] | undefined;
  /** S3 Replication Time Control: 15 minutes for 99.99 percent of the objects, at a price. @default false */
  timeControl?: boolean | undefined;
  /** Replication metrics in CloudWatch, with alarms on latency and on failures. @default as timeControl */
  metrics?: boolean | undefined;
  /** Replicate changes of tags, ACLs and metadata that are made to replicas. @default true in two-way bridges, otherwise false */
  replicaModifications?: boolean | undefined;
  /**
   * Whose the replicas are across accounts. `source` leaves owner and ACLs as they are, and gives a created destination bucket
   * the ownership `ObjectWriter`.
   * @default "destination"
   */
  ownership?: "destination" | "source" | undefined;
}

/** The latency probe: a function on each side that puts objects, watches for them, and takes them away again. */
export interface ProbeArgs {
  /** Deploys the functions, which `npm run bridge -- probe` asks. @default false */
  enabled?: boolean | undefined;
  /** Send an object, the canary, this often, and alarm when it is late; 0 for none. Divides the hour or the day. @default 0 */
  everyMinutes?: number | undefined;
  /** Of the canary. @default 131072 (128 KiB) */
  sizeBytes?: number | undefined;
  /** A canary that takes longer is late; with `replication.metrics` the limit of S3's own latency as well. @default 300 */
  lagAlarmSeconds?: number | undefined;
  /** A canary that takes longer is no longer waited for; at most 830, within what a function may run. @default 600 */
  giveUpAfterSeconds?: number | undefined;
}

/** Which objects are replicated. Everything else is left alone, deletes included. */
export interface ScopeArgs {
  /** Keys that begin with one of these; every key when empty. @default [] */
  prefixes?: string[] | undefined;
  /** Keys that end with one of these; every key when empty. @default [] */
  suffixes?: string[] | undefined;
  /** Objects that have every one of these tags. @default {} */
  tags?: Record<string, string> | undefined;
  /** Smaller objects stay. @default 0 */
  minSizeBytes?: number | undefined;
  /** Larger objects stay. @default no limit */
  maxSizeBytes?: number | undefined;
}

export interface CrossBorderBridgeArgs {
  source: SourceArgs;
  destination: DestinationArgs;
  /**
   * Id of the bridge: 1 to 32 of a-z, 0-9 and -. Part of every physical name and of every replica's provenance.
   * @default the stack's name, or the resource's where a program declares the component
   */
  name?: string | undefined;
  /**
   * How objects travel. `pull` works for every pair of clouds; `native` (the store's own replication) inside one partition of AWS
   * or inside Alibaba Cloud; `push` (a workflow per object) from alicloud to alicloud.
   * @default push for alicloud to alicloud, pull between clouds and partitions, native inside a partition of AWS
   */
  mode?: Mode | undefined;
  /** `two-way` with `mode: native` inside one partition of AWS. @default "one-way" */
  direction?: "one-way" | "two-way" | undefined;
  /**
   * What holds events until they are done: a queue, or the function's own asynchronous invocation.
   * @default sqs at a source in AWS, none (the only choice) at one in Alibaba Cloud
   */
  buffer?: "sqs" | "none" | undefined;
  scope?: ScopeArgs | undefined;
  /** Whether an object that is gone at the source is deleted at the destination, if this bridge wrote it. @default "ignore" */
  deletes?: "ignore" | "replicate" | undefined;
  /**
   * With `mode: native`: whether objects that are there before the bridge is are replicated too. OSS does so by itself; for S3 this
   * makes the role of the jobs that `npm run bridge -- backfill` starts.
   * @default "ignore"
   */
  existingObjects?: "ignore" | "replicate" | undefined;
  replication?: ReplicationArgs | undefined;
  /** Tag each source object PENDING, COMPLETED or FAILED. @default false */
  statusTags?: boolean | undefined;
  /**
   * How requests are authorized: by their signature (`token`), or by an AWS signature as well (`iam`), which AWS China
   * serves without an ICP licence.
   */
  auth?:
    | {
        /** `token` in front of a receiver in AWS China needs an ICP licence, `iam` does not. @default "token" */
        kind?: "token" | "iam" | undefined;
        /**
         * An SSM SecureString (secret parameter of OOS) with the signing secrets that is there, under this name, at both ends;
         * instead of `token`.
         */
        tokenParameter?: string | undefined;
      }
    | undefined;
  /**
   * Signing secrets, base64 of 24 to 64 bytes each; several, newest first, separated by spaces, during rotation. Kept as a
   * SecureString (secret parameter of OOS) at both ends; instead of `auth.tokenParameter`.
   */
  token?: pulumi.Input<string> | undefined;
  /** `static` puts a sender in AWS behind one fixed address and that address into the allowlist. @default "shared" */
  egress?: "shared" | "static" | undefined;
  /** Networks that may reach the receiver. Must not be empty with `mode: pull` and `egress: shared`. @default [] */
  allowedCidrs?: string[] | undefined;
  rateLimit?:
    | {
        /** Requests a second, each with up to 10 keys; more are answered 429 and asked again. @default 50 */
        requestsPerSecond?: number | undefined;
        /** Requests at once. @default 100 */
        burst?: number | undefined;
      }
    | undefined;
  /** Larger objects are copied in parts by the copier. @default 8388608 (8 MiB) */
  inlineLimitBytes?: number | undefined;
  copy?:
    | {
        /** Grows by itself where an object would need more than 10,000 parts. @default 16777216 (16 MiB) */
        partSizeBytes?: number | undefined;
        /** Parts in memory at once. @default 8 */
        concurrency?: number | undefined;
        /** Of the copier; half of it must hold the parts. More memory also means more CPU and network. @default 1024 */
        memoryMb?: number | undefined;
        /**
         * At most 900 at a destination in AWS and 3480 at one in Alibaba Cloud, 86400 in mode `push`. A copy that takes longer
         * goes on from the parts that are there.
         * @default 900
         */
        timeoutSeconds?: number | undefined;
      }
    | undefined;
  timeouts?:
    | {
        /**
         * Of the sender; longer than the receiver's. At most 900 at a source in AWS.
         * @default 90; 3600 at a source in Alibaba Cloud, where the sender itself waits for a long copy
         */
        senderSeconds?: number | undefined;
        /** Of the receiver, the hard end of an attempt to write a small object; at most 29, API Gateway's limit. @default 29 */
        receiverSeconds?: number | undefined;
        /** Lifetime of presigned URLs, at most 3600. @default copy.timeoutSeconds + 300 */
        urlExpirySeconds?: number | undefined;
      }
    | undefined;
  /** Keys at work at once: senders, and in Alibaba Cloud also receivers; 2 to 1000. @default 10 */
  concurrency?: number | undefined;
  /** How often a key is tried before it is parked in the dead-letter queue. @default 20 */
  maxAttempts?: number | undefined;
  probe?: ProbeArgs | undefined;
  /** Of the functions; `debug` also tells what was skipped and why. @default "info" */
  logLevel?: "debug" | "info" | "warn" | "error" | undefined;
  /** How long the functions' logs are kept. @default 30 */
  logRetentionDays?: number | undefined;
  /** Leave created buckets in place when the bridge is destroyed. @default true */
  retainBuckets?: boolean | undefined;
  /** Delete created buckets with everything in them; needs `retainBuckets: false`. @default false */
  forceDestroy?: boolean | undefined;
  /** A source in AWS: SNS topic of its region that both alarms go to. @default none */
  alarmTopicArn?: pulumi.Input<string> | undefined;
  /** A source in Alibaba Cloud: contact groups of CloudMonitor that the alarms go to. @default [], for the account's default group */
  alarmContactGroups?: string[] | undefined;
  /** Changes to any child before it is declared. */
  transform?: BridgeTransforms | undefined;
  /**
   * Handlers of your own instead of the prebuilt ones of this package: `index.js` with an exported `handler`. Function Compute
   * takes only a `FileArchive` of a .zip.
   */
  bundles?: Partial<Record<Role, pulumi.asset.Archive>> | undefined;
}
