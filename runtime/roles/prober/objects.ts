/** The probe's objects in the store of its side. */

import type { ProberConfig } from "../../protocol/env";
import type { Clock, Deadline, Logger } from "../../protocol/ports";
import type { Metadata } from "../../protocol/snapshot";
import { BridgeError, isBridgeError } from "../../stores/errors";
import type { ObjectHead, ObjectStore } from "../../stores/object-store";
import { probeKey } from "./names";

/** User metadata, which every mode copies to the replica: the time just before the put, ISO 8601, by the putting function's clock. */
const POSTED_AT = "probe-posted-at";
/** A longer look is ended, so that a connection that hangs costs one attempt and not the whole watch. */
const LOOK_MS = 5_000;
/** Kept before the hard end of the invocation, for its answer. */
const ANSWER_MS = 2_000;

export interface ProbeObjectsDeps {
  config: ProberConfig;
  store: ObjectStore;
  clock: Clock;
  logger: Logger;
  /** `randomBytes` of node:crypto: no compression on the way can shrink them. */
  randomBytes(sizeBytes: number): Uint8Array;
}

export interface ProbeObjects {
  /** When work has to end, so that the answer can still be sent. */
  endMs(context: Deadline): number;
  /** @returns when the store had acknowledged it */
  put(name: string, sizeBytes: number, endMs: number): Promise<number>;
  /** The object; undefined where none is visible, or after a temporary failure of the store. */
  look(name: string, endMs: number): Promise<ObjectHead | undefined>;
  /** Removes the version that is visible. @returns whether there was one */
  remove(name: string, endMs: number): Promise<boolean>;
}

/** Each rejects with a `BridgeError` that names the side, the key and what to do. */
export function createProbeObjects({ config, store, clock, logger, randomBytes }: ProbeObjectsDeps): ProbeObjects {
  return {
    endMs: ({ remainingMs }) => clock.now() + remainingMs() - ANSWER_MS,

    async put(name, sizeBytes, endMs) {
      const body = randomBytes(sizeBytes);
      const metadata = { [POSTED_AT]: new Date(clock.now()).toISOString() };
      const attributes = { headers: { contentType: "application/octet-stream" }, metadata, tags: config.tags };
      await act("put", name, (key) => store.put(key, body, { sizeBytes, attributes, signal: signalUntil(endMs) }));
      return clock.now();
    },

    async look(name, endMs) {
      const signal = signalUntil(Math.min(endMs, clock.now() + LOOK_MS));
      try {
        return await act("look for", name, (key) => store.head(key, { signal }));
      } catch (error) {
        if (!isBridgeError(error) || !error.retryable) throw error;
        logger.warn("a look failed", { name, error });
        return undefined;
      }
    },

    async remove(name, endMs) {
      return await act("remove", name, async (key) => {
        const head = await store.head(key, { signal: signalUntil(endMs) });
        if (head === undefined) return false;
        await store.delete(key, { versionId: head.versionId, signal: signalUntil(endMs) });
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

  /** Works on the object's key. An error names the side, the key and the action. */
  async function act<T>(action: string, name: string, work: (key: string) => Promise<T>): Promise<T> {
    const key = probeKey(config, name);
    try {
      return await work(key);
    } catch (error) {
      if (!isBridgeError(error)) throw error;
      const message = `the prober of the ${config.side} cannot ${action} ${JSON.stringify(key)}: ${error.message}`;
      throw new BridgeError(error.kind, error.op, message + hintOf(error), { cause: error });
    }
  }
}

function hintOf({ kind, op }: BridgeError): string {
  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
  if (kind === "PermissionDenied" && op === "head")
    return "; a role that may not list the bucket is answered so for an object that is not there";
  return "";
}

/** When the object was posted; undefined for an object that no prober put. */
export function postedAt(metadata: Metadata): number | undefined {
  const atMs = Date.parse(metadata[POSTED_AT] ?? "");
  return Number.isNaN(atMs) ? undefined : atMs;
}
