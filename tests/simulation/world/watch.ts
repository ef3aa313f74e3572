/** Finds violations that show only at the moment at which they happen. */
import type { HeldLease, LeaseStore } from "../../../runtime/replication/lease";
import { readProvenance } from "../../../runtime/replication/provenance";
import type { MemoryStore } from "../../../runtime/stores/memory/store";
import type { Attempt } from "./time";

const OVER: ReadonlySet<string> = new Set(["put", "completeUpload", "delete"]);

export class Watch {
  readonly violations: string[] = [];
  /** How many states of each source key there had been when an attempt began. */
  private readonly beginnings = new Map<Attempt, Map<string, number>>();
  private readonly keys = new Set<string>();
  private readonly stopped = new Set<string>();
  /** Attempts that have looked at their lease after it was marked. */
  private readonly told = new Set<Attempt>();

  constructor(
    private readonly source: MemoryStore,
    private readonly destination: MemoryStore,
  ) {}

  begins(attempt: Attempt): void {
    for (const key of this.source.keys()) this.keys.add(key);
    this.beginnings.set(attempt, new Map([...this.keys].map((key) => [key, this.source.history(key).length])));
  }

  /** Nothing that was over at the source before an attempt began becomes visible by it; nothing is deleted that was back by then. */
  landed(attempt: Attempt, op: string, key: string): void {
    if (!OVER.has(op)) return;
    if (op === "completeUpload" && this.told.has(attempt))
      this.violations.push(`${attempt.name} completed ${key} after its stop mark`);
    const known = this.beginnings.get(attempt)?.get(key) ?? 0;
    const history = this.source.history(key);
    const since =
      known === 0 ? [undefined, ...history.map(({ state }) => state)] : history.slice(known - 1).map(({ state }) => state);
    const written = this.destination.snapshotOf(key);
    const version = written && readProvenance(written.metadata)?.sourceVersion;
    // Reads are pinned by etag: the same bytes again count as what they were.
    const pin = history.find(({ state }) => state !== undefined && (state.versionId ?? state.etag) === version)?.state?.etag;
    if (since.some((state) => state?.etag === pin)) return;
    this.violations.push(`stale: ${attempt.name} made ${key} ${version ?? "absent"} by ${op}, which was over when it began`);
  }

  /** A receiver's view of the leases: remembers which copies it believes to have stopped. */
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

  /** A copier's. */
  copying(attempt: Attempt, leases: LeaseStore): LeaseStore {
    return {
      ...leases,
      read: async (key, signal): Promise<HeldLease | undefined> => {
        // Asked before, answered after: only a mark that was there when the question was sent must be in the answer.
        const marked = new Set(this.stopped);
        const held = await leases.read(key, signal);
        if (held && marked.has(held.lease.execution)) this.told.add(attempt);
        return held;
      },
    };
  }
}
