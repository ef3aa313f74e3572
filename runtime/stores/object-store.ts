/**
 * The ports of storage. Their comments are the contract, and `tests/conformance` holds every adapter to it.
 *
 * One instance serves one bucket. Keys are exact: slashes, dots, spaces and case stay as they are. Every method rejects with a
 * `BridgeError`. Every method takes a `signal`: aborting it rejects the call with `Unavailable` and releases its sockets.
 */
import type { Readable } from "node:stream";
import type { ByteRange } from "../protocol/ports";
import type { ReplicationStatus } from "../protocol/replication-status";
import type { Checksum, ChecksumAlgorithm, ContentHeaders, Metadata, Tags } from "../protocol/snapshot";
import type { Archive } from "./unreadable";

export interface StoreCapabilities {
  /** `put`, `completeUpload` and `delete` honour every `condition`. Where this is false, passing one throws `Unsupported`. */
  readonly conditionalWrites: boolean;
  /** `put` honours `{ ifAbsent: true }`, whatever `conditionalWrites` says (S3; OSS in a bucket that keeps no versions). */
  readonly conditionalCreate: boolean;
  /** Checksums that a write may carry and that the store verifies. The first is computed when the caller gives none. */
  readonly checksums: readonly ChecksumAlgorithm[];
  /** Checksums of the whole object that `completeUpload` may carry and that the store verifies. */
  readonly multipartChecksums: readonly ChecksumAlgorithm[];
  /** `uploadPart` fails unless the store's answer confirms the bytes that were sent, also without a `checksum`. */
  readonly confirmsParts: boolean;
  /** Applies to every part but the last. */
  readonly minPartSizeBytes: number;
  readonly maxPartSizeBytes: number;
  readonly maxParts: number;
  /** The largest object that one `put` may write. */
  readonly maxPutSizeBytes: number;
  /** Counted in UTF-8. */
  readonly maxKeyBytes: number;
  /** The user metadata of one object: the vendor's limit, and how many bytes of it some metadata takes. */
  readonly metadata: { readonly maxBytes: number; bytesOf(metadata: Metadata): number };
}

export interface ObjectHead {
  /** Absent in a bucket that keeps no versions. */
  versionId?: string;
  /** Opaque; its quotes are removed. */
  etag: string;
  sizeBytes: number;
  lastModified: Date;
  headers: ContentHeaders;
  /**
   * Headers whose value the store did not show, and which `headers` does not have: the object may have them or not. OSS hides Content-Disposition
   * where it forces a download.
   */
  hiddenHeaders?: readonly (keyof ContentHeaders)[] | undefined;
  /** All user metadata, provenance included. */
  metadata: Metadata;
  /** The checksums of the whole object that the store holds; empty when it holds none. */
  checksums: Checksum[];
  /** Absent where it is not certain how many tags the object has; then `getTags` tells. 0 is certain. */
  tagCount?: number | undefined;
  /**
   * The progress of the store's own replication of this version. Only S3 reports it: OSS reports the progress of a whole bucket. Absent
   * too where no replication rule covers the object.
   */
  replication?: ReplicationStatus;
  /**
   * Present where the store says that the object is archived. `get` then fails with `Unsupported` unless its restore is done. An object without
   * it can be archived all the same: OSS can let readers have objects of the class Archive, and does not tell.
   */
  archive?: Archive | undefined;
}

/** Everything about an object besides its key and its bytes. */
export interface ObjectAttributes {
  headers: ContentHeaders;
  metadata: Metadata;
  tags: Tags;
}

/** At most one of the two; both together are `Invalid`. */
export interface WriteCondition {
  /** Write only over the object with this etag. */
  ifMatch?: string | undefined;
  /** Write only where no object is visible. */
  ifAbsent?: true | undefined;
}

export interface CallOptions {
  signal?: AbortSignal | undefined;
}

export interface GetOptions extends CallOptions {
  /** Fails with `PreconditionFailed` when the current object has another etag. */
  ifMatch?: string | undefined;
  /** Only these bytes. A range that begins beyond the end is `Invalid`; one that ends beyond it is cut. */
  range?: ByteRange | undefined;
}

