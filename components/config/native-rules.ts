/** Rules about what the stores' own replication cannot do, or would silently ignore. First S3, then OSS. */
import { CONTROL_PREFIX, inControlPrefix } from "../../runtime/protocol/control";
import { isS3Native, nativeCloud, outermost } from "./defaults";
import { notWithNative, type Rule, repeated, SIDES, when } from "./define-rule";

/** Applies a rule only to bridges that use S3's own replication. */
const ofS3 =
  (rule: Rule): Rule =>
  (config, context) =>
    isS3Native(config) ? rule(config, context) : [];

/** S3 replicates objects unchanged and selects them by prefix and tags. https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-what-is-isnot-replicated.html */
const scope: Rule = ({ scope: wanted, destination, statusTags }) => {
  const no = notWithNative("S3");
  return [
    ...no(wanted.suffixes.length > 0, ["scope", "suffixes"], "where S3 itself replicates, by prefix and tags"),
    ...no(wanted.minSizeBytes > 0, ["scope", "minSizeBytes"]),
    ...no(wanted.maxSizeBytes !== undefined, ["scope", "maxSizeBytes"]),
    ...no(statusTags, ["statusTags"], "where S3 keeps each object's replication status by itself"),
    ...no((destination?.prefix ?? "") !== "", ["destination", "prefix"], "where every replica has the key of its object"),
  ];
};

const versions: Rule = (config) =>
  SIDES.flatMap((side) =>
    when(
      config[side]?.adopt !== true && config[side]?.versioning === false,
      [side, "versioning"],
      "S3 replicates only between buckets that keep versions; allowed: true, or mode: pull",
      ["mode"],
    ),
  );

/** The owner of the replicas and the required policies depend on whether there are one or two accounts. */
const accounts: Rule = (config) =>
  SIDES.flatMap((side) => {
    const other = side === "source" ? "destination" : "source";
    return when(
      config[side]?.accountId === undefined && config[other]?.accountId !== undefined,
      [side, "accountId"],
      `${other}.accountId is given, and the owner of the replicas depends on both; allowed: the account of this side too, in quotes, or neither where both buckets are of one account`,
      [other, "accountId"],
    );
  });

/** Without a key for the replicas, S3 silently skips objects that are encrypted with a KMS key. https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html */
const kmsKeys: Rule = (config) => {
  const bothWays = config.direction === "two-way" ? SIDES : (["source"] as const);
  return bothWays.flatMap((from) => {
    const to = from === "source" ? "destination" : "source";
    return when(
      config[from]?.kmsKeyArn !== undefined && config[to]?.kmsKeyArn === undefined,
      [to, "kmsKeyArn"],
      `S3 replicates objects under ${from}.kmsKeyArn only with a key for the replicas; allowed: the ARN of a key of the ${to}'s region`,
      [from, "kmsKeyArn"],
    );
  });
};

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ReplicationTime.html */
const timeControl: Rule = ({ replication }) =>
  when(
    replication.timeControl && replication.metrics === false,
    ["replication", "metrics"],
    "S3 takes time control only together with metrics; allowed: true, or leave it out, or timeControl: false",
    ["replication", "timeControl"],
  );

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-change-owner.html */
const ownership: Rule = ({ source, destination, direction, replication }) => {
  if (replication.ownership !== "source") return [];
  const [from, to] = [source?.accountId, destination?.accountId];
  const path = ["replication", "ownership"];
  if (direction === "two-way")
    return when(
      true,
      path,
      "each bucket of a two-way bridge holds replicas of the other, and its owner must be able to change them; allowed: destination",
      ["direction"],
    );
  const oneAccount = (from === undefined && to === undefined) || from === to;
  return when(
    oneAccount && source?.adopt !== true,
    path,
    "both buckets are of one account, and a created source has no ACLs that could be kept; allowed: destination, or the accountId of both sides where they differ",
    ["source", "accountId"],
    ["destination", "accountId"],
  );
};

const storageClass: Rule = ({ direction, destination }) =>
  when(
    direction === "two-way" && destination?.storageClass !== undefined,
    ["destination", "storageClass"],
    "replicas go both ways, and destination.storageClass would hold for one direction only; allowed: leave it out, or storageClass in replication.rules, which hold for both",
    ["direction"],
  );

const LIST = ["replication", "rules"] as const;

const distinctIds: Rule = ({ replication: { rules } }) =>
  repeated(
    rules,
    ({ id }) => id,
    (index) => ({ path: [...LIST, index, "id"], message: "the id of an earlier rule as well; allowed: another one" }),
  );

