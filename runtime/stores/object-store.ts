/**
 * The port every store implements; the comments are the contract and `tests/conformance` holds each adapter to it.
 *
 * One instance serves one bucket. Keys are exact: no normalisation of slashes, dots, spaces or case. Every method rejects
 * with a `BridgeError`. Every method takes an optional `signal`; aborting it rejects the call and releases its sockets.
 */
import type { Readable } from "node:stream";
import type { ByteRange } from "../protocol/ports";
import type { ReplicationStatus } from "../protocol/replication-status";
import type { Checksum, ChecksumAlgorithm, ContentHeaders, Metadata, Tags } from "../protocol/snapshot";

export type { ByteRange };

export interface StoreCapabilities {
  /** `put`, `completeUpload` and `delete` honour `condition`. Where false, passing one throws `Unsupported`. */
  readonly conditionalWrites: boolean;
  /** `put` honours `{ ifAbsent: true }` at least (S3; OSS in an unversioned bucket). */
  readonly conditionalCreate: boolean;
  /** Checksums that a write may carry and the store verifies. The first is computed when the caller has none. */
  readonly checksums: readonly ChecksumAlgorithm[];
  /** Full-object checksums that a multipart completion may carry and the store verifies. */
  readonly multipartChecksums: readonly ChecksumAlgorithm[];
  readonly minPartSizeBytes: number;
  readonly maxPartSizeBytes: number;
  readonly maxParts: number;
  /** The largest object that one `put` may write. */
  readonly maxPutSizeBytes: number;
  readonly maxKeyBytes: number;
}

export interface ObjectHead {
  /** Absent in a bucket that keeps no versions. */
  versionId?: string;
  /** Opaque, quotes removed. */
  etag: string;
  sizeBytes: number;
  lastModified: Date;
  headers: ContentHeaders;
  /** All user metadata, provenance included. */
  metadata: Metadata;
  /** Full-object checksums that the store holds; empty when it holds none. */
  checksums: Checksum[];
  /**
   * How far the store's own replication of this version is. Only S3 says: OSS reports the progress of a whole bucket and never that of
   * one object. Absent too where no rule takes the object in.
   */
  replication?: ReplicationStatus;
}

/** Everything about an object besides its key and bytes. */
export interface ObjectAttributes {
  headers: ContentHeaders;
  metadata: Metadata;
  tags: Tags;
}

/** At most one of the two. */
export interface WriteCondition {
  /** Only over the object with this etag. */
  ifMatch?: string;
  /** Only where no object is visible. */
  ifAbsent?: true;
}

export interface CallOptions {
  signal?: AbortSignal;
}

export interface GetOptions extends CallOptions {
  /** Fails with `PreconditionFailed` when the current object has another etag. */
  ifMatch?: string;
  range?: ByteRange;
}

export interface PutOptions extends CallOptions {
  attributes: ObjectAttributes;
  /** Exact. A body that is shorter or longer fails and leaves nothing visible. */
  sizeBytes: number;
  /** Verified by the store before the object becomes visible; one is computed while streaming when absent. */
  checksum?: Checksum;
  condition?: WriteCondition;
}

export interface PutResult {
  etag: string;
  versionId?: string;
}

export interface UploadedPart {
  /** From 1. */
  partNumber: number;
  sizeBytes: number;
  etag: string;
  /** The part's own checksum where the store reports it; completion passes it back. */
  checksum?: Checksum;
}

export interface ListedObject {
  key: string;
  sizeBytes: number;
  etag: string;
  lastModified: Date;
  /** As the store calls it; absent where it tells none. */
  storageClass?: string;
}

export interface DeleteOptions extends CallOptions {
  /** Not together with `versionId`, which is exact already. */
  condition?: Pick<WriteCondition, "ifMatch">;
  /** Exactly this version, as `head` or a write told it. A bucket that keeps no versions tells none, so there is none to pass. */
  versionId?: string;
}

export interface PresignOptions {
  /** At most 604,800. The URL also dies with the credentials that signed it. */
  expiresInSeconds: number;
}

export interface ObjectStore {
  readonly capabilities: StoreCapabilities;

