/** One source object as a replication reads it. It is bound before, to a presigned URL or to a key of a store, so that no address is passed on. */
import type { Readable } from "node:stream";
import type { ByteRange } from "../protocol/ports";
import type { ObjectStore } from "../stores/object-store";

export interface SourceObject {
  /** The size of the whole object, also where a range was asked for. */
  sizeBytes: number;
  etag: string;
  body: Readable;
}

export interface BoundSource {
  /** Reads the object with this etag. Rejects: `PreconditionFailed` when the object has another etag, `NotFound` when it is gone. */
  open(options: { etag: string; range?: ByteRange | undefined; signal?: AbortSignal | undefined }): Promise<SourceObject>;
  /** Whether the current object still has this etag. Moves no object bytes. */
  isCurrent(options: { etag: string; signal?: AbortSignal | undefined }): Promise<boolean>;
  /** Whether there still is no object. */
  isAbsent(options?: { signal?: AbortSignal | undefined }): Promise<boolean>;
}

/** Reads presigned URLs of the source. Never follows a redirect and never connects to a private address: both reject with `Invalid`. */
export interface SourceReader {
  /**
   * Does no I/O.
   * @throws BridgeError `Invalid` for a URL that is not https, not of an allowed source, or carries user info.
   */
  bind(url: string): BoundSource;
}

/** Reads the key with the store's own credentials. */
export function storeSource(store: ObjectStore, key: string): BoundSource {
  return {
    async open({ etag, range, signal }) {
      const { head, body } = await store.get(key, { ifMatch: etag, range, signal });
      return { sizeBytes: head.sizeBytes, etag: head.etag, body };
    },
    async isCurrent({ etag, signal }) {
      const head = await store.head(key, { signal });
      return head?.etag === etag;
    },
    async isAbsent({ signal } = {}) {
      return (await store.head(key, { signal })) === undefined;
    },
  };
}
