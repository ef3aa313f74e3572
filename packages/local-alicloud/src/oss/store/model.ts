import type { XmlFields } from "../xml";

/** What is kept on disk, as JSON. Times are ms since the epoch. */

export type Versioning = "Enabled" | "Suspended";
export type ObjectType = "Normal" | "Multipart" | "Appendable" | "Symlink";
export type Acl = "private" | "public-read" | "public-read-write";

/** A file under the bucket's data folder. */
export interface Segment {
  file: string;
  sizeBytes: number;
}

/** Bytes with what was computed while they were received. */
export interface Content {
  /** In order; an object made of parts has one each. */
  segments: Segment[];
  sizeBytes: number;
  /** CRC-64/XZ, decimal. */
  crc64: string;
  /** Base64; only where one request brought all bytes. */
  md5?: string;
}

export interface Encryption {
  /** `AES256`, `KMS` or `SM4`. */
  algorithm: string;
  /** Of a key of the customer's. */
  keyId?: string;
  /** What KMS encrypts with, where it is not AES256. */
  dataAlgorithm?: "SM4";
}

export interface Attributes {
  /** Content-Type, Cache-Control, ... by lower-case name, as bytes in Latin-1. */
  headers: Record<string, string>;
  /** Without `x-oss-meta-`. */
  metadata: Record<string, string>;
  tags: Record<string, string>;
  acl?: Acl;
  storageClass: string;
  encryption?: Encryption;
}

export interface StoredObject extends Content, Attributes {
  /** `null` for what was written while versioning was not enabled. */
  versionId: string;
  lastModified: number;
  type: ObjectType;
  /** Upper-case hexadecimal, without quotes. */
  etag: string;
  symlinkTarget?: string;
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

/** The ids of the versions that each replication rule, by its id, has yet to look at. */
export type Pending = Readonly<Record<string, readonly string[]>>;

/** All versions of a key, the newest first; a key without versions is kept for as long as something is pending. */
export interface KeyRecord {
  key: string;
  versions: Version[];
  /** Written together with the versions, so that no change is forgotten whenever the process ends. */
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
  /** Any of them; none for every key. */
  prefixes: string[];
  /** Of `ALL`, `PUT`, `DELETE` and `ABORT`. */
  actions: string[];
  destination: { bucket: string; location: string; transferType: "internal" | "oss_acc" };
  /** `closing` from its deletion until nothing of it is under way. */
  status: "doing" | "closing";
  /** What the bucket had before the rule; `count` once all of it is pending, so that a restart need not list again. */
  historical?: { count?: number };
  /** Name of the RAM role that OSS replicates as. */
  syncRole: string;
  /** Whether objects under a KMS key of the customer's are replicated, and under which key their replicas are. */
  kms?: { enabled: boolean; replicaKeyId?: string };
  rtc?: boolean;
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
  /** Undefined until it is first set. */
  transferAcceleration?: boolean;
  publicAccessBlock: boolean;
  /** TLS versions that https requests may use. */
  tlsVersions?: string[];
  tags: Record<string, string>;
  policy?: unknown;
  encryption?: Encryption;
  replication?: ReplicationRule[];
  /** Kept and given back, not acted upon. */
  lifecycle?: XmlFields;
}

export const isDeleteMarker = (version: Version): version is DeleteMarker => "deleteMarker" in version;
