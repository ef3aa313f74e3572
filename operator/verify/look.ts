/** Looks at one key on both sides, after the listings differ or cannot tell. */
import type { Scope } from "../../runtime/protocol/env";
import type { Checksum } from "../../runtime/protocol/snapshot";
import { describeDifference, recordsEqual } from "../../runtime/replication/equality";
import { readProvenance } from "../../runtime/replication/provenance";
import { metadataWithProvenance } from "../../runtime/replication/provenance-record";
import { createHasher } from "../../runtime/stores/checksums";
import { isBridgeError } from "../../runtime/stores/errors";
import type { ObjectHead, ObjectStore } from "../../runtime/stores/object-store";
import { type RetryDeps, retry } from "../concurrency";
import type { OperatedBridge } from "../operated-bridge";
import { cameFromDestination, isArchived, replicaDifference } from "../presence";
import { isInAnyScope } from "../scopes";
import { grouped } from "../text";
import type { Finding } from "./findings";

type Sides = Pick<OperatedBridge, "config" | "source" | "destination">;

export interface LookOptions extends RetryDeps {
  scopes: readonly Scope[];
  /** Whether bytes are read where no common checksum proves them. */
  bytes: boolean;
  /** A difference of an object that was written within this time counts as on its way. */
  graceMs: number;
  /** Milliseconds since the epoch. */
  now(): number;
}

/** `proven`: equal, and something proves it. `same`: nothing speaks against it. `gone`: on neither side any more. */
export type Looked =
  | { outcome: "proven" | "same" | "outOfScope" | "onTheWay" | "gone" }
  | { outcome: "finding"; finding: Finding };
export type Look = (key: string) => Promise<Looked>;

/** An object that changes while it is read is looked at again, so often. */
const LOOKS = 3;

export function createLook(bridge: Sides, options: LookOptions): Look {
  const look = (key: string) => retry(() => lookOnce(bridge, key, options), options);
  return async (key) => {
    for (let count = 1; ; count++) {
      try {
        return await look(key);
      } catch (error) {
        options.signal.throwIfAborted();
        if (isBridgeError(error, "PreconditionFailed", "NotFound") && count < LOOKS) continue;
        // It was overwritten each time, so another event of it is on its way.
        if (isBridgeError(error, "PreconditionFailed")) return { outcome: "onTheWay" };
        // The store lists an object that it does not hand out, or refuses it.
        if (!isBridgeError(error, "NotFound", "PermissionDenied", "Invalid", "Unsupported")) throw error;
        return { outcome: "finding", finding: { kind: "unread", key, sizeBytes: 0, reason: error.message } };
      }
    }
  };
}

async function lookOnce(bridge: Sides, key: string, options: LookOptions): Promise<Looked> {
  const { signal, scopes, graceMs, now } = options;
  const { source, destination, config } = bridge;
  const [head, replica] = await Promise.all([
    source.store.head(key, { signal }),
    destination.store.head(destination.keyPrefix + key, { signal }),
  ]);
  if (head === undefined) return replica === undefined ? { outcome: "gone" } : await extra(bridge, key, replica, signal);
  const isIn = await isInAnyScope(source.store, scopes, { key, storeKey: key, sizeBytes: head.sizeBytes }, signal);
  if (isIn === undefined) return { outcome: "gone" };
  if (!isIn) return { outcome: "outOfScope" };
  const metadata = config.mode === "native" ? head.metadata : await metadataWithProvenance(source.store, key, head, { signal });
  if (config.mode !== "native" && cameFromDestination(bridge, metadata)) return { outcome: "outOfScope" };
  const seen = { ...head, metadata };
  const found = replica === undefined ? missing(seen) : await compare(bridge, key, { source: seen, replica }, options);
  if (typeof found === "string") return { outcome: found };
  if (now() - head.lastModified.getTime() < graceMs) return { outcome: "onTheWay" };
  return { outcome: "finding", finding: { ...found, key, sizeBytes: head.sizeBytes, etag: head.etag } };
}

type Difference = Pick<Finding, "kind" | "reason" | "leftAlone">;
type Compared = Difference | "proven" | "same";

const different = (reason: string): Difference => ({ kind: "different", reason });

const missing = (head: ObjectHead): Difference => ({
  kind: "missing",
  reason: isArchived(head) ? "the source's object is archived: restore it first" : "not at the destination",
});

interface Both {
  /** Its metadata includes the provenance. */
  source: ObjectHead;
  replica: ObjectHead;
}

async function compare(bridge: Sides, key: string, both: Both, options: LookOptions): Promise<Compared> {
  const { source, replica } = both;
  if (source.sizeBytes !== replica.sizeBytes)
    return different(`${grouped(source.sizeBytes)} bytes at the source, ${grouped(replica.sizeBytes)} at the destination`);
  const bytes = bytesVerdict(source, replica);
  if (typeof bytes === "object") return bytes;
  const attributes = await (bridge.config.mode === "native"
    ? compareNative(both, bytes)
    : compareReplica(bridge, key, both, { bytes, signal: options.signal }));
  if (typeof attributes === "object" && !attributes.isUnproven) return different(attributes.reason);
  if (bytes === "equal") return "proven";
  if (options.bytes) return await readBytes(bridge, key, both, options.signal);
  return typeof attributes === "object" ? different(attributes.reason) : attributes;
}

