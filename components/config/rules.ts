/** Rules that span fields. Each looks only at what is there and valid, so that all of them can be reported at once. */
import { CONTROL_PREFIX } from "../../runtime/protocol/control";
import { AWS_PARTITIONS, isSupportedCloud, SUPPORTED_CLOUDS } from "./clouds";
import { MIB } from "./fields";
import type { LenientConfig } from "./schema";

export interface Violation {
  path: readonly PropertyKey[];
  message: string;
  /** Other fields that the rule took at their word: when one of them is wrong itself, this is no error yet. */
  assumes?: readonly (readonly PropertyKey[])[];
}

type Rule = (config: LenientConfig, context: RuleContext) => Violation[];

export interface RuleContext {
  /** The caller gives the token as a value that is known only while deploying. */
  tokenIsDeferred: boolean;
}

/** A copy may wait this long for its function to start; the copier's event age. */
export const COPIER_EVENT_AGE_SECONDS = 60;
/** Time to sign, to send and to disagree about the clock. */
const URL_MARGIN_SECONDS = 60;

const SIDES = ["source", "destination"] as const;
const when = (
  broken: boolean,
  path: readonly PropertyKey[],
  message: string,
  ...assumes: (readonly PropertyKey[])[]
): Violation[] => (broken ? [{ path, message, assumes }] : []);

/** The mode of a pair of clouds where the configuration names none. */
export function defaultMode(source: string | undefined, destination: string | undefined): "pull" | "push" | "native" {
  if (source !== destination) return "pull";
  return source === "alicloud" ? "push" : "native";
}

export function minimumUrlExpirySeconds(copyTimeoutSeconds: number): number {
  return copyTimeoutSeconds + COPIER_EVENT_AGE_SECONDS + URL_MARGIN_SECONDS;
}

const supportedClouds: Rule = (config) =>
  SIDES.flatMap((side) => {
    const cloud = config[side]?.cloud;
    return when(
      cloud !== undefined && !isSupportedCloud(cloud),
      [side, "cloud"],
      `not in this release; allowed: ${SUPPORTED_CLOUDS.join(", ")}`,
    );
  });

const supportedMode: Rule = ({ mode, source, destination }) => {
  if (mode === "pull" || !source?.cloud || !destination?.cloud) return [];
  const resolved = mode ?? defaultMode(source.cloud, destination.cloud);
  if (resolved === "pull") return [];
  const why = mode
    ? "not in this release"
    : `the default for ${source.cloud} -> ${destination.cloud} is ${resolved}, which is not in this release`;
  return [
    {
      path: ["mode"],
      message: `${why}; allowed: set mode: pull, which works for every pair of ${SUPPORTED_CLOUDS.join(" and ")}`,
    },
  ];
};

const supportedDirection: Rule = ({ direction }) =>
  when(direction === "two-way", ["direction"], "not in this release; allowed: one-way");

const regions: Rule = (config) =>
  SIDES.flatMap((side) => {
    const { cloud, region } = config[side] ?? {};
    if (!isSupportedCloud(cloud) || region === undefined) return [];
    const partition = AWS_PARTITIONS[cloud];
    return when(!partition.region.test(region), [side, "region"], `not a region of ${cloud}; allowed: ${partition.regions}`);
  });

/** A key and its bucket must be in one region, and IAM's KMS actions do not take an alias. */
const kmsKeys: Rule = (config) =>
  SIDES.flatMap((side) => {
    const { cloud, region, kmsKeyArn } = config[side] ?? {};
    if (!isSupportedCloud(cloud) || region === undefined || kmsKeyArn === undefined) return [];
    const prefix = `arn:${AWS_PARTITIONS[cloud].partition}:kms:${region}:`;
    const fits = kmsKeyArn.startsWith(prefix) && /^\d{12}:key\/[\w-]+$/.test(kmsKeyArn.slice(prefix.length));
    return when(!fits, [side, "kmsKeyArn"], `not a key of this side; allowed: ${prefix}<account>:key/<id> (a key, not an alias)`);
  });

const alarmTopic: Rule = ({ source, alarmTopicArn }) => {
  if (!isSupportedCloud(source?.cloud) || source?.region === undefined || alarmTopicArn === undefined) return [];
  const prefix = `arn:${AWS_PARTITIONS[source.cloud].partition}:sns:${source.region}:`;
  const fits = alarmTopicArn.startsWith(prefix) && /^\d{12}:[\w-]+(?:\.fifo)?$/.test(alarmTopicArn.slice(prefix.length));
  return when(!fits, ["alarmTopicArn"], `not a topic of the source's region; allowed: ${prefix}<account>:<name>`);
};

