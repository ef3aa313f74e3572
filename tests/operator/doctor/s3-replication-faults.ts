/** Faults of S3's own replication. The answers are those that the vendor documents. */
import { replicationTo, statusOfVersions } from "./fake-aws";
import { refusal } from "./fake-cloud";
import { type Aws, type Fault, source } from "./fault";
import { nativeClinic } from "./fixture";

export const NATIVE: Fault<Aws>[] = [
  {
    name: "a bucket without versions",
    plant({ destination }) {
      destination.answers["bucket:versioning"] = statusOfVersions("");
    },
    found: "versioning (destination)",
    what: /keeps no versions: versioning is not enabled/,
    fix: /^aws s3api put-bucket-versioning --bucket to-there /,
  },
  {
    name: "a policy of the other account without the replication",
    plant({ destination }) {
      destination.answers["bucket:policy"] = refusal(404, "NoSuchBucketPolicy");
    },
    found: "replication-policy (destination)",
    what: /the policy of the bucket to-there .* does not allow the replication/,
    fix: /^aws s3api put-bucket-policy --bucket to-there --policy '.*CrossBorderBridgeReplicates/,
  },
  {
    name: "a removed replication configuration",
    plant({ source }) {
      source.answers["bucket:replication"] = refusal(404, "ReplicationConfigurationNotFoundError");
    },
    found: "replication (source)",
    what: /has no replication rule to to-there/,
    fix: /^pulumi up --refresh/,
  },
  {
    name: "a disabled rule",
    plant({ source }) {
      source.answers["bucket:replication"] = replicationTo({ id: "bridge", status: "Disabled", bucket: "to-there" });
    },
    found: "replication (source)",
    what: /every replication rule of .* to to-there is disabled/,
    fix: /^aws s3api put-bucket-replication .*"Status":"Enabled"/,
  },
  {
    name: "a rule of another program",
    plant({ source }) {
      source.answers["bucket:replication"] = replicationTo(
        { id: "bridge", status: "Enabled", bucket: "to-there" },
        { id: "backup", status: "Enabled", bucket: "elsewhere" },
      );
    },
    found: "replication (source)",
    what: /also has the replication rules backup/,
    fix: /replication.rules/,
  },
];

export async function nativeBefore(): Promise<Aws> {
  const clinic = await nativeClinic();
  clinic.outputs = undefined;
  source(clinic).adopt = true;
  clinic.source.answers["bucket:replication"] = refusal(404, "ReplicationConfigurationNotFoundError");
  return clinic;
}
export const NATIVE_BEFORE: Fault<Aws>[] = [
  {
    name: "rules of others in an adopted bucket, which a deployment replaces",
    plant({ source }) {
      source.answers["bucket:replication"] = replicationTo({ id: "backup", status: "Enabled", bucket: "elsewhere" });
    },
    found: "replication-owned (source)",
    what: /has the replication rules backup \(to elsewhere\), which a deployment replaces/,
    fix: /crossborderbridge:mode pull/,
  },
];
