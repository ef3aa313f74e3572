/**
 * The provenance that a bridge writes with every replica. It is the only record of a replication: it proves which bridge wrote the replica,
 * which source state it holds, and where the object was first written (so that no replica is sent back). It is one entry of the replica's user
 * metadata; `provenance-record.ts` keeps it where the metadata has no room.
 */
import { createHash } from "node:crypto";
import { CHECKSUM_ALGORITHMS, type Checksum, type Metadata, type ObjectSnapshot, ownValue } from "../protocol/snapshot";

const NAME = "crossborderbridge";
const FORMAT = "2";

/** The five entries of earlier releases. */
const EARLIER = {
  bridgeId: "bridge-id",
  sourceVersion: "bridge-source-version",
  sourceModified: "bridge-source-modified",
  origin: "bridge-origin",
  key: "bridge-key",
} as const;
const EARLIER_NAMES: ReadonlySet<string> = new Set(Object.values(EARLIER));

/**
 * What shows later that the destination's bytes are still those that the bridge wrote: their checksum, of a kind that the destination store
 * reports, or `record` for the etag in the key's provenance record.
 */
export type Seal = Checksum | "record";

export interface Provenance {
  bridgeId: string;
  /** The source's versionId, or its etag where the versionId does not name one state. */
  sourceVersion: string;
  /** The source's Last-Modified, ISO 8601. */
  sourceModified: string;
  /** The store that the object was first written to, `<cloud>:<bucket>`. */
  origin: string;
  /** Absent where both stores report a checksum of the same kind, and in replicas of earlier releases. */
  seal?: Seal | undefined;
}

export function readProvenance(metadata: Metadata): Provenance | undefined {
  return parseProvenance(ownValue(metadata, NAME))?.provenance ?? readEarlier(metadata);
}

function readEarlier(metadata: Metadata): Provenance | undefined {
  const bridgeId = metadata[EARLIER.bridgeId];
  const sourceVersion = metadata[EARLIER.sourceVersion];
  const sourceModified = metadata[EARLIER.sourceModified];
  const origin = metadata[EARLIER.origin];
  if (bridgeId === undefined || sourceVersion === undefined || sourceModified === undefined || origin === undefined) {
    return undefined;
  }
  return { bridgeId, sourceVersion, sourceModified, origin };
}

/** Reads the text of a provenance, with the digest of its key; undefined for any other text. */
export function parseProvenance(text: string | undefined): { provenance: Provenance; keyDigest: string } | undefined {
  const fields = (text ?? "").split(";");
  if (fields.length !== 7 || fields[0] !== FORMAT) return undefined;
  try {
    const [, bridgeId, sourceVersion, modified, origin, digest, seal] = fields.map(decodeURIComponent) as Fields;
    const sourceModified = new Date(Number.parseInt(modified, 36)).toISOString();
    return { provenance: { bridgeId, sourceVersion, sourceModified, origin, seal: parseSeal(seal) }, keyDigest: digest };
  } catch {
    // A user wrote this entry: it is no URI encoding, or holds no date.
    return undefined;
  }
}

type Fields = [string, string, string, string, string, string, string];

function parseSeal(text: string): Seal | undefined {
  if (text === "record") return text;
  const [name, value] = text.split(":");
  const algorithm = CHECKSUM_ALGORITHMS.find((one) => one === name);
  return algorithm === undefined || value === undefined ? undefined : { algorithm, value };
}

/** Printable ASCII, so that every store takes it as it is. */
export function formatProvenance({ bridgeId, sourceVersion, sourceModified, origin, seal }: Provenance, key: string): string {
  const modified = Date.parse(sourceModified).toString(36);
  const sealText = typeof seal === "object" ? `${seal.algorithm}:${seal.value}` : (seal ?? "");
  const fields: Fields = [FORMAT, bridgeId, sourceVersion, modified, origin, keyDigest(key), sealText];
  return fields.map((field) => field.replace(/[^!-:<-~]|%/gu, encodeURIComponent)).join(";");
}

/** The user metadata as the owner of the object wrote it. */
export function withoutProvenance(metadata: Metadata): Metadata {
  const isEarlier = readEarlier(metadata) !== undefined;
  return Object.fromEntries(
    Object.entries(metadata).filter(([name]) => name !== NAME && !(isEarlier && EARLIER_NAMES.has(name))),
  );
}

/** The metadata with a provenance that is kept elsewhere. */
export function withProvenance(metadata: Metadata, text: string): Metadata {
  return { ...withoutProvenance(metadata), [NAME]: text };
}

/** While versioning is suspended every write of a key gets this versionId, and replaces the version before. */
const REUSED_VERSION_ID = "null";

/**
 * Removes a provenance that belongs to another key. If a user copies a replica to another key, the copy carries the provenance of the original.
 * The copy is no replica. If the bridge believed its provenance, it would delete the copy or not replicate it.
 */
export function genuineMetadata(metadata: Metadata, key: string): Metadata {
  const digest = parseProvenance(ownValue(metadata, NAME))?.keyDigest ?? metadata[EARLIER.key];
  return digest === keyDigest(key) ? metadata : withoutProvenance(metadata);
}

/** Keys may be longer than metadata may be, and may hold characters that a header may not. */
function keyDigest(key: string): string {
  return createHash("sha256").update(key).digest("hex").slice(0, 16);
}

/** Longer names of a state, and longer origins, would need more room than `PROVENANCE_BYTES`. */
const MAX_NAME_CHARACTERS = 128;

/** No provenance takes more bytes of the metadata, name and value together. */
export const PROVENANCE_BYTES = 512;

/** The name of this state of the source object. */
export function sourceVersionOf({ versionId, etag }: Pick<ObjectSnapshot, "versionId" | "etag">): string {
  const name = versionId === undefined || versionId === REUSED_VERSION_ID ? etag : versionId;
  return name.length <= MAX_NAME_CHARACTERS ? name : createHash("sha256").update(name).digest("hex");
}

/** The metadata of the replica of `snapshot` at `key`. An object that is a replica itself keeps its first origin. */
export function replicaMetadata(
  snapshot: ObjectSnapshot,
  bridge: { bridgeId: string; sourceId: string },
  key: string,
  seal?: Seal | undefined,
): Metadata {
  const first = readProvenance(snapshot.metadata)?.origin;
  const provenance: Provenance = {
    bridgeId: bridge.bridgeId,
    sourceVersion: sourceVersionOf(snapshot),
    sourceModified: snapshot.lastModified,
    origin: first !== undefined && first.length <= MAX_NAME_CHARACTERS ? first : bridge.sourceId,
    seal,
  };
  return withProvenance(snapshot.metadata, formatProvenance(provenance, key));
}

/** Separates the provenance of a replica from the metadata of its owner, to keep the two in different places. */
export function splitProvenance(metadata: Metadata): { own: Metadata; text: string | undefined } {
  return { own: withoutProvenance(metadata), text: ownValue(metadata, NAME) };
}
