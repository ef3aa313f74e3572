/** Small control records that are changed by compare-and-swap only. Leases and slots are kept in them. */

import { controlPrefix } from "../protocol/control";
import { parseJson } from "../protocol/json";
import type * as z from "../protocol/schema";
import { BridgeError, isBridgeError, mayStillLand } from "../stores/errors";
import type { ObjectStore } from "../stores/object-store";
import { readAll } from "../stores/read-all";

/** A longer record is not written. */
export const MAX_RECORD_BYTES = 64 * 1024;

/** One kind of record. `key` names a record of it. */
export interface RecordKind<T> {
  /** Named in errors, and the field of a line of a log. */
  what: string;
  schema: z.ZodMiniType<T>;
  /** The object's name below the control prefix. */
  objectName(key: string): string;
  /** The log's name below the prefix of the logs. */
  logName(key: string): string;
  /** Whether the record belongs to this key. */
  fits(record: T, key: string): boolean;
}

/** A record as it was read, and the token for a later compare-and-swap. */
export interface HeldRecord<T> {
  record: T;
  token: string;
}

export interface RecordStore<T> {
  read(key: string, signal?: AbortSignal): Promise<HeldRecord<T> | undefined>;
  /** Replaces `previous`, or creates the record. Undefined when the record has changed: nothing was written. */
  write(key: string, record: T, previous: HeldRecord<T> | undefined, signal?: AbortSignal): Promise<HeldRecord<T> | undefined>;
  /** Removes exactly this state. Does nothing when the record has changed. */
  remove(key: string, held: HeldRecord<T>, signal?: AbortSignal): Promise<void>;
}

export function notOfThisKind(name: string, what: string): BridgeError {
  return new BridgeError("Unexpected", "readRecord", `the control record ${name} is not a ${what} of this key: remove it`);
}

/** Keeps records as objects of a store that writes conditionally. */
export function createRecordStore<T>(store: ObjectStore, bridgeId: string, kind: RecordKind<T>): RecordStore<T> {
  const name = (key: string): string => controlPrefix(bridgeId) + kind.objectName(key);

  return {
    async read(key, signal) {
      try {
        const { head, body } = await store.get(name(key), { signal });
        const parsed = kind.schema.safeParse(parseJson((await readAll(body, MAX_RECORD_BYTES)).toString("utf8")));
        if (!parsed.success || !kind.fits(parsed.data, key)) throw notOfThisKind(name(key), kind.what);
        return { record: parsed.data, token: head.etag };
      } catch (error) {
        if (isBridgeError(error, "NotFound")) return undefined;
        throw error;
      }
    },
    async write(key, record, previous, signal) {
      const body = Buffer.from(JSON.stringify(record));
      try {
        const { etag } = await store.put(name(key), body, {
          sizeBytes: body.length,
          attributes: { headers: { contentType: "application/json" }, metadata: {}, tags: {} },
          condition: previous ? { ifMatch: previous.token } : { ifAbsent: true },
          signal,
        });
        return { record, token: etag };
      } catch (error) {
        const isUnknown = mayStillLand(error);
        if (!isUnknown && !isBridgeError(error, "PreconditionFailed", "NotFound")) throw error;
        // The answer of the write was lost, or the write was sent twice: the record is ours if it is equal.
        const current = await this.read(key, signal);
        if (current && JSON.stringify(current.record) === JSON.stringify(kind.schema.parse(record))) return current;
        if (isUnknown) throw error;
        return undefined;
      }
    },
    async remove(key, held, signal) {
      try {
        await store.delete(name(key), { condition: { ifMatch: held.token }, signal });
      } catch (error) {
        if (!isBridgeError(error, "PreconditionFailed", "NotFound")) throw error;
      }
    },
  };
}
