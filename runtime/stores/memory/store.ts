/** The ports in memory: the simplest store that keeps the contract, and the fake for everything above the ports. */
import { Readable } from "node:stream";
import type { ByteRange } from "../../protocol/ports";
import type { ReplicationStatus } from "../../protocol/replication-status";
import type { Tags } from "../../protocol/snapshot";
import { abortedError, readExactly, suppressUnhandledError, throwIfAborted } from "../body";
import { CheckedStore, type StoreAdapter } from "../checked-store";
import { checksumOf, verifyChecksum } from "../checksums";
import { BridgeError } from "../errors";
import type {
  AppendedTail,
  AppendStore,
  CallOptions,
  CompleteUploadOptions,
  CreateUploadOptions,
  DeleteOptions,
  GetOptions,
  ListedObject,
  ListOptions,
  ObjectAttributes,
  ObjectHead,
  ObjectStore,
  PartId,
  PresignOptions,
  PutOptions,
  PutResult,
  PutTagsOptions,
  StoreCapabilities,
  TouchOptions,
  UploadedPart,
  UploadPartOptions,
  WriteCondition,
} from "../object-store";
import { byteLengthOf } from "../sent-body";
import { ARCHIVED, type Archive } from "../unreadable";
import {
  checksumsOf,
  copyAttributes,
  describeObject,
  type HistoryEntry,
  MemoryBucket,
  type MemoryObject,
  md5Hex,
} from "./bucket";
import { MemoryUploads, type OpenUpload } from "./uploads";

export type { HistoryEntry, MemoryObject } from "./bucket";
export type { OpenUpload } from "./uploads";

/** The capabilities and limits of S3. */
export const MEMORY_CAPABILITIES: StoreCapabilities = {
  conditionalWrites: true,
  conditionalCreate: true,
  checksums: ["CRC64NVME", "CRC32", "CRC32C", "SHA256", "SHA1"],
  multipartChecksums: ["CRC64NVME", "CRC32"],
  confirmsParts: false,
  minPartSizeBytes: 5 * 1024 ** 2,
  maxPartSizeBytes: 5 * 1024 ** 3,
  maxParts: 10_000,
  maxPutSizeBytes: 5 * 1024 ** 3,
  maxKeyBytes: 1024,
  metadata: {
    maxBytes: 2048,
    bytesOf: (metadata) =>
      Object.entries(metadata).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value), 0),
  },
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

export class MemoryStore extends CheckedStore<MemoryAdapter> {
  readonly name: string;
  /** The number of calls of each method that passed the checks; a listing counts once a page. */
  readonly calls: Partial<Record<keyof ObjectStore, number>>;

  constructor(options: MemoryStoreOptions) {
    super(new MemoryAdapter(options));
    this.name = this.adapter.name;
    this.calls = this.adapter.calls;
  }

  /** Object bytes that readers consumed. */
  get bytesRead(): number {
    return this.adapter.bytesRead;
  }

  /** Object and part bytes that were stored. */
  get bytesWritten(): number {
    return this.adapter.bytesWritten;
  }

  /** Tests only: the visible object with its bytes. */
  snapshotOf(key: string): Readonly<MemoryObject> | undefined {
    return this.adapter.bucket.current(key);
  }

  /** Tests only: every state of the key that was ever visible, oldest first; empty when there never was an object. */
  history(key: string): readonly HistoryEntry[] {
    return this.adapter.bucket.history(key);
  }

  /** Tests only: the visible keys in listing order. */
  keys(): string[] {
    return this.adapter.bucket.visibleKeys();
  }

  /** Tests only: version ids of the key, delete markers included, oldest first. */
  versionIds(key: string): string[] {
    return this.adapter.bucket.versionIds(key);
  }

  /** Tests only: removes one version for good. An older one may become current, and lastModified then goes back. */
  deleteVersion(key: string, versionId: string): void {
    if (!this.adapter.bucket.removeVersion(key, versionId))
      throw new BridgeError("NotFound", "deleteVersion", `the key has no version ${versionId}`);
  }

