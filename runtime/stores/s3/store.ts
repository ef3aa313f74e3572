/** The port over S3 and other servers of its protocol. https://docs.aws.amazon.com/AmazonS3/latest/API/Welcome.html */
import type { Readable } from "node:stream";
import type { BodyWatch } from "../../http/exchange";
import type { Tags } from "../../protocol/snapshot";
import { abortedError } from "../body";
import { checked, type StoreAdapter } from "../checked-store";
import { checksumOf } from "../checksums";
import type { CopyLimits } from "../copy-in-place";
import { isBridgeError } from "../errors";
import { isListing, parseListingPage } from "../listing-page";
import type {
  CallOptions,
  DeleteOptions,
  GetOptions,
  ListedObject,
  ListOptions,
  ObjectHead,
  ObjectStore,
  PresignOptions,
  PutOptions,
  PutResult,
  PutTagsOptions,
  StoreCapabilities,
  TouchOptions,
} from "../object-store";
import { refusalCode } from "../refusals";
import { namingRefusedTags } from "../refused-tags";
import { sendBody } from "../sent-body";
import { documentOf, type Placement } from "./calls";
import type { S3ClientOptions } from "./client";
import { s3Errors, unexpectedAnswer } from "./errors";
import { trailingChecksum } from "./framing";
import {
  attributeHeaders,
  checksumHeaders,
  conditionHeaders,
  decodeListedKey,
  fullObjectChecksums,
  parseHead,
  putResult,
  S3_CHECKSUMS,
  S3_METADATA,
  taggingDocument,
  WITH_CHECKSUMS,
} from "./metadata";
import { S3_COPY_LIMITS, touchS3Object } from "./touch";
import { S3Uploads } from "./uploads";

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
export const S3_CAPABILITIES: StoreCapabilities = {
  conditionalWrites: true,
  conditionalCreate: true,
  checksums: S3_CHECKSUMS,
  multipartChecksums: ["CRC64NVME", "CRC32"],
  confirmsParts: false,
  minPartSizeBytes: 5 * 1024 ** 2,
  maxPartSizeBytes: 5 * 1024 ** 3,
  maxParts: 10_000,
  maxPutSizeBytes: 5 * 1024 ** 3,
  maxKeyBytes: 1024,
  metadata: S3_METADATA,
};

export interface S3StoreOptions extends S3ClientOptions, Placement {
  /** When `touch` copies in parts. @default S3_COPY_LIMITS */
  copyLimits?: CopyLimits | undefined;
}

/** @throws BridgeError `ConfigInvalid` for an endpoint that is not `https://host[:port]`. */
export function createS3Store(options: S3StoreOptions): ObjectStore {
  return checked(new S3Adapter(options), { name: options.bucket });
}

class S3Adapter extends S3Uploads implements StoreAdapter {
  private readonly copyLimits: CopyLimits;

  constructor({ copyLimits = S3_COPY_LIMITS, ...options }: S3StoreOptions) {
    super(options, S3_CAPABILITIES);
    this.copyLimits = copyLimits;
  }

  async head(key: string, { signal }: CallOptions = {}): Promise<ObjectHead | undefined> {
    const op = "head";
    try {
      return await this.client.send({ op, method: "HEAD", key, headers: WITH_CHECKSUMS, signal }, ({ headers }) => ({
        ...parseHead(op, headers),
        checksums: fullObjectChecksums(headers),
        ...this.tagCountOf(headers),
      }));
    } catch (error) {
      if (isBridgeError(error, "NotFound")) return undefined;
      throw error;
    }
  }

  async putTags(key: string, tags: Tags, { signal, versionId }: PutTagsOptions = {}): Promise<void> {
    const query = { tagging: "", ...(versionId !== undefined && { versionId }) };
    const body = taggingDocument(tags);
    // S3 wants a checksum with this document.
    const headers = { "content-type": "application/xml", ...checksumHeaders(checksumOf("CRC32", body)) };
    await namingRefusedTags(tags, () =>
      this.client.send({ op: "putTags", method: "PUT", key, query, headers, body, signal }, () => undefined),
    );
  }

