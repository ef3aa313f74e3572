/**
 * The state of a source object at one moment. The sender takes it, the receiver makes the destination equal to it.
 * It travels as JSON between the clouds, so everything is plain data.
 */
import * as z from "./schema";

/** Full-object checksums that a store computes and verifies by itself. Values are base64 of the big-endian digest. */
export const CHECKSUM_ALGORITHMS = ["CRC64NVME", "CRC32", "CRC32C", "SHA256", "SHA1", "CRC64XZ"] as const;
export type ChecksumAlgorithm = (typeof CHECKSUM_ALGORITHMS)[number];

export const checksumSchema = z.strictObject({
  algorithm: z.enum(CHECKSUM_ALGORITHMS),
  value: z.string().check(z.minLength(1), z.maxLength(128)),
});
/** A checksum over the whole object, never one of part checksums. */
export type Checksum = z.infer<typeof checksumSchema>;

/** Text above U+00FF has no such form: earlier senders sent it decoded from UTF-8. */
const headerValue = z.pipe(
  z.string().check(z.maxLength(8192)),
  z.transform((value) => (/[\u0100-\uffff]/.test(value) ? Buffer.from(value, "utf8").toString("latin1") : value)),
);

/**
 * The headers that are stored with an object and replicated with it. Values are the bytes of the header, one character a byte: a value that is no
 * ASCII (most often UTF-8 in a file name) must arrive as it is.
 */
export const contentHeadersSchema = z.strictObject({
  contentType: z.optional(headerValue),
  cacheControl: z.optional(headerValue),
  contentDisposition: z.optional(headerValue),
  contentEncoding: z.optional(headerValue),
  contentLanguage: z.optional(headerValue),
  /** The HTTP date as the store returned it. */
  expires: z.optional(headerValue),
  /** S3's redirect of a website's page. OSS has none, so its adapter keeps it in the metadata. */
  websiteRedirectLocation: z.optional(headerValue),
});
export type ContentHeaders = { [K in keyof z.infer<typeof contentHeadersSchema>]?: string };

/**
 * User metadata: lower-case names without the vendor's prefix; values are Unicode text. Users choose the names, so `__proto__` and
 * `constructor` occur. Build such a record with a spread or `Object.fromEntries`, and read it with `ownValue`.
 */
export type Metadata = Record<string, string>;
/** Object tags, both sides Unicode text. For their names the rule of `Metadata` holds. */
export type Tags = Record<string, string>;

/** The record's own value. Every object inherits a property named "constructor". */
export function ownValue<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

/** A record of texts under any names. `z.record` drops the name `__proto__` without a word. */
export function textRecord(limits: { nameCharacters: number; valueCharacters: number }) {
  return z.pipe(
    z.unknown(),
    z.transform((input, context): Record<string, string> => {
      const refuse = (message: string, path: string[] = []) => {
        context.issues.push({ code: "custom", message, input, path });
        return z.NEVER;
      };
      if (typeof input !== "object" || input === null || Array.isArray(input)) return refuse("not a record of texts");
      const entries: [string, string][] = [];
      for (const [name, value] of Object.entries(input)) {
        if (name === "" || name.length > limits.nameCharacters)
          return refuse(`the name has not 1 to ${limits.nameCharacters} characters`, [name]);
        if (typeof value !== "string" || value.length > limits.valueCharacters)
          return refuse(`the value is no text of at most ${limits.valueCharacters} characters`, [name]);
        entries.push([name, value]);
      }
      return Object.fromEntries(entries);
    }),
  );
}

/** An archived object whose bytes cannot be read now. */
export const archiveSchema = z.strictObject({
  /** The store's own name for the class or the tier. */
  storageClass: z.string().check(z.minLength(1), z.maxLength(64)),
  /** `ongoing`: a restore runs. */
  restore: z.enum(["none", "ongoing"]),
});

export const snapshotSchema = z.strictObject({
  /** Absent in a bucket that keeps no versions. */
  versionId: z.optional(z.string().check(z.minLength(1), z.maxLength(1024))),
  /** Opaque, with its quotes removed; never compared with a computed digest. */
  etag: z.string().check(z.minLength(1), z.maxLength(256)),
  sizeBytes: z.count,
  /** ISO 8601, the source store's own clock, one-second resolution. Only ever compared with values of the same store. */
  lastModified: z.iso.datetime(),
  headers: contentHeadersSchema,
  metadata: textRecord({ nameCharacters: 1024, valueCharacters: 8192 }),
  tags: textRecord({ nameCharacters: 256, valueCharacters: 512 }),
  checksum: z.optional(checksumSchema),
  archive: z.optional(archiveSchema),
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
  /** Not a part of the state: a restore changes nothing but who can read the bytes. */
  archive?: z.infer<typeof archiveSchema> | undefined;
}