  /** Tests only: the replication status that `head` reports until the object is written again. */
  setReplication(key: string, replication: ReplicationStatus): void {
    this.adapter.bucket.amend(key, this.adapter.existing("setReplication", key), { replication });
  }

  /** Tests only: archives the object, or restores it, until it is written again. */
  setArchive(key: string, archive: Archive): void {
    this.adapter.bucket.amend(key, this.adapter.existing("setArchive", key), { archive });
  }

  /** Tests only: uploads that were neither completed nor aborted. */
  openUploads(): OpenUpload[] {
    return this.adapter.uploads.open();
  }
}

class MemoryAdapter implements StoreAdapter {
  readonly capabilities: StoreCapabilities;
  readonly name: string;
  readonly calls: Partial<Record<keyof ObjectStore, number>> = {};
  readonly bucket: MemoryBucket;
  readonly uploads: MemoryUploads;
  bytesRead = 0;
  bytesWritten = 0;

  private readonly clock: { now(): number };

  constructor({ clock, capabilities, versioned = false, name = "memory" }: MemoryStoreOptions) {
    this.clock = clock;
    this.name = name;
    this.capabilities = { ...MEMORY_CAPABILITIES, ...capabilities };
    this.bucket = new MemoryBucket(name, versioned, () => clock.now());
    this.uploads = new MemoryUploads(this.capabilities, () => this.bucket.nextId("u"));
  }

  async head(key: string): Promise<ObjectHead | undefined> {
    this.count("head");
    const object = this.bucket.current(key);
    if (object === undefined) return undefined;
    return { ...describeObject(object), checksums: checksumsOf(object, this.capabilities) };
  }

  async getTags(key: string): Promise<Tags> {
    this.count("getTags");
    return { ...this.existing("getTags", key).tags };
  }

  async putTags(key: string, tags: Tags, { versionId }: PutTagsOptions = {}): Promise<void> {
    this.count("putTags");
    this.bucket.amend(key, this.existing("putTags", key, versionId), { tags: { ...tags } });
  }

  async get(
    key: string,
    { ifMatch, range, signal }: GetOptions = {},
  ): Promise<{ head: Omit<ObjectHead, "checksums">; body: Readable }> {
    this.count("get");
    const object = this.existing("get", key);
    this.bucket.requireCondition("get", key, { ifMatch });
    requireReadable("get", object);
    const bytes = range === undefined ? object.bytes : slice(object.bytes, range);
    const onRead = () => {
      this.bytesRead += bytes.byteLength;
    };
    return { head: describeObject(object), body: bodyOf(bytes, signal, onRead) };
  }

  async put(key: string, body: Readable | Uint8Array, options: PutOptions): Promise<PutResult> {
    this.count("put");
    const attributes = this.accepted("put", options.attributes);
    const received = await readExactly("put", body, options.sizeBytes, options.signal);
    const bytes = body instanceof Readable ? received : new Uint8Array(received);
    const { checksum } = options;
    if (checksum !== undefined) verifyChecksum("put", checksum, checksumOf(checksum.algorithm, bytes).value);
    const object = { ...attributes, bytes, etag: md5Hex(bytes), ...(checksum && { checksum: { ...checksum } }) };
    const result = this.commit("put", key, object, options.condition);
    this.bytesWritten += bytes.byteLength;
    return result;
  }

  async delete(key: string, { condition, versionId }: DeleteOptions = {}): Promise<void> {
    this.count("delete");
    this.bucket.requireCondition("delete", key, condition);
    if (versionId === undefined) this.bucket.remove(key);
    else this.bucket.removeVersion(key, versionId);
  }

