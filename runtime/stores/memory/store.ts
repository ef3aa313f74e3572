/** The port in memory: the simplest store that keeps the contract, and the fake for everything above the port. */
import { Readable } from "node:stream";
import type { ReplicationStatus } from "../../protocol/replication-status";
import type { Checksum, ChecksumAlgorithm, Tags } from "../../protocol/snapshot";
import { readExactly, releasing, throwIfAborted } from "../body";
import {
  assertChecksum,
  assertCondition,
  assertDelete,
  assertExpiry,
  assertMetadataNames,
  assertPutSize,
  assertRange,
  assertSameChecksum,
  assertSameEtag,
} from "../checks";
import { checksumOf } from "../checksums";
import { BridgeError } from "../errors";
import { assertKey } from "../keys";
import type {
  CallOptions,
  DeleteOptions,
  GetOptions,
  ListedObject,
  ObjectAttributes,
  ObjectHead,
  ObjectStore,
  PresignOptions,
  PutOptions,
  PutResult,
  StoreCapabilities,
  UploadedPart,
  WriteCondition,
} from "../object-store";
import { copyAttributes, type HistoryEntry, MemoryBucket, type MemoryObject, md5Hex } from "./bucket";
import { bodyOf, checksumsOf, describe, slice } from "./read";
import { MemoryUploads, type OpenUpload } from "./uploads";
import { memoryUrl } from "./url";

export type { HistoryEntry, MemoryObject } from "./bucket";
export type { OpenUpload } from "./uploads";
export { memoryUrlKey, parseMemoryUrl } from "./url";

/** What S3 can do, with the same limits. */
export const MEMORY_CAPABILITIES: StoreCapabilities = {
  conditionalWrites: true,
  conditionalCreate: true,
  checksums: ["CRC64NVME", "CRC32", "CRC32C", "SHA256", "SHA1"],
  multipartChecksums: ["CRC64NVME", "CRC32"],
  minPartSizeBytes: 5 * 1024 ** 2,
  maxPartSizeBytes: 5 * 1024 ** 3,
  maxParts: 10_000,
  maxPutSizeBytes: 5 * 1024 ** 3,
  maxKeyBytes: 1024,
};

const LIST_PAGE = 1000;

export interface MemoryStoreOptions {
  /** Milliseconds since the epoch; lastModified is its value cut to whole seconds. */
  clock: { now(): number };
  capabilities?: Partial<StoreCapabilities>;
  /** @default false */
  versioned?: boolean;
  /** Appears in presigned URLs and version ids. @default "memory" */
  name?: string;
}

export class MemoryStore implements ObjectStore {
  readonly capabilities: StoreCapabilities;
  readonly name: string;
  /** Object bytes handed to readers; a body counts as it is read, not when it is asked for. */
  bytesRead = 0;
  /** Object and part bytes stored. */
  bytesWritten = 0;
  /** How often each method was called; a listing counts once a page. */
  readonly calls: Partial<Record<keyof ObjectStore, number>> = {};

  private readonly clock: { now(): number };
  private readonly bucket: MemoryBucket;
  private readonly uploads: MemoryUploads;

  constructor(options: MemoryStoreOptions) {
    this.clock = options.clock;
    this.name = options.name ?? "memory";
    this.capabilities = { ...MEMORY_CAPABILITIES, ...options.capabilities };
    this.bucket = new MemoryBucket(this.name, options.versioned ?? false, () => this.clock.now());
    this.uploads = new MemoryUploads(this.capabilities, () => this.bucket.nextId("u"));
  }

  async head(key: string, options: CallOptions = {}): Promise<ObjectHead | undefined> {
    this.begin("head", key, options.signal);
    const object = this.bucket.current(key);
    if (object === undefined) return undefined;
    return { ...describe(object), checksums: checksumsOf(object, this.capabilities) };
  }

  async getTags(key: string, options: CallOptions = {}): Promise<Tags> {
    this.begin("getTags", key, options.signal);
    return { ...this.existing("getTags", key).tags };
  }

