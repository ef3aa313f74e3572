/** Records violations that can be seen only when they happen. */
import { inControlPrefix } from "../../../runtime/protocol/control";
import { recordsEqual } from "../../../runtime/replication/equality";
import type { HeldLease, LeaseStore } from "../../../runtime/replication/lease";
import { genuineMetadata, readProvenance, withoutProvenance } from "../../../runtime/replication/provenance";
import { snapshotId, withoutStatusTags } from "../../../runtime/replication/snapshot";
import type { MemoryObject, MemoryStore } from "../../../runtime/stores/memory/store";
import type { Attempt } from "./time";

/** The id of the snapshot that a sender takes of the object. */
function idOf({ versionId, bytes, etag, lastModified, headers, metadata, tags }: MemoryObject, key: string): string {
  return snapshotId({
    ...(versionId === undefined ? {} : { versionId }),
    etag,
    sizeBytes: bytes.byteLength,
    lastModified: lastModified.toISOString(),
    headers,
    metadata: genuineMetadata(metadata, key),
    tags: withoutStatusTags(tags),
  });
}

function sameAttributes(a: MemoryObject, b: MemoryObject): boolean {
  return recordsEqual(a.headers, b.headers) && recordsEqual(withoutProvenance(a.metadata), withoutProvenance(b.metadata));
}

const WRITES: ReadonlySet<string> = new Set(["put", "completeUpload", "delete"]);

export class Watch {
  readonly violations: string[] = [];
  /** Number of states of each source key at the start of an attempt. */
  private readonly beginnings = new Map<Attempt, Map<string, number>>();
  private readonly keys = new Set<string>();
  private readonly stopped = new Set<string>();
  /** Attempts that have read their stop mark. */
  private readonly sawStop = new Set<Attempt>();

  constructor(
    private readonly source: MemoryStore,
    private readonly destination: MemoryStore,
  ) {}

  begins(attempt: Attempt): void {
    for (const key of this.source.keys()) this.keys.add(key);
    this.beginnings.set(attempt, new Map([...this.keys].map((key) => [key, this.source.history(key).length])));
  }

  /** Checks a write of an attempt. The source must have had the written state, or none after a delete, since the attempt began. */
  landed(attempt: Attempt, op: string, key: string): void {
    if (!WRITES.has(op) || inControlPrefix(key)) return;
    if ((op === "completeUpload" || op === "put") && this.sawStop.has(attempt))
      this.violations.push(`${attempt.name} completed ${key} after its stop mark`);
    const known = this.beginnings.get(attempt)?.get(key) ?? 0;
    const history = this.source.history(key);
    const since =
      known === 0 ? [undefined, ...history.map(({ state }) => state)] : history.slice(known - 1).map(({ state }) => state);
    const written = this.destination.snapshotOf(key);
    const provenance = written && readProvenance(written.metadata);
    // Equal bytes that were written again count as the same state without any change, and, without versions, within the same second.
    const isWritten = (state: MemoryObject | undefined) =>
      state === undefined || written === undefined
        ? state === written
        : (state.versionId ?? state.etag) === provenance?.sourceVersion &&
          (state.lastModified.toISOString() === provenance.sourceModified || sameAttributes(state, written));
    if (since.some(isWritten)) return;
    this.violations.push(
      `stale: ${attempt.name} made ${key} ${provenance?.sourceVersion ?? "absent"} by ${op}, which was replaced before it began`,
    );
  }

  /**
   * Wraps the leases of a receiver and remembers which copies it has marked to stop. A copy of the state that the source has must go on: a
   * notice that stops it is older than the copy.
   */
  receiving(attempt: Attempt, leases: LeaseStore): LeaseStore {
    return {
      ...leases,
      write: async (lease, previous, signal) => {
        const held = await leases.write(lease, previous, signal);
        if (!held?.lease.stop || previous?.lease.stop) return held;
        this.stopped.add(held.lease.execution);
        const { key } = held.lease;
        const since = this.source.history(key).slice(Math.max(0, (this.beginnings.get(attempt)?.get(key) ?? 0) - 1));
        if (since.every(({ state }) => state !== undefined && idOf(state, key) === held.lease.snapshotId))
          this.violations.push(`${attempt.name} stopped the copy of the state that ${key} has`);
        return held;
      },
    };
  }

  /** Wraps the leases of a copier and remembers that it has read its stop mark. */
  copying(attempt: Attempt, leases: LeaseStore): LeaseStore {
    return {
      ...leases,
      read: async (key, signal): Promise<HeldLease | undefined> => {
        // A mark must be in the answer only if it was written before the request was sent.
        const marked = new Set(this.stopped);
        const held = await leases.read(key, signal);
        if (held && marked.has(held.lease.execution)) this.sawStop.add(attempt);
        return held;
      },
    };
  }
}
