import { setTimeout } from "node:timers/promises";
import { ignoreMissing, unlessMissing } from "../api-failure";
import { notOneOf, outsideRange } from "../checks";
import { cloudOf, resource } from "../context";
import type { Document, OssApi } from "../oss-api";

const CLOSING_POLL_MS = 50;
const CLOSING_TIMEOUT_MS = 60_000;

/** https://www.alibabacloud.com/help/en/oss/developer-reference/putbucketreplication */
export const bucketReplication = resource({
  token: "alicloud:oss/bucketReplication:BucketReplication",
  inputs: {
    "bucket!": "string",
    "destination!": { "bucket!": "string", "location!": "string", transferType: "string" },
    action: "string",
    encryptionConfiguration: { "replicaKmsKeyId!": "string" },
    historicalObjectReplication: "string",
    prefixSet: { "prefixes!": ["string"] },
    rtc: { "enabled!": "boolean" },
    sourceSelectionCriteria: { sseKmsEncryptedObjects: { "status!": "string" } },
    // The provider does not require it, but OSS does.
    "syncRole!": "string",
  },
  computed: ["ruleId", "status"],
  replaceOn: [
    "action",
    "bucket",
    "destination",
    "encryptionConfiguration",
    "historicalObjectReplication",
    "prefixSet",
    "sourceSelectionCriteria",
    "syncRole",
  ],
  kept: ["rtc"],
  check: function* ({ bucket, destination, historicalObjectReplication, prefixSet }) {
    yield* notOneOf("historicalObjectReplication", historicalObjectReplication, ["enabled", "disabled"]);
    yield* notOneOf("destination.transferType", destination.transferType, ["internal", "oss_acc"]);
    if (destination.bucket === bucket) yield { property: "destination.bucket", reason: "a bucket does not replicate to itself" };
    if ((prefixSet?.prefixes.length ?? 0) > 10)
      yield { property: "prefixSet.prefixes", reason: "a rule has at most 10 prefixes" };
    for (const prefix of prefixSet?.prefixes ?? [])
      yield* outsideRange("prefixSet.prefixes.length", Buffer.byteLength(prefix), 0, 1023);
  },
  create: async (context, given) => {
    const { oss } = cloudOf(context);
    const { bucket, destination } = given;
    const Rule = {
      Action: given.action,
      PrefixSet: given.prefixSet && { Prefix: given.prefixSet.prefixes },
      Destination: { Bucket: destination.bucket, Location: destination.location, TransferType: destination.transferType },
      HistoricalObjectReplication: given.historicalObjectReplication,
      SyncRole: given.syncRole,
      SourceSelectionCriteria: given.sourceSelectionCriteria?.sseKmsEncryptedObjects && {
        SseKmsEncryptedObjects: { Status: given.sourceSelectionCriteria.sseKmsEncryptedObjects.status },
      },
      EncryptionConfiguration: given.encryptionConfiguration && {
        ReplicaKmsKeyID: given.encryptionConfiguration.replicaKmsKeyId,
      },
      RTC: given.rtc && { Status: statusOf(given.rtc) },
    };
    const document = { root: "ReplicationConfiguration", fields: { Rule } };
    return `${bucket}:${(await addRule(oss, bucket, document)) ?? (await firstRule(oss, bucket))}`;
  },
  read: async (context, id, { bucket, destination }) => {
    const rules = await unlessMissing(() => rulesOf(cloudOf(context).oss, bucket));
    const rule = rules?.find(({ ID }) => id === `${bucket}:${ID}`);
    return (
      rule && { ruleId: rule.ID, status: rule.Status, syncRole: rule.SyncRole, destination: destinationOf(rule, destination) }
    );
  },
  // https://www.alibabacloud.com/help/en/oss/developer-reference/putbucketrtc
  update: async (context, id, { bucket, rtc }) => {
    const fields = { RTC: { Status: statusOf(rtc) }, ID: ruleIdOf(id) };
    await cloudOf(context).oss.put(bucket, "rtc", { root: "ReplicationRule", fields });
  },
  delete: (context, id, { bucket }) =>
    ignoreMissing(async () => {
      const { oss } = cloudOf(context);
      const ID = ruleIdOf(id);
      await oss.post(bucket, "replication", "delete", { root: "ReplicationRules", fields: { ID } });
      await untilGone(oss, bucket, ID);
    }),
});

/** Undefined if there is a rule for these two buckets, whoever made it. */
async function addRule(oss: OssApi, bucket: string, document: Document): Promise<string | undefined> {
  try {
    const headers = await oss.post(bucket, "replication", "add", document);
    return headers["x-oss-replication-rule-id"];
  } catch (error) {
    if ((error as { code?: string }).code !== "BucketReplicationAlreadyExist") throw error;
    return undefined;
  }
}

/** Like the real provider, this one takes the bucket's first rule then, and a destroy deletes that rule. */
async function firstRule(oss: OssApi, bucket: string): Promise<string> {
  const [rule] = await rulesOf(oss, bucket);
  if (rule === undefined) throw new Error(`the bucket ${bucket} has no replication rule right after its creation`);
  return rule.ID;
}

const ruleIdOf = (id: string) => id.slice(id.indexOf(":") + 1);

const statusOf = (rtc: { enabled: boolean } | undefined) => (rtc?.enabled ? "enabled" : "disabled");

/** OSS finishes running copies before a rule is gone, and it refuses a second rule to the same destination. */
async function untilGone(oss: OssApi, bucket: string, id: string): Promise<void> {
  const deadline = performance.now() + CLOSING_TIMEOUT_MS;
  while ((await rulesOf(oss, bucket)).some(({ ID }) => ID === id)) {
    if (performance.now() > deadline) throw new Error(`the replication rule ${id} of ${bucket} is still closing`);
    await setTimeout(CLOSING_POLL_MS);
  }
}

interface Rule {
  ID: string;
  Status: string;
  SyncRole?: string;
  Destination: { Bucket: string; Location: string; TransferType?: string };
}

/** OSS leaves the type out where it is the default one. */
function destinationOf({ Destination: found }: Rule, given: { transferType?: string | undefined } | undefined) {
  return { bucket: found.Bucket, location: found.Location, transferType: found.TransferType ?? given?.transferType };
}

async function rulesOf(oss: OssApi, bucket: string): Promise<Rule[]> {
  return [(await oss.get(bucket, "replication")).Rule ?? []].flat() as Rule[];
}
