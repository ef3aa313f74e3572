/** Rules that hold for one cloud and not for another. */
import { AWS_PARTITIONS, CLOUDS, type Cloud, isAws, type Mode, REGIONS, STORAGE_CLASSES } from "./clouds";
import { COPIER_EVENT_AGE_SECONDS, isPull, minimumUrlExpirySeconds, modeOf, URL_EXPIRY_MAX_SECONDS } from "./defaults";
import { type Rule, SIDES, when } from "./define-rule";
import { LIMITS } from "./limits";
import { closest, didYouMean, likelyChoices } from "./suggestions";

/** The longest run of a Lambda function. */
const LAMBDA_SECONDS = LIMITS.lambdaSeconds.most;

const regions: Rule = (config) =>
  SIDES.flatMap((side) => {
    const { cloud, region } = config[side] ?? {};
    if (cloud === undefined || region === undefined) return [];
    const facts = REGIONS[cloud];
    const hint = facts.region.test(region) ? "" : regionHint(side, cloud, region);
    return when(!facts.region.test(region), [side, "region"], `not a region of ${cloud};${hint} allowed: ${facts.regions}`);
  });

/** A region is often written as an endpoint or as a zone, or it belongs to another cloud. */
function regionHint(side: string, cloud: Cloud, region: string): string {
  const isRegion = (one: Cloud, text: string) => REGIONS[one].region.test(text);
  const lower = region.toLowerCase();
  const near = cloud === "aws-cn" ? closest(lower, ["cn-north-1", "cn-northwest-1"]) : undefined;
  const zoned = isAws(cloud) ? lower.replace(/(\d)[a-z]$/, "$1") : "";
  const written = [lower.replace(/^oss-/, "").replace(/\..*$/, ""), zoned, near ?? ""];
  const meant = written.find((text) => isRegion(cloud, text));
  if (meant !== undefined) return didYouMean([meant]);
  const other = CLOUDS.find((one) => isRegion(one, region));
  return didYouMean(other === undefined ? [] : [`${side}.cloud: ${other}`]);
}

/** OSS puts the bucket's name into the host name. With a dot in it, the host name would match no certificate. */
const bucketNames: Rule = (config) =>
  SIDES.flatMap((side) =>
    when(
      config[side]?.cloud === "alicloud" && config[side]?.bucket?.includes(".") === true,
      [side, "bucket"],
      "not a bucket name of OSS; allowed: 3 to 63 of a-z, 0-9 and -, not at either end",
    ),
  );

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
const RESERVED_NAMES = {
  beginnings: ["xn--", "sthree-", "amzn-s3-demo-"],
  ends: ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"],
};

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/gpbucketnamespaces.html */
const REGIONAL_END = "-an";

const reservedNames: Rule = (config) =>
  SIDES.flatMap((side) => {
    const { cloud, bucket } = config[side] ?? {};
    if (!isAws(cloud) || bucket === undefined) return [];
    const beginning = RESERVED_NAMES.beginnings.find((text) => bucket.startsWith(text));
    const end = RESERVED_NAMES.ends.find((text) => bucket.endsWith(text));
    const which = beginning === undefined ? `end with ${end}` : `begin with ${beginning}`;
    return [
      ...when(
        beginning !== undefined || end !== undefined,
        [side, "bucket"],
        `S3 reserves names that ${which} for aliases and for buckets of other kinds; allowed: the name of a general purpose bucket`,
      ),
      ...when(
        config[side]?.adopt !== true && bucket.endsWith(REGIONAL_END),
        [side, "bucket"],
        `names that end with ${REGIONAL_END} belong to the regional namespace of an account, where the bridge creates no bucket; allowed: another name, or adopt: true with a bucket that exists`,
        [side, "adopt"],
      ),
    ];
  });

const accounts: Rule = (config) =>
  SIDES.flatMap((side) => {
    const { cloud, accountId } = config[side] ?? {};
    return when(
      isAws(cloud) && accountId !== undefined && !/^\d{12}$/.test(accountId),
      [side, "accountId"],
      "not an account of AWS; allowed: 12 digits, in quotes",
    );
  });

