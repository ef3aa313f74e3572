/** Decides whether a destination object is equal to a source snapshot. Pure. */
import type { ChecksumAlgorithm, ObjectSnapshot, Tags } from "../protocol/snapshot";
import { meaningOfHeaderText } from "../stores/header-text";
import type { ObjectHead } from "../stores/object-store";
import { readProvenance, sourceVersionOf, withoutProvenance } from "./provenance";

/** Checksums that are wide enough to prove equal bytes by themselves. */
const WIDE: ReadonlySet<ChecksumAlgorithm> = new Set(["CRC64NVME", "CRC64XZ", "SHA256", "SHA1"]);

export interface DestinationState {
  head: ObjectHead;
  tags: Tags;
}

export type Difference = "owner" | "bytes" | "headers" | "metadata" | "tags";

/**
 * The first difference, the most expensive one first; undefined when the destination is proven equal.
 *
 * Bytes are equal when the sizes are equal, and either both stores hold the same whole-object checksum, or this bridge wrote the object from
 * this source version. ETags of two stores are never compared.
 */
export function firstDifference(
  snapshot: ObjectSnapshot,
  destination: DestinationState,
  bridge: { bridgeId: string },
): Difference | undefined {
  const provenance = readProvenance(destination.head.metadata);
  if (provenance?.bridgeId !== bridge.bridgeId) return "owner";
  if (!bytesEqual(snapshot, destination.head, provenance.sourceVersion)) return "bytes";
  if (!recordsEqual(meanings(snapshot.headers), meanings(destination.head.headers))) return "headers";
  if (!recordsEqual(meanings(withoutProvenance(snapshot.metadata)), meanings(withoutProvenance(destination.head.metadata))))
    return "metadata";
  if (!recordsEqual(snapshot.tags, destination.tags)) return "tags";
  return undefined;
}

function bytesEqual(snapshot: ObjectSnapshot, head: ObjectHead, replicatedVersion: string): boolean {
  if (snapshot.sizeBytes !== head.sizeBytes) return false;
  const { checksum } = snapshot;
  const held = checksum && head.checksums.find(({ algorithm }) => algorithm === checksum.algorithm);
  if (checksum && held && checksum.value !== held.value) return false;
  if (replicatedVersion === sourceVersionOf(snapshot)) return true;
  return held !== undefined && WIDE.has(held.algorithm);
}

/** Two stores may encode the same non-ASCII header text differently. */
function meanings(record: OptionalStrings): OptionalStrings {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, value && meaningOfHeaderText(value)]));
}

type OptionalStrings = Readonly<Record<string, string | undefined>>;

export function recordsEqual(a: OptionalStrings, b: OptionalStrings): boolean {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((name) => a[name] === b[name]);
}
