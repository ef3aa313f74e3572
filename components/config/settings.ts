/**
 * The configuration as a program gives it, and the outputs.
 * Written by `npm run docs:configuration` from components/config/schema.ts and components/config/outputs.ts. Change those.
 */
import type { Input } from "@pulumi/pulumi";

/** Settings of the bridge as a whole. */
export interface BridgeSettings {
  /** Where objects come from. */
  source: SourceSettings;
  /** Where replicas go. */
  destination: DestinationSettings;
  /**
   * Id of the bridge: 1 to 32 of a-z, 0-9 and -. It is part of every physical name and of every replica's provenance.
   * @default the stack's name, or the resource's where a program declares the component
   */
  name?: string | undefined;
  /**
   * How objects travel. `pull` works for every pair of clouds. `native`, the store's own replication, works inside one
   * partition of AWS or inside Alibaba Cloud. `push`, a workflow for each object, works from alicloud to alicloud.
   * @default push for alicloud to alicloud, pull between clouds and partitions, native inside a partition of AWS
   */
  mode?: "pull" | "push" | "native" | undefined;
  /** `two-way` works with `mode: native` inside one partition of AWS. @default "one-way" */
  direction?: "one-way" | "two-way" | undefined;
  /**
   * Holds events until their objects are verified: a queue, or the function's own asynchronous invocation. With `none` at a
   * source in AWS, S3 invokes the sender itself, as often at once as it has events: see `reserveConcurrency`. Keys that have
   * to wait go into a queue in any case.
   * @default sqs at a source in AWS, none (the only choice) at one in Alibaba Cloud
   */
  buffer?: "sqs" | "none" | undefined;
  /** Which objects are replicated. The bridge leaves all others alone, and their deletes too. */
  scope?: ScopeArgs | undefined;
  /** Whether the bridge deletes a replica that it wrote when the source object is gone. @default "ignore" */
  deletes?: "ignore" | "replicate" | undefined;
  /**
   * In mode `native`: whether objects that are older than the bridge are replicated too. OSS does it by itself. For S3 the
   * bridge creates the role of the jobs that `npm run bridge -- backfill` starts.
   * @default "ignore"
   */
  existingObjects?: "ignore" | "replicate" | undefined;
  /** S3's own replication, in mode `native` inside one partition of AWS. */
  replication?: ReplicationArgs | undefined;
  /**
   * Tag each source object PENDING, COMPLETED or FAILED. The tag is `crossborderbridge-status-<name>`; tags that begin with
   * `crossborderbridge-status` are not replicated.
   * @default false
   */
  statusTags?: boolean | undefined;
  /**
   * How requests are authorized: by their signature (`token`), or by an AWS signature as well (`iam`), which AWS China
   * serves without an ICP licence.
   */
  auth?: AuthArgs | undefined;
  /**
   * Signing secret, base64 of 24 to 64 random bytes, set with `pulumi config set --secret`. During rotation there are
   * several, newest first, separated by spaces. The bridge keeps it as a SecureString (secret parameter of OOS) at both
   * sides. Use it instead of `auth.tokenParameter`.
   */
  token?: Input<string> | undefined;
  /**
   * `static` gives a sender in AWS one fixed address (a NAT gateway) and adds that address to the allowlist.
   * @default "shared"
   */
  egress?: "shared" | "static" | undefined;
  /** Networks that may reach the receiver. Must not be empty with `mode: pull` and `egress: shared`. @default [] */
  allowedCidrs?: Input<Input<string>[]> | undefined;
  /** How many requests the receiver takes. */
  rateLimit?: RateLimitArgs | undefined;
  /** The copier copies larger objects. Over a slow link it copies objects above 8 MiB as well. @default 67108864 (64 MiB) */
  inlineLimitBytes?: number | undefined;
  /** How the copier copies large objects. */
  copy?: CopyArgs | undefined;
  /** How long functions run and URLs live. */
  timeouts?: TimeoutsArgs | undefined;
  /**
   * Senders at work at once, and in Alibaba Cloud also receivers. A sender of an OSS source has two requests at once, so
   * there are half as many.
   * @default 5
   */
  concurrency?: number | undefined;
  /**
   * A source in AWS: how long an event waits for others, so that one request asks about up to 50 objects instead of 10. Many
   * small objects cost a quarter less, and a lone object arrives this much later.
   * @default 0
   */
  batchSeconds?: number | undefined;
  /**
   * A source in AWS: reserve executions for the sender out of the account's, `concurrency` + 1, and with `buffer: none`
   * twice `concurrency` + 1. The sender then gets them at any time, and never more. Lambda keeps 100 unreserved, so it
   * refuses this in an account that has few: a new account may have 10 in all.
   * @default false
   */
  reserveConcurrency?: boolean | undefined;
  /**
   * Failed attempts at one state of an object, after which the bridge parks the key in the dead-letter queue. Waiting does
   * not count: for a receiver that cannot be reached, for a store that throttles, for a copy that runs.
   * @default 20
   */
  maxAttempts?: number | undefined;
  /**
   * A key that has waited this long is parked with the reason of its last wait. The source's queues set the limit: they keep
   * a message for 14 days in AWS (at most 312 hours) and for 7 days in Alibaba Cloud (at most 168 hours, of which the last
   * 12 are left out).
   * @default 168
   */
  giveUpAfterHours?: number | undefined;
  /**
   * A new role, policy or log store in Alibaba Cloud rests this long before its first use, because other services know it
   * only after some seconds, and the provider does not try again. Deployments without new ones do not wait.
   * @default 30
   */
  settleSeconds?: number | undefined;
  /** The latency probe: a function on each side that puts objects, watches for them and deletes them again. */
  probe?: ProbeArgs | undefined;
  /** Log level of the functions. `debug` also logs which objects were skipped, and why. @default "info" */
  logLevel?: "debug" | "info" | "warn" | "error" | undefined;
  /** Days that the functions' logs are kept. @default 30 */
  logRetentionDays?: number | undefined;
  /**
   * Tags of every resource that the bridge creates and that can have tags, for bills and policies. Adopted buckets keep
   * their own.
   * @default {}
   */
  tags?: Record<string, string> | undefined;
  /** Keep the buckets that the bridge created, with their objects, when the bridge is destroyed. @default true */
  retainBuckets?: boolean | undefined;
  /** Delete the buckets that the bridge created, with everything in them. Needs `retainBuckets: false`. @default false */
  forceDestroy?: boolean | undefined;
  /** A source in AWS: SNS topic of its region that the alarms go to. */
  alarmTopicArn?: Input<string> | undefined;
  /**
   * A source in Alibaba Cloud: contact groups of CloudMonitor that the alarms go to. An empty list stands for the account's
   * default group.
   * @default []
   */
  alarmContactGroups?: Input<Input<string>[]> | undefined;
  /**
   * Addresses that the alarms of the source go to. Each gets a message with a link to confirm, and nothing before that. In
   * AWS the bridge creates an SNS topic for them, in Alibaba Cloud contacts of CloudMonitor.
   * @default []
   */
  alarmEmails?: string[] | undefined;
  /**
   * URL that the alarms of the source are posted to, such as that of a robot. It is a secret: set it with `pulumi config set
   * --secret`. In AWS a small function, the notifier, reads it from a SecureString.
   */
  alarmWebhookUrl?: Input<string> | undefined;
  /**
   * Format of what is posted: JSON, or a message of a robot of DingTalk, WeCom or Lark (Feishu). A source in Alibaba Cloud
   * has `dingtalk`, and `json` in the form of CloudMonitor.
   * @default "json"
   */
  alarmWebhookFormat?: "json" | "dingtalk" | "wecom" | "lark" | undefined;
  /**
   * A source in AWS: the secret that signs what is posted. For `dingtalk` and `lark` that of the robot's security settings;
   * for `json` one of Standard Webhooks (`openssl rand -base64 32`). Set it with `pulumi config set --secret`.
   */
  alarmWebhookSecret?: Input<string> | undefined;
  /**
   * Address of your copy of docs/runbook.md. The text of each alarm links its section there, which is the end of the alarm's
   * name.
   * @default the text names docs/runbook.md
   */
  runbookUrl?: string | undefined;
  /**
   * A dashboard of the bridge: in CloudWatch on each side in AWS (one where both sides are in one account), in Simple Log
   * Service for a source in Alibaba Cloud, and for the canaries where they arrive there. Mode `native` has one where there
   * is something to show: `replication.metrics` or canaries. AWS gives an account three dashboards for nothing.
   * @default true
   */
  dashboard?: boolean | undefined;
}

