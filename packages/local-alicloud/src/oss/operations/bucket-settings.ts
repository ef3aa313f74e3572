/** Settings of a bucket: versioning, transfer acceleration, encryption, tags. */

import { randomUUID } from "node:crypto";
import { assertEncryption } from "../attributes";
import type { Operation } from "../operation";
import { malformedXml, OssError } from "../oss-error";
import type { Bucket } from "../store/bucket";
import type { DiskStore } from "../store/disk-store";
import type { ReplicationRule, Versioning } from "../store/model";
import { parseXmlBody } from "../xml-body";
import { readBoolean } from "./bucket-access";
import { readTags, tagSet } from "./object-settings";

const MAX_BUCKET_TAGS = 20;

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

/** https://www.alibabacloud.com/help/en/oss/developer-reference/putbuckettags */
export async function putBucketTagging(operation: Operation): Promise<void> {
  operation.permit("oss:PutBucketTagging");
  const tags = readTags(await parseXmlBody(await operation.exchange.readDocument(), "Tagging"), MAX_BUCKET_TAGS);
  await operation.bucket.configure({ tags });
  operation.exchange.send(200);
}

export async function getBucketTagging(operation: Operation): Promise<void> {
  operation.permit("oss:GetBucketTagging");
  operation.exchange.sendXml("Tagging", tagSet(operation.bucket.record.tags));
}

export async function deleteBucketTagging(operation: Operation): Promise<void> {
  operation.permit("oss:DeleteBucketTagging");
  await operation.bucket.configure({ tags: {} });
  operation.exchange.send(204);
}

/** The rules whose source or destination is the bucket. */
export const rulesAround = (store: DiskStore, bucket: Bucket): { source: Bucket; rule: ReplicationRule }[] =>
  store
    .all()
    .flatMap((source) => source.rules.map((rule) => ({ source, rule })))
    .filter(({ source, rule }) => source === bucket || rule.destination.bucket === bucket.name);

/** Lifecycle rules are stored and returned. They have no effect. */

/** https://www.alibabacloud.com/help/en/oss/developer-reference/putbucketlifecycle */
export async function putLifecycle(operation: Operation): Promise<void> {
  operation.permit("oss:PutBucketLifecycle");
  const document = await parseXmlBody(await operation.exchange.readDocument(), "LifecycleConfiguration");
  const rules = document.all("Rule");
  if (rules.length === 0 || rules.length > 1000) throw malformedXml("LifecycleConfiguration takes 1 to 1000 rules.");
  for (const rule of rules) {
    const status = rule.required("Status").text.trim();
    if (status !== "Enabled" && status !== "Disabled") throw malformedXml(`Status must be Enabled or Disabled, not ${status}.`);
  }
  await operation.bucket.configure({
    lifecycle: { Rule: rules.map((rule) => ({ ...rule.toFields(), ID: rule.first("ID")?.text || randomUUID() })) },
  });
  operation.exchange.send(200);
}

export async function getLifecycle(operation: Operation): Promise<void> {
  operation.permit("oss:GetBucketLifecycle");
  const { name, lifecycle } = operation.bucket.record;
  if (lifecycle === undefined)
    throw new OssError(404, "NoSuchLifecycle", "No Row found in Lifecycle Table.", { details: { BucketName: name } });
  operation.exchange.sendXml("LifecycleConfiguration", lifecycle);
}

export async function deleteLifecycle(operation: Operation): Promise<void> {
  operation.permit("oss:DeleteBucketLifecycle");
  await operation.bucket.unset("lifecycle");
  operation.exchange.send(204);
}