  async putTags(key: string, tags: Tags, options: CallOptions & { versionId?: string } = {}): Promise<void> {
    this.begin("putTags", key, options.signal);
    this.bucket.amend(key, this.existing("putTags", key, options.versionId), { tags: { ...tags } });
  }

  async get(key: string, options: GetOptions = {}): Promise<{ head: Omit<ObjectHead, "checksums">; body: Readable }> {
    this.begin("get", key, options.signal);
    if (options.range !== undefined) assertRange(options.range);
    const object = this.existing("get", key);
    assertSameEtag("get", options.ifMatch, object.etag);
    const bytes = options.range === undefined ? object.bytes : slice(object.bytes, options.range);
    return {
      head: describe(object),
      body: bodyOf(bytes, options.signal, (length) => {
        this.bytesRead += length;
      }),
    };
  }

  async put(key: string, body: Readable | Uint8Array, options: PutOptions): Promise<PutResult> {
    return releasing(body, async () => {
      this.begin("put", key, options.signal);
      assertMetadataNames("put", options.attributes.metadata);
      assertCondition("put", options.condition, this.capabilities);
      assertChecksum("put", options.checksum?.algorithm, this.capabilities.checksums);
      assertPutSize(options.sizeBytes, this.capabilities);
      const attributes = copyAttributes(options.attributes);
      const received = await readExactly("put", body, options.sizeBytes, options.signal);
      const bytes = body instanceof Readable ? received : new Uint8Array(received);
      const { checksum } = options;
      if (checksum !== undefined) assertSameChecksum("put", checksum, checksumOf(checksum.algorithm, bytes).value);
      const object = { ...attributes, bytes, etag: md5Hex(bytes), ...(checksum && { checksum: { ...checksum } }) };
      const result = this.commit("put", key, object, options.condition);
      this.bytesWritten += bytes.byteLength;
      return result;
    });
  }

  async delete(key: string, options: DeleteOptions = {}): Promise<void> {
    this.begin("delete", key, options.signal);
    assertDelete(options, this.capabilities);
    this.bucket.assertCondition("delete", key, options.condition);
    if (options.versionId === undefined) this.bucket.remove(key);
    else this.bucket.removeVersion(key, options.versionId);
  }

  async touch(key: string, options: CallOptions & { ifMatch?: string } = {}): Promise<PutResult> {
    this.begin("touch", key, options.signal);
    const { versionId, lastModified, replication, ...object } = this.existing("touch", key);
    assertSameEtag("touch", options.ifMatch, object.etag);
    // Copied in one piece, whatever it was uploaded in.
    return this.commit("touch", key, { ...object, ...copyAttributes(object), etag: md5Hex(object.bytes) }, undefined);
  }

  async createUpload(
    key: string,
    options: CallOptions & { attributes: ObjectAttributes; checksumAlgorithm?: ChecksumAlgorithm },
  ): Promise<{ uploadId: string }> {
    this.begin("createUpload", key, options.signal);
    assertMetadataNames("createUpload", options.attributes.metadata);
    assertChecksum("createUpload", options.checksumAlgorithm, this.capabilities.multipartChecksums);
    return { uploadId: this.uploads.create(key, copyAttributes(options.attributes), options.checksumAlgorithm) };
  }

  async uploadPart(
    key: string,
    uploadId: string,
    partNumber: number,
    body: Uint8Array,
    options: CallOptions & { checksum?: Checksum } = {},
  ): Promise<UploadedPart> {
    this.begin("uploadPart", key, options.signal);
    const { checksum } = options;
    if (checksum !== undefined) assertSameChecksum("uploadPart", checksum, checksumOf(checksum.algorithm, body).value);
    const part = this.uploads.addPart(key, uploadId, partNumber, new Uint8Array(body), checksum && { ...checksum });
    this.bytesWritten += body.byteLength;
    return part;
  }

  async listParts(key: string, uploadId: string, options: CallOptions = {}): Promise<UploadedPart[]> {
    this.begin("listParts", key, options.signal);
    return this.uploads.parts("listParts", key, uploadId);
  }