/** The bucket of either side. */
export interface StoreSettings {
  /** Cloud of this side. AWS Global (`aws`) and AWS China (`aws-cn`) are two clouds. */
  cloud: "aws" | "aws-cn" | "alicloud";
  /** Region of the bucket, of this side's functions and of its provider. */
  region: string;
  /** Name of the bucket. */
  bucket: Input<string>;
  /**
   * Use an existing bucket and leave its settings as they are. The bridge never writes the notifications of an adopted
   * source in AWS: merge the output `requiredNotification` into them. OSS keeps several triggers, so the bridge adds its own
   * there.
   * @default false
   */
  adopt?: boolean | undefined;
  /** Keep versions in a bucket that the bridge creates. S3 replicates only buckets that keep versions. @default true */
  versioning?: boolean | undefined;
  /** AWS: KMS key of the bucket's objects. The key's policy must allow this bridge: see the output `kmsKeyPolicyStatements`. */
  kmsKeyArn?: Input<string> | undefined;
  /** Alibaba Cloud: id of the KMS key of the bucket's objects, in the bucket's region. */
  kmsKeyId?: Input<string> | undefined;
  /**
   * Alibaba Cloud: send objects through transfer acceleration. Mode `push` takes it at the destination. Mode `pull` takes it
   * at the source, for the URLs that the destination reads. `overseas` enters outside the Chinese mainland. The bridge
   * switches it on at buckets that it creates. With `customDomain` it works only where the domain's CNAME record leads to
   * the acceleration endpoint.
   * @default `global` at the destination of a push to another region without `customDomain`, otherwise none
   */
  acceleration?: "none" | "global" | "overseas" | undefined;
  /**
   * Alibaba Cloud: a domain of yours, for all access from outside the bucket's region: for the URLs that the destination
   * reads, for a push from another region, and for the operator's commands. Functions in the bucket's own region keep the
   * internal host. Accounts that activated OSS since 2025-03-20 need it for a bucket on the Chinese mainland. The bridge
   * binds the domain to a bucket that it creates; the certificate and the DNS records are yours.
   */
  customDomain?: Input<string> | undefined;
  /** Named profile of the credentials. Only `index.ts` uses it, for the provider that it creates. */
  profile?: string | undefined;
  /**
   * Account that the credentials must belong to; the deployment stops where they do not. In mode `native` in AWS give it on
   * both sides or on neither: two accounts that differ get the permissions to hand the replicas over.
   */
  accountId?: string | undefined;
}

