/** Hands over objects that the destination lacks: to the store's own replication, or to the bridge. */
import { BridgeError, isBridgeError } from "../runtime/stores/errors";
import { chunks, forEachBounded, type RetryDeps, retry } from "./concurrency";
import type { OperatedBridge } from "./operated-bridge";
import type { ObjectOutcome, Presence } from "./presence";

export interface DueObject {
  key: string;
  /** ETag of the state that the destination lacks. */
  etag: string;
}

export interface Moved {
  outcome: ObjectOutcome;
  reason?: string | undefined;
}

/** Resolves to one result per object, in their order. Rejects when the run has to end; some objects may have been handed over by then. */
export type Mover = (objects: readonly DueObject[]) => Promise<Moved[]>;

export interface MoverDeps extends RetryDeps {
  bridge: Pick<OperatedBridge, "source" | "enqueue">;
  presence: Presence;
  concurrency: number;
}

/** Whether the store refused this one object: the next one may succeed. */
export function refusedObject(error: unknown): error is BridgeError {
  return isBridgeError(error, "PermissionDenied", "Invalid", "Unsupported");
}

/** Chooses only how the failure is reported. S3 and OSS use the same code. */
const isArchived = ({ kind, message }: BridgeError): boolean => kind === "Unsupported" && message.includes("InvalidObjectState");

/** Copies objects onto themselves, so that the store's own replication picks them up. */
export function createCopier(deps: MoverDeps): Mover {
  const { bridge, presence, concurrency, signal } = deps;
  const { store } = bridge.source;

  async function copy({ key, etag }: DueObject): Promise<Moved> {
    let current = etag;
    let isRetry = false;
    return retry(async () => {
      // The first copy may have succeeded although its response was lost.
      const found = isRetry ? await presence(key, signal) : undefined;
      if (found !== undefined && found.outcome !== "due") return { outcome: found.outcome === "present" ? "due" : found.outcome };
      current = found?.etag ?? current;
      isRetry = true;
      await touch(key, current);
      return { outcome: "due" };
    }, deps);
  }

  async function touch(key: string, etag: string): Promise<void> {
    try {
      await store.touch(key, { ifMatch: etag, signal });
    } catch (cause) {
      if (!isBridgeError(cause, "PreconditionFailed")) throw cause;
      throw new BridgeError("Unavailable", "touch", "the object changes faster than it can be looked at", { cause });
    }
  }

  async function copyOrExplain(object: DueObject): Promise<Moved> {
    try {
      return await copy(object);
    } catch (error) {
      if (isBridgeError(error, "NotFound")) return { outcome: "gone" };
      if (refusedObject(error)) return { outcome: isArchived(error) ? "archived" : "failed", reason: error.message };
      throw error;
    }
  }

  return async (objects) => {
    const moved: Moved[] = [];
    await forEachBounded(objects.entries(), { limit: concurrency, signal }, async ([index, object]) => {
      moved[index] = await copyOrExplain(object);
    });
    return moved;
  };
}

/** A few requests' worth to a queue or a function. */
const KEYS_PER_CALL = 500;

/** Hands the keys to the bridge, as events would. */
export function createEnqueuer(deps: MoverDeps): Mover {
  const { bridge, signal } = deps;
  return async (objects) => {
    for (const chunk of chunks(objects, KEYS_PER_CALL)) {
      const keys = chunk.map(({ key }) => key);
      await retry(() => bridge.enqueue(keys, { signal }), deps);
    }
    return objects.map(() => ({ outcome: "due" }));
  };
}