  async completeUpload(
    key: string,
    uploadId: string,
    parts: UploadedPart[],
    options: CallOptions & { condition?: WriteCondition; checksum?: Checksum } = {},
  ): Promise<PutResult> {
    this.begin("completeUpload", key, options.signal);
    assertCondition("completeUpload", options.condition, this.capabilities);
    const assembled = this.uploads.assemble(key, uploadId, parts);
    const { attributes, bytes, etag } = assembled;
    const checksum = this.uploads.verified(assembled, options.checksum);
    const object = { ...attributes, bytes, etag, ...(checksum && { checksum }) };
    const result = this.commit("completeUpload", key, object, options.condition);
    this.uploads.close(key, uploadId);
    return result;
  }

  async abortUpload(key: string, uploadId: string, options: CallOptions = {}): Promise<void> {
    this.begin("abortUpload", key, options.signal);
    this.uploads.close(key, uploadId);
  }

  async *list(prefix: string, options: CallOptions & { startAfter?: string } = {}): AsyncIterable<ListedObject> {
    let after = options.startAfter;
    for (;;) {
      this.count("list");
      throwIfAborted("list", options.signal);
      const page = this.bucket.page(prefix, after, LIST_PAGE);
      yield* page;
      if (page.length < LIST_PAGE) return;
      after = page.at(-1)?.key;
    }
  }

  async presignGet(key: string, options: PresignOptions): Promise<string> {
    this.begin("presignGet", key, undefined);
    assertExpiry(options);
    return memoryUrl(this.name, key, this.clock.now() + options.expiresInSeconds * 1000);
  }

  /** Tests only: the visible object with its bytes. */
  snapshotOf(key: string): Readonly<MemoryObject> | undefined {
    return this.bucket.current(key);
  }

  /** Tests only: every state of the key that was ever visible, oldest first; empty when there never was an object. */
  history(key: string): readonly HistoryEntry[] {
    return this.bucket.history(key);
  }

  /** Tests only: the visible keys in listing order. */
  keys(): string[] {
    return this.bucket.visibleKeys();
  }

  /** Tests only: version ids of the key, delete markers included, oldest first. */
  versionIds(key: string): string[] {
    return this.bucket.versionIds(key);
  }

  /** Tests only: removes one version for good; an older one may become current, and lastModified then goes back. */
  deleteVersion(key: string, versionId: string): void {
    if (!this.bucket.removeVersion(key, versionId))
      throw new BridgeError("NotFound", "deleteVersion", `the key has no version ${versionId}`);
  }

  /** Tests only: what `head` tells of replication, until the object is written again. */
  setReplication(key: string, replication: ReplicationStatus): void {
    this.bucket.amend(key, this.existing("setReplication", key), { replication });
  }

  /** Tests only: uploads that were neither completed nor aborted. */
  openUploads(): OpenUpload[] {
    return this.uploads.open();
  }

  private begin(op: keyof ObjectStore, key: string, signal: AbortSignal | undefined): void {
    this.count(op);
    assertKey(op, key, this.capabilities.maxKeyBytes);
    throwIfAborted(op, signal);
  }

  private count(op: keyof ObjectStore): void {
    this.calls[op] = (this.calls[op] ?? 0) + 1;
  }

  private existing(op: string, key: string, versionId?: string): MemoryObject {
    const object = versionId === undefined ? this.bucket.current(key) : this.bucket.version(key, versionId);
    if (object !== undefined) return object;
    throw new BridgeError(
      "NotFound",
      op,
      `${this.name} has no object ${JSON.stringify(key)}${versionId ? ` in version ${versionId}` : ""}`,
    );
  }

  /** Condition and write are one synchronous step: nothing can come between them. */
  private commit(
    op: string,
    key: string,
    object: Omit<MemoryObject, "versionId" | "lastModified">,
    condition: WriteCondition | undefined,
  ): PutResult {
    this.bucket.assertCondition(op, key, condition);
    const { etag, versionId } = this.bucket.write(key, object);
    return versionId === undefined ? { etag } : { etag, versionId };
  }
}
