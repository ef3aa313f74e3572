/** Notices: what an operator should know about a valid configuration. A deployment shows them as warnings. */
import { isAws, S3_ARCHIVE_CLASSES } from "./clouds";
import {
  defaultBuffer,
  defaultUrlExpirySeconds,
  effectiveGiveUpHours,
  isS3Native,
  ossSenderInstances,
  receiverInstances,
} from "./defaults";
import { LIMITS } from "./limits";
import { ossHostNotices } from "./oss-hosts";
import type { BridgeConfig } from "./parse";
import { lenientSchema } from "./schema";

export const ICP_NOTICE =
  "The receiver is an API Gateway endpoint in AWS China with auth.kind: token, so requests carry no AWS signature. AWS China serves " +
  'such endpoints only to accounts with an ICP licence; every other account answers 403 {"message":null}. Get the licence ' +
  "recorded for the account, or set auth.kind: iam, which works without one.";
export const OPEN_ALLOWLIST_NOTICE =
  "allowedCidrs has 0.0.0.0/0: the receiver accepts requests from any address, and only the signature protects it.";
const STATIC_EGRESS_HINT = " egress: static gives the sender one address to allow.";
export const ADOPTED_SOURCE_NOTICE =
  "The source bucket is adopted, so the bridge does not change its notification configuration (a bucket has one, and writing it replaces " +
  "what is there). Merge the output requiredNotification into it by hand; until then no event reaches this bridge.";
export const ADOPTED_OSS_SOURCE_NOTICE =
  `The source bucket is adopted, and the bridge adds a trigger to it. A bucket has at most ${LIMITS.ossTriggers.most} triggers, and OSS refuses one that ` +
  "takes the event of another trigger for keys that both select. If it refuses this one, narrow scope.prefixes, or remove the other trigger.";
export const OSS_EVENTS_NOTICE =
  "OSS sends no event when only an object's tags change, nor when a lifecycle rule of the source bucket expires an object. Its documentation " +
  "says the same of a delete that only adds a delete marker, in a bucket that keeps versions. The bridge replicates such changes with the " +
  "next event of the same key.";
export const NATIVE_MARKERS_NOTICE =
  "deletes is ignore, but OSS replicates delete markers between buckets that keep versions: a deleted object disappears at the " +
  "destination too, and its versions stay.";
export const UNHEARD_ALARMS_NOTICE =
  "An SNS topic takes alarms only from its own region and account. So the alarms at the destination, which watch how far behind it is, " +
  "do not reach alarmTopicArn, alarmEmails and alarmWebhookUrl. Give them an action there by transform.";

const adoptedAcceleration = (side: "source" | "destination") =>
  `The ${side} bucket is adopted, so transfer acceleration is not switched on for it. Enable it by hand, or set ${side}.acceleration: none.`;

const overlappingCanaries = ({ everyMinutes, giveUpAfterSeconds }: BridgeConfig["probe"]) =>
  `A canary is sent every ${everyMinutes} min and a prober may wait ${giveUpAfterSeconds} s for it, so up to ` +
  `${Math.ceil(giveUpAfterSeconds / (everyMinutes * 60))} probers run side by side while objects are late.`;

/** Functions may reserve this many of the 100 instances of the smallest quota in a region. */
const RESERVABLE_INSTANCES = LIMITS.fcReservable.most;
const quotaNotice = (instances: number) =>
  `Function Compute keeps ${instances} instances for this bridge. A new account has 100 in a region and may reserve ${RESERVABLE_INSTANCES} of ` +
  "them: have the quota raised, or lower concurrency or copy.concurrency.";

export const CONFLICT_NOTICE =
  "direction is two-way: where both sides write one key before either write has arrived at the other, both buckets keep both versions, " +
  "and the newer one becomes the current one.";
export const BACKFILL_NOTICE =
  "existingObjects is replicate: S3 replicates only objects that are written after the rules. The bridge creates the role of the jobs " +
  "for older objects, and `npm run bridge -- backfill` starts a job.";
