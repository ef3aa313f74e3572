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
  /** CRC-64/XZ, base64 of its big-endian bytes. */
  crc64: string;
  /** Base64; only where one request brought all bytes. */
  md5?: string;
}

export interface Attributes {
  /** Content-Type, Cache-Control, ... by lower-case name, as bytes in Latin-1. */
  headers: Record<string, string>;
  /** Without `x-oss-meta-`. */
  metadata: Record<string, string>;
  tags: Record<string, string>;
  acl?: Acl;
  storageClass: string;
  encryption?: { algorithm: string; keyId?: string };
}

export interface StoredObject extends Content, Attributes {
  /** `null` for what was written while versioning was not enabled. */
  versionId: string;
  lastModified: number;
  type: ObjectType;
  /** Upper-case hexadecimal, without quotes. */
  etag: string;
  symlinkTarget?: string;
}

export interface DeleteMarker {
  versionId: string;
  lastModified: number;
  deleteMarker: true;
}

export type Version = StoredObject | DeleteMarker;

/** All versions of a key, the newest first; a key without versions is not kept. */
export interface KeyRecord {
  key: string;
  versions: Version[];
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
  encryption?: { algorithm: string; keyId?: string };
  /** Settings that are only kept and given back, by subresource. */
  documents: Record<string, XmlFields>;
}

export const isDeleteMarker = (version: Version): version is DeleteMarker => "deleteMarker" in version;
