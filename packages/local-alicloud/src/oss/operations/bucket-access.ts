/** Access to a bucket: ACL, policy, Block Public Access, TLS versions. */
import { isAcl } from "../attributes";
import type { Operation } from "../operation";
import { accessDenied, invalidArgument, malformedXml, OssError } from "../oss-error";
import { type BucketPolicy, isPublic, parsePolicy } from "../policy";
import { parseXmlBody, type XmlElement } from "../xml-body";
import { ownerOf } from "./list-objects";

/** @throws OssError `MalformedXML` */
export function readBoolean(element: XmlElement): boolean {
  const text = element.text.trim().toLowerCase();
  if (text !== "true" && text !== "false") throw malformedXml(`${element.text} is neither true nor false.`);
  return text === "true";
}

/** By the bucket's own setting or by that of the account. */
const isBlocked = ({ store, bucket: { record } }: Operation): boolean =>
  record.publicAccessBlock || store.blocksPublicAccess(record.ownerId);

/** https://www.alibabacloud.com/help/en/oss/developer-reference/putbucketacl */
export async function putBucketAcl(operation: Operation): Promise<void> {
  operation.permit("oss:PutBucketAcl");
  const { bucket, exchange } = operation;
  const acl = exchange.header("x-oss-acl") ?? "";
  if (!isAcl(acl)) throw invalidArgument("The acl you specified is invalid.", { name: "x-oss-acl", value: acl });
  if (acl !== "private" && isBlocked(operation))
    throw accessDenied("Put public bucket acl is not allowed: Block Public Access is on for this bucket.");
  await bucket.configure({ acl });
  exchange.send(200, { location: `/${bucket.name}` });
}

export async function getBucketAcl(operation: Operation): Promise<void> {
  operation.permit("oss:GetBucketAcl");
  const { bucket, exchange } = operation;
  exchange.sendXml("AccessControlPolicy", { Owner: ownerOf(bucket), AccessControlList: { Grant: bucket.record.acl } });
}

/** https://www.alibabacloud.com/help/en/oss/developer-reference/putbucketpolicy */
export async function putBucketPolicy(operation: Operation): Promise<void> {
  operation.permit("oss:PutBucketPolicy");
  const { bucket, exchange } = operation;
  const policyText = (await exchange.readDocument()).toString("utf8");
  const policy = parsePolicy(policyText);
  if (isPublic(policy) && isBlocked(operation))
    throw accessDenied("Put public bucket policy is not allowed: Block Public Access is on for this bucket.");
  await bucket.configure({ policy, policyText });
  exchange.send(200);
}

const noSuchPolicy = (bucket: string) =>
  new OssError(404, "NoSuchBucketPolicy", "The bucket policy does not exist.", { details: { BucketName: bucket } });

export async function getBucketPolicy(operation: Operation): Promise<void> {
  operation.permit("oss:GetBucketPolicy");
  const { record } = operation.bucket;
  if (record.policy === undefined) throw noSuchPolicy(record.name);
  const text = record.policyText ?? JSON.stringify(record.policy);
  operation.exchange.send(200, { "content-type": "application/json" }, text);
}

export async function deleteBucketPolicy(operation: Operation): Promise<void> {
  operation.permit("oss:DeleteBucketPolicy");
  await operation.bucket.unset("policy", "policyText");
  operation.exchange.send(204);
}

/** https://www.alibabacloud.com/help/en/oss/developer-reference/getbucketpolicystatus */
export async function getBucketPolicyStatus(operation: Operation): Promise<void> {
  operation.permit("oss:GetBucketPolicyStatus");
  const policy = operation.bucket.record.policy as BucketPolicy | undefined;
  operation.exchange.sendXml("PolicyStatus", { IsPublic: policy !== undefined && isPublic(policy) });
}