export interface PutTagsOptions extends CallOptions {
  /** Tags this version. @default the current one */
  versionId?: string | undefined;
}

export interface PutOptions extends CallOptions {
  attributes: ObjectAttributes;
  /** Exact. A body that is shorter or longer fails with `Corrupted` and leaves nothing visible. */
  sizeBytes: number;
  /** The store verifies it before the object becomes visible. Without it, one is computed while streaming. */
  checksum?: Checksum | undefined;
  condition?: WriteCondition | undefined;
}

export interface PutResult {
  etag: string;
  /** Absent in a bucket that keeps no versions. */
  versionId?: string;
  /** The checksums of the whole object that the store reports in its answer to the write; absent where it reports none. */
  checksums?: Checksum[] | undefined;
}

export interface DeleteOptions extends CallOptions {
  /** Not together with `versionId`, which is exact already: both are `Invalid`. */
  condition?: Pick<WriteCondition, "ifMatch"> | undefined;
  /** Deletes exactly this version, as `head` or a write reported it. */
  versionId?: string | undefined;
}

export interface TouchOptions extends CallOptions {
  /** Fails with `PreconditionFailed` when the current object has another etag. */
  ifMatch?: string | undefined;
}

export interface CreateUploadOptions extends CallOptions {
  attributes: ObjectAttributes;
  /** The kind of checksum that the store computes over the whole object. A part that is sent without one gets it from the store. */
  checksumAlgorithm?: ChecksumAlgorithm | undefined;
}

export interface UploadPartOptions extends CallOptions {
  /** The checksum of the part's bytes; the store verifies it. */
  checksum?: Checksum | undefined;
  /** Required with a stream, and exact. */
  sizeBytes?: number | undefined;
}

export interface CompleteUploadOptions extends CallOptions {
  condition?: WriteCondition | undefined;
  /** The checksum of the whole object. It is verified where `multipartChecksums` has its algorithm, and ignored elsewhere. */
  checksum?: Checksum | undefined;
}

/** Names one part of an upload. */
export interface PartId {
  uploadId: string;
  /** From 1. */
  partNumber: number;
}

export interface UploadedPart {
  partNumber: number;
  sizeBytes: number;
  etag: string;
  /** The part's own checksum, where the store reports it; completion passes it back. */
  checksum?: Checksum;
}

export interface ListOptions extends CallOptions {
  /** Only keys that sort after this one. */
  startAfter?: string | undefined;
}

export interface ListedObject {
  key: string;
  sizeBytes: number;
  etag: string;
  lastModified: Date;
}

export interface PresignOptions {
  /** @default "object" */
  reads?: "object" | "tags" | undefined;
  /** A whole number from 1 to 604,800. The URL also ends with the credentials that signed it. */
  expiresInSeconds: number;
}

/** One bucket. Make one with `createS3Store`, `createOssStore` or `MemoryStore`: each checks its arguments first (`CheckedStore`). */
export interface ObjectStore {
  readonly capabilities: StoreCapabilities;

  /** The current object. Undefined where none is visible; a delete marker hides the object. */
  head(key: string, options?: CallOptions): Promise<ObjectHead | undefined>;
  /** The tags of the current object. Missing key: `NotFound`. */
  getTags(key: string, options?: CallOptions): Promise<Tags>;
  /** Replaces all tags. Missing key: `NotFound`. */
  putTags(key: string, tags: Tags, options?: PutTagsOptions): Promise<void>;

  /**
   * Opens the current object. Missing key: `NotFound`. The caller must read the body to its end or destroy it. A connection that breaks
   * later is an error of the body.
   */
  get(key: string, options?: GetOptions): Promise<{ head: Omit<ObjectHead, "checksums">; body: Readable }>;

  /**
   * Writes the whole object atomically: readers see the old object or the whole new one. `sizeBytes` may be 0. Memory is bounded whatever
   * the size. A stream is destroyed when the call fails. The adapter's configuration decides storage class and encryption.
   */
  put(key: string, body: Readable | Uint8Array, options: PutOptions): Promise<PutResult>;

