/**
 * https://www.alibabacloud.com/help/en/oss/developer-reference/putbucket
 * https://www.alibabacloud.com/help/en/oss/developer-reference/getbucketinfo
 * https://www.alibabacloud.com/help/en/oss/developer-reference/getbucketstat
 * https://www.alibabacloud.com/help/en/oss/developer-reference/listbuckets
 * https://www.alibabacloud.com/help/en/oss/developer-reference/describeregions
 */
import { assertEncryption, assertStorageClass, isAcl } from "../attributes";
import type { Exchange } from "../exchange";
import type { Operation } from "../operation";
import { accessDenied, invalidArgument, methodNotAllowed, OssError } from "../oss-error";
import { numberParameter } from "../paging";
import type { Bucket } from "../store/bucket";
import { type BucketRecord, isDeleteMarker, type StoredObject, type Version } from "../store/model";
import { type XmlFields, xmlTime } from "../xml";
import { parseXmlBody } from "../xml-body";
import { putBucketAcl } from "./bucket-access";
import { resourceGroupOf } from "./bucket-documents";
import { tagSet } from "./object-settings";

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
  // An empty header stands for none: aliyun-oss-go-sdk sends one.
  const wanted = exchange.header("x-oss-acl") || undefined;
  const acl = wanted ?? "private";
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
    publicAccessBlock: acl === "private" && operation.newBucketsBlockPublicAccess,
    ...encryptionOf(exchange),
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
    if (wanted !== undefined) await bucket.configure({ acl });
  }
  exchange.send(200, { location: `/${name}` });
}

/** PutBucketAcl, which creates a bucket that does not exist. https://www.alibabacloud.com/help/en/oss/developer-reference/putbucketacl */
export async function setOrCreateWithAcl(operation: Operation): Promise<void> {
  if (operation.store.find(operation.name) !== undefined) return putBucketAcl(operation);
  operation.permit("oss:PutBucketAcl");
  return putBucket(operation);
}

/** The encryption that PutBucket sets by its headers, as aliyun-oss-go-sdk sends them. */
function encryptionOf(exchange: Exchange): Pick<BucketRecord, "encryption"> {
  const algorithm = exchange.header("x-oss-server-side-encryption") || undefined;
  if (algorithm === undefined) return {};
  const keyId = exchange.header("x-oss-server-side-encryption-key-id") || undefined;
  return { encryption: assertEncryption(algorithm, keyId, exchange.header("x-oss-server-side-data-encryption") || undefined) };
}

/** A request of S3's clients. OSS itself answers 405. */
export async function headBucket(operation: Operation): Promise<void> {
  const { exchange, bucket } = operation;
  if (!exchange.answersS3) throw methodNotAllowed(exchange.method, "bucket");
  operation.permit("oss:GetBucketInfo");
  exchange.send(200, { "x-oss-bucket-region": `oss-${bucket.record.region}` });
}

