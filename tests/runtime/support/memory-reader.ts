import type { SourceReader } from "../../../runtime/protocol/ports";
import { BridgeError, isBridgeError } from "../../../runtime/stores/errors";
import { memoryUrlKey } from "../../../runtime/stores/memory/store";
import type { ObjectStore } from "../../../runtime/stores/object-store";

/** Reads the URLs of a memory store as the real reader reads presigned ones; refuses any other. */
export function memoryReader(source: ObjectStore): SourceReader {
  return {
    async open(url, { etag, range, signal }) {
      const { head, body } = await source.get(memoryUrlKey(url), {
        ifMatch: etag,
        ...(range && { range }),
        ...(signal && { signal }),
      });
      return { sizeBytes: head.sizeBytes, etag: head.etag, body };
    },
    async isCurrent(url, { etag }) {
      try {
        (await source.get(memoryUrlKey(url), { ifMatch: etag })).body.destroy();
        return true;
      } catch (error) {
        if (isBridgeError(error, "PreconditionFailed", "NotFound")) return false;
        throw error;
      }
    },
    isAbsent: async (url) => (await source.head(memoryUrlKey(url))) === undefined,
    assertAllowed(url) {
      if (!url.startsWith("memory://")) throw new BridgeError("Invalid", "read", "the URL is of no allowed source");
    },
  };
}
