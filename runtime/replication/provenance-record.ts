/**
 * Keeps a provenance under the control prefix of the replica's bucket, for the two cases in which the entry in the metadata is not enough: the
 * owner's metadata leaves no room for it, or the etag that proves the bytes is known only after the write. A record names the etag of the object
 * that it is about, so a record of an earlier object says nothing about a later one.
 *
 * The records of all bridges have the same prefix: a bridge in the opposite direction has to recognise the replicas too.
 */
import { createHash } from "node:crypto";
import { PROVENANCE_PREFIX } from "../protocol/control";
import { parseJson } from "../protocol/json";
import * as z from "../protocol/schema";
import type { Metadata } from "../protocol/snapshot";
import { isBridgeError } from "../stores/errors";
import type { CallOptions, ObjectHead, ObjectStore, StoreCapabilities } from "../stores/object-store";
import { readAll } from "../stores/read-all";
import {
  genuineMetadata,
  PROVENANCE_BYTES,
  parseProvenance,
  readProvenance,
  splitProvenance,
  withProvenance,
} from "./provenance";

const recordSchema = z.strictObject({
  version: z.literal(1),
  key: z.string(),
  /** The etag of the replica. */
  etag: z.string(),
  /** The provenance, as it is in the metadata elsewhere. */
  provenance: z.string(),
});
export type ProvenanceRecord = z.infer<typeof recordSchema>;

const MAX_RECORD_BYTES = 16 * 1024;

const nameOf = (key: string): string => PROVENANCE_PREFIX + createHash("sha256").update(key).digest("hex");

/** A record that cannot be read says as little as none: the object is then written again. */
async function readRecord(store: ObjectStore, key: string, options: CallOptions): Promise<ProvenanceRecord | undefined> {
  try {
    const { body } = await store.get(nameOf(key), options);
    const parsed = recordSchema.safeParse(parseJson((await readAll(body, MAX_RECORD_BYTES)).toString("utf8")));
    return parsed.success && parsed.data.key === key ? parsed.data : undefined;
  } catch (error) {
    if (isBridgeError(error, "NotFound")) return undefined;
    throw error;
  }
}

export async function writeRecord(store: ObjectStore, record: ProvenanceRecord, options: CallOptions): Promise<void> {
  const body = Buffer.from(JSON.stringify(record));
  await store.put(nameOf(record.key), body, {
    sizeBytes: body.length,
    attributes: { headers: { contentType: "application/json" }, metadata: {}, tags: {} },
    ...options,
  });
}

/** What the metadata of a replica holds, and the provenance for its record; undefined where no record is needed. */
export function placeProvenance(
  { metadata: limit }: StoreCapabilities,
  metadata: Metadata,
): { metadata: Metadata; recorded: string | undefined } {
  const { own, text } = splitProvenance(metadata);
  const isRecorded = readProvenance(metadata)?.seal === "record";
  if (limit.bytesOf(metadata) > limit.maxBytes) return { metadata: own, recorded: text };
  return { metadata, recorded: isRecorded ? text : undefined };
}

/** The metadata of the object with its genuine provenance, wherever that is kept. */
export async function metadataWithProvenance(
  store: ObjectStore,
  key: string,
  head: Pick<ObjectHead, "metadata" | "etag">,
  options: CallOptions & { record?: ProvenanceRecord | undefined } = {},
): Promise<Metadata> {
  const metadata = genuineMetadata(head.metadata, key);
  const { maxBytes, bytesOf } = store.capabilities.metadata;
  if (readProvenance(metadata) !== undefined || bytesOf(metadata) <= maxBytes - PROVENANCE_BYTES) return metadata;
  const record = options.record ?? (await readRecord(store, key, options));
  return record === undefined || record.etag !== head.etag ? metadata : withProvenance(metadata, record.provenance);
}

/**
 * The etag that the bridge's own write of this replica left. Undefined where the replica's checksum proves its bytes, and where the bridge ended
 * before it wrote the record.
 * @param metadata with its provenance
 */
export async function recordedEtag(
  store: ObjectStore,
  key: string,
  metadata: Metadata,
  options: CallOptions & { record?: ProvenanceRecord | undefined } = {},
): Promise<string | undefined> {
  const provenance = readProvenance(metadata);
  if (provenance?.seal !== "record") return undefined;
  const record = options.record ?? (await readRecord(store, key, options));
  // The record of an earlier replica says nothing about this one.
  const isOfThis = parseProvenance(record?.provenance)?.provenance.sourceVersion === provenance.sourceVersion;
  return isOfThis ? record?.etag : undefined;
}
