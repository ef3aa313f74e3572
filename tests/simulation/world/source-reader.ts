/** The pinned reader for URLs of a memory store. */
import type { Clock } from "../../../runtime/protocol/ports";
import type { SourceReader } from "../../../runtime/replication/source";
import { BridgeError, isBridgeError } from "../../../runtime/stores/errors";
import { parseMemoryUrl } from "../../../runtime/stores/memory/store";
import type { GetOptions, ObjectStore } from "../../../runtime/stores/object-store";

export function readerOf(source: ObjectStore, clock: Pick<Clock, "now">, ignoreEtag = false): SourceReader {
  const keyOf = (url: string): string => {
    const { key, expiresMs } = parseMemoryUrl(url);
    if (expiresMs <= clock.now()) throw new BridgeError("PermissionDenied", "open", "the URL has expired");
    return key;
  };
  const get = (url: string, options: GetOptions) => {
    const { ifMatch: _dropped, ...unpinned } = options;
    return source.get(keyOf(url), ignoreEtag ? unpinned : options);
  };
  return {
    bind: (url) => ({
      async open({ etag, range, signal }) {
        const { head, body } = await get(url, { ifMatch: etag, range, signal });
        return { sizeBytes: head.sizeBytes, etag: head.etag, body };
      },
      async isCurrent({ etag, signal }) {
        try {
          (await get(url, { ifMatch: etag, signal })).body.destroy();
          return true;
        } catch (error) {
          if (isBridgeError(error, "PreconditionFailed", "NotFound")) return false;
          throw error;
        }
      },
      async isAbsent({ signal } = {}) {
        return (await source.head(keyOf(url), signal && { signal })) === undefined;
      },
    }),
  };
}
