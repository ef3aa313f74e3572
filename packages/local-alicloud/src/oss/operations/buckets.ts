/**
 * https://www.alibabacloud.com/help/en/oss/developer-reference/putbucket
 * https://www.alibabacloud.com/help/en/oss/developer-reference/getbucketinfo
 * https://www.alibabacloud.com/help/en/oss/developer-reference/listbuckets
 */
import { assertStorageClass, isAcl } from "../attributes";
import type { Operation } from "../operation";
import { accessDenied, invalidArgument, OssError } from "../oss-error";
import { numberParameter } from "../paging";
import type { Bucket } from "../store/bucket";
import type { BucketRecord } from "../store/model";
import { type XmlFields, xmlTime } from "../xml";
import { parseXmlBody } from "../xml-body";

const REDUNDANCIES = new Set(["LRS", "ZRS"]);

export async function putBucket(operation: Operation): Promise<void> {
  const { exchange, store, caller, name } = operation;
  const region = exchange.entry.region;
  operation.permit("oss:PutBucket");
  if (caller === undefined || region === undefined) throw accessDenied("Anonymous access is forbidden for this operation.");
  const body = await exchange.readDocument();
  const document = body.byteLength === 0 ? undefined : await parseXmlBody(body, "CreateBucketConfiguration");
  const redundancy = document?.first("DataRedundancyType")?.text || "LRS";
  if (!REDUNDANCIES.has(redundancy))
    throw invalidArgument("The data redundancy type you specified is invalid.", {
      name: "DataRedundancyType",
      value: redundancy,
    });
  const acl = exchange.header("x-oss-acl") ?? "private";
  if (!isAcl(acl)) throw invalidArgument("The acl you specified is invalid.", { name: "x-oss-acl", value: acl });
  const record: BucketRecord = {
    name,
    region,
    ownerId: caller.principal.accountId,
    createdAt: operation.now,
    storageClass: assertStorageClass(document?.first("StorageClass")?.text || "Standard"),
    redundancy,
    acl,
    // A new bucket blocks public access unless the request asks for a public ACL.
    publicAccessBlock: acl === "private",
    tags: {},
  };
  const { bucket, created } = await store.create(record);
  if (!created) {
    const own = bucket.record.ownerId === record.ownerId;
    if (!own || bucket.record.region !== region)
      throw new OssError(
        409,
        "BucketAlreadyExists",
        "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.",
        { details: { BucketName: name } },
      );
    // When the owner puts the bucket again, only the ACL changes.
    if (exchange.header("x-oss-acl") !== undefined) await bucket.configure({ acl });
  }
  exchange.send(200, { location: `/${name}` });
}

export async function deleteBucket(operation: Operation): Promise<void> {
  operation.permit("oss:DeleteBucket");
  if (!(await operation.store.remove(operation.bucket)))
    throw new OssError(409, "BucketNotEmpty", "The bucket you tried to delete is not empty.", {
      details: { BucketName: operation.name },
    });
  operation.exchange.send(204);
}

const hosts = (region: string) => ({
  ExtranetEndpoint: `oss-${region}.aliyuncs.com`,
  IntranetEndpoint: `oss-${region}-internal.aliyuncs.com`,
});

const owner = (bucket: Bucket) => ({ ID: bucket.record.ownerId, DisplayName: bucket.record.ownerId });

export async function getBucketInfo(operation: Operation): Promise<void> {
  operation.permit("oss:GetBucketInfo");
  const { record, rules } = operation.bucket;
  const crossRegion = rules.some(({ destination }) => destination.location !== `oss-${record.region}`);
  const info: XmlFields = {
    Bucket: {
      AccessMonitor: "Disabled",
      BlockPublicAccess: record.publicAccessBlock,
      CreationDate: xmlTime(record.createdAt),
      CrossRegionReplication: crossRegion ? "Enabled" : "Disabled",
      DataRedundancyType: record.redundancy,
      ...hosts(record.region),
      Location: `oss-${record.region}`,
      Name: record.name,
      StorageClass: record.storageClass,
      TransferAcceleration: record.transferAcceleration ? "Enabled" : "Disabled",
      Versioning: record.versioning,
      Owner: owner(operation.bucket),
      AccessControlList: { Grant: record.acl },
      ServerSideEncryptionRule: {
        SSEAlgorithm: record.encryption?.algorithm ?? "None",
        KMSMasterKeyID: record.encryption?.keyId,
        KMSDataEncryption: record.encryption?.dataAlgorithm,
      },
      BucketPolicy: { LogBucket: "", LogPrefix: "" },
    },
  };
  operation.exchange.sendXml("BucketInfo", info);
}

export async function getBucketLocation(operation: Operation): Promise<void> {
  operation.permit("oss:GetBucketLocation");
  const { exchange, bucket } = operation;
  exchange.send(
    200,
    { "content-type": "application/xml" },
    `<?xml version="1.0" encoding="UTF-8"?>\n<LocationConstraint>oss-${bucket.record.region}</LocationConstraint>`,
  );
}

export async function listBuckets(operation: Operation): Promise<void> {
  operation.permit("oss:ListBuckets");
  const { exchange, store, caller } = operation;
  if (caller === undefined) throw accessDenied("Anonymous access is forbidden for this operation.");
  const prefix = exchange.query.get("prefix") ?? "";
  const marker = exchange.query.get("marker") ?? "";
  const limit = numberParameter(exchange.query, "max-keys", { min: 1, max: 1000, fallback: 100 });
  const rest = store
    .all()
    .filter(
      ({ record }) => record.ownerId === caller.principal.accountId && record.name.startsWith(prefix) && record.name > marker,
    );
  const page = rest.slice(0, limit);
  const truncated = rest.length > page.length;
  exchange.sendXml("ListAllMyBucketsResult", {
    Prefix: truncated ? prefix : undefined,
    Marker: truncated ? marker : undefined,
    MaxKeys: truncated ? limit : undefined,
    IsTruncated: truncated ? true : undefined,
    NextMarker: truncated ? page.at(-1)?.name : undefined,
    Owner: { ID: caller.principal.accountId, DisplayName: caller.principal.accountId },
    Buckets: {
      Bucket: page.map(({ record }) => ({
        CreationDate: xmlTime(record.createdAt),
        ...hosts(record.region),
        Location: `oss-${record.region}`,
        Name: record.name,
        Region: record.region,
        StorageClass: record.storageClass,
      })),
    },
  });
}
