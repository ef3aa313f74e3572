/** The source read directly, by the identity that reaches both stores: what presigned URLs are in pull mode. */
import type { SourceReader } from "../../protocol/ports";
import { BridgeError } from "../../stores/errors";
import type { ObjectStore } from "../../stores/object-store";

/** No URL of any network: it never leaves the function. */
const PREFIX = "source-object:";

export function storeAddress(key: string): string {
  return PREFIX + key;
}

export function createStoreReader(store: ObjectStore): SourceReader {
  return {
    async open(address, { etag, range, signal }) {
      const { head, body } = await store.get(keyOf(address), {
        ifMatch: etag,
        ...(range === undefined ? {} : { range }),
        ...(signal === undefined ? {} : { signal }),
      });
      return { sizeBytes: head.sizeBytes, etag: head.etag, body };
    },
    async isCurrent(address, { etag, signal }) {
      const head = await store.head(keyOf(address), signal === undefined ? {} : { signal });
      return head?.etag === etag;
    },
    async isAbsent(address, { signal } = {}) {
      return (await store.head(keyOf(address), signal === undefined ? {} : { signal })) === undefined;
    },
    assertAllowed(address) {
      keyOf(address);
    },
  };
}

function keyOf(address: string): string {
  if (!address.startsWith(PREFIX)) throw new BridgeError("Invalid", "read", "the address is not one of the source store");
  return address.slice(PREFIX.length);
}