  async touch(key: string, { ifMatch }: TouchOptions = {}): Promise<PutResult> {
    this.count("touch");
    const { versionId, lastModified, replication, archive, ...object } = this.existing("touch", key);
    requireReadable("touch", { archive });
    // The copy is one piece, so its etag is that of a single put.
    return this.commit("touch", key, { ...object, ...copyAttributes(object), etag: md5Hex(object.bytes) }, { ifMatch });
  }

  async createUpload(key: string, { attributes, checksumAlgorithm }: CreateUploadOptions): Promise<{ uploadId: string }> {
    this.count("createUpload");
    return { uploadId: this.uploads.create(key, this.accepted("createUpload", attributes), checksumAlgorithm) };
  }

  async uploadPart(key: string, part: PartId, body: Uint8Array | Readable, given: UploadPartOptions = {}): Promise<UploadedPart> {
    this.count("uploadPart");
    const { checksum, signal, sizeBytes = byteLengthOf(body) } = given;
    const bytes = await readExactly("uploadPart", body, sizeBytes, signal);
    if (checksum !== undefined) verifyChecksum("uploadPart", checksum, checksumOf(checksum.algorithm, bytes).value);
    const uploaded = this.uploads.addPart(key, part, new Uint8Array(bytes), checksum && { ...checksum });
    this.bytesWritten += bytes.byteLength;
    return uploaded;
  }

  async listParts(key: string, uploadId: string): Promise<UploadedPart[]> {
    this.count("listParts");
    return this.uploads.parts("listParts", key, uploadId);
  }

  async completeUpload(
    key: string,
    uploadId: string,
    parts: UploadedPart[],
    options: CompleteUploadOptions = {},
  ): Promise<PutResult> {
    this.count("completeUpload");
    const assembled = this.uploads.assemble(key, uploadId, parts);
    const { attributes, bytes, etag } = assembled;
    const checksum = this.uploads.verified(assembled, options.checksum);
    const object = { ...attributes, bytes, etag, ...(checksum && { checksum }) };
    const result = this.commit("completeUpload", key, object, options.condition);
    this.uploads.close(key, uploadId);
    return result;
  }

  async abortUpload(key: string, uploadId: string): Promise<void> {
    this.count("abortUpload");
    this.uploads.close(key, uploadId);
  }

  async *listPages(prefix: string, options: ListOptions = {}): AsyncIterable<ListedObject[]> {
    let after = options.startAfter;
    for (;;) {
      this.count("list");
      throwIfAborted("list", options.signal);
      const page = this.bucket.page(prefix, after, LIST_PAGE);
      yield page;
      if (page.length < LIST_PAGE) return;
      after = page.at(-1)?.key;
    }
  }

  async presignGet(key: string, options: PresignOptions): Promise<string> {
    this.count("presignGet");
    return memoryUrl(this.name, key, options.reads, this.clock.now() + options.expiresInSeconds * 1000);
  }

  /** @throws BridgeError `NotFound` */
  existing(op: string, key: string, versionId?: string): MemoryObject {
    const object = versionId === undefined ? this.bucket.current(key) : this.bucket.version(key, versionId);
    if (object !== undefined) return object;
    throw new BridgeError(
      "NotFound",
      op,
      `${this.name} has no object ${JSON.stringify(key)}${versionId ? ` in version ${versionId}` : ""}`,
    );
  }

  /** @throws BridgeError `Invalid` for more metadata than the store holds. */
  private accepted(op: string, attributes: ObjectAttributes): ObjectAttributes {
    const { maxBytes, bytesOf } = this.capabilities.metadata;
    const bytes = bytesOf(attributes.metadata);
    if (bytes > maxBytes) throw new BridgeError("Invalid", op, `the metadata has ${bytes} bytes, the store takes ${maxBytes}`);
    return copyAttributes(attributes);
  }

  private count(op: keyof ObjectStore): void {
    this.calls[op] = (this.calls[op] ?? 0) + 1;
  }

