/** Rules about the modes and directions that a pair of clouds supports. */
import { CLOUDFLOW_REGIONS, CLOUDS, isAws, REGIONS } from "./clouds";
import { isS3Native, modeOf } from "./defaults";
import { type Rule, type Violation, when } from "./define-rule";
import type { LenientConfig } from "./schema";

const PULL_ALWAYS = `set mode: pull, which works for every pair of ${CLOUDS.join(", ")}`;

/** The clouds of both sides as text, when the configuration names both. */
function pairOf({ source, destination }: LenientConfig): string | undefined {
  return source?.cloud === undefined || destination?.cloud === undefined ? undefined : `${source.cloud} -> ${destination.cloud}`;
}

/** The modes `push` and `native` reach both stores from one side. */
const supportedMode: Rule = (config) => {
  const { mode, source, destination } = config;
  const resolved = modeOf(config);
  const pair = pairOf(config);
  if (resolved === undefined || resolved === "pull" || pair === undefined) return [];
  const why = (text: string) => (mode ? text : `the default for ${pair} is ${resolved}, which is ${text}`);
  const refused = (text: string, allowed = PULL_ALWAYS): Violation[] => [
    { path: ["mode"], message: `${why(text)}; allowed: ${allowed}` },
  ];
  if (resolved === "native")
    return source?.cloud === destination?.cloud
      ? []
      : refused(
          "a store's own replication, which crosses neither clouds nor partitions (S3 does not replicate between aws and aws-cn)",
        );
  if (isAws(source?.cloud) && source.cloud === destination?.cloud)
    return refused(`for alicloud -> alicloud, not for ${pair}`, "native, which is S3's own replication, or pull");
  if (pair !== "alicloud -> alicloud") return refused(`for alicloud -> alicloud, not for ${pair}`);
  const { region = "" } = source ?? {};
  return REGIONS.alicloud.region.test(region) && !CLOUDFLOW_REGIONS.includes(region)
    ? refused(`carried out by CloudFlow, which is in ${CLOUDFLOW_REGIONS.join(", ")} and not in ${region}, the source's region`)
    : [];
};

const oneAccount: Rule = (config) => {
  const { source, destination } = config;
  const resolved = modeOf(config);
  if (pairOf(config) !== "alicloud -> alicloud" || resolved === "pull") return [];
  const sameAccount = source?.accountId === undefined || [undefined, source.accountId].includes(destination?.accountId);
  return when(
    !sameAccount,
    ["destination", "accountId"],
    `another account than the source's, and mode ${resolved} reaches both stores with one identity; allowed: ${source?.accountId}, or set mode: pull`,
    ["source", "accountId"],
  );
};

const supportedDirection: Rule = (config) =>
  when(
    config.direction === "two-way" && pairOf(config) !== undefined && !isS3Native(config),
    ["direction"],
    "only S3's own replication goes both ways; allowed: one-way, or mode: native between two buckets of one partition (aws -> aws, aws-cn -> aws-cn)",
    ["mode"],
  );

const existingObjects: Rule = (config) => {
  const mode = modeOf(config);
  return when(
    mode !== undefined && mode !== "native" && config.existingObjects === "replicate",
    ["existingObjects"],
    `not in this release with mode: ${mode}; allowed: ignore`,
    ["mode"],
  );
};

/** Outside S3's own replication, these settings would be silently ignored. */
const replicationElsewhere: Rule = (config) => {
  const { rules, timeControl, metrics, replicaModifications, ownership } = config.replication;
  const isSet =
    rules.length > 0 || timeControl || metrics === true || replicaModifications === true || ownership !== "destination";
  return when(
    isSet && pairOf(config) !== undefined && !isS3Native(config),
    ["replication"],
    "settings of S3's own replication; allowed: leave it out, or mode: native between two buckets of one partition of AWS",
    ["mode"],
  );
};

export const MODE_RULES: readonly Rule[] = [supportedMode, oneAccount, supportedDirection, existingObjects, replicationElsewhere];
