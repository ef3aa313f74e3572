import type { BoundSource, SourceReader } from "../../../runtime/replication/source";
import { BridgeError, isBridgeError } from "../../../runtime/stores/errors";
import { memoryUrlKey } from "../../../runtime/stores/memory/store";
import type { ObjectStore } from "../../../runtime/stores/object-store";

/** Reads the URLs of a memory store as the real reader reads presigned URLs. Refuses any other URL. */
export function memoryReader(source: ObjectStore): SourceReader {
  return {
    bind(url) {
      if (!url.startsWith("memory://")) throw new BridgeError("Invalid", "read", "the URL is of no allowed source");
      return memorySource(source, memoryUrlKey(url));
    },
  };
}

/** Reads one key of a memory store as a presigned URL does: every call is a GET. */
export function memorySource(source: ObjectStore, key: string): BoundSource {
  return {
    async open({ etag, range, signal }) {
      const { head, body } = await source.get(key, { ifMatch: etag, ...(range && { range }), ...(signal && { signal }) });
      return { sizeBytes: head.sizeBytes, etag: head.etag, body };
    },
    async isCurrent({ etag }) {
      try {
        (await source.get(key, { ifMatch: etag })).body.destroy();
        return true;
      } catch (error) {
        if (isBridgeError(error, "PreconditionFailed", "NotFound")) return false;
        throw error;
      }
    },
    isAbsent: async () => (await source.head(key)) === undefined,
  };
}
