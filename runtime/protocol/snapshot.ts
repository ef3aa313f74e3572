/**
 * The state of a source object at one moment. The sender takes it, the receiver makes the destination equal to it.
 * It travels as JSON between the clouds, so everything is plain data.
 */
import * as z from "zod";

/** Full-object checksums that a store computes and verifies by itself. Values are base64 of the big-endian digest. */
export const CHECKSUM_ALGORITHMS = ["CRC64NVME", "CRC32", "CRC32C", "SHA256", "SHA1", "CRC64XZ"] as const;
export type ChecksumAlgorithm = (typeof CHECKSUM_ALGORITHMS)[number];

export const checksumSchema = z.strictObject({
  algorithm: z.enum(CHECKSUM_ALGORITHMS),
  value: z.string().min(1).max(128),
});
/** A checksum over the whole object, never one of part checksums. */
export type Checksum = z.infer<typeof checksumSchema>;

const headerValue = z.string().max(8192);

/** The content headers that are stored with an object and replicated with it. Values are kept unchanged. */
export const contentHeadersSchema = z.strictObject({
  contentType: headerValue.optional(),
  cacheControl: headerValue.optional(),
  contentDisposition: headerValue.optional(),
  contentEncoding: headerValue.optional(),
  contentLanguage: headerValue.optional(),
  /** The HTTP date as the store returned it. */
  expires: headerValue.optional(),
});
export type ContentHeaders = { [K in keyof z.infer<typeof contentHeadersSchema>]?: string };

/** User metadata: lower-case names without the vendor's prefix; values are Unicode text. */
export type Metadata = Record<string, string>;
/** Object tags, both sides Unicode text. */
export type Tags = Record<string, string>;

export const snapshotSchema = z.strictObject({
  /** Absent in a bucket that keeps no versions. */
  versionId: z.string().min(1).max(1024).optional(),
  /** Opaque, with its quotes removed; never compared with a computed digest. */
  etag: z.string().min(1).max(256),
  sizeBytes: z.number().int().nonnegative(),
  /** ISO 8601, the source store's own clock, one-second resolution. Only ever compared with values of the same store. */
  lastModified: z.iso.datetime(),
  headers: contentHeadersSchema,
  metadata: z.record(z.string().min(1).max(1024), z.string().max(8192)),
  tags: z.record(z.string().min(1).max(256), z.string().max(512)),
  checksum: checksumSchema.optional(),
});

export interface ObjectSnapshot {
  versionId?: string;
  etag: string;
  sizeBytes: number;
  lastModified: string;
  headers: ContentHeaders;
  metadata: Metadata;
  tags: Tags;
  checksum?: Checksum;
}
