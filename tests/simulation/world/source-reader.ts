/** The pinned reader for URLs of a memory store. */
import type { Clock } from "../../../runtime/protocol/ports";
import { assertPinned, pinOf, type SourcePin, type SourceReader } from "../../../runtime/replication/source";
import { BridgeError, isBridgeError } from "../../../runtime/stores/errors";
import { parseMemoryUrl } from "../../../runtime/stores/memory/store";
import type { GetOptions, ObjectStore } from "../../../runtime/stores/object-store";

/** What a mutation does not compare: nothing of the pin, or its version and Last-Modified. */
export type Uncompared = "pin" | "state";

export function readerOf(source: ObjectStore, clock: Pick<Clock, "now">, uncompared?: Uncompared): SourceReader {
  const assertReadable = (url: string, key: string): void => {
    const { key: named, expiresMs } = parseMemoryUrl(url);
    if (named !== key) throw new BridgeError("Invalid", "open", "the URL names another key");
    if (expiresMs <= clock.now()) throw new BridgeError("PermissionDenied", "open", "the URL has expired");
  };
  const get = async (url: string, key: string, { pin, ...options }: GetOptions & { pin: SourcePin }) => {
    assertReadable(url, key);
    const { head, body } = await source.get(key, uncompared === "pin" ? options : { ...options, ifMatch: pin.etag });
    if (uncompared === undefined) assertPinned(pinOf(head), pin);
    return { head, body };
  };
  return {
    bind: (url, key) => ({
      async open(options) {
        const { head, body } = await get(url, key, options);
        return { sizeBytes: head.sizeBytes, etag: head.etag, body };
      },
      async isCurrent(options) {
        try {
          (await get(url, key, options)).body.destroy();
          return true;
        } catch (error) {
          if (isBridgeError(error, "PreconditionFailed", "NotFound")) return false;
          throw error;
        }
      },
      async isAbsent({ signal } = {}) {
        assertReadable(url, key);
        return (await source.head(key, signal && { signal })) === undefined;
      },
    }),
  };
}