  /**
   * Deletes the current object. Deleting a missing key succeeds; with `ifMatch` it succeeds or fails with `PreconditionFailed`. Where
   * versions are kept, this adds a delete marker, which hides them.
   *
   * With `versionId`, that version is removed for good and no marker is added. If it was the current version, the one before it becomes
   * current. A version that does not exist counts as deleted.
   */
  delete(key: string, options?: DeleteOptions): Promise<void>;

  /**
   * Writes the object again in place, so that the store's own replication and its events take it up. A copy inside the store writes the
   * same bytes, headers, metadata and tags as one atomic write. Missing key: `NotFound`.
   *
   * - Also kept: the storage class, the encryption (unless the adapter is configured with a key), the redirect of a website.
   * - Changed: `lastModified`; `versionId` where versions are kept; the etag of an object that was uploaded in parts; a checksum that was
   *   computed over part checksums.
   * - Lost: an ACL of the object's own; retention and legal hold on the new version.
   *
   * `PreconditionFailed`: the etag is not `ifMatch`, or the object changed meanwhile. Where `conditionalWrites` is false, the copy
   * may overwrite a write of the last moment. A concurrent write of equal bytes has the same etag; it may lose its new headers where no
   * versions are kept, or where the object is too large for one copy.
   *
   * `Unsupported`: the object must be restored from an archive first, or a copy would change its type.
   */
  touch(key: string, options?: TouchOptions): Promise<PutResult>;

  /** Starts an upload in parts. Nothing is visible at the key until `completeUpload`. */
  createUpload(key: string, options: CreateUploadOptions): Promise<{ uploadId: string }>;
  /**
   * Stores one part; it replaces an earlier part of the same number. Unknown upload: `NotFound`. A stream goes to the store as it arrives and is sent
   * once: the caller reads the bytes again after a failure. It is destroyed when the call fails.
   */
  uploadPart(key: string, part: PartId, body: Readable | Uint8Array, options?: UploadPartOptions): Promise<UploadedPart>;
  /** Every part, ascending by number. Unknown, completed or aborted upload: `NotFound`. */
  listParts(key: string, uploadId: string, options?: CallOptions): Promise<UploadedPart[]>;
  /** Makes the object visible from these parts, which must ascend. Parts that are left out are dropped. */
  completeUpload(key: string, uploadId: string, parts: UploadedPart[], options?: CompleteUploadOptions): Promise<PutResult>;
  /** Drops the upload and its parts. Aborting an unknown upload succeeds. */
  abortUpload(key: string, uploadId: string, options?: CallOptions): Promise<void>;

  /**
   * Every object below the prefix, ordered by the UTF-8 bytes of the keys. Reads page by page; only one page is in memory. It ends only after
   * the store's last page: an answer that is no whole page is `Unexpected`.
   */
  list(prefix: string, options?: ListOptions): AsyncIterable<ListedObject>;
  /** The same listing in the pages of the store, for readers of very many objects. A page may be empty. */
  listPages(prefix: string, options?: ListOptions): AsyncIterable<ListedObject[]>;

  /**
   * A URL that GETs the current object, or the XML document of its tags, which S3 and OSS share. A reader of the object may add headers such
   * as `If-Match` and `Range`.
   */
  presignGet(key: string, options: PresignOptions): Promise<string>;
}

/** The end of a growing object at one moment. */
export interface AppendedTail {
  bytes: Buffer;
  /** The size of the whole object. */
  sizeBytes: number;
}

/** Objects that only grow: their length is their version. A store without conditional writes can still append atomically (OSS). */
export interface AppendStore {
  /**
   * Adds all of the bytes or none. The object must be `position` bytes long at that moment; with `position` 0 it must not exist. Otherwise
   * `PreconditionFailed`. The request is sent once: after `Unavailable` it may have landed, and it may still land as long as the object is
   * `position` bytes long.
   */
  append(key: string, position: number, bytes: Uint8Array, options?: CallOptions): Promise<{ sizeBytes: number }>;
  /** The last `maxBytes`, or the whole object where it is shorter. Undefined where there is none. */
  readTail(key: string, maxBytes: number, options?: CallOptions): Promise<AppendedTail | undefined>;
}
