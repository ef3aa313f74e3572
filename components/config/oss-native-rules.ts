/** What OSS's own replication cannot do. https://www.alibabacloud.com/help/en/oss/user-guide/cross-region-replication-overview/ */
import { nativeCloud } from "./defaults";
import { outermost } from "./prefixes";
import { notWithNative, type Rule, SIDES, when } from "./rule";

/** Of one rule, and a pair of buckets has one. https://www.alibabacloud.com/help/en/oss/developer-reference/putbucketreplication */
const MAX_PREFIXES = 10;

/** It carries objects as they are, by prefix. */
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
