/** The port over Alibaba Cloud OSS. https://www.alibabacloud.com/help/en/oss/developer-reference/list-of-operations-by-function */
import type { Readable } from "node:stream";
import type { BodyWatch } from "../../http/exchange";
import type { Checksum, Tags } from "../../protocol/snapshot";
import { abortedError } from "../body";
import { CheckedStore, checkCall, type StoreAdapter } from "../checked-store";
import { createHasher } from "../checksums";
import type { CopyLimits } from "../copy-in-place";
import { BridgeError, isBridgeError } from "../errors";
import { parseListingPage } from "../listing-page";
import type {
  AppendedTail,
  AppendStore,
  CallOptions,
  DeleteOptions,
  GetOptions,
  ListedObject,
  ListOptions,
  ObjectHead,
  PutOptions,
  PutResult,
  PutTagsOptions,
  StoreCapabilities,
  TouchOptions,
} from "../object-store";
import { namingRefusedTags } from "../refused-tags";
import { OssAppends } from "./append";
import type { OssClientOptions } from "./client";
import { ossErrors } from "./errors";
import { checkTags, contentMd5, crc64Of, OSS_METADATA, parseHead, required, taggingDocument } from "./metadata";
import { putObject } from "./put";
import type { OssQueries } from "./sign";
import { OSS_COPY_LIMITS, touchOssObject } from "./touch";
import { OssUploads } from "./uploads";

/** https://www.alibabacloud.com/help/en/oss/product-overview/limits */
export const OSS_CAPABILITIES: StoreCapabilities = {
  conditionalWrites: false,
  // A bucket that keeps versions ignores the condition.
  conditionalCreate: true,
  checksums: ["CRC64XZ"],
  multipartChecksums: ["CRC64XZ"],
  confirmsParts: true,
  minPartSizeBytes: 100 * 1024,
  maxPartSizeBytes: 5 * 1024 ** 3,
  maxParts: 10_000,
  maxPutSizeBytes: 5 * 1024 ** 3,
  maxKeyBytes: 1023,
  metadata: OSS_METADATA,
};
export const OSS_VERSIONED_CAPABILITIES: StoreCapabilities = { ...OSS_CAPABILITIES, conditionalCreate: false };

export interface OssStoreOptions extends OssClientOptions {
  /** Whether the bucket's versioning is enabled or suspended. */
  versioned: boolean;
  /** When `touch` copies in parts. @default OSS_COPY_LIMITS */
  copyLimits?: CopyLimits | undefined;
}

/** @throws BridgeError `ConfigInvalid` for an endpoint that is not `https://host[:port]`. */
export function createOssStore(options: OssStoreOptions): OssStore {
  return new OssStore(options);
}

export class OssStore extends CheckedStore<OssAdapter> implements AppendStore {
  constructor(options: OssStoreOptions) {
    super(new OssAdapter(options), { checkKey, checkTags, name: options.bucket });
  }

  async append(key: string, position: number, bytes: Uint8Array, options: CallOptions = {}): Promise<{ sizeBytes: number }> {
    checkCall(this, "append", key, options);
    return this.call("append", options, (bounded) => this.adapter.appends.append(key, position, bytes, bounded));
  }

  async readTail(key: string, maxBytes: number, options: CallOptions = {}): Promise<AppendedTail | undefined> {
    checkCall(this, "readTail", key, options);
    return this.call("readTail", options, (bounded) => this.adapter.appends.readTail(key, maxBytes, bounded));
  }
}

/** https://www.alibabacloud.com/help/en/oss/support/0016-00000005 */
function checkKey(op: string, key: string): void {
  if (key.startsWith("/") || key.startsWith("\\"))
    throw new BridgeError(
      "Invalid",
      op,
      `OSS holds no key that begins with ${key[0]}: ${JSON.stringify(key.slice(0, 100))}; rename it at the source, or set a destination prefix`,
    );
}

class OssAdapter extends OssUploads implements StoreAdapter {
  readonly appends = new OssAppends(this);
  private readonly copyLimits: CopyLimits;

  constructor({ versioned, copyLimits = OSS_COPY_LIMITS, ...options }: OssStoreOptions) {
    super(options, versioned ? OSS_VERSIONED_CAPABILITIES : OSS_CAPABILITIES);
    this.copyLimits = copyLimits;
  }

  async head(key: string, { signal }: CallOptions = {}): Promise<ObjectHead | undefined> {
    const op = "head";
    try {
      return await this.text({ op, method: "HEAD", key, signal }, (_, headers) => {
        const checksum = crc64Of(headers);
        const sizeBytes = Number(required(op, "Content-Length", headers["content-length"]));
        const checksums = checksum === undefined ? [] : [checksum];
        return { ...parseHead(op, headers, sizeBytes), checksums, ...this.tagCountOf(headers) };
      });
    } catch (error) {
      if (isBridgeError(error, "NotFound")) return undefined;
      throw error;
    }
  }

