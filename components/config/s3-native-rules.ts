/** What S3's own replication cannot do, and what it would silently not do. */
import { isS3Native } from "./defaults";
import { REPLICATION_RULES } from "./replication-rules";
import { notWithNative, type Rule, SIDES, when } from "./rule";

/** Looks only at bridges that S3 itself carries. */
const ofS3 =
  (rule: Rule): Rule =>
  (config, context) =>
    isS3Native(config) ? rule(config, context) : [];

/** It carries objects as they are, by prefix and tags. https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-what-is-isnot-replicated.html */
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

/** Who owns the replicas, and whose policies let S3 in, depends on whether there is one account or two. */
const accounts: Rule = (config) =>
  SIDES.flatMap((side) => {
    const other = side === "source" ? "destination" : "source";
    return when(
      config[side]?.accountId === undefined && config[other]?.accountId !== undefined,
      [side, "accountId"],
      `${other}.accountId is given, and who owns the replicas depends on both; allowed: the account of this side too, in quotes, or neither where both buckets are of one account`,
      [other, "accountId"],
    );
  });

/** Objects under a key of KMS are left out without a word where there is no key for their replicas. https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html */
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
    "replicas go both ways, and this would hold for one of them; allowed: leave it out, or storageClass in replication.rules, which hold for both",
    ["direction"],
  );

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
