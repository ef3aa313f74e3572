/** The probe's objects in the side's own store. */

import type { ProberConfig } from "../../protocol/env";
import type { Clock, Deadline, Logger } from "../../protocol/ports";
import type { Metadata } from "../../protocol/snapshot";
import { BridgeError, isBridgeError } from "../../stores/errors";
import type { ObjectHead, ObjectStore } from "../../stores/object-store";
import { probeKey } from "./names";

/** User metadata, which every mode carries to the replica: when the object was about to be posted, ISO 8601, by the putting function's clock. */
const POSTED_AT = "probe-posted-at";
/** One look takes no longer, so that a connection that hangs costs an attempt and not the watch. */
const LOOK_MS = 5_000;
/** Before the hard end of the invocation, for its answer. */
const ANSWER_MS = 2_000;

export interface ProbeObjectsDeps {
  config: ProberConfig;
  store: ObjectStore;
  clock: Clock;
  logger: Logger;
  /** Of node:crypto: what nothing on the way can compress. */
  randomBytes(sizeBytes: number): Uint8Array;
}

export interface ProbeObjects {
  /** When work has to end, so that the answer still comes. */
  endMs(context: Deadline): number;
  /** @returns when the store had acknowledged it */
  put(name: string, sizeBytes: number, endMs: number): Promise<number>;
  /** The object, or undefined where none is visible or the store could not be asked this time. */
  look(name: string, endMs: number): Promise<ObjectHead | undefined>;
  /** Removes the very version that is visible. @returns whether there was one */
  remove(name: string, endMs: number): Promise<boolean>;
}

/** Each rejects with a `BridgeError` that names the side, the key and what to do. */
export function createProbeObjects({ config, store, clock, logger, randomBytes }: ProbeObjectsDeps): ProbeObjects {
  return {
    endMs: ({ remainingMs }) => clock.now() + remainingMs() - ANSWER_MS,

    async put(name, sizeBytes, endMs) {
      const key = probeKey(config, name);
      const body = randomBytes(sizeBytes);
      const metadata = { [POSTED_AT]: new Date(clock.now()).toISOString() };
      const attributes = { headers: { contentType: "application/octet-stream" }, metadata, tags: config.tags };
      await explaining("put", key, () => store.put(key, body, { sizeBytes, attributes, signal: signalUntil(endMs) }));
      return clock.now();
    },

    async look(name, endMs) {
      const key = probeKey(config, name);
      const signal = signalUntil(Math.min(endMs, clock.now() + LOOK_MS));
      try {
        return await explaining("look for", key, () => store.head(key, { signal }));
      } catch (error) {
        if (!isBridgeError(error) || !error.retryable) throw error;
        logger.warn("a look failed", { name, error });
        return undefined;
      }
    },

    async remove(name, endMs) {
      const key = probeKey(config, name);
      return await explaining("remove", key, async () => {
        const head = await store.head(key, { signal: signalUntil(endMs) });
        if (head === undefined) return false;
        const version = head.versionId === undefined ? {} : { versionId: head.versionId };
        await store.delete(key, { ...version, signal: signalUntil(endMs) });
        return true;
      });
    },
  };

  /** @throws BridgeError where there is no time left. */
  function signalUntil(endMs: number): AbortSignal {
    const leftMs = endMs - clock.now();
    if (leftMs <= 0) throw new BridgeError("Unavailable", "probe", "the function's time ended: ask for fewer objects at once");
    return clock.after(leftMs);
  }

  async function explaining<T>(doing: string, key: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!isBridgeError(error)) throw error;
      const told = `the prober of the ${config.side} cannot ${doing} ${JSON.stringify(key)}: ${error.message}`;
      throw new BridgeError(error.kind, error.op, `${told}${hintOf(error)}`, { cause: error });
    }
  }
}

function hintOf({ kind, op }: BridgeError): string {
  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
  if (kind === "PermissionDenied" && op === "head")
    return "; a role that may not list the bucket is answered so for an object that is not there";
  return "";
}

/** Undefined where the object is none of a prober's. */
export function postedAt(metadata: Metadata): number | undefined {
  const atMs = Date.parse(metadata[POSTED_AT] ?? "");
  return Number.isNaN(atMs) ? undefined : atMs;
}