export const BACKFILL_ONE_WAY_NOTICE = " A job replicates objects of the source, not those that the destination had before.";
export const CHINA_NOTICE =
  "AWS documents S3 Replication Time Control for China without saying that it is available there. Where it is not, S3 refuses the " +
  "replication configuration: set replication.timeControl: false.";
export const DELETE_MARKERS_NOTICE =
  "Delete markers are replicated. Deletes of single versions are not, and neither are expirations by lifecycle rules.";
export const KEPT_DELETES_NOTICE = "Delete markers are not replicated: an object that is deleted on one side stays on the other.";
export const ARCHIVE_NOTICE =
  "Replicas in GLACIER or DEEP_ARCHIVE must be restored before they can be read, and changes made to them are not replicated.";

const adopted = (side: string) =>
  `The ${side} bucket is adopted: it must keep versions. If another account owns it, a bucket policy must allow S3 to replicate.`;
const REPLACED_HINT =
  " This bridge replaces its replication configuration: a bucket has one. S3 does not replicate the replicas in it that came from " +
  "other buckets, nor archived objects (GLACIER, DEEP_ARCHIVE).";
const LAST_STOP_HINT = " The replicas of this bridge are not replicated on to a third bucket.";

export const UNBOUNDED_SENDERS_NOTICE =
  "buffer is none: S3 invokes a sender for each event, so a burst of events may take every Lambda execution that the account has in the " +
  "source's region. Events that are throttled are kept for up to 6 hours. Set reserveConcurrency: true to bound the senders (in an account " +
  "with more than 100 executions), or buffer: sqs.";

export interface NoticeOptions {
  /** The caller gives the token separately from the configuration. */
  tokenIsGiven?: boolean;
}

export function noticesOf(config: BridgeConfig, { tokenIsGiven = config.token !== undefined }: NoticeOptions = {}): string[] {
  const { source, destination, mode, deletes, scope, probe } = config;
  const notices: string[] = [];
  if (mode === "pull") {
    if (destination.cloud === "aws-cn" && config.auth.kind === "token") notices.push(ICP_NOTICE);
    if (config.allowedCidrs.includes("0.0.0.0/0"))
      notices.push(OPEN_ALLOWLIST_NOTICE + (isAws(source.cloud) ? STATIC_EGRESS_HINT : ""));
  }
  if (mode === "pull" && isAws(source.cloud) && config.buffer === "none" && !config.reserveConcurrency)
    notices.push(UNBOUNDED_SENDERS_NOTICE);
  const unused = unusedSettings(config, tokenIsGiven);
  if (unused !== undefined) notices.push(unused);
  if (isS3Native(config)) notices.push(...s3Notices(config));
  else if (source.adopt && isAws(source.cloud)) notices.push(ADOPTED_SOURCE_NOTICE);
  else if (source.adopt && mode !== "native") notices.push(ADOPTED_OSS_SOURCE_NOTICE);
  notices.push(...keyNotices(config));
  for (const side of ["source", "destination"] as const)
    if (config[side].adopt && (config[side].acceleration ?? "none") !== "none") notices.push(adoptedAcceleration(side));
  notices.push(...ossHostNotices(config));
  if (mode === "native" && source.cloud === "alicloud" && deletes === "ignore") notices.push(NATIVE_MARKERS_NOTICE);
  if (source.cloud === "alicloud" && mode !== "native" && (deletes === "replicate" || Object.keys(scope.tags).length > 0))
    notices.push(OSS_EVENTS_NOTICE);
  const instances = reservedInstances(config);
  if (instances > RESERVABLE_INSTANCES) notices.push(quotaNotice(instances));
  if (/^\d+$/.test(config.name)) notices.push(numericName(config.name));
  if (hasOwnTopic(config) && isElsewhere(config) && hasLagAlarms(config)) notices.push(UNHEARD_ALARMS_NOTICE);
  if (probe.everyMinutes > 0 && probe.giveUpAfterSeconds > probe.everyMinutes * 60) notices.push(overlappingCanaries(probe));
  return notices;
}

