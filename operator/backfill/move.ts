/** Puts objects to work that are not at the destination. */
import { BridgeError, isBridgeError } from "../../runtime/stores/errors";
import { forEachBounded } from "../bounded";
import { chunks } from "../chunks";
import type { OperatedBridge } from "../operated-bridge";
import type { ObjectOutcome } from "./counts";
import type { Presence } from "./presence";
import { type RetryDeps, retrying } from "./retrying";

export interface DueObject {
  key: string;
  /** Of the state that was found missing at the destination. */
  etag: string;
}

export interface Moved {
  outcome: ObjectOutcome;
  reason?: string;
}

/** Answers in the order of the objects. Rejects where going on makes no sense; then some may have been put to work. */
export type Mover = (objects: readonly DueObject[]) => Promise<Moved[]>;

export interface MoverDeps extends RetryDeps {
  bridge: Pick<OperatedBridge, "source" | "enqueue">;
  presence: Presence;
  concurrency: number;
}

/** Refusals of one object, which say nothing of the next one. */
export function refusedObject(error: unknown): error is BridgeError {
  return isBridgeError(error, "PermissionDenied", "Invalid", "Unsupported");
}

/** Decides only under which heading it is told. S3 and OSS name it alike, and no other kind of failure is made of it. */
const isArchived = ({ kind, message }: BridgeError): boolean => kind === "Unsupported" && message.includes("InvalidObjectState");

/** Copies objects onto themselves, so that the store's own replication takes them up. */
export function createCopier(deps: MoverDeps): Mover {
  const { bridge, presence, concurrency, signal } = deps;
  const { store } = bridge.source;

  async function copy({ key, etag }: DueObject): Promise<Moved> {
    let current = etag;
    let again = false;
    return retrying(async () => {
      // The copy before may have been made although its answer got lost, and one is enough.
      const found = again ? await presence(key, signal) : undefined;
      if (found !== undefined && found.outcome !== "due") return { outcome: found.outcome === "present" ? "due" : found.outcome };
      current = found?.etag ?? current;
      again = true;
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

  async function copyOrSayWhy(object: DueObject): Promise<Moved> {
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
      moved[index] = await copyOrSayWhy(object);
    });
    return moved;
  };
}

/** Of the size of what a queue's or a function's request holds, a few times over. */
const KEYS_AT_ONCE = 500;

/** Asks the bridge to look at the keys. */
export function createEnqueuer(deps: MoverDeps): Mover {
  const { bridge, signal } = deps;
  return async (objects) => {
    for (const chunk of chunks(objects, KEYS_AT_ONCE)) {
      const keys = chunk.map(({ key }) => key);
      await retrying(() => bridge.enqueue(keys, { signal }), deps);
    }
    return objects.map(() => ({ outcome: "due" }));
  };
}