interface Doubt {
  reason: string;
  /** Only because nothing proves the bytes. */
  isUnproven?: true | undefined;
}

const UNPROVEN = "nothing proves its bytes: --bytes reads them";

/** The store's own replication keeps headers and metadata as they are. */
function compareNative({ source, replica }: Both, bytes: "equal" | "unknown"): Doubt | "same" {
  if (!recordsEqual({ ...source.headers }, { ...replica.headers })) return { reason: "the headers differ" };
  if (!recordsEqual(source.metadata, replica.metadata)) return { reason: "the metadata differs" };
  if (bytes === "equal" || source.replication === "COMPLETED" || source.replication === "REPLICA") return "same";
  return { reason: `the destination has another object of this size, and ${UNPROVEN}`, isUnproven: true };
}

async function compareReplica(
  bridge: Sides,
  key: string,
  both: Both,
  { bytes, signal }: { bytes: "equal" | "unknown"; signal: AbortSignal },
): Promise<Doubt | "proven" | "same"> {
  const difference = await replicaDifference(bridge, key, both, signal);
  if (difference === undefined) return "proven";
  // The version of the source that the provenance names says nothing against equal checksums.
  if (difference.what === "bytes" && bytes === "equal") return "proven";
  if (difference.what !== "owner") return { reason: describeDifference(difference) };
  // Somebody else put the object there, perhaps before the bridge: only its bytes count.
  return bytes === "equal" ? "same" : { reason: `this bridge did not write it, and ${UNPROVEN}`, isUnproven: true };
}

/** What checksums and ETags that both stores hold say about the bytes. */
function bytesVerdict(source: ObjectHead, replica: ObjectHead): "equal" | "unknown" | Difference {
  const shared = source.checksums.flatMap((checksum) => {
    const held = replica.checksums.find(({ algorithm }) => algorithm === checksum.algorithm);
    return held === undefined ? [] : [{ checksum, held }];
  });
  const other = shared.find(({ checksum, held }) => checksum.value !== held.value);
  if (other !== undefined) return wrongChecksum(other.checksum, other.held.value);
  const sameEtag = /^[0-9a-f]{32}$/i.test(source.etag) && source.etag.toLowerCase() === replica.etag.toLowerCase();
  return shared.length > 0 || sameEtag ? "equal" : "unknown";
}

const wrongChecksum = ({ algorithm, value }: Checksum, found: string): Difference =>
  different(`the ${algorithm} of the bytes is ${found}, the source's is ${value}`);

/** Reads as few bytes as prove the two equal: one object where the other has a checksum, else both. */
async function readBytes({ source, destination }: Sides, key: string, both: Both, signal: AbortSignal): Promise<Compared> {
  const near = { store: source.store, key, head: both.source };
  const far = { store: destination.store, key: destination.keyPrefix + key, head: both.replica };
  const [held] = both.source.checksums;
  if (held !== undefined) return equal(held, await checksumOf(far, held.algorithm, signal));
  const [replicaHeld] = both.replica.checksums;
  const algorithm = replicaHeld?.algorithm ?? "SHA256";
  const [wanted, found] = await Promise.all([
    checksumOf(near, algorithm, signal),
    replicaHeld?.value ?? checksumOf(far, algorithm, signal),
  ]);
  return equal({ algorithm, value: wanted }, found);
}

const equal = (wanted: Checksum, found: string): Compared => (wanted.value === found ? "proven" : wrongChecksum(wanted, found));

async function checksumOf(
  { store, key, head }: { store: ObjectStore; key: string; head: ObjectHead },
  algorithm: Checksum["algorithm"],
  signal: AbortSignal,
): Promise<string> {
  const hasher = createHasher(algorithm);
  const { body } = await store.get(key, { ifMatch: head.etag, signal });
  for await (const bytes of body) hasher.update(bytes as Uint8Array);
  return hasher.value();
}

/** An object that only the destination has. */
async function extra({ config, destination }: Sides, key: string, replica: ObjectHead, signal: AbortSignal): Promise<Looked> {
  const finding = (reason: string, leftAlone?: true): Looked => ({
    outcome: "finding",
    finding: { kind: "extra", key, sizeBytes: replica.sizeBytes, reason, ...(leftAlone && { leftAlone }) },
  });
  if (config.direction === "two-way") return finding("not at the source");
  const { rules } = config.replication;
  const deletes =
    config.mode === "native" && rules.length > 0 ? rules.map((rule) => rule.deletes ?? config.deletes) : [config.deletes];
  if (!deletes.includes("replicate")) return finding("not at the source, and deletes are ignored", true);
  if (config.mode === "native") return finding("not at the source");
  const metadata = await metadataWithProvenance(destination.store, destination.keyPrefix + key, replica, { signal });
  return readProvenance(metadata)?.bridgeId === config.name
    ? finding("the source's object was deleted, and its replica was not")
    : finding("not at the source, and this bridge did not write it", true);
}
