/** Objects that only ever grow, where the length is the version: what a store without conditional writes can still do atomically. */
import type { CallOptions } from "./object-store";

/** The end of an object as one moment had it. */
export interface AppendedTail {
  bytes: Buffer;
  /** Of the whole object. */
  sizeBytes: number;
}

/** Every method rejects with a `BridgeError`. */
export interface AppendStore {
  /**
   * Adds the bytes, all or none of them, if the object is `position` bytes long at that moment; with `position` 0, if there is none.
   * Otherwise `PreconditionFailed`. Sent once: after `Unavailable` it may have landed, and may still land as long as the object is
   * `position` bytes long.
   */
  append(key: string, position: number, bytes: Uint8Array, options?: CallOptions): Promise<{ sizeBytes: number }>;
  /** The last `maxBytes`, or the whole object where it is shorter; undefined where there is none. */
  readTail(key: string, maxBytes: number, options?: CallOptions): Promise<AppendedTail | undefined>;
}
