/** One source object as a replication reads it. It is bound before, to a presigned URL or to a key of a store, so that no address is passed on. */
import type { Readable } from "node:stream";
import type { ByteRange } from "../protocol/ports";
import type { ObjectSnapshot, Tags } from "../protocol/snapshot";
import { BridgeError, isBridgeError, locate } from "../stores/errors";
import type { ObjectHead, ObjectStore } from "../stores/object-store";
import { recordsEqual } from "./equality";
import { withoutStatusTags } from "./snapshot";

/**
 * The state of an object that a read accepts. The etag alone does not name a state: equal bytes that were written again with other metadata
 * have the same etag, but another version and another Last-Modified.
 */
export type SourcePin = Pick<ObjectSnapshot, "etag" | "versionId" | "lastModified">;

export interface SourceObject {
  /** The size of the whole object, also where a range was asked for. */
  sizeBytes: number;
  etag: string;
  body: Readable;
}

export interface BoundSource {
  /** Reads the object in this state. Rejects: `PreconditionFailed` when the object is in another state, `NotFound` when it is gone. */
  open(options: { pin: SourcePin; range?: ByteRange | undefined; signal?: AbortSignal | undefined }): Promise<SourceObject>;
  /** Whether the object is still in this state. Moves no object bytes. */
  isCurrent(options: { pin: SourcePin; signal?: AbortSignal | undefined }): Promise<boolean>;
  /** The tags that the object has now, without the bridges' own. Rejects with `NotFound` when the object is gone. */
  tags(options?: { signal?: AbortSignal | undefined }): Promise<Tags>;
  /** Whether there still is no object. */
  isAbsent(options?: { signal?: AbortSignal | undefined }): Promise<boolean>;
}

/** Reads presigned URLs of the source. Never follows a redirect and never connects to a private address: both reject with `Invalid`. */
export interface SourceReader {
  /**
   * Does no I/O.
   * @param tagsUrl reads the tags of the same key; without it `tags` rejects
   * @throws BridgeError `Invalid` for a URL that is not https, is not of an allowed source, names another key, or reads anything but the
   * current object.
   */
  bind(url: string, key: string, tagsUrl?: string): BoundSource;
  /**
   * Opens connections for these URLs where none is open, so that the first read needs no handshake. Sends no request, and connects to allowed
   * sources only.
   */
  warm?(urls: readonly string[]): void;
}

export function isPinned(found: SourcePin, pin: SourcePin): boolean {
  // Last-Modified has a resolution of one second on the wire.
  const second = ({ lastModified }: SourcePin) => Math.floor(Date.parse(lastModified) / 1000);
  return found.etag === pin.etag && found.versionId === pin.versionId && second(found) === second(pin);
}

/** @throws BridgeError `PreconditionFailed` for an object in another state. */
export function assertPinned(found: SourcePin, pin: SourcePin): void {
  if (isPinned(found, pin)) return;
  throw new BridgeError("PreconditionFailed", "read", "the source answered with another object than the one of the snapshot");
}

export function pinOf({ etag, versionId, lastModified }: Omit<ObjectHead, "checksums">): SourcePin {
  return { etag, ...(versionId === undefined ? {} : { versionId }), lastModified: lastModified.toISOString() };
}

/**
 * Whether the source is still in the state of a notice, tags included. No store has a version of tags, so they are compared by value. A notice that
 * is sent again after the source has changed is no longer true, and must change nothing.
 * @param snapshot undefined stands for absent
 */
export async function isStill(
  source: BoundSource,
  snapshot: ObjectSnapshot | undefined,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if (snapshot === undefined) return await source.isAbsent({ signal });
  if (!(await source.isCurrent({ pin: snapshot, signal }))) return false;
  try {
    return recordsEqual(await source.tags({ signal }), snapshot.tags);
  } catch (error) {
    if (isBridgeError(error, "NotFound")) return false;
    throw error;
  }
}

/** Reads the key with the store's own credentials. */
export function storeSource(store: Pick<ObjectStore, "get" | "getTags" | "head">, key: string): BoundSource {
  return {
    async open({ pin, range, signal }) {
      const { head, body } = await store.get(key, { ifMatch: pin.etag, range, signal });
      try {
        assertPinned(pinOf(head), pin);
      } catch (error) {
        body.destroy();
        throw error;
      }
      return { sizeBytes: head.sizeBytes, etag: head.etag, body };
    },
    async isCurrent({ pin, signal }) {
      const head = await store.head(key, { signal });
      return head !== undefined && isPinned(pinOf(head), pin);
    },
    async tags({ signal } = {}) {
      return withoutStatusTags(await store.getTags(key, { signal }));
    },
    async isAbsent({ signal } = {}) {
      return (await store.head(key, { signal })) === undefined;
    },
  };
}

/**
 * The same source. Its errors say that they are of the source, also those of a body that breaks while it is written to the destination.
 * @param store named in the errors
 */
export function locatedSource(source: BoundSource, store: string): BoundSource {
  const where = { place: "source", store } as const;
  const located = async <T>(call: Promise<T>): Promise<T> => {
    try {
      return await call;
    } catch (error) {
      throw locate(error, where);
    }
  };
  return {
    async open(options) {
      const opened = await located(source.open(options));
      opened.body.on("error", (error) => void locate(error, where));
      return opened;
    },
    isCurrent: (options) => located(source.isCurrent(options)),
    tags: (options) => located(source.tags(options)),
    isAbsent: (options) => located(source.isAbsent(options)),
  };
}
