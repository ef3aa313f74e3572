/** The objects behind `MemoryStore`: their versions by key, and every state that was ever visible. */
import { createHash } from "node:crypto";
import type { ReplicationStatus } from "../../protocol/replication-status";
import type { Checksum } from "../../protocol/snapshot";
import { checksumOf } from "../checksums";
import { BridgeError } from "../errors";
import { compareKeys } from "../keys";
import type { ListedObject, ObjectAttributes, ObjectHead, StoreCapabilities, WriteCondition } from "../object-store";
import type { Archive } from "../unreadable";

/** One stored object. Its bytes never change. */
export interface MemoryObject extends ObjectAttributes {
  versionId?: string;
  etag: string;
  bytes: Uint8Array;
  lastModified: Date;
  /** The full-object checksum that the write carried, if it carried one. */
  checksum?: Checksum;
  replication?: ReplicationStatus;
  archive?: Archive | undefined;
}

/** The state that readers saw from `atMs` on: an object, or undefined for none. */
export interface HistoryEntry {
  atMs: number;
  state: Readonly<MemoryObject> | undefined;
}

type Version = { versionId: string | undefined; object: MemoryObject | undefined };

export function md5Hex(...parts: Uint8Array[]): string {
  const hash = createHash("md5");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}

export function copyAttributes({ headers, metadata, tags }: ObjectAttributes): ObjectAttributes {
  return { headers: { ...headers }, metadata: { ...metadata }, tags: { ...tags } };
}

export function describeObject(object: MemoryObject): Omit<ObjectHead, "checksums"> {
  const { etag, bytes, lastModified, versionId, replication, archive } = object;
  const { headers, metadata, tags } = copyAttributes(object);
  const tagCount = Object.keys(tags).length;
  const head = { tagCount, etag, sizeBytes: bytes.byteLength, lastModified: new Date(lastModified), headers, metadata };
  return {
    ...head,
    ...(versionId !== undefined && { versionId }),
    ...(replication !== undefined && { replication }),
    ...(archive !== undefined && { archive: { ...archive } }),
  };
}

/** The checksum that the write carried, or the one a store computes by itself. It is computed when first read: most objects never need it. */
export function checksumsOf(object: MemoryObject, capabilities: StoreCapabilities): Checksum[] {
  const inParts = object.etag.includes("-");
  const algorithm = (inParts ? capabilities.multipartChecksums : capabilities.checksums)[0];
  if (object.checksum === undefined && algorithm !== undefined) object.checksum = checksumOf(algorithm, object.bytes);
  return object.checksum === undefined ? [] : [{ ...object.checksum }];
}

/** Every mutation is one synchronous step, so a crash never leaves half a state. */
export class MemoryBucket {
  private readonly versions = new Map<string, Version[]>();
  private readonly past = new Map<string, HistoryEntry[]>();
  private sequence = 0;

  constructor(
    private readonly name: string,
    private readonly versioned: boolean,
    private readonly now: () => number,
  ) {}

  current(key: string): MemoryObject | undefined {
    return this.versions.get(key)?.at(-1)?.object;
  }

  version(key: string, versionId: string): MemoryObject | undefined {
    return this.versions.get(key)?.find((version) => version.versionId === versionId)?.object;
  }

  /** Keys with a visible object, in listing order. */
  visibleKeys(): string[] {
    return [...this.versions]
      .filter(([, versions]) => versions.at(-1)?.object !== undefined)
      .map(([key]) => key)
      .sort(compareKeys);
  }

  page(prefix: string, after: string | undefined, limit: number): ListedObject[] {
    const keys = this.visibleKeys().filter(
      (key) => key.startsWith(prefix) && (after === undefined || compareKeys(key, after) > 0),
    );
    return keys.slice(0, limit).flatMap((key) => {
      const object = this.current(key);
      if (object === undefined) return [];
      const { etag, bytes, lastModified } = object;
      return [{ key, sizeBytes: bytes.byteLength, etag, lastModified: new Date(lastModified) }];
    });
  }

  versionIds(key: string): string[] {
    return (this.versions.get(key) ?? []).flatMap(({ versionId }) => (versionId === undefined ? [] : [versionId]));
  }

  history(key: string): readonly HistoryEntry[] {
    return this.past.get(key) ?? [];
  }

  write(key: string, object: Omit<MemoryObject, "versionId" | "lastModified">): MemoryObject {
    const stored: MemoryObject = { ...object, lastModified: this.lastModified() };
    if (this.versioned) stored.versionId = this.nextId("v");
    this.push(key, stored.versionId, stored);
    return stored;
  }

  remove(key: string): void {
    if (this.versioned) this.push(key, this.nextId("v"), undefined);
    else if (this.versions.delete(key)) this.remember(key);
  }

  removeVersion(key: string, versionId: string): boolean {
    const versions = this.versions.get(key) ?? [];
    const index = versions.findIndex((version) => version.versionId === versionId);
    if (index < 0) return false;
    const before = versions.at(-1);
    versions.splice(index, 1);
    if (versions.length === 0) this.versions.delete(key);
    if (versions.at(-1) !== before) this.remember(key);
    return true;
  }

  /** Changes tags or replication of one version; its lastModified stays. */
  amend(key: string, object: MemoryObject, changes: Partial<Pick<MemoryObject, "replication" | "archive" | "tags">>): void {
    const versions = this.versions.get(key) ?? [];
    const version = versions.find((candidate) => candidate.object === object);
    if (version === undefined) return;
    version.object = { ...object, ...changes };
    if (versions.at(-1) === version) this.remember(key);
  }

  /** @throws BridgeError `PreconditionFailed` */
  requireCondition(op: string, key: string, condition: WriteCondition | undefined): void {
    const etag = this.current(key)?.etag;
    if (condition?.ifAbsent && etag !== undefined)
      throw new BridgeError("PreconditionFailed", op, `an object with etag ${etag} is there already`);
    if (condition?.ifMatch !== undefined && condition.ifMatch !== etag)
      throw new BridgeError(
        "PreconditionFailed",
        op,
        `the key has ${etag ? `etag ${etag}` : "no object"}, not etag ${condition.ifMatch}`,
      );
  }

  nextId(kind: "v" | "u"): string {
    this.sequence += 1;
    return `${this.name}-${kind}${this.sequence}`;
  }

  private push(key: string, versionId: string | undefined, object: MemoryObject | undefined): void {
    const versions = this.versioned ? (this.versions.get(key) ?? []) : [];
    versions.push({ versionId, object });
    this.versions.set(key, versions);
    this.remember(key);
  }

  private remember(key: string): void {
    const entries = this.past.get(key) ?? [];
    const state = this.current(key);
    if (state === undefined && entries.at(-1)?.state === undefined) return;
    entries.push({ atMs: this.now(), state });
    this.past.set(key, entries);
  }

  /** Stores report whole seconds. */
  private lastModified(): Date {
    return new Date(Math.floor(this.now() / 1000) * 1000);
  }
}