/** Beginnings of keys that are allowed, and that are often a mistake. */
function keyNotices({ source, destination, scope }: BridgeConfig): string[] {
  const { prefix } = destination;
  const slashed = isAws(source.cloud) ? scope.prefixes.filter((one) => one.startsWith("/")) : [];
  return [
    ...(/[\p{L}\p{N}]$/u.test(prefix)
      ? [
          `destination.prefix is ${prefix}, without / at its end: the object a.txt becomes ${prefix}a.txt. For a folder set ${prefix}/.`,
        ]
      : []),
    ...(slashed.length > 0
      ? [
          `scope.prefixes has ${slashed.join(", ")}. Keys in S3 seldom begin with /: the keys in a folder x of the console begin with x/.`,
        ]
      : []),
  ];
}

const numericName = (name: string): string =>
  `The bridge is named ${name}. YAML reads a name of digits as a number, so 007 becomes 7: write it in quotes if it begins with a zero.`;

/** Reserved instances in the region where the bridge has most of them: of the sender, the receiver and the copier, or of mode `push`. */
function reservedInstances(config: BridgeConfig): number {
  const { source, destination, mode, concurrency, copy } = config;
  // The dispatcher and the pusher.
  if (mode === "push") return 2 * concurrency;
  if (mode === "native") return 0;
  const senders = source.cloud === "alicloud" ? ossSenderInstances(config) : 0;
  const receivers = destination.cloud === "alicloud" ? receiverInstances(config) + copy.concurrency : 0;
  return isElsewhere(config) ? Math.max(senders, receivers) : senders + receivers;
}

/** Whether the sides differ in cloud, region or account. A quota or a topic belongs to one account and region. */
const isElsewhere = ({ source, destination }: BridgeConfig): boolean =>
  (["cloud", "region", "accountId"] as const).some((name) => source[name] !== destination[name]);

export function s3Notices(config: BridgeConfig): string[] {
  const { source, destination, direction, replication } = config;
  const twoWay = direction === "two-way";
  const notices: string[] = [];
  if (source.adopt) notices.push(adopted("source") + REPLACED_HINT);
  if (destination.adopt) notices.push(adopted("destination") + (twoWay ? REPLACED_HINT : LAST_STOP_HINT));
  if (deletesOf(config).includes("replicate")) notices.push(DELETE_MARKERS_NOTICE);
  else if (twoWay) notices.push(KEPT_DELETES_NOTICE);
  if (isArchived(config)) notices.push(ARCHIVE_NOTICE);
  if (twoWay) notices.push(CONFLICT_NOTICE);
  if (config.existingObjects === "replicate") notices.push(BACKFILL_NOTICE + (twoWay ? BACKFILL_ONE_WAY_NOTICE : ""));
  if (replication.timeControl && [source.cloud, destination.cloud].includes("aws-cn")) notices.push(CHINA_NOTICE);
  return notices;
}

/** The `deletes` of the enabled rules, or of the bridge when it has no rules. */
function deletesOf({ deletes, replication: { rules } }: BridgeConfig): string[] {
  return rules.length === 0 ? [deletes] : rules.filter(({ enabled }) => enabled).map((rule) => rule.deletes ?? deletes);
}

function isArchived({ destination, replication }: BridgeConfig): boolean {
  return [
    destination.storageClass,
    ...replication.rules.map(({ storageClass }) => storageClass),
    ...destination.lifecycle.flatMap(({ transitions }) => transitions.map(({ storageClass }) => storageClass)),
  ].some((name) => name !== undefined && S3_ARCHIVE_CLASSES.includes(name));
}

