/** Touches an object of S3. https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html */
import type { Checksum, Tags } from "../../protocol/snapshot";
import {
  type CopyLimits,
  type CopyRange,
  type CopyUpload,
  copyInPlace,
  type ObjectCopier,
  type PresentObject,
} from "../copy-in-place";
import { BridgeError } from "../errors";
import type { CallOptions, PutResult, TouchOptions, UploadedPart } from "../object-store";
import { documentOf } from "./calls";
import {
  allChecksums,
  attributeHeaders,
  checksumIn,
  checksumTypeOf,
  copySource,
  etagOf,
  FULL_OBJECT,
  parseHead,
  putResult,
  taggingHeader,
  WITH_CHECKSUMS,
} from "./metadata";
import { declaredChecksum, type S3Uploads } from "./uploads";

const op = "touch";

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/copy-object.html */
export const S3_COPY_LIMITS: CopyLimits = { maxCopyBytes: 5 * 1024 ** 3, partSizeBytes: 512 * 1024 ** 2 };

export function touchS3Object(store: S3Uploads, limits: CopyLimits, key: string, options: TouchOptions): Promise<PutResult> {
  const { maxParts } = store.capabilities;
  return copyInPlace(new S3Copier(store, key, options), { ifMatch: options.ifMatch, limits, maxParts });
}

interface S3Present extends PresentObject {
  /** The headers that the copy is written with. */
  headers: Record<string, string>;
  /** The checksum of the whole object or over its parts; `checksumType` says which. */
  checksum: Checksum | undefined;
  checksumType: string | undefined;
}

const STORAGE_CLASS = "x-amz-storage-class";
const ENCRYPTION = "x-amz-server-side-encryption";
const KEY_ID = `${ENCRYPTION}-aws-kms-key-id`;
const ENCRYPTION_HEADERS = [ENCRYPTION, KEY_ID, `${ENCRYPTION}-bucket-key-enabled`];

class S3Copier implements ObjectCopier<S3Present> {
  constructor(
    private readonly store: S3Uploads,
    private readonly key: string,
    private readonly options: CallOptions,
  ) {}

  /** @throws BridgeError `Unsupported` when S3 does not return all of its metadata: the copy would lose some. */
  read(versionId?: string): Promise<S3Present> {
    const { key, store } = this;
    const query = versionId === undefined ? {} : { versionId };
    const call = { op, method: "HEAD", key, query, headers: WITH_CHECKSUMS, signal: this.options.signal } as const;
    return store.client.send(call, ({ headers: answer }) => {
      const missing = Number(answer["x-amz-missing-meta"] ?? 0);
      if (missing > 0) throw new BridgeError("Unsupported", op, `${missing} metadata entries of the object are no HTTP headers`);
      const head = parseHead(op, answer);
      // The adapter's own key wins over the object's encryption.
      const encryption = store.placement[KEY_ID] === undefined ? answer : store.placement;
      return {
        etag: head.etag,
        versionId: head.versionId,
        sizeBytes: head.sizeBytes,
        lastModified: head.lastModified,
        headers: {
          ...attributeHeaders({ headers: head.headers, metadata: head.metadata, tags: {} }),
          ...pick(encryption, ENCRYPTION_HEADERS),
          // Absent means STANDARD, in the answer and in a request.
          ...pick(answer, [STORAGE_CLASS]),
        },
        checksum: allChecksums(answer)[0],
        checksumType: checksumTypeOf(answer),
      };
    });
  }

  readTags(): Promise<Tags> {
    return this.store.getTags(this.key, this.options, op);
  }

  /** S3 refuses a copy onto itself that changes nothing, so the copy names its headers. */
  copyWhole(etag: string, { headers: kept, sizeBytes }: S3Present) {
    const { key, store } = this;
    const headers = {
      ...kept,
      ...this.copySource(etag),
      // S3 compares the etag of the source when the copy begins, and this one when it becomes visible.
      "if-match": `"${etag}"`,
      "x-amz-metadata-directive": "REPLACE",
      "x-amz-tagging-directive": "COPY",
    };
    const call = { op, method: "PUT", key, headers, workMs: copyWorkMs(sizeBytes), signal: this.options.signal } as const;
    return store.client.send(call, (answer) => ({
      result: putResult(op, answer.headers, documentOf(op, answer).textOf("ETag")),
      copiedFrom: answer.headers["x-amz-copy-source-version-id"],
    }));
  }

  /** Where S3 computes the same kind of checksum for the copy, completion carries the object's own and S3 verifies the copy. */
  async createUpload(present: S3Present, tags: Tags): Promise<CopyUpload> {
    const { key, options, store } = this;
    const { headers, etag, checksum, checksumType } = present;
    const declared = declaredChecksum(checksum?.algorithm, checksumType);
    const created = await store.start(op, key, { ...headers, ...taggingHeader(tags), ...declared }, options);
    const { uploadId } = created;
    const verifiesWhole = checksumType === FULL_OBJECT && created.checksumType === FULL_OBJECT;
    return {
      copyPart: (range) => this.copyPart(uploadId, etag, range),
      complete: (parts) =>
        store.completeUpload(key, uploadId, parts, {
          signal: options.signal,
          condition: { ifMatch: etag },
          checksum: verifiesWhole ? checksum : undefined,
        }),
      abort: (abortOptions) => store.abortUpload(key, uploadId, abortOptions),
    };
  }

  /** https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html */
  private copyPart(uploadId: string, etag: string, { partNumber, start, end }: CopyRange): Promise<UploadedPart> {
    const { key, store } = this;
    const sizeBytes = end - start + 1;
    const query = { partNumber: `${partNumber}`, uploadId };
    const headers = { ...this.copySource(etag), "x-amz-copy-source-range": `bytes=${start}-${end}` };
    const call = { op, method: "PUT", key, query, headers, workMs: copyWorkMs(sizeBytes), signal: this.options.signal } as const;
    return store.client.send(call, (answer) => {
      const document = documentOf(op, answer);
      const checksum = checksumIn(document);
      const part = { partNumber, sizeBytes, etag: etagOf(op, document.textOf("ETag")) };
      return checksum === undefined ? part : { ...part, checksum };
    });
  }

  /** Names the object as the source of a copy, if it has this etag. */
  private copySource(etag: string): Record<string, string> {
    return {
      "x-amz-copy-source": copySource(this.store.bucket, this.key),
      "x-amz-copy-source-if-match": `"${etag}"`,
    };
  }
}

/** The client gives up a copy that is slower. */
const MIN_COPY_BYTES_PER_SECOND = 4 * 1024 ** 2;

function copyWorkMs(sizeBytes: number): number {
  return Math.ceil((sizeBytes / MIN_COPY_BYTES_PER_SECOND) * 1000);
}

function pick(headers: Readonly<Record<string, string>>, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = headers[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