  /** Condition and write are one synchronous step: nothing can come between them. */
  private commit(
    op: string,
    key: string,
    object: Omit<MemoryObject, "versionId" | "lastModified">,
    condition: WriteCondition | undefined,
  ): PutResult {
    this.bucket.requireCondition(op, key, condition);
    const { etag, versionId } = this.bucket.write(key, object);
    return versionId === undefined ? { etag } : { etag, versionId };
  }
}

/** @throws BridgeError `Unsupported`, like S3 and OSS */
function requireReadable(op: string, { archive }: Pick<MemoryObject, "archive">): void {
  if (archive === undefined || archive.restore === "done") return;
  throw new BridgeError("Unsupported", op, ARCHIVED);
}

function slice(bytes: Uint8Array, { start, end }: ByteRange): Uint8Array {
  if (start >= bytes.byteLength)
    throw new BridgeError("Invalid", "get", `byte ${start} is beyond the object's ${bytes.byteLength} bytes`);
  return bytes.subarray(start, end + 1);
}

/** Calls `onRead` when the body is read. */
function bodyOf(bytes: Uint8Array, signal: AbortSignal | undefined, onRead: () => void): Readable {
  const body = new Readable({
    read() {
      onRead();
      if (bytes.byteLength > 0) this.push(Buffer.from(bytes));
      this.push(null);
    },
  });
  suppressUnhandledError(body);
  const onAbort = () => body.destroy(abortedError("get", signal?.reason));
  signal?.addEventListener("abort", onAbort, { once: true });
  body.once("close", () => signal?.removeEventListener("abort", onAbort));
  return body;
}

const MEMORY_URL = /^memory:\/\/([^/]+)\/([^/?]+)\?(tagging&)?expires=(\d+)$/;

/** Stands in for a presigned URL. Its reader compares `expiresMs` with a clock of its own. */
function memoryUrl(name: string, key: string, reads: PresignOptions["reads"], expiresMs: number): string {
  return `memory://${encodeURIComponent(name)}/${encodeURIComponent(key)}?${reads === "tags" ? "tagging&" : ""}expires=${expiresMs}`;
}

/** @throws Error when the URL is not one of `MemoryStore.presignGet`. */
export function parseMemoryUrl(url: string): { name: string; key: string; reads: "object" | "tags"; expiresMs: number } {
  const [, name, key, tagging, expires] = MEMORY_URL.exec(url) ?? [];
  if (name === undefined || key === undefined) throw new Error("not a URL of a memory store");
  return {
    name: decodeURIComponent(name),
    key: decodeURIComponent(key),
    reads: tagging ? "tags" : "object",
    expiresMs: Number(expires),
  };
}

/** The key that a presigned URL of a `MemoryStore` reads. */
export function memoryUrlKey(url: string): string {
  return parseMemoryUrl(url).key;
}

/** Growing objects in memory. Each call is one synchronous step. */
export class MemoryAppendStore implements AppendStore {
  private readonly objects = new Map<string, Buffer>();

  async append(key: string, position: number, bytes: Uint8Array, { signal }: CallOptions = {}): Promise<{ sizeBytes: number }> {
    throwIfAborted("append", signal);
    const present = this.objects.get(key) ?? Buffer.alloc(0);
    if (present.length !== position)
      throw new BridgeError("PreconditionFailed", "append", `the object has ${present.length} bytes, not ${position}`);
    const whole = Buffer.concat([present, bytes]);
    this.objects.set(key, whole);
    return { sizeBytes: whole.length };
  }

  async readTail(key: string, maxBytes: number, { signal }: CallOptions = {}): Promise<AppendedTail | undefined> {
    throwIfAborted("readTail", signal);
    const present = this.objects.get(key);
    if (present === undefined) return undefined;
    return { bytes: Buffer.from(present.subarray(Math.max(0, present.length - maxBytes))), sizeBytes: present.length };
  }

  /** Tests only: the whole object. */
  contents(key: string): Buffer | undefined {
    return this.objects.get(key);
  }

  /** Tests only. */
  keys(): string[] {
    return [...this.objects.keys()];
  }
}
