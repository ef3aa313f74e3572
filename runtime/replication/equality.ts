/** Decides whether a destination object is equal to a source snapshot. Pure. */
import { DIFFERENCE_CHARACTERS, type Difference } from "../protocol/messages";
import { type ChecksumAlgorithm, type ObjectSnapshot, ownValue, type Tags } from "../protocol/snapshot";
import { comparableHeaders, withoutHidden } from "../stores/content-headers";
import { meaningOfHeaderText } from "../stores/header-text";
import type { ObjectHead } from "../stores/object-store";
import { type Provenance, readProvenance, sourceVersionOf, withoutProvenance } from "./provenance";

/** Checksums that are wide enough to prove equal bytes by themselves. */
const WIDE: ReadonlySet<ChecksumAlgorithm> = new Set(["CRC64NVME", "CRC64XZ", "SHA256", "SHA1"]);

export interface DestinationState {
  /** Its metadata includes the provenance, wherever that is kept. */
  head: ObjectHead;
  tags: Tags;
  /** The etag that the bridge's own write left, where the provenance refers to it. */
  sealedEtag?: string | undefined;
}

/**
 * The first difference, the most expensive one first; undefined when the destination is proven equal.
 *
 * Bytes are equal when the sizes are equal, and either both stores hold the same whole-object checksum, or this bridge wrote the object from
 * this source version and no other tool has replaced the bytes since. ETags of two stores are never compared. A header that the destination
 * hides is equal if this bridge wrote the object from this very state of the source.
 */
export function firstDifference(
  snapshot: ObjectSnapshot,
  { head, tags, sealedEtag }: DestinationState,
  bridge: { bridgeId: string },
): Difference | undefined {
  const provenance = readProvenance(head.metadata);
  if (provenance?.bridgeId !== bridge.bridgeId)
    return difference("owner", "bridge", { wanted: bridge.bridgeId, found: provenance?.bridgeId });
  const [wanted, found] = comparableHeaders(withoutHidden(snapshot.headers, head), head.headers);
  return (
    differenceOfBytes(snapshot, head, provenance) ??
    differenceOfSeal(head, provenance, sealedEtag) ??
    differenceOfRecords("headers", headersByName(wanted), headersByName(found)) ??
    differenceOfHidden(snapshot, head, provenance) ??
    differenceOfRecords("metadata", meanings(snapshot.metadata), meanings(head.metadata)) ??
    differenceOfRecords("tags", snapshot.tags, tags)
  );
}

function differenceOfBytes(snapshot: ObjectSnapshot, head: ObjectHead, { sourceVersion }: Provenance): Difference | undefined {
  if (snapshot.sizeBytes !== head.sizeBytes)
    return difference("bytes", "size", { wanted: `${snapshot.sizeBytes}`, found: `${head.sizeBytes}` });
  const { checksum } = snapshot;
  const held = checksum && head.checksums.find(({ algorithm }) => algorithm === checksum.algorithm);
  if (checksum && held && checksum.value !== held.value)
    return difference("bytes", checksum.algorithm, { wanted: checksum.value, found: held.value });
  const version = sourceVersionOf(snapshot);
  if (sourceVersion === version || (held !== undefined && WIDE.has(held.algorithm))) return undefined;
  return difference("bytes", "source version", { wanted: version, found: sourceVersion });
}

/** Whether the replica's provenance names this very state of the source. A provenance does not cover tags. */
export function isMadeFrom(
  seen: DestinationState | undefined,
  snapshot: ObjectSnapshot | undefined,
  bridge: { bridgeId: string },
): boolean {
  const provenance = seen && readProvenance(seen.head.metadata);
  return snapshot !== undefined && provenance?.bridgeId === bridge.bridgeId && namesState(provenance, snapshot);
}

const namesState = ({ sourceVersion, sourceModified }: Provenance, snapshot: ObjectSnapshot): boolean =>
  sourceVersion === sourceVersionOf(snapshot) && sourceModified === snapshot.lastModified;

/** The first header that the destination hides, unless it was written from this state. */
function differenceOfHidden(
  snapshot: ObjectSnapshot,
  { hiddenHeaders = [] }: ObjectHead,
  provenance: Provenance,
): Difference | undefined {
  const [hidden] = hiddenHeaders;
  if (hidden === undefined || namesState(provenance, snapshot)) return undefined;
  return difference("headers", headerName(hidden), { wanted: snapshot.headers[hidden], found: "(hidden by the store)" });
}

/** Whether another tool replaced the bytes and kept the metadata, with the provenance in it. */
function differenceOfSeal(head: ObjectHead, { seal }: Provenance, sealedEtag: string | undefined): Difference | undefined {
  if (sealedEtag !== undefined && sealedEtag !== head.etag)
    return difference("bytes", "etag", { wanted: sealedEtag, found: head.etag });
  // A store that reports no checksum at all says nothing.
  if (typeof seal !== "object" || head.checksums.length === 0) return undefined;
  const held = head.checksums.find(({ algorithm }) => algorithm === seal.algorithm)?.value;
  return held === seal.value ? undefined : difference("bytes", seal.algorithm, { wanted: seal.value, found: held });
}

/** The name in HTTP. */
const headerName = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

function headersByName(headers: ObjectSnapshot["headers"]): OptionalStrings {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [headerName(name), value]));
}

/** Two stores may encode the same non-ASCII metadata differently. */
function meanings(metadata: ObjectSnapshot["metadata"]): OptionalStrings {
  return Object.fromEntries(
    Object.entries(withoutProvenance(metadata)).map(([name, value]) => [name, meaningOfHeaderText(value)]),
  );
}

type OptionalStrings = Readonly<Record<string, string | undefined>>;

function differenceOfRecords(what: Difference["what"], wanted: OptionalStrings, found: OptionalStrings): Difference | undefined {
  const name = [...Object.keys(wanted), ...Object.keys(found)].find((one) => ownValue(wanted, one) !== ownValue(found, one));
  return name === undefined
    ? undefined
    : difference(what, name, { wanted: ownValue(wanted, name), found: ownValue(found, name) });
}

function difference(what: Difference["what"], name: string, values: Pick<Difference, "wanted" | "found">): Difference {
  const cut = (text: string | undefined) => text?.slice(0, DIFFERENCE_CHARACTERS);
  return { what, name: cut(name), wanted: cut(values.wanted), found: cut(values.found) };
}

export function recordsEqual(a: OptionalStrings, b: OptionalStrings): boolean {
  return differenceOfRecords("metadata", a, b) === undefined;
}

const NOUNS: Readonly<Record<Difference["what"], string>> = {
  object: "object",
  owner: "owner",
  bytes: "bytes",
  headers: "header",
  metadata: "metadata",
  tags: "tag",
};

/** Names the difference and both values: `header cache-control is "a", the source's is "b"`. */
export function describeDifference({ what, name, wanted, found }: Difference): string {
  if (name === undefined) return `${NOUNS[what]} differs from the source's`;
  const quote = (value: string | undefined) => (value === undefined ? "absent" : JSON.stringify(value));
  return `${NOUNS[what]} ${name} is ${quote(found)}, the source's is ${quote(wanted)}`;
}