/** A sentence that lists the settings that the mode does not use, or undefined when there are none. */
export function unusedSettings(config: BridgeConfig, tokenIsGiven: boolean): string | undefined {
  const { mode } = config;
  if (mode === "pull") return undefined;
  const unused = [
    ...unusedRequestSettings(config, tokenIsGiven),
    ...(mode === "native" ? [...unusedFunctionSettings(config), ...unusedAlarmSettings(config)] : unusedSenderSettings(config)),
  ];
  const why = mode === "native" ? "leaves the work to the store itself" : "sends no request across the border";
  return unused.length === 0
    ? undefined
    : `Mode ${mode} ${why}: ${unused.join(", ")} ${unused.length === 1 ? "is" : "are"} not used.`;
}

function unusedRequestSettings({ auth, allowedCidrs }: BridgeConfig, tokenIsGiven: boolean): string[] {
  return [
    ...(tokenIsGiven ? ["token"] : []),
    ...(auth.tokenParameter === undefined ? [] : ["auth.tokenParameter"]),
    ...(auth.kind === "iam" ? ["auth.kind"] : []),
    ...(allowedCidrs.length > 0 ? ["allowedCidrs"] : []),
  ];
}

/** Whether there are alarms on how far behind the destination is: from canaries, or from S3's own metrics. */
export const hasLagAlarms = (config: BridgeConfig): boolean =>
  config.probe.everyMinutes > 0 || (isS3Native(config) && config.replication.metrics);

/** Whether alarms go to a topic of the source's region: the operator's, or the bridge's own. */
const hasOwnTopic = ({ source, alarmTopicArn, alarmEmails, alarmWebhookUrl }: BridgeConfig): boolean =>
  isAws(source.cloud) && (alarmTopicArn !== undefined || alarmEmails.length > 0 || alarmWebhookUrl !== undefined);

function unusedAlarmSettings(config: BridgeConfig): string[] {
  if (hasLagAlarms(config)) return [];
  return [
    ...(config.alarmTopicArn === undefined ? [] : ["alarmTopicArn"]),
    ...(config.alarmContactGroups.length > 0 ? ["alarmContactGroups"] : []),
    ...(config.alarmEmails.length > 0 ? ["alarmEmails"] : []),
    ...(config.alarmWebhookUrl === undefined ? [] : ["alarmWebhookUrl"]),
  ];
}

function unusedSenderSettings(config: BridgeConfig): string[] {
  const { rateLimit, timeouts } = defaultsFor(config);
  return [
    ...(isSame(config.rateLimit, rateLimit) ? [] : ["rateLimit"]),
    ...(["senderSeconds", "urlExpirySeconds"] as const)
      .filter((name) => config.timeouts[name] !== timeouts[name])
      .map((name) => `timeouts.${name}`),
  ];
}

function unusedFunctionSettings(config: BridgeConfig): string[] {
  const defaults = defaultsFor(config);
  return (Object.keys(defaults) as (keyof typeof defaults)[]).filter((key) => !isSame(config[key], defaults[key]));
}

/** A setting is reported when it differs from these. A parsed configuration does not show which settings were written out. */
function defaultsFor(config: BridgeConfig) {
  const {
    rateLimit,
    egress,
    inlineLimitBytes,
    copy,
    concurrency,
    batchSeconds,
    reserveConcurrency,
    maxAttempts,
    giveUpAfterHours,
    timeouts,
  } = lenientSchema.parse({});
  return {
    buffer: defaultBuffer(config.source.cloud),
    egress,
    rateLimit,
    inlineLimitBytes,
    copy,
    timeouts: {
      ...timeouts,
      urlExpirySeconds: defaultUrlExpirySeconds(config.copy.timeoutSeconds),
    },
    concurrency,
    batchSeconds,
    reserveConcurrency,
    maxAttempts,
    giveUpAfterHours: effectiveGiveUpHours(config.source.cloud, giveUpAfterHours),
  } satisfies Partial<BridgeConfig>;
}

/** Compares two values, or two sections without nested sections. */
function isSame(value: unknown, fallback: unknown): boolean {
  if (typeof value !== "object" || value === null || typeof fallback !== "object" || fallback === null) return value === fallback;
  return Object.entries(fallback).every(([key, inside]) => (value as Record<string, unknown>)[key] === inside);
}