  async putTags(key: string, tags: Tags, { signal, versionId }: PutTagsOptions = {}): Promise<void> {
    const queries = { tagging: null, ...(versionId !== undefined && { versionId }) };
    const target = { op: "putTags", key, queries, signal };
    // OSS refuses an empty set of tags.
    if (Object.keys(tags).length === 0) return this.text({ ...target, method: "DELETE" }, () => undefined);
    const body = taggingDocument(tags);
    await namingRefusedTags(tags, () =>
      this.text({ ...target, method: "PUT", headers: contentMd5(body), body }, () => undefined),
    );
  }

  async get(key: string, options: GetOptions = {}): Promise<{ head: Omit<ObjectHead, "checksums">; body: Readable }> {
    const op = "get";
    const { ifMatch, range, signal } = options;
    const headers: Record<string, string> = {};
    if (ifMatch !== undefined) headers["if-match"] = `"${ifMatch}"`;
    if (range !== undefined) {
      headers.range = `bytes=${range.start}-${range.end}`;
      // OSS would answer a range that reaches beyond the end with the whole object.
      headers["x-oss-range-behavior"] = "standard";
    }
    const answer = await this.http.open({ op, method: "GET", key, headers, signal }, (found) =>
      watchBody(range === undefined ? crc64Of(found) : undefined, signal),
    );
    try {
      const bodyBytes = Number(required(op, "Content-Length", answer.headers["content-length"]));
      const total = range === undefined ? bodyBytes : totalOf(answer.headers["content-range"]);
      return { head: parseHead(op, answer.headers, total), body: answer.body };
    } catch (error) {
      answer.body.destroy();
      throw error;
    }
  }

  put(key: string, body: Readable | Uint8Array, options: PutOptions): Promise<PutResult> {
    return putObject(this, key, body, options);
  }

  async delete(key: string, { signal, versionId }: DeleteOptions = {}): Promise<void> {
    const queries = versionId === undefined ? {} : { versionId };
    try {
      await this.text({ op: "delete", method: "DELETE", key, queries, signal }, () => undefined);
    } catch (error) {
      if (versionId === undefined || !isBridgeError(error, "NotFound")) throw error;
    }
  }

  touch(key: string, options: TouchOptions = {}): Promise<PutResult> {
    return touchOssObject(this, this.copyLimits, key, options);
  }

  /** https://www.alibabacloud.com/help/en/oss/developer-reference/listobjectsv2 */
  async *listPages(prefix: string, { signal, startAfter }: ListOptions = {}): AsyncIterable<ListedObject[]> {
    const op = "list";
    // XML 1.0 cannot hold every key, so OSS is asked to encode them.
    const queries = { "list-type": "2", "encoding-type": "url", "max-keys": LIST_PAGE, ...(prefix !== "" && { prefix }) };
    const reading = {
      decodeKey: (key: string) => decodeURIComponent(key.replaceAll("+", "%20")),
      invalid: (what: string) => new BridgeError("Unexpected", op, `the answer to ${op} has ${what}: this is no OSS endpoint`),
    };
    let position: OssQueries = startAfter === undefined ? {} : { "start-after": startAfter };
    for (;;) {
      const request = { op, method: "GET", queries: { ...queries, ...position }, signal } as const;
      const page = await this.bytes(request, (document) => parseListingPage(document, reading));
      yield page.objects;
      if (page.next === undefined) return;
      position = { "continuation-token": page.next };
    }
  }
}

/**
 * Watches the body of an answer. The body ends only after bytes with this checksum. It fails with `Unavailable` when the connection breaks, and
 * with `Corrupted` when the checksum differs.
 * @param checksum unknown for a range of an object
 */
function watchBody(checksum: Checksum | undefined, signal: AbortSignal | undefined): BodyWatch {
  const broke = (cause: unknown) => (signal?.aborted ? abortedError("get", signal.reason) : ossErrors.broken("get", cause));
  if (checksum === undefined) return { broke };
  const crc = createHasher("CRC64XZ");
  return {
    broke,
    chunk: (bytes) => crc.update(bytes),
    end: () => {
      const found = crc.value();
      if (found === checksum.value) return undefined;
      return new BridgeError("Corrupted", "get", `the bytes that arrived have CRC-64 ${found}, the object has ${checksum.value}`);
    },
  };
}

const LIST_PAGE = "1000";

function totalOf(contentRange: string | undefined): number {
  const total = /^bytes \d+-\d+\/(\d+)$/.exec(contentRange ?? "")?.[1];
  if (total === undefined) throw new BridgeError("Invalid", "get", "OSS ignored the range: it begins beyond the object's end");
  return Number(total);
}
