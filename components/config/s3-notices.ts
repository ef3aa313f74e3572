/** What S3's own replication leaves to its operator, where it matters for the configuration. */
import type { BridgeConfig } from "../config";
import { S3_ARCHIVE_CLASSES } from "./clouds";

export const CONFLICT_NOTICE =
  "direction is two-way: where both sides write one key before either write has arrived at the other, both buckets keep both versions, " +
  "and the newer one becomes the current one.";
export const BACKFILL_NOTICE =
  "existingObjects is replicate: S3 replicates only what comes after the rules. This makes the role for the rest, and " +
  "`npm run bridge -- backfill` starts the job.";
export const BACKFILL_ONE_WAY_NOTICE = " It carries objects of the source, not those that the destination had before.";
export const CHINA_NOTICE =
  "AWS documents S3 Replication Time Control for China without saying that it is available there. Where it is not, S3 refuses the " +
  "replication configuration: set replication.timeControl: false.";
export const DELETE_MARKERS_NOTICE =
  "Delete markers are replicated, but neither the deletion of a version nor what a lifecycle rule expires.";
export const KEPT_DELETES_NOTICE = "Delete markers are not replicated: an object that is deleted on one side stays on the other.";
export const ARCHIVE_NOTICE =
  "Replicas in GLACIER or DEEP_ARCHIVE must be restored before they can be read, and changes made to them are not replicated.";

const adopted = (side: string) =>
  `The ${side} bucket is adopted: it must keep versions, and where another account owns it, a policy must let S3 in.`;
const REPLACED_HINT =
  " Its replication configuration is replaced by this bridge's: a bucket has one. Replicas that came into it from elsewhere are not " +
  "replicated on, and neither is what is archived (GLACIER, DEEP_ARCHIVE).";
const LAST_STOP_HINT = " What this bridge brings there is not replicated on to a third bucket.";

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

/** Of the rules that are in force, or of the bridge where it has none of its own. */
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
