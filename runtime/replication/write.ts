/**
 * The receiver's writes: each reads the source pinned to the notice first, writes conditionally where the store can, and proves
 * the result by looking again.
 */

import type { Notice, Receipt } from "../protocol/messages";
import type { SourceReader } from "../protocol/ports";
import type { ObjectSnapshot } from "../protocol/snapshot";
import { BridgeError, isBridgeError } from "../stores/errors";
import type { ObjectStore } from "../stores/object-store";
import type { PresentNotice } from "./decide";
import { lookAt, replicaAttributes, unchangedSince } from "./destination";
import { type DestinationState, firstDifference } from "./equality";
import { verifiedBody } from "./verified-body";

export interface WriteContext {
  store: ObjectStore;
  reader: SourceReader;
  bridge: { bridgeId: string; sourceId: string };
  /** The destination key. */
  key: string;
  /** What the destination looked like when the write was decided. */
  seen: DestinationState | undefined;
  signal: AbortSignal;
}

type Result = Omit<Receipt, "key">;

/** Streams the source object into the destination. */
export async function writeObject(context: WriteContext, { url, snapshot }: PresentNotice): Promise<Result> {
  const { store, reader, bridge, key, seen, signal } = context;
  const source = await pinned(() => reader.open(url, { etag: snapshot.etag, signal }));
  if (source === undefined) return { result: "superseded" };
  if (source.sizeBytes !== snapshot.sizeBytes) {
    source.body.destroy();
    throw new BridgeError("Corrupted", "open", `the source answered ${source.sizeBytes} bytes of ${snapshot.sizeBytes}`);
  }
  const { checksum } = snapshot;
  const byStore = checksum !== undefined && store.capabilities.checksums.includes(checksum.algorithm);
  await store.put(key, checksum === undefined || byStore ? source.body : verifiedBody(source.body, checksum), {
    sizeBytes: snapshot.sizeBytes,
    attributes: replicaAttributes(snapshot, bridge, key),
    // One that the store cannot verify would only make it refuse the object.
    ...(byStore ? { checksum } : {}),
    ...unchangedSince(store, seen),
    signal,
  });
  return await proven(context, snapshot, snapshot.sizeBytes);
}

/** Only the tags differ: no object bytes move. */
export async function writeTags(context: WriteContext, { url, snapshot }: PresentNotice): Promise<Result> {
  const { store, reader, key, signal } = context;
  if (!(await reader.isCurrent(url, { etag: snapshot.etag, signal }))) return { result: "superseded" };
  await store.putTags(key, snapshot.tags, { signal });
  return await proven(context, snapshot, 0);
}

/** The source is still absent: delete what this bridge wrote. */
export async function deleteObject(context: WriteContext, { url }: Notice): Promise<Result> {
  const { store, reader, key, seen, signal } = context;
  if (!(await reader.isAbsent(url, { signal }))) return { result: "superseded" };
  const { condition } = unchangedSince(store, seen);
  await store.delete(key, { ...(condition?.ifMatch === undefined ? {} : { condition: { ifMatch: condition.ifMatch } }), signal });
  if ((await store.head(key, { signal })) !== undefined)
    return { result: "retry", reason: "the destination object is back after its delete" };
  return { result: "replicated", bytesMoved: 0 };
}

async function proven(
  { store, key, bridge, signal }: WriteContext,
  snapshot: ObjectSnapshot,
  bytesMoved: number,
): Promise<Result> {
  const state = await lookAt(store, key, signal);
  const difference = state === undefined ? "object" : firstDifference(snapshot, state, bridge);
  if (difference === undefined) return { result: "replicated", bytesMoved };
  return { result: "retry", reason: `after the write the destination's ${difference} differs from the source's`, bytesMoved };
}

/** A read that is pinned to the snapshot; undefined when the source has moved on. */
async function pinned<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (isBridgeError(error, "PreconditionFailed", "NotFound")) return undefined;
    throw error;
  }
}
