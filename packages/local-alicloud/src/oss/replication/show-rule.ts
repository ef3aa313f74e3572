/** https://www.alibabacloud.com/help/en/oss/developer-reference/getbucketreplication */
import type { Bucket } from "../store/bucket";
import type { ReplicationRule } from "../store/model";
import type { XmlFields } from "../xml";

export interface Progress {
  /** 0 to 1. */
  historical: number;
  /** Everything written before this time is replicated. Ms since the epoch. */
  newUntil: number;
}

/** The progress of a rule. */
export function progressOf(bucket: Bucket, { id, createdAt, historical }: ReplicationRule, now: number): Progress {
  let left = 0;
  let newUntil = now;
  for (const key of bucket.keys.pendingKeys()) {
    const ids = new Set(bucket.keys.pending(key)[id]);
    for (const { versionId, lastModified } of bucket.keys.versions(key)) {
      if (!ids.has(versionId)) continue;
      if (lastModified < createdAt) left += 1;
      else newUntil = Math.min(newUntil, lastModified);
    }
  }
  const count = historical?.count;
  const part = count === undefined || count === 0 ? 0 : Math.max(0, 1 - left / count);
  return { historical: count !== undefined && left === 0 ? 1 : Math.floor(part * 100) / 100, newUntil };
}

/** OSS prepares a new rule for a while. */
export const statusOf = ({ status, createdAt }: ReplicationRule, now: number, stateMs: number): string =>
  status === "doing" && now - createdAt < stateMs ? "starting" : status;

/** A rule as it was put, with its status. TransferType is shown only when it is not the default. */
export function ruleFields(rule: ReplicationRule, { historical }: Progress, status: string): XmlFields {
  const { destination, prefixes, kms, rtc } = rule;
  const waits = rule.historical !== undefined && historical < 1;
  return {
    ID: rule.id,
    RTC: rtc === undefined ? undefined : { Status: rtc ? (waits ? "enabling" : "enabled") : "disabled" },
    PrefixSet: prefixes.length === 0 ? undefined : { Prefix: prefixes },
    Action: rule.actions.join(","),
    Destination: {
      Bucket: destination.bucket,
      Location: destination.location,
      TransferType: destination.transferType === "oss_acc" ? "oss_acc" : undefined,
    },
    Status: status,
    HistoricalObjectReplication: rule.historical === undefined ? "disabled" : "enabled",
    SyncRole: rule.syncRole,
    SourceSelectionCriteria:
      kms === undefined ? undefined : { SseKmsEncryptedObjects: { Status: kms.enabled ? "Enabled" : "Disabled" } },
    EncryptionConfiguration: kms?.replicaKeyId === undefined ? undefined : { ReplicaKmsKeyID: kms.replicaKeyId },
  };
}
