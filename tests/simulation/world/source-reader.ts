/** The pinned reader for URLs of a memory store. */
import type { Clock } from "../../../runtime/protocol/ports";
import type { Tags } from "../../../runtime/protocol/snapshot";
import { withoutStatusTags } from "../../../runtime/replication/snapshot";
import { assertPinned, pinOf, type SourcePin, type SourceReader } from "../../../runtime/replication/source";
import { BridgeError, isBridgeError } from "../../../runtime/stores/errors";
import { parseMemoryUrl } from "../../../runtime/stores/memory/store";
import type { GetOptions, ObjectStore } from "../../../runtime/stores/object-store";

/** What a mutation does not compare: the whole pin, its version and Last-Modified, the tags, or anything of a look that moves no bytes. */
export type Uncompared = "pin" | "state" | "tags" | "look";

export interface ReaderMutation {
  uncompared?: Uncompared | undefined;
  /** The tags of the notice for this key. */
  noticed?(key: string): Tags;
}

export function readerOf(
  source: ObjectStore,
  clock: Pick<Clock, "now">,
  { uncompared, noticed }: ReaderMutation = {},
): SourceReader {
  const assertReadable = (url: string, key: string, target: "object" | "tags" = "object"): void => {
    const { key: named, reads, expiresMs } = parseMemoryUrl(url);
    if (named !== key || reads !== target) throw new BridgeError("Invalid", "open", "the URL names another key");
    if (expiresMs <= clock.now()) throw new BridgeError("PermissionDenied", "open", "the URL has expired");
  };
  const get = async (url: string, key: string, { pin, ...options }: GetOptions & { pin: SourcePin }) => {
    assertReadable(url, key);
    const { head, body } = await source.get(key, uncompared === "pin" ? options : { ...options, ifMatch: pin.etag });
    if (uncompared !== "pin" && uncompared !== "state") assertPinned(pinOf(head), pin);
    return { head, body };
  };
  return {
    bind: (url, key, tagsUrl) => ({
      async open(options) {
        const { head, body } = await get(url, key, options);
        return { sizeBytes: head.sizeBytes, etag: head.etag, body };
      },
      async isCurrent(options) {
        if (uncompared === "look") return true;
        try {
          (await get(url, key, options)).body.destroy();
          return true;
        } catch (error) {
          if (isBridgeError(error, "PreconditionFailed", "NotFound")) return false;
          throw error;
        }
      },
      async tags({ signal } = {}) {
        assertReadable(tagsUrl ?? url, key, "tags");
        if (uncompared === "tags" || uncompared === "look") return noticed?.(key) ?? {};
        return withoutStatusTags(await source.getTags(key, signal && { signal }));
      },
      async isAbsent({ signal } = {}) {
        assertReadable(url, key);
        if (uncompared === "look") return true;
        return (await source.head(key, signal && { signal })) === undefined;
      },
    }),
  };
}
