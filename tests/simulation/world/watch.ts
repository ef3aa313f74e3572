/** Records violations that can be seen only when they happen. */
import type { HeldLease, LeaseStore } from "../../../runtime/replication/lease";
import { readProvenance } from "../../../runtime/replication/provenance";
import type { MemoryStore } from "../../../runtime/stores/memory/store";
import type { Attempt } from "./time";

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
    if (!WRITES.has(op)) return;
    if (op === "completeUpload" && this.sawStop.has(attempt))
      this.violations.push(`${attempt.name} completed ${key} after its stop mark`);
    const known = this.beginnings.get(attempt)?.get(key) ?? 0;
    const history = this.source.history(key);
    const since =
      known === 0 ? [undefined, ...history.map(({ state }) => state)] : history.slice(known - 1).map(({ state }) => state);
    const written = this.destination.snapshotOf(key);
    const version = written && readProvenance(written.metadata)?.sourceVersion;
    // Reads are pinned by etag, so an object that is written again with the same bytes counts as the same state.
    const pin = history.find(({ state }) => state !== undefined && (state.versionId ?? state.etag) === version)?.state?.etag;
    if (since.some((state) => state?.etag === pin)) return;
    this.violations.push(
      `stale: ${attempt.name} made ${key} ${version ?? "absent"} by ${op}, which was replaced before it began`,
    );
  }

  /** Wraps the leases of a receiver and remembers which copies it has marked to stop. */
  receiving(leases: LeaseStore): LeaseStore {
    return {
      ...leases,
      write: async (lease, previous, signal) => {
        const held = await leases.write(lease, previous, signal);
        if (held?.lease.stop) this.stopped.add(held.lease.execution);
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
