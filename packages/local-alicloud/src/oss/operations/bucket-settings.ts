/** Settings of a bucket: versioning, transfer acceleration, encryption, tags. */
import { assertEncryption } from "../attributes";
import type { Operation } from "../operation";
import { invalidArgument, malformedXml, OssError } from "../oss-error";
import type { Bucket } from "../store/bucket";
import type { DiskStore } from "../store/disk-store";
import type { ReplicationRule, Versioning } from "../store/model";
import { parseXmlBody, type XmlElement } from "../xml-body";
import { readBoolean } from "./bucket-access";
import { tagSet } from "./object-settings";

const MAX_BUCKET_TAGS = 20;
const MAX_TAG_KEY_CHARACTERS = 64;
const MAX_TAG_VALUE_CHARACTERS = 128;

/** https://www.alibabacloud.com/help/en/oss/developer-reference/putbucketversioning */
export async function putBucketVersioning(operation: Operation): Promise<void> {
  operation.permit("oss:PutBucketVersioning");
  const document = await parseXmlBody(await operation.exchange.readDocument(), "VersioningConfiguration");
  const status = document.required("Status").text.trim();
  if (status !== "Enabled" && status !== "Suspended") throw malformedXml(`Status must be Enabled or Suspended, not ${status}.`);
  const { bucket } = operation;
  // https://www.alibabacloud.com/help/en/oss/user-guide/0012-00000005 documents no error code.
  if (rulesAround(operation.store, bucket).length > 0)
    throw new OssError(400, "InvalidRequest", "The versioning of a bucket that is being replicated cannot be changed.", {
      details: { BucketName: bucket.name },
    });
  await bucket.configure({ versioning: status satisfies Versioning });
  operation.exchange.send(200);
}

export async function getBucketVersioning(operation: Operation): Promise<void> {
  operation.permit("oss:GetBucketVersioning");
  operation.exchange.sendXml("VersioningConfiguration", { Status: operation.bucket.record.versioning });
}

/** https://www.alibabacloud.com/help/en/oss/developer-reference/putbuckettransferacceleration */
export async function putTransferAcceleration(operation: Operation): Promise<void> {
  operation.permit("oss:PutBucketTransferAcceleration");
  const document = await parseXmlBody(await operation.exchange.readDocument(), "TransferAccelerationConfiguration");
  const { bucket, store } = operation;
  const enabled = readBoolean(document.required("Enabled"));
  const user = rulesAround(store, bucket).find(
    ({ rule: { destination } }) => destination.bucket === bucket.name && destination.transferType === "oss_acc",
  );
  // https://www.alibabacloud.com/help/en/oss/user-guide/0028-00000003
  if (!enabled && user !== undefined)
    throw new OssError(409, "TransferAccAlreadyInUse", "The transfer acceleration is already used by cross-region replication.", {
      details: { SourceBucket: user.source.name, DestinationBucket: bucket.name },
    });
  await bucket.configure({ transferAcceleration: enabled });
  operation.exchange.send(200);
}

export async function getTransferAcceleration(operation: Operation): Promise<void> {
  operation.permit("oss:GetBucketTransferAcceleration");
  const { name, transferAcceleration } = operation.bucket.record;
  if (transferAcceleration === undefined)
    throw new OssError(
      404,
      "NoSuchTransferAccelerationConfiguration",
      "The transfer acceleration configuration does not exist.",
      {
        details: { BucketName: name },
      },
    );
  operation.exchange.sendXml("TransferAccelerationConfiguration", { Enabled: transferAcceleration });
}

/** aliyun-oss-go-sdk has it; the documentation has no page of it. */
export async function deleteTransferAcceleration(operation: Operation): Promise<void> {
  operation.permit("oss:PutBucketTransferAcceleration");
  await operation.bucket.unset("transferAcceleration");
  operation.exchange.send(204);
}

