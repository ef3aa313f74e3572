/** Rules about what the stores' own replication cannot do, or would silently ignore. First S3, then OSS. */
import { isS3Native, nativeCloud, outermost } from "./defaults";
import { type Rule, repeated, SIDES, type Violation, when } from "./define-rule";
import { LIMITS } from "./limits";

/** Applies a rule only to bridges that use S3's own replication. */
const ofS3 =
  (rule: Rule): Rule =>
  (config, context) =>
    isS3Native(config) ? rule(config, context) : [];

/** Refuses a setting that the store's own replication would silently ignore. `problem` goes on after "mode native". */
const refuseIf = (broken: boolean, path: readonly PropertyKey[], problem: string): Violation[] =>
  when(broken, path, `mode native ${problem}; allowed: leave it out, or mode: pull`, ["mode"]);

/** S3 replicates objects unchanged and selects them by prefix and tags. https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-what-is-isnot-replicated.html */
const scope: Rule = ({ scope: wanted, destination, statusTags }) => {
  const only = "S3 selects only by prefix and tags";
  return [
    ...refuseIf(wanted.suffixes.length > 0, ["scope", "suffixes"], `cannot select by suffix: ${only}`),
    ...refuseIf(wanted.minSizeBytes > 0, ["scope", "minSizeBytes"], `cannot select by size: ${only}`),
    ...refuseIf(wanted.maxSizeBytes !== undefined, ["scope", "maxSizeBytes"], `cannot select by size: ${only}`),
    ...refuseIf(statusTags, ["statusTags"], "sets no status tags: S3 itself keeps each object's replication status"),
    ...refuseIf(
      (destination?.prefix ?? "") !== "",
      ["destination", "prefix"],
      "cannot add a prefix: S3 gives each replica the key of its object",
    ),
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
      `${other}.accountId is set, and the owner of the replicas depends on both; allowed: set accountId on both sides (as quoted text), or on neither if both buckets belong to one account`,
      [other, "accountId"],
    );
  });

/** Without a key for the replicas, S3 silently skips objects that are encrypted with a KMS key. https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html */
const kmsKeys: Rule = (config) => {
  const sendingSides = config.direction === "two-way" ? SIDES : (["source"] as const);
  return sendingSides.flatMap((from) => {
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
    (index) => ({ path: [...LIST, index, "id"], message: "an earlier rule already has this id; allowed: another one" }),
  );

const distinctPriorities: Rule = ({ replication: { rules } }) =>
  repeated(
    rules,
    ({ priority }) => priority,
    (index, { id }) => ({
      path: [...LIST, index, "priority"],
      message: `rule ${id} already has this priority; allowed: another one`,
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
  const why = "S3 does not replicate delete markers for a rule with tags";
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

export const REPLICATION_RULES: readonly Rule[] = [distinctIds, distinctPriorities, oneSelection, deletesByTag];

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

/** Prefixes in one rule. A pair of buckets has one rule. */
const MAX_PREFIXES = LIMITS.ossReplicationPrefixes.most;

/** OSS replicates objects unchanged and selects them by prefix. */
const scopeOfOss: Rule = (config) => {
  if (nativeCloud(config) !== "alicloud") return [];
  const { scope, destination, statusTags } = config;
  const only = "OSS selects only by prefix";
  return [
    ...when(
      outermost(scope.prefixes).length > MAX_PREFIXES,
      ["scope", "prefixes"],
      `too many prefixes: one OSS rule takes at most ${MAX_PREFIXES}, and a prefix inside another one is not counted; allowed: at most ${MAX_PREFIXES}, or mode: pull`,
      ["mode"],
    ),
    ...refuseIf(scope.suffixes.length > 0, ["scope", "suffixes"], `cannot select by suffix: ${only}`),
    ...refuseIf(Object.keys(scope.tags).length > 0, ["scope", "tags"], `cannot select by tags: ${only}`),
    ...refuseIf(scope.minSizeBytes > 0, ["scope", "minSizeBytes"], `cannot select by size: ${only}`),
    ...refuseIf(scope.maxSizeBytes !== undefined, ["scope", "maxSizeBytes"], `cannot select by size: ${only}`),
    ...refuseIf(statusTags, ["statusTags"], "sets no status tags: no function of the bridge handles objects"),
    ...refuseIf(
      (destination?.prefix ?? "") !== "",
      ["destination", "prefix"],
      "cannot add a prefix: OSS gives each replica the key of its object",
    ),
    ...refuseIf(
      destination?.storageClass !== undefined,
      ["destination", "storageClass"],
      "does not set the storage class of replicas in OSS",
    ),
  ];
};

/** Only the account knows its replication rules; the provider has no data source for them. */
const strangersRule: Rule = (config) => {
  const { source, destination } = config;
  const path = ["source", "noRuleToDestination"] as const;
  const both = nativeCloud(config) === "alicloud" && source?.adopt === true && destination?.adopt === true;
  if (!both)
    return when(
      source?.noRuleToDestination !== undefined,
      path,
      "only mode native in OSS with two adopted buckets asks this; allowed: leave it out",
      ["mode"],
      ["source", "adopt"],
      ["destination", "adopt"],
    );
  return when(
    source.noRuleToDestination !== true,
    path,
    "both buckets are adopted, so the source may have a replication rule to the destination. The provider would take over the first rule " +
      "of the bucket then, whoever made it, and delete it with the stack; allowed: true, if " +
      `\`ossutil api get-bucket-replication --bucket ${source.bucket ?? "<source>"}\` shows no rule to ${destination.bucket ?? "<destination>"} but the bridge's own, ` +
      "destination.adopt: false, or mode: push",
  );
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

export const OSS_NATIVE_RULES: readonly Rule[] = [scopeOfOss, bucketsOfOss, strangersRule];