export async function deleteBucket(operation: Operation): Promise<void> {
  operation.permit("oss:DeleteBucket");
  if (!(await operation.store.remove(operation.bucket)))
    throw new OssError(409, "BucketNotEmpty", "The bucket you tried to delete is not empty.", {
      details: { BucketName: operation.name },
    });
  await operation.domains.forget(operation.bucket);
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
      AccessMonitor: record.documents?.accessmonitor?.Status ?? "Disabled",
      BlockPublicAccess: record.publicAccessBlock,
      Comment: "",
      CreationDate: xmlTime(record.createdAt),
      CrossRegionReplication: crossRegion ? "Enabled" : "Disabled",
      DataRedundancyType: record.redundancy,
      ...hosts(record.region),
      Location: `oss-${record.region}`,
      Name: record.name,
      ResourceGroupId: resourceGroupOf(record),
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

/** An object of a cold class counts at least this much. */
const BILLED_BYTES = 64 * 1024;
const COLD: Readonly<Record<string, string>> = {
  IA: "InfrequentAccess",
  Archive: "Archive",
  ColdArchive: "ColdArchive",
  DeepColdArchive: "DeepColdArchive",
};

export async function getBucketStat(operation: Operation): Promise<void> {
  operation.permit("oss:GetBucketStat");
  const { bucket, exchange, now } = operation;
  const versions: Version[] = [...bucket.keys.sorted.from("")].flatMap((key) => [...bucket.keys.versions(key)]);
  const objects = versions.filter((version): version is StoredObject => !isDeleteMarker(version));
  const uploads = [...bucket.uploads.all()];
  const bytes = (of: readonly StoredObject[], least = 0) =>
    of.reduce((sum, { sizeBytes }) => sum + Math.max(sizeBytes, least), 0);
  const standard = objects.filter(({ storageClass }) => storageClass === "Standard");
  const cold = Object.entries(COLD).map(([storageClass, name]): XmlFields => {
    const own = objects.filter((object) => object.storageClass === storageClass);
    return {
      [`${name}Storage`]: bytes(own, BILLED_BYTES),
      [`${name}RealStorage`]: bytes(own),
      [`${name}ObjectCount`]: own.length,
    };
  });
  exchange.sendXml("BucketStat", {
    Storage: bytes(objects),
    ObjectCount: objects.length,
    MultipartUploadCount: uploads.length,
    MultipartPartCount: uploads.reduce((sum, { parts }) => sum + Object.keys(parts).length, 0),
    LiveChannelCount: 0,
    // OSS counts once an hour and says when. A new bucket was not counted yet.
    LastModifiedTime: versions.length === 0 ? 0 : Math.floor(now / 1000),
    StandardStorage: bytes(standard),
    StandardObjectCount: standard.length,
    ...Object.assign({}, ...cold),
    DeleteMarkerCount: versions.length - objects.length,
  });
}

/** `?regions` lists the regions of this server, `?regions=oss-cn-shanghai` one. */
export async function describeRegions(operation: Operation): Promise<void> {
  operation.permit("oss:DescribeRegions");
  const { exchange, regions, caller } = operation;
  if (caller === undefined) throw accessDenied("Anonymous access is forbidden for this operation.");
  const wanted = exchange.query.get("regions") ?? "";
  const named = regions.filter((region) => wanted === "" || wanted === `oss-${region}`);
  // The suite of oss2 names the code.
  if (named.length === 0)
    throw new OssError(404, "NoSuchRegion", "The specified region does not exist.", { details: { Region: wanted } });
  exchange.sendXml("RegionInfoList", {
    RegionInfo: named.map((region) => {
      const { ExtranetEndpoint, IntranetEndpoint } = hosts(region);
      return {
        Region: `oss-${region}`,
        InternetEndpoint: ExtranetEndpoint,
        InternalEndpoint: IntranetEndpoint,
        AccelerateEndpoint: "oss-accelerate.aliyuncs.com",
      };
    }),
  });
}

/** The tags that a bucket must have to be listed: `tag-key` and `tag-value`, or `tagging="key":"value","key":"value"`. */
function wantedTags(query: ReadonlyMap<string, string>): (tags: Readonly<Record<string, string>>) => boolean {
  const [key, value] = [query.get("tag-key"), query.get("tag-value")];
  if (value !== undefined && key === undefined) throw invalidArgument("tag-value needs tag-key.", { name: "tag-value", value });
  const tagging = query.get("tagging") ?? "";
  const pairs = [...tagging.matchAll(/"([^"]*)":"([^"]*)"/g)].map(([, name = "", text = ""]): [string, string] => [name, text]);
  if (tagging !== "" && pairs.map(([name, text]) => `"${name}":"${text}"`).join(",") !== tagging)
    throw invalidArgument('tagging must be "key":"value", separated by commas.', { name: "tagging", value: tagging });
  return (tags) =>
    (key === undefined || (Object.hasOwn(tags, key) && (value === undefined || tags[key] === value))) &&
    pairs.every(([name, text]) => Object.hasOwn(tags, name) && tags[name] === text);
}

export async function listBuckets(operation: Operation): Promise<void> {
  operation.permit("oss:ListBuckets");
  const { exchange, store, caller } = operation;
  if (caller === undefined) throw accessDenied("Anonymous access is forbidden for this operation.");
  const prefix = exchange.query.get("prefix") ?? "";
  const marker = exchange.query.get("marker") ?? "";
  if (!/^[a-z0-9-]*$/.test(prefix))
    throw invalidArgument("The prefix has a character that no bucket name has.", { name: "prefix", value: prefix });
  const hasTags = wantedTags(exchange.query);
  const group = exchange.header("x-oss-resource-group-id") || undefined;
  const limit = numberParameter(exchange.query, "max-keys", { min: 1, max: 1000, fallback: 100 });
  const rest = store
    .all()
    .filter(
      ({ record }) => record.ownerId === caller.principal.accountId && record.name.startsWith(prefix) && record.name > marker,
    )
    .filter(({ record }) => hasTags(record.tags) && (group === undefined || group === resourceGroupOf(record)));
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
        ResourceGroupId: resourceGroupOf(record),
        StorageClass: record.storageClass,
        Tagging: exchange.query.has("tagging") ? tagSet(record.tags) : undefined,
      })),
    },
  });
}