/** https://www.alibabacloud.com/help/en/oss/developer-reference/putbucketencryption */
export async function putBucketEncryption(operation: Operation): Promise<void> {
  operation.permit("oss:PutBucketEncryption");
  const document = await parseXmlBody(await operation.exchange.readDocument(), "ServerSideEncryptionRule");
  const rule = document.required("ApplyServerSideEncryptionByDefault");
  const keyId = rule.first("KMSMasterKeyID")?.text || undefined;
  const dataAlgorithm = rule.first("KMSDataEncryption")?.text || undefined;
  const encryption = assertEncryption(rule.required("SSEAlgorithm").text.trim(), keyId, dataAlgorithm);
  await operation.bucket.configure({ encryption });
  operation.exchange.send(200);
}

export async function getBucketEncryption(operation: Operation): Promise<void> {
  operation.permit("oss:GetBucketEncryption");
  const { name, encryption } = operation.bucket.record;
  if (encryption === undefined)
    throw new OssError(404, "NoSuchServerSideEncryptionRule", "The server side encryption configuration is not found.", {
      details: { BucketName: name },
    });
  operation.exchange.sendXml("ServerSideEncryptionRule", {
    ApplyServerSideEncryptionByDefault: {
      SSEAlgorithm: encryption.algorithm,
      KMSMasterKeyID: encryption.keyId,
      KMSDataEncryption: encryption.dataAlgorithm,
    },
  });
}

export async function deleteBucketEncryption(operation: Operation): Promise<void> {
  operation.permit("oss:DeleteBucketEncryption");
  await operation.bucket.unset("encryption");
  operation.exchange.send(204);
}

/** Tags of buckets take any characters, unlike those of objects. */
function readBucketTags(document: XmlElement): Record<string, string> {
  const elements = document.required("TagSet").all("Tag");
  if (elements.length > MAX_BUCKET_TAGS)
    throw invalidArgument(`A bucket has at most ${MAX_BUCKET_TAGS} tags.`, { name: "Tag", value: String(elements.length) });
  const tags = new Map<string, string>();
  for (const tag of elements) {
    const [key, value] = [tag.required("Key").text, tag.required("Value").text];
    if (key === "" || key.length > MAX_TAG_KEY_CHARACTERS || /^(?:https?:\/\/|aliyun)/i.test(key) || tags.has(key))
      throw invalidArgument(
        `The key of a tag has 1 to ${MAX_TAG_KEY_CHARACTERS} characters, does not begin with http://, https:// or Aliyun, and is given once.`,
        { name: "Key", value: key },
      );
    if (value.length > MAX_TAG_VALUE_CHARACTERS)
      throw invalidArgument(`The value of a tag has at most ${MAX_TAG_VALUE_CHARACTERS} characters.`, { name: "Value", value });
    tags.set(key, value);
  }
  return Object.fromEntries(tags);
}

/** https://www.alibabacloud.com/help/en/oss/developer-reference/putbuckettags */
export async function putBucketTagging(operation: Operation): Promise<void> {
  operation.permit("oss:PutBucketTagging");
  const tags = readBucketTags(await parseXmlBody(await operation.exchange.readDocument(), "Tagging"));
  await operation.bucket.configure({ tags });
  operation.exchange.send(200);
}

export async function getBucketTagging(operation: Operation): Promise<void> {
  operation.permit("oss:GetBucketTagging");
  operation.exchange.sendXml("Tagging", tagSet(operation.bucket.record.tags));
}

/** `?tagging` deletes all tags, `?tagging=a,b` those of the keys. */
export async function deleteBucketTagging(operation: Operation): Promise<void> {
  operation.permit("oss:DeleteBucketTagging");
  const named = operation.exchange.query.get("tagging") ?? "";
  const keys = new Set(named.split(","));
  await operation.bucket.configure(({ tags }) => ({
    tags: named === "" ? {} : Object.fromEntries(Object.entries(tags).filter(([key]) => !keys.has(key))),
  }));
  operation.exchange.send(204);
}

/** The rules whose source or destination is the bucket. */
export const rulesAround = (store: DiskStore, bucket: Bucket): { source: Bucket; rule: ReplicationRule }[] =>
  store
    .all()
    .flatMap((source) => source.rules.map((rule) => ({ source, rule })))
    .filter(({ source, rule }) => source === bucket || rule.destination.bucket === bucket.name);