/** https://www.alibabacloud.com/help/en/oss/developer-reference/putbucketpublicaccessblock */
export async function putPublicAccessBlock(operation: Operation): Promise<void> {
  operation.permit("oss:PutBucketPublicAccessBlock");
  const document = await parseXmlBody(await operation.exchange.readDocument(), "PublicAccessBlockConfiguration");
  await operation.bucket.configure({ publicAccessBlock: readBoolean(document.required("BlockPublicAccess")) });
  operation.exchange.send(200);
}

export async function getPublicAccessBlock(operation: Operation): Promise<void> {
  operation.permit("oss:GetBucketPublicAccessBlock");
  operation.exchange.sendXml("PublicAccessBlockConfiguration", { BlockPublicAccess: operation.bucket.record.publicAccessBlock });
}

export async function deletePublicAccessBlock(operation: Operation): Promise<void> {
  operation.permit("oss:DeleteBucketPublicAccessBlock");
  await operation.bucket.configure({ publicAccessBlock: false });
  operation.exchange.send(204);
}

const accountOf = ({ caller }: Operation): string => {
  if (caller === undefined) throw accessDenied("Anonymous access is forbidden for this operation.");
  return caller.principal.accountId;
};

/** For all buckets of the account. https://www.alibabacloud.com/help/en/oss/developer-reference/putpublicaccessblock */
export async function putAccountAccessBlock(operation: Operation): Promise<void> {
  operation.permit("oss:PutPublicAccessBlock");
  const account = accountOf(operation);
  const document = await parseXmlBody(await operation.exchange.readDocument(), "PublicAccessBlockConfiguration");
  await operation.store.setPublicAccessBlock(account, readBoolean(document.required("BlockPublicAccess")));
  operation.exchange.send(200);
}

export async function getAccountAccessBlock(operation: Operation): Promise<void> {
  operation.permit("oss:GetPublicAccessBlock");
  const BlockPublicAccess = operation.store.blocksPublicAccess(accountOf(operation));
  operation.exchange.sendXml("PublicAccessBlockConfiguration", { BlockPublicAccess });
}

export async function deleteAccountAccessBlock(operation: Operation): Promise<void> {
  operation.permit("oss:DeletePublicAccessBlock");
  await operation.store.setPublicAccessBlock(accountOf(operation), false);
  operation.exchange.send(204);
}

const TLS_VERSIONS = new Set(["TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"]);

/** https://www.alibabacloud.com/help/en/oss/developer-reference/putbuckethttpsconfig */
export async function putHttpsConfig(operation: Operation): Promise<void> {
  operation.permit("oss:PutBucketHttpsConfig");
  const document = await parseXmlBody(await operation.exchange.readDocument(), "HttpsConfiguration");
  const tls = document.required("TLS");
  const versions = [...new Set(tls.all("TLSVersion").map(({ text }) => text.trim()))];
  const unknown = versions.find((version) => !TLS_VERSIONS.has(version));
  if (unknown !== undefined) throw malformedXml(`${unknown} is not a TLS version.`);
  if (readBoolean(tls.required("Enable"))) {
    if (versions.length === 0) throw malformedXml("An enabled TLS setting names at least one TLSVersion.");
    await operation.bucket.configure({ tlsVersions: versions });
  } else await operation.bucket.unset("tlsVersions");
  const cipherSuite = document.first("CipherSuite")?.toFields();
  if (cipherSuite === undefined) await operation.bucket.unset("cipherSuite");
  else await operation.bucket.configure({ cipherSuite });
  operation.exchange.send(200);
}

export async function getHttpsConfig(operation: Operation): Promise<void> {
  operation.permit("oss:GetBucketHttpsConfig");
  const { tlsVersions, cipherSuite } = operation.bucket.record;
  const TLS = { Enable: tlsVersions !== undefined, TLSVersion: tlsVersions ?? [] };
  operation.exchange.sendXml("HttpsConfiguration", { TLS, CipherSuite: cipherSuite });
}