/** Where objects come from. */
export interface SourceSettings extends StoreSettings {
  /**
   * Mode `native` in OSS, with two adopted buckets: you have looked, and the source has no replication rule to the
   * destination but the bridge's own. OSS takes one rule for a pair of buckets; where there is one, Pulumi's provider takes
   * over the first rule of the bucket, and deletes it with the stack.
   * @default not looked
   */
  noRuleToDestination?: boolean | undefined;
}

/** Where replicas go. */
export interface DestinationSettings extends StoreSettings {
  /** Text in front of every source key. @default "" */
  prefix?: string | undefined;
  /**
   * Storage class of the replicas, by the name that the destination's cloud gives it. Not in two-way bridges, which have
   * replicas on both sides.
   * @default STANDARD or Standard; with S3 replication the object's own
   */
  storageClass?:
    | "STANDARD"
    | "STANDARD_IA"
    | "ONEZONE_IA"
    | "INTELLIGENT_TIERING"
    | "GLACIER_IR"
    | "GLACIER"
    | "DEEP_ARCHIVE"
    | "Standard"
    | "IA"
    | "Archive"
    | "ColdArchive"
    | "DeepColdArchive"
    | undefined;
  /**
   * AWS: lifecycle rules of a bucket that the bridge creates, in any mode. The bridge adds rules of its own that clean up
   * after it.
   * @default []
   */
  lifecycle?: LifecycleRuleArgs[] | undefined;
}

