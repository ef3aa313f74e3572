/**
 * The layer around every adapter: it refuses wrong arguments and aborted signals, destroys a body that was not written, names the store in
 * errors, and ends calls that are not answered. Adapters do none of this. It sends nothing, buffers nothing, and refuses before the adapter
 * sends anything.
 */
import type { Readable } from "node:stream";
import type { ByteRange } from "../protocol/ports";
import type { ChecksumAlgorithm, Metadata, Tags } from "../protocol/snapshot";
import { destroyOnFailure, throwIfAborted } from "./body";
import { asciiHeaders } from "./content-headers";
import { BridgeError, isBridgeError, locate } from "./errors";
import type {
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
} from "./object-store";

/** What an adapter implements. The layer makes the listing of single objects from its pages. */
export type StoreAdapter = Omit<ObjectStore, "list">;

/** The additional rules of one vendor. Each check throws a BridgeError `Invalid`. */
export interface VendorRules {
  checkKey?(op: string, key: string): void;
  checkTags?(op: string, tags: Tags): void;
}

export interface StoreRules extends VendorRules {
  /** Named in errors: the bucket. @default not named */
  name?: string | undefined;
  /**
   * A call that carries no object bytes is given up after this time, tries included. A function has far more time than this: one store that
   * hangs must not end a whole batch. @default 10_000
   */
  answerMs?: number | undefined;
}

const ANSWER_MS = 10_000;

export class CheckedStore<Adapter extends StoreAdapter = StoreAdapter> implements ObjectStore {
  readonly capabilities: StoreCapabilities;
  /** Whether the store has refused a header that is no ASCII. */
  private takesAsciiOnly = false;

  constructor(
    protected readonly adapter: Adapter,
    readonly rules: StoreRules = {},
  ) {
    this.capabilities = adapter.capabilities;
  }

  async head(key: string, options: CallOptions = {}): Promise<ObjectHead | undefined> {
    checkCall(this, "head", key, options);
    return this.call("head", options, (bounded) => this.adapter.head(key, bounded));
  }

  async getTags(key: string, options: CallOptions = {}): Promise<Tags> {
    checkCall(this, "getTags", key, options);
    return this.call("getTags", options, (bounded) => this.adapter.getTags(key, bounded));
  }

  async putTags(key: string, tags: Tags, options: PutTagsOptions = {}): Promise<void> {
    checkCall(this, "putTags", key, options);
    this.rules.checkTags?.("putTags", tags);
    return this.call("putTags", options, (bounded) => this.adapter.putTags(key, tags, bounded));
  }

  async get(key: string, options: GetOptions = {}): Promise<{ head: Omit<ObjectHead, "checksums">; body: Readable }> {
    checkCall(this, "get", key, options);
    if (options.range !== undefined) checkRange(options.range);
    const opened = await this.call("get", options, (bounded) => this.adapter.get(key, bounded), { bodyOf: ({ body }) => body });
    opened.body.on("error", (error) => void this.located(error));
    return opened;
  }

  async put(key: string, body: Readable | Uint8Array, options: PutOptions): Promise<PutResult> {
    return destroyOnFailure(body, async () => {
      const { attributes, checksum, condition, sizeBytes } = options;
      checkCall(this, "put", key, options);
      checkMetadataNames("put", attributes.metadata);
      this.rules.checkTags?.("put", attributes.tags);
      checkCondition("put", condition, this.capabilities);
      checkAlgorithm("put", checksum?.algorithm, this.capabilities.checksums);
      checkPutSize(sizeBytes, this.capabilities);
      return this.sendHeaders("put", attributes, body instanceof Uint8Array, (sent) =>
        this.named(this.adapter.put(key, body, { ...options, attributes: sent })),
      );
    });
  }

  async delete(key: string, options: DeleteOptions = {}): Promise<void> {
    const { condition, versionId } = options;
    checkCall(this, "delete", key, options);
    if (condition?.ifMatch !== undefined && versionId !== undefined)
      throw new BridgeError("Invalid", "delete", "ifMatch and versionId exclude each other: a version is exact already");
    checkCondition("delete", condition, this.capabilities);
    return this.call("delete", options, (bounded) => this.adapter.delete(key, bounded));
  }

  async touch(key: string, options: TouchOptions = {}): Promise<PutResult> {
    checkCall(this, "touch", key, options);
    return this.named(this.adapter.touch(key, options));
  }

  async createUpload(key: string, options: CreateUploadOptions): Promise<{ uploadId: string }> {
    const { attributes, checksumAlgorithm } = options;
    checkCall(this, "createUpload", key, options);
    checkMetadataNames("createUpload", attributes.metadata);
    this.rules.checkTags?.("createUpload", attributes.tags);
    checkAlgorithm("createUpload", checksumAlgorithm, this.capabilities.multipartChecksums);
    return this.sendHeaders("createUpload", attributes, true, (sent) =>
      this.call("createUpload", options, (bounded) => this.adapter.createUpload(key, { ...bounded, attributes: sent })),
    );
  }

