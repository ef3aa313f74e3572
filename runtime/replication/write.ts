/**
 * The writes of a replication. Each first makes sure that the source is still in the state of the snapshot, then writes, and then looks at the
 * destination again to prove the result. A write of an object and a delete are conditional where the store can do that.
 */
import { type Readable, Transform, type TransformCallback } from "node:stream";
import type { Difference, Receipt } from "../protocol/messages";
import type { Checksum, ObjectSnapshot } from "../protocol/snapshot";
import { suppressUnhandledError } from "../stores/body";
import { createHasher, type Hasher } from "../stores/checksums";
import { BridgeError, isBridgeError } from "../stores/errors";
import type { ObjectStore } from "../stores/object-store";
import { type BridgeIdentity, lookAt, replicaAttributes, unchangedSince } from "./destination";
import { type DestinationState, describeDifference, firstDifference } from "./equality";
import type { BoundSource } from "./source";

export interface WriteContext {
  destination: ObjectStore;
  source: BoundSource;
  bridge: BridgeIdentity;
  /** The destination key. */
  key: string;
  /** The destination object when the write was decided. */
  seen: DestinationState | undefined;
  signal: AbortSignal;
}

/** A receipt without its key. */
export type ReplicationResult = Omit<Receipt, "key">;

/** Streams the source object into the destination. */
export async function writeObject(context: WriteContext, snapshot: ObjectSnapshot): Promise<ReplicationResult> {
  const { destination, source, bridge, key, seen, signal } = context;
  const opened = await openPinned(source, snapshot, signal);
  if (opened === undefined) return { result: "superseded" };
  if (opened.sizeBytes !== snapshot.sizeBytes) {
    opened.body.destroy();
    throw new BridgeError("Corrupted", "open", `the source answered ${opened.sizeBytes} bytes of ${snapshot.sizeBytes}`);
  }
  const { checksum } = snapshot;
  const byStore = checksum !== undefined && destination.capabilities.checksums.includes(checksum.algorithm);
  await destination.put(key, checksum === undefined || byStore ? opened.body : verifiedBody(opened.body, checksum), {
    sizeBytes: snapshot.sizeBytes,
    attributes: replicaAttributes(snapshot, bridge, key),
    // The store would refuse a checksum of a kind that it cannot verify.
    checksum: byStore ? checksum : undefined,
    condition: unchangedSince(destination, seen),
    signal,
  });
  return await prove(context, snapshot, snapshot.sizeBytes);
}

/** Only the tags differ: no object bytes move. No store writes tags conditionally. */
export async function writeTags(context: WriteContext, snapshot: ObjectSnapshot): Promise<ReplicationResult> {
  const { destination, source, key, signal } = context;
  if (!(await source.isCurrent({ pin: snapshot, signal }))) return { result: "superseded" };
  await destination.putTags(key, snapshot.tags, { signal });
  return await prove(context, snapshot, 0);
}

/** Deletes the replica, if the source is still absent. */
export async function deleteObject(context: WriteContext): Promise<ReplicationResult> {
  const { destination, source, key, seen, signal } = context;
  if (!(await source.isAbsent({ signal }))) return { result: "superseded" };
  const ifMatch = unchangedSince(destination, seen)?.ifMatch;
  await destination.delete(key, { condition: ifMatch === undefined ? undefined : { ifMatch }, signal });
  if ((await destination.head(key, { signal })) !== undefined)
    return { result: "retry", reason: "the destination object is back after its delete" };
  return { result: "replicated", bytesMoved: 0 };
}

async function prove(
  { destination, key, bridge, signal }: WriteContext,
  snapshot: ObjectSnapshot,
  bytesMoved: number,
): Promise<ReplicationResult> {
  const state = await lookAt(destination, key, signal);
  const difference: Difference | undefined = state === undefined ? { what: "object" } : firstDifference(snapshot, state, bridge);
  if (difference === undefined) return { result: "replicated", bytesMoved };
  const reason = `after the write the destination's ${describeDifference(difference)}`;
  return { result: "retry", reason, bytesMoved, difference };
}

/** Undefined when the source has changed. */
async function openPinned(source: BoundSource, pin: ObjectSnapshot, signal: AbortSignal) {
  try {
    return await source.open({ pin, signal });
  } catch (error) {
    if (isBridgeError(error, "PreconditionFailed", "NotFound")) return undefined;
    throw error;
  }
}

/**
 * Verifies the source's checksum while the bytes pass, where the destination store cannot verify that kind. Holds the last piece back until
 * the checksum is known, so that the store never gets the whole of a body that is wrong.
 */
class VerifiedBody extends Transform {
  private readonly hasher: Hasher;
  private held: Buffer | undefined;

  constructor(private readonly checksum: Checksum) {
    super();
    suppressUnhandledError(this);
    this.hasher = createHasher(checksum.algorithm);
  }

  override _transform(piece: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.hasher.update(piece);
    const before = this.held;
    this.held = piece;
    done(null, before);
  }

  override _flush(done: TransformCallback): void {
    const { algorithm, value } = this.checksum;
    if (this.hasher.value() === value) done(null, this.held);
    else
      done(new BridgeError("Corrupted", "read", `the bytes that were read have another ${algorithm} than the source's object`));
  }
}

/** The same bytes; fails with `Corrupted` before its last piece when they do not match the checksum. Ending it ends the body. */
export function verifiedBody(body: Readable, checksum: Checksum): Readable {
  const verified = new VerifiedBody(checksum);
  body.once("error", (error) => verified.destroy(error));
  verified.once("close", () => body.destroy());
  return body.pipe(verified);
}