/** Lifecycle: each rule */
export interface LifecycleRuleArgs {
  /** Id of the rule, unique in the bucket. */
  id: string;
  /**
   * The rule covers keys of the destination bucket that begin with this text. They include the destination's own `prefix`.
   * @default ""
   */
  prefix?: string | undefined;
  /** Delete objects of this age. A bucket that keeps versions gets a delete marker. @default never */
  expirationDays?: number | undefined;
  /** Delete a version for good this long after a newer one replaced it. @default never */
  noncurrentExpirationDays?: number | undefined;
  /** Moves to other storage classes, in the order in which they happen. @default [] */
  transitions?: TransitionArgs[] | undefined;
}

/** Lifecycle: each transition */
export interface TransitionArgs {
  /**
   * Age of the object. STANDARD_IA and ONEZONE_IA take objects of 30 days or more, and the class after them takes objects 30
   * days later.
   */
  days: number;
  /** Class that the object moves to. Objects in GLACIER and DEEP_ARCHIVE must be restored before they can be read. */
  storageClass: "STANDARD_IA" | "INTELLIGENT_TIERING" | "ONEZONE_IA" | "GLACIER_IR" | "GLACIER" | "DEEP_ARCHIVE";
}

/** Which objects are replicated. The bridge leaves all others alone, and their deletes too. */
export interface ScopeArgs {
  /** Replicate keys that begin with one of these; every key when the list is empty. @default [] */
  prefixes?: string[] | undefined;
  /** Replicate keys that end with one of these; every key when the list is empty. @default [] */
  suffixes?: string[] | undefined;
  /** Replicate objects that have all of these tags. @default {} */
  tags?: Record<string, string> | undefined;
  /** Do not replicate smaller objects. @default 0 */
  minSizeBytes?: number | undefined;
  /** Do not replicate larger objects. @default no limit */
  maxSizeBytes?: number | undefined;
}

/** S3's own replication, in mode `native` inside one partition of AWS. */
export interface ReplicationArgs {
  /**
   * Rules in place of `scope.prefixes` and `scope.tags`. Without rules the bridge makes one for each prefix of the scope,
   * with the scope's tags.
   * @default []
   */
  rules?: ReplicationRuleArgs[] | undefined;
  /** S3 Replication Time Control: 15 minutes for 99.99 percent of the objects, at a price. @default false */
  timeControl?: boolean | undefined;
  /** Replication metrics in CloudWatch, with alarms on latency and on failures. @default as timeControl */
  metrics?: boolean | undefined;
  /** Replicate changes of tags, ACLs and metadata that are made to replicas. @default true in two-way bridges, otherwise false */
  replicaModifications?: boolean | undefined;
  /**
   * Which account owns the replicas, where the two accounts differ. `source` keeps owner and ACLs, and gives a destination
   * bucket that the bridge creates the ownership `ObjectWriter`.
   * @default "destination"
   */
  ownership?: "destination" | "source" | undefined;
}