/** A key and its bucket must be in one region, and IAM's KMS actions do not take an alias. */
const kmsKeys: Rule = (config) =>
  SIDES.flatMap((side) => {
    const { cloud, region, kmsKeyArn, kmsKeyId } = config[side] ?? {};
    if (cloud === "alicloud")
      return when(kmsKeyArn !== undefined, [side, "kmsKeyArn"], `a key of AWS; allowed on alicloud: ${side}.kmsKeyId`);
    if (cloud === undefined) return [];
    const ofAlicloud = when(
      kmsKeyId !== undefined,
      [side, "kmsKeyId"],
      `a key of Alibaba Cloud; allowed on ${cloud}: ${side}.kmsKeyArn`,
    );
    if (region === undefined || kmsKeyArn === undefined) return ofAlicloud;
    const prefix = `arn:${AWS_PARTITIONS[cloud].partition}:kms:${region}:`;
    const fits = kmsKeyArn.startsWith(prefix) && /^\d{12}:key\/[\w-]+$/.test(kmsKeyArn.slice(prefix.length));
    return [
      ...ofAlicloud,
      ...when(!fits, [side, "kmsKeyArn"], `not a key of this side; allowed: ${prefix}<account>:key/<id> (a key, not an alias)`),
    ];
  });

const storageClass: Rule = ({ destination }) => {
  if (destination?.cloud === undefined || destination.storageClass === undefined) return [];
  const classes = STORAGE_CLASSES[destination.cloud];
  return when(
    !classes.includes(destination.storageClass),
    ["destination", "storageClass"],
    `not a storage class of ${destination.cloud};${didYouMean(likelyChoices(destination.storageClass, classes))} allowed: ${classes.join(", ")}`,
  );
};

const alarms: Rule = ({ source, alarmTopicArn, alarmContactGroups }) => {
  if (source?.cloud === undefined) return [];
  if (source.cloud === "alicloud")
    return when(alarmTopicArn !== undefined, ["alarmTopicArn"], "a topic of AWS; allowed on alicloud: alarmContactGroups");
  const contactGroups = when(
    alarmContactGroups.length > 0,
    ["alarmContactGroups"],
    `contact groups of Alibaba Cloud; allowed on ${source.cloud}: alarmTopicArn`,
  );
  if (source.region === undefined || alarmTopicArn === undefined) return contactGroups;
  const prefix = `arn:${AWS_PARTITIONS[source.cloud].partition}:sns:${source.region}:`;
  const fits = alarmTopicArn.startsWith(prefix) && /^\d{12}:[\w-]+(?:\.fifo)?$/.test(alarmTopicArn.slice(prefix.length));
  return [
    ...contactGroups,
    ...when(!fits, ["alarmTopicArn"], `not a topic of the source's region; allowed: ${prefix}<account>:<name>`),
  ];
};

const ACCELERATED: Readonly<Record<(typeof SIDES)[number], { mode: Mode; use: string }>> = {
  source: { mode: "pull", use: "presigned URLs that the destination reads" },
  destination: { mode: "push", use: "writes that come from the source's region" },
};

const acceleration: Rule = (config) =>
  SIDES.flatMap((side) => {
    const { cloud, acceleration: chosen = "none" } = config[side] ?? {};
    const mode = modeOf(config);
    if (chosen === "none" || cloud === undefined || mode === undefined) return [];
    const { mode: only, use } = ACCELERATED[side];
    return when(
      cloud !== "alicloud" || mode !== only,
      [side, "acceleration"],
      `serves only ${use}, on alicloud in mode ${only}; allowed here: none, or leave it out`,
      ["mode"],
    );
  });

/** https://www.alibabacloud.com/help/en/oss/user-guide/0018-00000401 */
const VENDOR_DOMAIN = /(?:^|\.)(?:aliyuncs|aliyun|aliyun-inc|taobaocdn|taobao)\.com$/;

const customDomains: Rule = (config) => [
  ...SIDES.flatMap((side) => {
    const { cloud, customDomain } = config[side] ?? {};
    if (cloud === undefined || customDomain === undefined) return [];
    return [
      ...when(
        cloud !== "alicloud",
        [side, "customDomain"],
        `a domain that is bound to a bucket of OSS; allowed on ${cloud}: leave it out`,
        [side, "cloud"],
      ),
      ...when(
        VENDOR_DOMAIN.test(customDomain),
        [side, "customDomain"],
        "a host of the vendor's; allowed: a domain of your own that is bound to the bucket",
      ),
    ];
  }),
  ...when(
    config.source?.customDomain !== undefined && config.source.customDomain === config.destination?.customDomain,
    ["destination", "customDomain"],
    "the source's domain, and OSS binds a domain to one bucket only; allowed: another one",
    ["source", "customDomain"],
  ),
];

