import { type BoundSource, type SourceReader, storeSource } from "../../../runtime/replication/source";
import { BridgeError, isBridgeError } from "../../../runtime/stores/errors";
import { memoryUrlKey } from "../../../runtime/stores/memory/store";
import type { ObjectStore } from "../../../runtime/stores/object-store";

/** Reads the URLs of a memory store as the real reader reads presigned URLs. Refuses any other URL. */
export function memoryReader(source: ObjectStore): SourceReader {
  return {
    bind(url, key, tagsUrl) {
      if (!url.startsWith("memory://")) throw new BridgeError("Invalid", "read", "the URL is of no allowed source");
      if (memoryUrlKey(url) !== key) throw new BridgeError("Invalid", "read", "the URL names another key");
      if (tagsUrl !== undefined && memoryUrlKey(tagsUrl) !== key)
        throw new BridgeError("Invalid", "read", "the URL of the tags names another key");
      return memorySource(source, key);
    },
  };
}

/** Reads one key of a memory store as a presigned URL does: every call is a GET. */
export function memorySource(source: ObjectStore, key: string): BoundSource {
  return storeSource(
    {
      get: source.get.bind(source),
      getTags: source.getTags.bind(source),
      head: async (key, options) => {
        try {
          const { head, body } = await source.get(key, options);
          body.destroy();
          return { ...head, checksums: [] };
        } catch (error) {
          if (isBridgeError(error, "NotFound")) return undefined;
          throw error;
        }
      },
    },
    key,
  );
}