  /** The current object, or undefined where none is visible (a delete marker counts as none). */
  head(key: string, options?: CallOptions): Promise<ObjectHead | undefined>;
  /** Missing key: `NotFound`. */
  getTags(key: string, options?: CallOptions): Promise<Tags>;
  /** Replaces all tags. Missing key: `NotFound`. */
  putTags(key: string, tags: Tags, options?: CallOptions & { versionId?: string }): Promise<void>;

  /** Missing key: `NotFound`. The body must be consumed or destroyed. A cut connection surfaces as a stream error. */
  get(key: string, options?: GetOptions): Promise<{ head: Omit<ObjectHead, "checksums">; body: Readable }>;

  /**
   * Writes the whole object atomically: readers see the old object or the whole new one. `sizeBytes` may be 0.
   * Memory is bounded whatever the size. Storage class and encryption are the adapter's configuration.
   */
  put(key: string, body: Readable | Uint8Array, options: PutOptions): Promise<PutResult>;

  /**
   * Deleting a missing key succeeds (with `ifMatch` it may fail with `PreconditionFailed` or succeed). Where versions are kept, a delete
   * marker hides them; with `versionId` that version goes for good, no marker is made, the one before it becomes current if it was the
   * current one, and a version that is not there is gone already.
   */
  delete(key: string, options?: DeleteOptions): Promise<void>;

  /**
   * Makes the object new in place, so that the store's own replication and its events take it up: the same bytes, headers, metadata and
   * tags are written once more, by a copy inside the store, as one atomic write. Missing key: `NotFound`.
   *
   * What stays besides: the storage class, the encryption (unless the adapter is configured for a key), and the redirect of a website.
   * What changes: `lastModified`, the `versionId` where versions are kept, the etag of an object that was uploaded in parts, and a
   * checksum over part checksums. What is lost: an ACL of the object's own, and on the new version retention and legal hold.
   *
   * An object that changes meanwhile fails with `PreconditionFailed`, as one whose etag is not `ifMatch` does from the start, whatever
   * `conditionalWrites` says. Only where that is false may a write of the last moment be covered by the copy. One of the same bytes, and
   * thus the same etag, may lose its new headers where no versions are kept or the object is too large for a single copy.
   *
   * `Unsupported`: an object that must be restored from an archive first, and one that a copy would turn into something else.
   */
  touch(key: string, options?: CallOptions & { ifMatch?: string }): Promise<PutResult>;

  /** Nothing is visible at the key until `completeUpload`. `checksumAlgorithm` is the one parts will carry. */
  createUpload(
    key: string,
    options: CallOptions & { attributes: ObjectAttributes; checksumAlgorithm?: ChecksumAlgorithm },
  ): Promise<{ uploadId: string }>;
  /** Replaces an earlier part of the same number. Unknown upload: `NotFound`. */
  uploadPart(
    key: string,
    uploadId: string,
    partNumber: number,
    body: Uint8Array,
    options?: CallOptions & { checksum?: Checksum },
  ): Promise<UploadedPart>;
  /** Ascending by part number, all pages. Unknown, completed or aborted upload: `NotFound`. */
  listParts(key: string, uploadId: string, options?: CallOptions): Promise<UploadedPart[]>;
  /** Parts must be ascending. `checksum` is of the whole object and is verified where `multipartChecksums` has it. */
  completeUpload(
    key: string,
    uploadId: string,
    parts: UploadedPart[],
    options?: CallOptions & { condition?: WriteCondition; checksum?: Checksum },
  ): Promise<PutResult>;
  /** Aborting an unknown upload succeeds. */
  abortUpload(key: string, uploadId: string, options?: CallOptions): Promise<void>;

  /** Lexicographic by UTF-8 bytes, page by page, never the whole listing in memory. */
  list(prefix: string, options?: CallOptions & { startAfter?: string }): AsyncIterable<ListedObject>;

  /** A URL that GETs the current object; extra request headers such as `If-Match` and `Range` stay allowed. */
  presignGet(key: string, options: PresignOptions): Promise<string>;
}