  async get(key: string, options: GetOptions = {}): Promise<{ head: Omit<ObjectHead, "checksums">; body: Readable }> {
    const op = "get";
    const { ifMatch, range, signal } = options;
    const headers = { ...conditionHeaders({ ifMatch }), ...(range && { range: `bytes=${range.start}-${range.end}` }) };
    const watch: BodyWatch = {
      broke: (cause) => (signal?.aborted ? abortedError(op, signal.reason) : s3Errors.broken(op, cause)),
    };
    const answer = await this.client.open({ op, method: "GET", key, headers, signal }, () => watch);
    try {
      return { head: parseHead(op, answer.headers), body: answer.body };
    } catch (error) {
      answer.body.destroy();
      throw error;
    }
  }

  put(key: string, body: Readable | Uint8Array, options: PutOptions): Promise<PutResult> {
    const op = "put";
    const { attributes, checksum, condition, signal, sizeBytes } = options;
    const trailing = checksum === undefined ? trailingChecksum("CRC32", sizeBytes) : undefined;
    const given = { ...attributeHeaders(attributes), ...conditionHeaders(condition), ...checksumHeaders(checksum) };
    return namingRefusedTags(attributes.tags, () =>
      sendBody(op, body, { sizeBytes, signal, framing: trailing?.framing }, (sent) => {
        const isBytes = sent instanceof Uint8Array;
        const own = isBytes || trailing === undefined ? {} : framedHeaders(trailing.headers, given);
        const computed = isBytes && checksum === undefined ? checksumHeaders(checksumOf("CRC32", sent)) : {};
        const payload = isBytes || trailing === undefined ? undefined : "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
        const write = (placement: Readonly<Record<string, string>>) => {
          const headers = { ...given, ...own, ...computed, ...placement };
          const call = { op, method: "PUT", key, headers, body: sent, payload, signal } as const;
          return this.sendConditional(call, condition, (answer) => putResult(op, answer.headers));
        };
        return this.place(isBytes, write, { signal });
      }),
    );
  }

  async delete(key: string, { condition, signal, versionId }: DeleteOptions = {}): Promise<void> {
    const query = versionId === undefined ? {} : { versionId };
    const call = { op: "delete", method: "DELETE", key, query, headers: conditionHeaders(condition), signal } as const;
    try {
      await this.sendConditional(call, condition, () => undefined);
    } catch (error) {
      // S3 answers 204 for a version that does not exist; other servers of its protocol answer with an error.
      if (versionId === undefined || !isBridgeError(error, "NotFound") || !MISSING_VERSION.has(refusalCode(error))) throw error;
    }
  }

  touch(key: string, options: TouchOptions = {}): Promise<PutResult> {
    return touchS3Object(this, this.copyLimits, key, options);
  }

  /** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html */
  async *listPages(prefix: string, { signal, startAfter }: ListOptions = {}): AsyncIterable<ListedObject[]> {
    const op = "list";
    // XML 1.0 cannot hold every key, so S3 is asked to encode them.
    const query = { "list-type": "2", "encoding-type": "url", prefix };
    let position: Record<string, string> = startAfter === undefined ? {} : { "start-after": startAfter };
    for (;;) {
      const request = { op, method: "GET", query: { ...query, ...position }, signal } as const;
      const page = await this.client.send(request, (answer) => {
        // Any other document is a refusal, or no answer of S3.
        if (!isListing(answer.body)) documentOf(op, answer);
        return parseListingPage(answer.body, { decodeKey: decodeListedKey, invalid: (what) => unexpectedAnswer(op, what) });
      });
      yield page.objects;
      if (page.next === undefined) return;
      position = { "continuation-token": page.next };
    }
  }

  async presignGet(key: string, options: PresignOptions): Promise<string> {
    return this.client.presignGet(key, options);
  }
}

const MISSING_VERSION: ReadonlySet<string | undefined> = new Set(["NoSuchVersion", "NoSuchKey"]);

/** The coding of the framing is the last one. S3 removes it from the headers of the object. */
function framedHeaders(framing: Record<string, string>, given: Record<string, string>): Record<string, string> {
  const coding = given["content-encoding"];
  return coding === undefined ? framing : { ...framing, "content-encoding": `${coding},${framing["content-encoding"]}` };
}