const differentBuckets: Rule = ({ source, destination }) =>
  when(
    source?.bucket !== undefined && source.cloud === destination?.cloud && source.bucket === destination?.bucket,
    ["destination", "bucket"],
    "the source bucket itself, so every replica would be an event again; allowed: another bucket",
  );

const adoptedSettings: Rule = (config) =>
  SIDES.flatMap((side) =>
    when(
      config[side]?.adopt === true && config[side]?.versioning !== undefined,
      [side, "versioning"],
      "an adopted bucket's settings are never changed; allowed: leave it out, or adopt: false",
    ),
  );

const destinationPrefix: Rule = ({ destination }) => [
  ...when(
    Buffer.byteLength(destination?.prefix ?? "") > 512,
    ["destination", "prefix"],
    "too long, it leaves no room for keys; allowed: at most 512 bytes",
  ),
  ...when(
    destination?.prefix?.startsWith(CONTROL_PREFIX) === true,
    ["destination", "prefix"],
    `reserved for the bridge's own records; allowed: anything that does not begin with ${CONTROL_PREFIX}`,
  ),
];

const sizes: Rule = ({ scope }) =>
  when(
    scope.maxSizeBytes !== undefined && scope.maxSizeBytes < scope.minSizeBytes,
    ["scope", "maxSizeBytes"],
    `below scope.minSizeBytes, so no object is in scope; allowed: ${scope.minSizeBytes} or more`,
    ["scope", "minSizeBytes"],
  );

const allowlist: Rule = ({ egress, allowedCidrs }) =>
  when(
    egress === "shared" && allowedCidrs.length === 0,
    ["allowedCidrs"],
    "nobody could reach the receiver; allowed: the networks that the sender's requests come from, 0.0.0.0/0 where that cannot be known, or egress: static, which adds its own address",
    ["egress"],
  );

const oneToken: Rule = ({ token, auth }, { tokenIsDeferred }) => {
  const given = token !== undefined || tokenIsDeferred;
  const allowed =
    'allowed: exactly one of crossborderbridge:token (pulumi config set --secret crossborderbridge:token "$(openssl rand -base64 32)") and crossborderbridge:auth.tokenParameter';
  if (given && auth.tokenParameter !== undefined)
    return [{ path: ["auth", "tokenParameter"], message: `crossborderbridge:token is set as well; ${allowed}` }];
  const missing = !given && auth.tokenParameter === undefined;
  return when(missing, ["token"], `requests could not be signed; ${allowed}`, ["auth", "tokenParameter"]);
};

const timeouts: Rule = ({ timeouts: { senderSeconds, receiverSeconds, urlExpirySeconds }, copy }) => {
  const minimum = minimumUrlExpirySeconds(copy.timeoutSeconds);
  return [
    ...when(
      senderSeconds <= receiverSeconds,
      ["timeouts", "senderSeconds"],
      `the sender would end before the receiver can answer; allowed: more than timeouts.receiverSeconds (${receiverSeconds})`,
      ["timeouts", "receiverSeconds"],
    ),
    ...when(
      urlExpirySeconds !== undefined && urlExpirySeconds < minimum,
      ["timeouts", "urlExpirySeconds"],
      `a copier that runs for copy.timeoutSeconds (${copy.timeoutSeconds}) would outlive its URL; allowed: ${minimum} to 3600`,
      ["copy", "timeoutSeconds"],
    ),
  ];
};

const copyMemory: Rule = ({ copy }) =>
  when(
    copy.partSizeBytes * copy.concurrency > (copy.memoryMb * MIB) / 2,
    ["copy", "memoryMb"],
    `${copy.concurrency} parts of ${copy.partSizeBytes} bytes do not fit into half of it; allowed: ${Math.ceil((copy.partSizeBytes * copy.concurrency * 2) / MIB)} or more, or a smaller copy.partSizeBytes or copy.concurrency`,
    ["copy", "partSizeBytes"],
    ["copy", "concurrency"],
  );

const bucketFate: Rule = ({ retainBuckets, forceDestroy }) =>
  when(
    forceDestroy && retainBuckets,
    ["forceDestroy"],
    "retainBuckets keeps the buckets that this would empty; allowed: false, or retainBuckets: false as well",
    ["retainBuckets"],
  );

export const RULES: readonly Rule[] = [
  supportedClouds,
  supportedMode,
  supportedDirection,
  regions,
  kmsKeys,
  alarmTopic,
  differentBuckets,
  adoptedSettings,
  destinationPrefix,
  sizes,
  allowlist,
  oneToken,
  timeouts,
  copyMemory,
  bucketFate,
];