  /** Sends headers as they are. Where the store refuses bytes beyond ASCII, it gets their ASCII form, then and for all later writes. */
  private async sendHeaders<T>(
    op: string,
    attributes: ObjectAttributes,
    isRepeatable: boolean,
    write: (attributes: ObjectAttributes) => Promise<T>,
  ): Promise<T> {
    const ascii = asciiHeaders(attributes.headers);
    if (ascii === attributes.headers) return write(attributes);
    const wasAscii = this.takesAsciiOnly;
    try {
      return await write(wasAscii ? { ...attributes, headers: ascii } : attributes);
    } catch (error) {
      if (!isBridgeError(error, "Invalid")) throw error;
      // Refused in ASCII too: the headers were not the reason.
      this.takesAsciiOnly = !wasAscii;
      if (wasAscii) throw error;
      if (isRepeatable) return await this.sendHeaders(op, attributes, true, write);
      throw new BridgeError("Unexpected", op, "the store refuses a header that is no ASCII: the next try sends its ASCII form", {
        cause: error,
      });
    }
  }

  async uploadPart(
    key: string,
    part: PartId,
    body: Readable | Uint8Array,
    options: UploadPartOptions = {},
  ): Promise<UploadedPart> {
    return destroyOnFailure(body, async () => {
      checkCall(this, "uploadPart", key, options);
      const sizeBytes = "byteLength" in body ? body.byteLength : options.sizeBytes;
      if (sizeBytes === undefined) throw new BridgeError("Invalid", "uploadPart", "a stream needs its size");
      checkPart(part.partNumber, sizeBytes, this.capabilities);
      checkAlgorithm("uploadPart", options.checksum?.algorithm, this.capabilities.checksums);
      return this.named(this.adapter.uploadPart(key, part, body, { ...options, sizeBytes }));
    });
  }

  async listParts(key: string, uploadId: string, options: CallOptions = {}): Promise<UploadedPart[]> {
    checkCall(this, "listParts", key, options);
    return this.named(this.adapter.listParts(key, uploadId, options));
  }

  async completeUpload(
    key: string,
    uploadId: string,
    parts: UploadedPart[],
    options: CompleteUploadOptions = {},
  ): Promise<PutResult> {
    checkCall(this, "completeUpload", key, options);
    checkCondition("completeUpload", options.condition, this.capabilities);
    checkAscending(parts);
    return this.named(this.adapter.completeUpload(key, uploadId, parts, options));
  }

  async abortUpload(key: string, uploadId: string, options: CallOptions = {}): Promise<void> {
    checkCall(this, "abortUpload", key, options);
    return this.call("abortUpload", options, (bounded) => this.adapter.abortUpload(key, uploadId, bounded));
  }

  async *list(prefix: string, options: ListOptions = {}): AsyncIterable<ListedObject> {
    for await (const page of this.listPages(prefix, options)) yield* page;
  }

  async *listPages(prefix: string, options: ListOptions = {}): AsyncIterable<ListedObject[]> {
    throwIfAborted("list", options.signal);
    try {
      yield* this.adapter.listPages(prefix, options);
    } catch (error) {
      throw this.located(error);
    }
  }

  async presignGet(key: string, options: PresignOptions): Promise<string> {
    checkCall(this, "presignGet", key, {});
    checkExpiry(options);
    return this.named(this.adapter.presignGet(key, options));
  }

  /**
   * Runs a call that carries no object bytes, and gives it up when it is not answered in time.
   * @param bodyOf what the call opened: the caller's signal ends it as long as it is read
   */
  protected async call<O extends CallOptions, T>(
    op: string,
    options: O,
    work: (bounded: O) => Promise<T>,
    { bodyOf }: { bodyOf?: (result: T) => Readable } = {},
  ): Promise<T> {
    const { name, answerMs = ANSWER_MS } = this.rules;
    const { signal } = options;
    // `AbortSignal.any` would cost more than the signature of the request.
    const limit = new AbortController();
    const onAbort = () => limit.abort(signal?.reason);
    const release = () => signal?.removeEventListener("abort", onAbort);
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      limit.abort();
    }, answerMs).unref();
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      const result = await work({ ...options, signal: limit.signal });
      if (bodyOf === undefined) release();
      else bodyOf(result).once("close", release);
      return result;
    } catch (error) {
      release();
      if (!isLate || signal?.aborted) throw this.located(error);
      const what = `${name === undefined ? "the store" : "it"} did not answer ${op} within ${answerMs / 1000} s`;
      throw this.located(new BridgeError("Unavailable", op, what, { cause: error }));
    } finally {
      clearTimeout(timer);
    }
  }

  private async named<T>(call: Promise<T>): Promise<T> {
    try {
      return await call;
    } catch (error) {
      throw this.located(error);
    }
  }

  private located(error: unknown): unknown {
    const { name } = this.rules;
    return name === undefined ? error : locate(error, { store: name });
  }
}

