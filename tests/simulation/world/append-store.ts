import { BridgeError, isBridgeError } from "../../../runtime/stores/errors";
import type { AppendStore, ObjectStore } from "../../../runtime/stores/object-store";
import { readAll } from "../../../runtime/stores/read-all";

/** Keeps logs in an object store, so that the faults of the store also break appends. */
export function appendingTo(store: ObjectStore): AppendStore {
  async function read(key: string): Promise<{ bytes: Buffer; etag: string } | undefined> {
    try {
      const { head, body } = await store.get(key);
      return { bytes: await readAll(body, 16 * 1024 ** 2), etag: head.etag };
    } catch (error) {
      if (isBridgeError(error, "NotFound")) return undefined;
      throw error;
    }
  }
  return {
    async append(key, position, bytes) {
      const present = await read(key);
      if ((present?.bytes.length ?? 0) !== position) throw new BridgeError("PreconditionFailed", "append", "another length");
      const grown = Buffer.concat([present?.bytes ?? Buffer.alloc(0), bytes]);
      await store.put(key, grown, {
        sizeBytes: grown.length,
        attributes: { headers: {}, metadata: {}, tags: {} },
        condition: present === undefined ? { ifAbsent: true } : { ifMatch: present.etag },
      });
      return { sizeBytes: grown.length };
    },
    async readTail(key, maxBytes) {
      const present = await read(key);
      return present && { bytes: present.bytes.subarray(-maxBytes), sizeBytes: present.bytes.length };
    },
  };
}
