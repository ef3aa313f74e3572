/** Rules that span several fields and hold for every pair of clouds. */
import { ALARM_RULES } from "./alarm-rules";
import { CLOUD_RULES } from "./cloud-rules";
import { isPull, isS3Native, minimumUrlExpirySeconds, modeOf, probePrefixOf, URL_EXPIRY_MAX_SECONDS } from "./defaults";
import { type Rule, SIDES, when } from "./define-rule";
import { environmentFits } from "./environment";
import { KEY_RULES } from "./key-rules";
import { LIFECYCLE_RULES } from "./lifecycle-rules";
import { MODE_RULES } from "./mode-rules";
import { OSS_NATIVE_RULES, S3_NATIVE_RULES } from "./native-rules";

export { defaultMode } from "./defaults";

const differentBuckets: Rule = ({ source, destination }) =>
  when(
    source?.bucket !== undefined && source.cloud === destination?.cloud && source.bucket === destination?.bucket,
    ["destination", "bucket"],
    "the source bucket itself, so every replica would raise a new event; allowed: another bucket",
  );

const adoptedSettings: Rule = (config) =>
  SIDES.flatMap((side) =>
    when(
      config[side]?.adopt === true && config[side]?.versioning !== undefined,
      [side, "versioning"],
      "an adopted bucket's settings are never changed; allowed: leave it out, or adopt: false",
    ),
  );

const sizes: Rule = ({ scope }) =>
  when(
    scope.maxSizeBytes !== undefined && scope.maxSizeBytes < scope.minSizeBytes,
    ["scope", "maxSizeBytes"],
    `below scope.minSizeBytes, so no object is in scope; allowed: ${scope.minSizeBytes} or more`,
    ["scope", "minSizeBytes"],
  );

const allowlist: Rule = (config) => {
  const ways = ["the networks that the sender's requests come from", "0.0.0.0/0 where these are not known"];
  const allowed =
    config.source?.cloud === "alicloud"
      ? ways.join(", or ")
      : [...ways, "or egress: static, which adds its own address"].join(", ");
  return when(
    isPull(config) && config.egress === "shared" && config.allowedCidrs.length === 0,
    ["allowedCidrs"],
    `the receiver would refuse every request; allowed: ${allowed}`,
    ["egress"],
    ["mode"],
  );
};

const oneToken: Rule = (config, { component }) => {
  const { token, auth } = config;
  const given = token !== undefined;
  const name = component === undefined ? "crossborderbridge:" : "";
  const way =
    component === undefined
      ? "openssl rand -base64 32 | pulumi config set --secret crossborderbridge:token"
      : "a secret of the program, such as config.requireSecret";
  const allowed = `allowed: exactly one of ${name}token (${way}) and ${name}auth.tokenParameter`;
  if (given && auth.tokenParameter !== undefined)
    return [{ path: ["auth", "tokenParameter"], message: `${name}token is set as well; ${allowed}` }];
  const missing = isPull(config) && !given && auth.tokenParameter === undefined;
  return when(missing, ["token"], `requests could not be signed; ${allowed}`, ["auth", "tokenParameter"], ["mode"]);
};

const timeouts: Rule = (config) => {
  if (!isPull(config)) return [];
  const { copy } = config;
  const { senderSeconds, receiverSeconds, urlExpirySeconds } = config.timeouts;
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
      `a copier that runs for copy.timeoutSeconds (${copy.timeoutSeconds}) would outlive its URL; allowed: ${minimum} to ${URL_EXPIRY_MAX_SECONDS}`,
      ["copy", "timeoutSeconds"],
    ),
  ];
};

const giveUp: Rule = ({ source, giveUpAfterHours }) =>
  when(
    source?.cloud === "alicloud" && giveUpAfterHours > 168,
    ["giveUpAfterHours"],
    "the queues of a source in Alibaba Cloud drop a message after 7 days; allowed: 1 to 168",
    ["source", "cloud"],
  );

/** The pusher copies within its own instances. */
const copiesLeaveRoom: Rule = (config) =>
  when(
    modeOf(config) === "push" && config.copy.concurrency >= config.concurrency,
    ["copy", "concurrency"],
    `large copies could take all ${config.concurrency} instances from small objects; allowed: less than concurrency`,
    ["concurrency"],
  );

const bucketFate: Rule = ({ retainBuckets, forceDestroy }) =>
  when(
    forceDestroy && retainBuckets,
    ["forceDestroy"],
    "retainBuckets keeps the buckets that forceDestroy would empty; allowed: false, or retainBuckets: false as well",
    ["retainBuckets"],
  );

const canary: Rule = ({ probe, scope }) => {
  if (probe.everyMinutes === 0) return [];
  const { minSizeBytes: least, maxSizeBytes: most = Number.POSITIVE_INFINITY } = scope;
  const inScope = most === Number.POSITIVE_INFINITY ? `${least} or more` : `${least} to ${most}`;
  return [
    ...when(
      !probe.enabled,
      ["probe", "everyMinutes"],
      "no function would send the canary; allowed: 0, or probe.enabled: true as well",
      ["probe", "enabled"],
    ),
    ...when(
      probe.enabled && (probe.sizeBytes < least || probe.sizeBytes > most),
      ["probe", "sizeBytes"],
      `outside scope.minSizeBytes and scope.maxSizeBytes, so the canary would not be replicated; allowed: ${inScope}`,
      ["scope", "minSizeBytes"],
      ["scope", "maxSizeBytes"],
    ),
  ];
};

/** The probe's objects have no tags. They are in a folder of their own, whose name follows from the scope and not from the rules. */
const probeIsReplicated: Rule = (config) => {
  const { probe, replication, scope } = config;
  const { rules } = replication;
  const folder = probePrefixOf(scope);
  const isReplicated = rules.some(
    ({ enabled, prefix, tags }) => enabled && folder.startsWith(prefix) && Object.keys(tags).length === 0,
  );
  return when(
    isS3Native(config) && probe.enabled && rules.length > 0 && !isReplicated,
    ["probe", "enabled"],
    `no rule of replication.rules replicates the probe's objects; allowed: false, or an enabled rule without tags whose prefix is ${folder} (or empty)`,
    ["replication", "rules"],
    ["scope", "prefixes"],
  );
};

export const PROBE_RULES: readonly Rule[] = [canary, probeIsReplicated];

export const RULES: readonly Rule[] = [
  ...MODE_RULES,
  ...CLOUD_RULES,
  ...OSS_NATIVE_RULES,
  ...S3_NATIVE_RULES,
  ...LIFECYCLE_RULES,
  ...KEY_RULES,
  ...PROBE_RULES,
  ...ALARM_RULES,
  differentBuckets,
  adoptedSettings,
  sizes,
  allowlist,
  oneToken,
  timeouts,
  environmentFits,
  copiesLeaveRoom,
  giveUp,
  bucketFate,
];