/** S3 replication: each rule */
export interface ReplicationRuleArgs {
  /** Id of the rule, unique among the rules. */
  id: string;
  /** Priority, unique among the rules. Where rules overlap, the rule with the highest number decides. */
  priority: number;
  /** The rule covers keys that begin with this text; every key when it is empty. @default "" */
  prefix?: string | undefined;
  /** The rule covers objects that have all of these tags. A rule with tags does not replicate deletes. @default {} */
  tags?: Record<string, string> | undefined;
  /** A disabled rule replicates nothing. @default true */
  enabled?: boolean | undefined;
  /** Whether the rule replicates delete markers. @default the bridge's own `deletes` */
  deletes?: "ignore" | "replicate" | undefined;
  /**
   * Storage class of this rule's replicas, in two-way bridges on both sides.
   * @default destination.storageClass, or the object's own
   */
  storageClass?:
    | "STANDARD"
    | "STANDARD_IA"
    | "ONEZONE_IA"
    | "INTELLIGENT_TIERING"
    | "GLACIER_IR"
    | "GLACIER"
    | "DEEP_ARCHIVE"
    | undefined;
}

/**
 * How requests are authorized: by their signature (`token`), or by an AWS signature as well (`iam`), which AWS China
 * serves without an ICP licence.
 */
export interface AuthArgs {
  /** `token` in front of a receiver in AWS China needs an ICP licence; `iam` does not. @default "token" */
  kind?: "token" | "iam" | undefined;
  /**
   * Name of an existing SSM SecureString (secret parameter of OOS) with the signing secrets, the same at both sides. Use it
   * instead of `token`.
   */
  tokenParameter?: Input<string> | undefined;
}

/** How many requests the receiver takes. */
export interface RateLimitArgs {
  /** Requests a second, each with up to 10 keys. The receiver answers 429 to more, and the sender asks again. @default 50 */
  requestsPerSecond?: number | undefined;
  /** Requests at once. @default 100 */
  burst?: number | undefined;
}

/** How the copier copies large objects. */
export interface CopyArgs {
  /** Size of a part. It grows where an object would need more than 10,000 parts. @default 16777216 (16 MiB) */
  partSizeBytes?: number | undefined;
  /**
   * Copies that run at once. A new account runs 10 functions at once in AWS, for everything in it; the default leaves room
   * for the others.
   * @default 3
   */
  concurrency?: number | undefined;
  /**
   * Connections that carry the parts of one copy at once, at most. A copy begins with a few and takes more as long as that
   * makes it faster.
   * @default 16
   */
  partsAtOnce?: number | undefined;
  /** Memory of the copier, which it needs little of. More memory also brings more CPU and network. @default 1024 */
  memoryMb?: number | undefined;
  /**
   * Longest run of a copy: at most 900 at a destination in AWS, 3480 at one in Alibaba Cloud, 86400 in mode `push`. A copy
   * that takes longer resumes from the parts that are there.
   * @default 900
   */
  timeoutSeconds?: number | undefined;
}

/** How long functions run and URLs live. */
export interface TimeoutsArgs {
  /** Timeout of the sender, longer than the receiver's. At most 900 at a source in AWS. @default 90 */
  senderSeconds?: number | undefined;
  /** Timeout of the receiver: the hard end of an attempt to write a small object. 29 is API Gateway's limit. @default 29 */
  receiverSeconds?: number | undefined;
  /** Lifetime of presigned URLs, at most 3600. @default copy.timeoutSeconds + 300 */
  urlExpirySeconds?: number | undefined;
}

/** The latency probe: a function on each side that puts objects, watches for them and deletes them again. */
export interface ProbeArgs {
  /** Deploy the functions, which `npm run bridge -- probe` calls. @default false */
  enabled?: boolean | undefined;
  /**
   * Send an object, the canary, at this interval, and alarm when it is late; 0 for no canary. The interval divides the hour
   * or the day.
   * @default 0
   */
  everyMinutes?: number | undefined;
  /** Size of the canary. @default 131072 (128 KiB) */
  sizeBytes?: number | undefined;
  /**
   * A canary that takes longer raises an alarm. With `replication.metrics` it is the limit of S3's own latency as well.
   * @default 300
   */
  lagAlarmSeconds?: number | undefined;
  /** The prober stops waiting for a canary that takes longer; the limit is what a function may run. @default 600 */
  giveUpAfterSeconds?: number | undefined;
}