/** Returns the store behind the checks of `CheckedStore`. */
export function checked(adapter: StoreAdapter, rules?: StoreRules): ObjectStore {
  return new CheckedStore(adapter, rules);
}

/** Every call names a key that the store can hold, and a signal that is not aborted yet. */
export function checkCall(
  { capabilities, rules }: Pick<CheckedStore, "capabilities" | "rules">,
  op: string,
  key: string,
  { signal }: CallOptions,
): void {
  checkKey(op, key, capabilities.maxKeyBytes);
  rules.checkKey?.(op, key);
  throwIfAborted(op, signal);
}

/** A UTF-16 surrogate without its partner: such a string has no UTF-8 form, so it cannot name an object. */
const LONE_SURROGATE = /\p{Surrogate}/u;

function checkKey(op: string, key: string, maxKeyBytes: number): void {
  if (key === "") throw new BridgeError("Invalid", op, "the key is empty: name an object");
  const length = Buffer.byteLength(key);
  if (length > maxKeyBytes)
    throw new BridgeError("Invalid", op, `the key has ${length} bytes, this store takes at most ${maxKeyBytes}`);
  if (LONE_SURROGATE.test(key)) throw new BridgeError("Invalid", op, "the key holds half a surrogate pair: it has no UTF-8 form");
}

function checkCondition(op: string, condition: WriteCondition | undefined, capabilities: StoreCapabilities): void {
  if (condition?.ifMatch === undefined && condition?.ifAbsent === undefined) return;
  if (condition.ifMatch !== undefined && condition.ifAbsent !== undefined)
    throw new BridgeError("Invalid", op, "ifMatch and ifAbsent exclude each other: pass one");
  if (capabilities.conditionalWrites) return;
  if (op === "put" && condition.ifAbsent && capabilities.conditionalCreate) return;
  const name = condition.ifAbsent ? "ifAbsent" : "ifMatch";
  throw new BridgeError("Unsupported", op, `this store has no conditional ${op}: it cannot hold ${name}`);
}

function checkAlgorithm(op: string, algorithm: ChecksumAlgorithm | undefined, supported: readonly ChecksumAlgorithm[]): void {
  if (algorithm === undefined || supported.includes(algorithm)) return;
  const known = supported.length === 0 ? "none" : supported.join(", ");
  throw new BridgeError("Unsupported", op, `this store verifies no ${algorithm} in ${op}: it verifies ${known}`);
}

/** A metadata name that every store returns as it was written. */
export const METADATA_NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;

function checkMetadataNames(op: string, metadata: Metadata): void {
  for (const name of Object.keys(metadata))
    if (!METADATA_NAME.test(name))
      throw new BridgeError("Invalid", op, `metadata name ${JSON.stringify(name)} is not a lower-case HTTP header name`);
}

const MAX_PRESIGN_SECONDS = 604_800;

function checkExpiry({ expiresInSeconds }: PresignOptions): void {
  if (Number.isInteger(expiresInSeconds) && expiresInSeconds >= 1 && expiresInSeconds <= MAX_PRESIGN_SECONDS) return;
  const allowed = `a whole number of seconds from 1 to ${MAX_PRESIGN_SECONDS}`;
  throw new BridgeError("Invalid", "presignGet", `a URL cannot live for ${expiresInSeconds} seconds: pass ${allowed}`);
}

function checkRange({ start, end }: ByteRange): void {
  if (Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && end >= start) return;
  throw new BridgeError("Invalid", "get", `${start}-${end} is not a byte range`);
}

function checkPutSize(sizeBytes: number, { maxPutSizeBytes }: StoreCapabilities): void {
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0)
    throw new BridgeError("Invalid", "put", `${sizeBytes} is not a size in bytes`);
  if (sizeBytes > maxPutSizeBytes)
    throw new BridgeError("Invalid", "put", `one put takes at most ${maxPutSizeBytes} bytes, not ${sizeBytes}: use an upload`);
}

function checkPart(partNumber: number, sizeBytes: number, { maxParts, maxPartSizeBytes }: StoreCapabilities): void {
  if (!Number.isInteger(partNumber) || partNumber < 1 || partNumber > maxParts)
    throw new BridgeError("Invalid", "uploadPart", `part numbers go from 1 to ${maxParts}, not ${partNumber}`);
  if (sizeBytes > maxPartSizeBytes)
    throw new BridgeError("Invalid", "uploadPart", `a part has at most ${maxPartSizeBytes} bytes, not ${sizeBytes}`);
}

function checkAscending(parts: readonly { partNumber: number }[]): void {
  if (parts.length === 0)
    throw new BridgeError("Invalid", "completeUpload", "an upload without parts cannot be completed: use put");
  let previous = 0;
  for (const { partNumber } of parts) {
    if (partNumber <= previous)
      throw new BridgeError("Invalid", "completeUpload", `part ${partNumber} follows part ${previous}: parts must be ascending`);
    previous = partNumber;
  }
}