const distinctPriorities: Rule = ({ replication: { rules } }) =>
  repeated(
    rules,
    ({ priority }) => priority,
    (index, { id }) => ({
      path: [...LIST, index, "priority"],
      message: `the priority of rule ${id} as well, so neither would come first; allowed: another one`,
    }),
  );

const oneSelection: Rule = ({ replication: { rules }, scope }) => {
  const given = { prefixes: scope.prefixes.length > 0, tags: Object.keys(scope.tags).length > 0 };
  return (["prefixes", "tags"] as const).flatMap((key) =>
    when(
      rules.length > 0 && given[key],
      ["scope", key],
      "replication.rules already select the objects; allowed: one of the two",
      LIST,
    ),
  );
};

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteMarkerReplication.html */
const deletesByTag: Rule = ({ replication: { rules }, scope, deletes }) => {
  const why = "S3 replicates no delete markers by a rule that looks at tags";
  return [
    ...when(
      rules.length === 0 && Object.keys(scope.tags).length > 0 && deletes === "replicate",
      ["deletes"],
      `${why}; allowed: ignore, or no scope.tags`,
      ["scope", "tags"],
      LIST,
    ),
    ...rules.flatMap((rule, index) =>
      when(
        Object.keys(rule.tags).length > 0 && (rule.deletes ?? deletes) === "replicate",
        [...LIST, index, rule.deletes === undefined ? "tags" : "deletes"],
        `${why}; allowed: deletes: ignore in this rule, or no tags`,
        ["deletes"],
      ),
    ),
  ];
};

const controlPrefix: Rule = ({ replication: { rules }, scope }) => {
  const message = `reserved for the bridge's own records; allowed: anything that does not begin with ${CONTROL_PREFIX}`;
  return [
    ...rules.flatMap(({ prefix }, index) => when(inControlPrefix(prefix), [...LIST, index, "prefix"], message)),
    ...scope.prefixes.flatMap((prefix, index) => when(inControlPrefix(prefix), ["scope", "prefixes", index], message)),
  ];
};

export const REPLICATION_RULES: readonly Rule[] = [distinctIds, distinctPriorities, oneSelection, deletesByTag, controlPrefix];

export const S3_NATIVE_RULES: readonly Rule[] = [
  scope,
  versions,
  accounts,
  kmsKeys,
  timeControl,
  ownership,
  storageClass,
  ...REPLICATION_RULES,
].map(ofS3);

/** Prefixes in one rule. A pair of buckets has one rule. https://www.alibabacloud.com/help/en/oss/developer-reference/putbucketreplication */
const MAX_PREFIXES = 10;

/** OSS replicates objects unchanged and selects them by prefix. */
const scopeOfOss: Rule = (config) => {
  if (nativeCloud(config) !== "alicloud") return [];
  const { scope, destination, statusTags } = config;
  const no = notWithNative("OSS");
  return [
    ...when(
      outermost(scope.prefixes).length > MAX_PREFIXES,
      ["scope", "prefixes"],
      `more than one rule of OSS takes; allowed: at most ${MAX_PREFIXES} that do not lie inside each other, or mode: pull`,
      ["mode"],
    ),
    ...no(scope.suffixes.length > 0, ["scope", "suffixes"]),
    ...no(Object.keys(scope.tags).length > 0, ["scope", "tags"]),
    ...no(scope.minSizeBytes > 0, ["scope", "minSizeBytes"]),
    ...no(scope.maxSizeBytes !== undefined, ["scope", "maxSizeBytes"]),
    ...no(statusTags, ["statusTags"]),
    ...no((destination?.prefix ?? "") !== "", ["destination", "prefix"]),
    ...no(destination?.storageClass !== undefined, ["destination", "storageClass"]),
  ];
};

const bucketsOfOss: Rule = (config) => {
  if (nativeCloud(config) !== "alicloud") return [];
  const { source, destination } = config;
  const versions = (side: (typeof SIDES)[number]) => config[side]?.versioning ?? true;
  return [
    ...when(
      SIDES.every((side) => config[side]?.adopt !== true) && versions("source") !== versions("destination"),
      ["destination", "versioning"],
      "OSS replicates only where both buckets keep versions or neither does; allowed: the same as source.versioning",
      ["source", "versioning"],
    ),
    ...when(
      source?.kmsKeyId !== undefined && destination?.kmsKeyId === undefined,
      ["destination", "kmsKeyId"],
      "OSS replicates objects under a key only with a key for the replicas; allowed: the id of a key of the destination's region",
    ),
  ];
};

export const OSS_NATIVE_RULES: readonly Rule[] = [scopeOfOss, bucketsOfOss];