/** What `index.ts` exports and the component has as properties. */
export interface BridgeOutputs {
  /** Name of the source bucket. */
  sourceBucket: string;
  /** Name of the destination bucket. */
  destinationBucket: string;
  /** URL that the sender posts to. It answers only to the allowlist. Present in mode `pull`. */
  receiverUrl?: string;
  /**
   * URL of the queue of the keys that wait. At a source in AWS it holds the source's events too, unless `buffer` is `none`.
   * Present in the modes `pull` and `push`.
   */
  queueUrl?: string;
  /** URL of the queue of the keys that wait for the other side to come back. Present in the modes `pull` and `push`. */
  outageQueueUrl?: string;
  /** URL of the queue of the keys that the bridge gave up, each with its reason. Present in the modes `pull` and `push`. */
  deadLetterQueueUrl?: string;
  /** Name of the sender's function. Present in mode `pull`. */
  senderFunctionName?: string;
  /** Name of the receiver's function. Present in mode `pull`. */
  receiverFunctionName?: string;
  /** Name of the copier's function. Present in mode `pull`. */
  copierFunctionName?: string;
  /** Name of the workflow that copies each object. Present in mode `push`. */
  flowName?: string;
  /** Name of the function that starts the workflow. Present in mode `push`. */
  dispatcherFunctionName?: string;
  /** Name of the function that does the workflow's steps. Present in mode `push`. */
  pusherFunctionName?: string;
  /** JSON to merge into the bucket's notification configuration. Present in mode `pull` at an adopted source in AWS. */
  requiredNotification?: string;
  /** ARN of the role in which S3 replicates to the destination. Present in mode `native` in AWS. */
  replicationRoleArn?: string;
  /** ARN of the role in which S3 replicates back to the source. Present with `direction: two-way`. */
  backwardReplicationRoleArn?: string;
  /** ARN of the role for jobs of S3 Batch Operations. Present in mode `native` in AWS with `existingObjects: replicate`. */
  backfillRoleArn?: string;
  /**
   * Statements that the bucket's policy needs, a JSON list for each bucket. Present in mode `native` in AWS across accounts,
   * for adopted buckets that replicas go to.
   */
  requiredBucketPolicyStatements?: SideStatements;
  /**
   * For each side with a `kmsKeyArn`, what its key policy needs: a JSON statement, or a JSON list in mode `native` and with
   * `probe.enabled`.
   */
  kmsKeyPolicyStatements: SideStatements;
  /** Names of the functions that `npm run bridge -- probe` calls. Present with `probe.enabled`. */
  proberFunctionNames?: SideNames;
  /** Addresses of the dashboards in the clouds' consoles. Present with `dashboard`, for each dashboard that there is. */
  dashboardUrls?: SideUrls;
  /** ARN of the bridge's topic, which its alarms notify. Present at a source in AWS with `alarmEmails` or `alarmWebhookUrl`. */
  alarmTopicArn?: string;
  /**
   * The address that all requests of the sender come from, as a network: `203.0.113.7/32`. Present in mode `pull` with
   * `egress: static`.
   */
  senderAddress?: string;
  /** What the bridge costs, as `npm run preview` prints it: for two example loads, and each month while nothing arrives. */
  estimatedCost: string[];
  /** What an operator should know about this configuration. The deployment also shows these as warnings. */
  notices: string[];
}

/** Statements that the bucket's policy needs, a JSON list for each bucket. */
export interface SideStatements {
  /** Statements for the source, as JSON. */
  source?: string;
  /** Statements for the destination, as JSON. */
  destination?: string;
}

/** Names of the functions that `npm run bridge -- probe` calls. */
export interface SideNames {
  /** Name at the source. */
  source: string;
  /** Name at the destination. */
  destination: string;
}

/** Addresses of the dashboards in the clouds' consoles. */
export interface SideUrls {
  /** Address at the source. */
  source?: string;
  /** Address at the destination. */
  destination?: string;
}
