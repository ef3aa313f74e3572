/** Touches an object of OSS. https://www.alibabacloud.com/help/en/oss/developer-reference/copyobject */
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
import { attributeHeaders, crc64Of, documentOf, parseHead, parsePutResult, required, taggingHeader, unquote } from "./metadata";
import type { OssUploads } from "./uploads";

const op = "touch";

export const OSS_COPY_LIMITS: CopyLimits = {
  /** The vendor recommends a copy in one call up to this size. */
  maxCopyBytes: 1024 ** 3,
  /** OSS copies a part of this size within seconds. */
  partSizeBytes: 128 * 1024 ** 2,
};

/** The client gives up a copy that is slower. */
const MIN_COPY_BYTES_PER_SECOND = 4 * 1024 ** 2;

export function touchOssObject(store: OssUploads, limits: CopyLimits, key: string, options: TouchOptions): Promise<PutResult> {
  const { maxParts } = store.capabilities;
  return copyInPlace(new OssCopier(store, key, options), { ifMatch: options.ifMatch, limits, maxParts });
}

interface OssPresent extends PresentObject {
  /** The headers that the copy is written with. */
  headers: Record<string, string>;
  checksum: Checksum | undefined;
}

const TYPE = "x-oss-object-type";
const STORAGE_CLASS = "x-oss-storage-class";
const ENCRYPTION = "x-oss-server-side-encryption";
const ENCRYPTION_HEADERS = [ENCRYPTION, `${ENCRYPTION}-key-id`, "x-oss-server-side-data-encryption"];

class OssCopier implements ObjectCopier<OssPresent> {
  constructor(
    private readonly store: OssUploads,
    private readonly key: string,
    private readonly options: CallOptions,
  ) {}

  /** @throws BridgeError `Unsupported` when a copy would change the type of the object, or lose one of its headers. */
  read(versionId?: string): Promise<OssPresent> {
    const { placement } = this.store;
    const queries = versionId === undefined ? {} : { versionId };
    return this.store.text({ op, method: "HEAD", key: this.key, queries, signal: this.options.signal }, (_, answer) => {
      const type = answer[TYPE];
      if (type === "Appendable" || type === "Symlink")
        throw new BridgeError("Unsupported", op, `the object is of type ${type}: a copy of it would be an ordinary object`);
      const sizeBytes = Number(required(op, "Content-Length", answer["content-length"]));
      const head = parseHead(op, answer, sizeBytes);
      if (head.hiddenHeaders !== undefined)
        throw new BridgeError(
          "Unsupported",
          op,
          "OSS forces a download of this type through its own host and hides the object's Content-Disposition, so a copy would lose it: set customDomain of this side",
        );
      // The adapter's own key wins over the object's encryption.
      const encryption = placement[ENCRYPTION] === undefined ? answer : placement;
      return {
        etag: head.etag,
        versionId: head.versionId,
        sizeBytes,
        lastModified: head.lastModified,
        headers: {
          ...attributeHeaders(op, head),
          ...pick(encryption, ENCRYPTION_HEADERS),
          // If OSS reports no class, the copy gets the class of the bucket.
          ...pick(answer, [STORAGE_CLASS]),
        },
        checksum: crc64Of(answer),
      };
    });
  }

  readTags(): Promise<Tags> {
    return this.store.getTags(this.key, this.options, op);
  }

  async copyWhole(etag: string, { headers: kept, sizeBytes, checksum }: OssPresent) {
    const headers = {
      ...kept,
      ...this.copySource(etag),
      "x-oss-metadata-directive": "REPLACE",
      "x-oss-tagging-directive": "Copy",
    };
    const request = { op, method: "PUT", key: this.key, headers, workMs: copyWorkMs(sizeBytes) } as const;
    const { result, copiedFrom, received } = await this.store.text(
      { ...request, signal: this.options.signal },
      (text, answer) => ({
        result: parsePutResult(op, documentOf(op, text).textOf("ETag") ?? answer.etag, answer),
        copiedFrom: answer["x-oss-copy-source-version-id"],
        received: crc64Of(answer),
      }),
    );
    await this.store.deleteIfCorrupted(op, this.key, result, { sent: checksum, received });
    return { result, copiedFrom };
  }

  async createUpload({ headers: kept, etag, checksum }: OssPresent, tags: Tags): Promise<CopyUpload> {
    const { key, store } = this;
    const { signal } = this.options;
    const { uploadId } = await store.start(op, key, { ...kept, ...taggingHeader(tags) }, signal);
    return {
      copyPart: (range) => this.copyPart(uploadId, etag, range),
      complete: (parts) => store.completeUpload(key, uploadId, parts, { op, checksum, signal }),
      abort: (options) => store.abortUpload(key, uploadId, options),
    };
  }

  /** https://www.alibabacloud.com/help/en/oss/developer-reference/uploadpartcopy */
  private copyPart(uploadId: string, etag: string, { partNumber, start, end }: CopyRange): Promise<UploadedPart> {
    const sizeBytes = end - start + 1;
    const queries = { partNumber: `${partNumber}`, uploadId };
    const headers = { ...this.copySource(etag), "x-oss-copy-source-range": `bytes=${start}-${end}` };
    const target = { op, method: "PUT", key: this.key, queries, headers } as const;
    return this.store.text({ ...target, workMs: copyWorkMs(sizeBytes), signal: this.options.signal }, (text, answer) => {
      const checksum = crc64Of(answer);
      const part = {
        partNumber,
        sizeBytes,
        etag: unquote(required(op, "ETag", documentOf(op, text).textOf("ETag") ?? answer.etag)),
      };
      return checksum === undefined ? part : { ...part, checksum };
    });
  }

  /** Names the object as the source of a copy, if it has this etag. */
  private copySource(etag: string): Record<string, string> {
    return {
      "x-oss-copy-source": `/${this.store.bucket}/${this.key.split("/").map(encodeURIComponent).join("/")}`,
      "x-oss-copy-source-if-match": `"${etag}"`,
    };
  }
}

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
