/**
 * The writes of a replication. Each first makes sure that the source is still in the state of the snapshot, and then writes. The store's own answer
 * is the proof: it verified the checksum that the bytes were sent with. The destination is read again only where the answer does not prove
 * enough. A write of an object and a delete are conditional where the store can do that.
 */
import { type Readable, Transform, type TransformCallback } from "node:stream";
import type { Difference, Receipt } from "../protocol/messages";
import type { Checksum, ObjectSnapshot } from "../protocol/snapshot";
import { suppressUnhandledError } from "../stores/body";
import { checksumOf, createHasher, type Hasher } from "../stores/checksums";
import { BridgeError, isBridgeError } from "../stores/errors";
import type { ObjectStore, PutResult } from "../stores/object-store";
import { readAll } from "../stores/read-all";
import { type BridgeIdentity, lookAt, planReplica, recordReplica, unchangedSince } from "./destination";
import { type DestinationState, describeDifference, firstDifference, isMadeFrom } from "./equality";
import type { KeptAttributes } from "./kept-attributes";
import type { Pace } from "./pace";
import type { Seal } from "./provenance";
import type { ProvenanceRecord } from "./provenance-record";
import { type BoundSource, isStill } from "./source";

export interface WriteContext {
  destination: ObjectStore;
  source: BoundSource;
  bridge: BridgeIdentity;
  /** The destination key. */
  key: string;
  /** The destination object when the write was decided. */
  seen: DestinationState | undefined;
  signal: AbortSignal;
  /** Gives a body up as soon as its rate shows that it cannot end in time. */
  pace?: Pace | undefined;
  /** What the destination is known to keep. Without it every object is read again after its write. */
  kept?: KeptAttributes | undefined;
}

/** A receipt without its key. */
export type ReplicationResult = Omit<Receipt, "key">;

/** The source is not as the snapshot says. The reason is for a source that answers this although nothing has changed. */
export const SUPERSEDED = {
  result: "superseded",
  place: "source",
  reason: "the source answered that the object is not the one of the snapshot any more",
} as const;

/** Streams the source object into the destination. */
export async function writeObject(context: WriteContext, snapshot: ObjectSnapshot): Promise<ReplicationResult> {
  const { destination, source, bridge, key, seen, signal, pace, kept } = context;
  const opened = await openPinned(source, snapshot, signal);
  if (opened === undefined) return SUPERSEDED;
  if (opened.sizeBytes !== snapshot.sizeBytes) {
    opened.body.destroy();
    throw new BridgeError("Corrupted", "open", `the source answered ${opened.sizeBytes} bytes of ${snapshot.sizeBytes}`);
  }
  const { body, checksum, seal } = await prepareBody(
    destination,
    snapshot,
    pace?.watch(opened.body, snapshot.sizeBytes) ?? opened.body,
  );
  const replica = planReplica(context, snapshot, seal);
  const { attributes } = replica;
  const { sizeBytes } = snapshot;
  const condition = unchangedSince(destination, seen);
  const written = await destination.put(key, body, { sizeBytes, attributes, checksum, condition, signal });
  assertStored(checksum, written);
  const record = await recordReplica(context, replica, written.etag, signal);
  // The last write of this state did not make it equal, so this one is looked at.
  const isRepeated = isMadeFrom(seen, snapshot, bridge);
  if (!isRepeated && kept?.covers(attributes)) return { result: "replicated", bytesMoved: sizeBytes };
  const result = await prove(context, snapshot, { bytesMoved: sizeBytes, record });
  if (result.difference === undefined) kept?.learn(attributes);
  else kept?.forget(attributes);
  return isRepeated ? refuseAltered(result, seen && firstDifference(snapshot, seen, bridge)) : result;
}

/** @throws BridgeError `Corrupted` when the store reports that it has stored other bytes. */
function assertStored(sent: Checksum | undefined, { checksums = [] }: PutResult): void {
  const stored = sent && checksums.find(({ algorithm }) => algorithm === sent.algorithm);
  if (stored === undefined || stored.value === sent?.value) return;
  const { algorithm, value } = stored;
  throw new BridgeError(
    "Corrupted",
    "put",
    `the store answered that it stored bytes with the ${algorithm} ${value}, not ${sent?.value}`,
  );
}

/** A store that shows the same difference before and after a write does not keep what it is given: another write would move the bytes in vain. */
function refuseAltered(after: ReplicationResult, before: Difference | undefined): ReplicationResult {
  const { difference, reason, bytesMoved } = after;
  if (difference === undefined || JSON.stringify(difference) !== JSON.stringify(before)) return after;
  return { result: "rejected", reason: `the destination does not keep the object as it was written: ${reason}`, bytesMoved };
}

/** The checksum of a body up to this size is part of its own write: the body is read into memory first. */
const SEALED_IN_MEMORY_BYTES = 1024 ** 2;

interface PreparedBody {
  body: Readable | Uint8Array;
  /** The destination verifies it. */
  checksum: Checksum | undefined;
  seal: Seal | undefined;
}

/**
 * Where the destination verifies and reports the source's kind of checksum, that checksum proves the bytes then and later. Elsewhere the source's
 * checksum is verified here, and the replica is sealed with the destination's own kind of checksum, or with its etag if it is large.
 */
async function prepareBody(destination: ObjectStore, snapshot: ObjectSnapshot, opened: Readable): Promise<PreparedBody> {
  const { checksum, sizeBytes } = snapshot;
  const { checksums } = destination.capabilities;
  if (checksum !== undefined && checksums.includes(checksum.algorithm)) return { body: opened, checksum, seal: undefined };
  const body = checksum === undefined ? opened : verifiedBody(opened, checksum);
  const [ownKind] = checksums;
  if (sizeBytes > SEALED_IN_MEMORY_BYTES || ownKind === undefined) return { body, checksum: undefined, seal: "record" };
  const bytes = await readAll(body, sizeBytes);
  const own = checksumOf(ownKind, bytes);
  return { body: bytes, checksum: own, seal: own };
}

/**
 * Only the tags differ: no object bytes move. No store writes tags conditionally, so the tags at the source are compared right before.
 */
export async function writeTags(context: WriteContext, snapshot: ObjectSnapshot): Promise<ReplicationResult> {
  const { destination, source, key, signal } = context;
  if (!(await isStill(source, snapshot, signal))) return SUPERSEDED;
  // Not to the version that was seen: that needs another permission. The sender's second look finds a change of the source meanwhile.
  await destination.putTags(key, snapshot.tags, { signal });
  return { result: "replicated", bytesMoved: 0 };
}

/** Deletes the replica, if the source is still absent. */
export async function deleteObject(context: WriteContext): Promise<ReplicationResult> {
  const { destination, source, key, seen, signal } = context;
  if (!(await source.isAbsent({ signal }))) return SUPERSEDED;
  const ifMatch = unchangedSince(destination, seen)?.ifMatch;
  await destination.delete(key, { condition: ifMatch === undefined ? undefined : { ifMatch }, signal });
  return { result: "replicated", bytesMoved: 0 };
}

async function prove(
  { destination, key, bridge, signal }: WriteContext,
  snapshot: ObjectSnapshot,
  { bytesMoved, record }: { bytesMoved: number; record?: ProvenanceRecord | undefined },
): Promise<ReplicationResult> {
  const state = await lookAt(destination, key, signal, record);
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