const buffer: Rule = ({ source, buffer: chosen }) =>
  when(
    source?.cloud === "alicloud" && chosen === "sqs",
    ["buffer"],
    "a queue of AWS; allowed on an alicloud source: none, where the events wait in Function Compute's asynchronous invocation",
  );

const reserveConcurrency: Rule = ({ source, reserveConcurrency: chosen }) =>
  when(
    source?.cloud === "alicloud" && chosen,
    ["reserveConcurrency"],
    "a setting of Lambda; allowed on an alicloud source: false, because Function Compute keeps concurrency instances there anyway",
  );

const batchSeconds: Rule = ({ source, batchSeconds: chosen }) =>
  when(
    source?.cloud === "alicloud" && chosen > 0,
    ["batchSeconds"],
    "a setting of a queue of AWS; allowed on an alicloud source: 0, because events that arrive together share requests there anyway",
  );

const egress: Rule = ({ source, egress: chosen }) =>
  when(
    source?.cloud === "alicloud" && chosen === "static",
    ["egress"],
    "not in this release for an alicloud source; allowed: shared, with the addresses that Function Compute sends from in allowedCidrs (with 0.0.0.0/0 only the signature protects the receiver)",
  );

const auth: Rule = (config) => {
  const { destination, auth: chosen } = config;
  return when(
    isPull(config) && destination?.cloud === "alicloud" && chosen.kind === "iam",
    ["auth", "kind"],
    "an AWS signature, which Function Compute does not check; allowed: token",
  );
};

/** https://www.alibabacloud.com/help/en/oos/developer-reference/api-oos-2019-06-01-createsecretparameter */
const tokenParameter: Rule = (config) => {
  const name = config.auth.tokenParameter;
  const onAlicloud = isPull(config) && SIDES.some((side) => config[side]?.cloud === "alicloud");
  return when(
    onAlicloud && name !== undefined && !/^(?!aliyun|acs|alibaba|alicloud|oos)[A-Za-z0-9_-][A-Za-z0-9_/-]{1,179}$/i.test(name),
    ["auth", "tokenParameter"],
    "not the name of a secret parameter of OOS on the alicloud side; allowed: 2 to 180 of letters, digits, - and _ (and / inside), not beginning with aliyun, acs, alibaba, alicloud or oos",
  );
};

const senderTime: Rule = (config) =>
  when(
    isAws(config.source?.cloud) && config.timeouts.senderSeconds > LAMBDA_SECONDS,
    ["timeouts", "senderSeconds"],
    `longer than a Lambda function may run; allowed: 5 to ${LAMBDA_SECONDS}`,
  );

/** A copy in parts must end before its function ends, and in mode `pull` before its URL expires. */
const copyTime: Rule = (config) => {
  const { timeoutSeconds } = config.copy;
  if (!isPull(config) || config.destination?.cloud === undefined) return [];
  const byUrl = URL_EXPIRY_MAX_SECONDS - (minimumUrlExpirySeconds(timeoutSeconds) - timeoutSeconds);
  const [longest, why] = isAws(config.destination.cloud)
    ? [LAMBDA_SECONDS, "longer than a Lambda function may run"]
    : [byUrl, `longer than its URL is valid, which may be ${COPIER_EVENT_AGE_SECONDS} s old when the copy starts`];
  return when(timeoutSeconds > longest, ["copy", "timeoutSeconds"], `${why}; allowed: 60 to ${longest}`);
};

export const CLOUD_RULES: readonly Rule[] = [
  regions,
  bucketNames,
  reservedNames,
  accounts,
  kmsKeys,
  storageClass,
  alarms,
  acceleration,
  customDomains,
  buffer,
  reserveConcurrency,
  batchSeconds,
  egress,
  auth,
  tokenParameter,
  senderTime,
  copyTime,
];
