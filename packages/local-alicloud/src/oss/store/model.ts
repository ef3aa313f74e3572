import type { XmlFields } from "../xml";

/** The records on disk, stored as JSON. Times are ms since the epoch. */

export type Versioning = "Enabled" | "Suspended";
export type ObjectType = "Normal" | "Multipart" | "Appendable" | "Symlink";
export type Acl = "private" | "public-read" | "public-read-write";

/** A file under the bucket's data folder. */
export interface Segment {
  file: string;
  sizeBytes: number;
}

/** Stored bytes and their checksums. */
export interface Content {
  /** In order. An object that was uploaded in parts has one for each part. */
  segments: Segment[];
  sizeBytes: number;
  /** CRC-64/XZ, decimal. */
  crc64: string;
  /** Base64. Only when one request sent all bytes. */
  md5?: string;
}

export interface Encryption {
  /** `AES256`, `KMS` or `SM4`. */
  algorithm: string;
  /** Id of the customer's key. */
  keyId?: string;
  /** The algorithm that KMS uses when it is not AES256. */
  dataAlgorithm?: "SM4";
}

export interface Attributes {
  /** Content-Type, Cache-Control, ... by lower-case name. Values are bytes in Latin-1. */
  headers: Record<string, string>;
  /** Without `x-oss-meta-`. */
  metadata: Record<string, string>;
  tags: Record<string, string>;
  acl?: Acl | undefined;
  storageClass: string;
  encryption?: Encryption;
}

export interface StoredObject extends Content, Attributes {
  /** `null` when it was written while versioning was not enabled. */
  versionId: string;
  lastModified: number;
  type: ObjectType;
  /** Upper-case hexadecimal, without quotes. */
  etag: string;
  symlinkTarget?: string;
  /** The last restore of an archived object. */
  restore?: { readableFrom: number; readableUntil: number };
  /** The bucket that it was replicated from. */
  replicaOf?: string;
}

export interface DeleteMarker {
  versionId: string;
  lastModified: number;
  deleteMarker: true;
  replicaOf?: string;
}

export type Version = StoredObject | DeleteMarker;

/** Ids of the versions that are not replicated yet, by the id of the rule. */
export type Pending = Readonly<Record<string, readonly string[]>>;

/** All versions of a key, newest first. A key without versions stays while replication is pending. */
export interface KeyRecord {
  key: string;
  versions: Version[];
  /** Written together with the versions, so that no change is lost when the process ends. */
  pending?: Pending;
}

export interface Part extends Content {
  partNumber: number;
  etag: string;
  lastModified: number;
}

export interface Upload {
  uploadId: string;
  key: string;
  initiated: number;
  attributes: Attributes;
  parts: Record<number, Part>;
}

/** https://www.alibabacloud.com/help/en/oss/developer-reference/putbucketreplication */
export interface ReplicationRule {
  id: string;
  createdAt: number;
  /** The rule applies to keys with any of these; empty: to every key. */
  prefixes: string[];
  /** Some of `ALL`, `PUT`, `DELETE` and `ABORT`. */
  actions: string[];
  destination: { bucket: string; location: string; transferType: "internal" | "oss_acc" };
  /** `closing` from the deletion of the rule until its running work has ended. */
  status: "doing" | "closing";
  /** Replication of objects older than the rule. `count` is set when all of them are pending, so that a restart does not list again. */
  historical?: { count?: number };
  /** Name of the RAM role that OSS replicates as. Without one, OSS replicates for the owner of both buckets. */
  syncRole?: string;
  /** Whether objects encrypted with a customer's KMS key are replicated, and the key of their replicas. */
  kms?: { enabled: boolean; replicaKeyId?: string };
  rtc?: boolean;
}

/** The certificate of a custom domain, without its key. */
export interface DomainCertificate {
  certId: string;
  boundAt: number;
  /** The last three are known for a certificate that was uploaded. */
  fingerprint?: string;
  validFrom?: number;
  validTo?: number;
}

/** A custom domain of a bucket. */
export interface BoundDomain {
  /** In lower case. */
  domain: string;
  boundAt: number;
  certificate?: DomainCertificate;
}

export interface BucketRecord {
  name: string;
  region: string;
  ownerId: string;
  createdAt: number;
  storageClass: string;
  redundancy: string;
  acl: Acl;
  versioning?: Versioning;
  /** Undefined until it is set for the first time. */
  transferAcceleration?: boolean;
  publicAccessBlock: boolean;
  /** TLS versions that https requests may use. */
  tlsVersions?: string[];
  /** Cipher suites for https, stored and returned without effect. */
  cipherSuite?: XmlFields;
  tags: Record<string, string>;
  policy?: unknown;
  /** The policy as it was put. */
  policyText?: string;
  encryption?: Encryption;
  replication?: ReplicationRule[];
  /** Stored and returned without effect. */
  lifecycle?: XmlFields;
  domains?: BoundDomain[];
  /** Tokens that prove the ownership of a domain, by domain. */
  domainTokens?: Record<string, { token: string; expiresAt: number }>;
  /** Inventory configurations by id, stored and returned without effect. */
  inventories?: Record<string, XmlFields>;
  /** When access monitoring was enabled. Ms since the epoch. */
  accessMonitoredSince?: number | undefined;
  /** Settings that are stored and returned, by subresource, e.g. `cors`. */
  documents?: Record<string, XmlFields>;
}

export const isDeleteMarker = (version: Version): version is DeleteMarker => "deleteMarker" in version;
