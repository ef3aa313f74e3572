/** A whole prefix, key by key, with no more in memory than what is being looked at. */
import { OBJECT_STATUSES, type ObjectStatus } from "../../runtime/replication/status";
import type { ListedObject, ObjectStore } from "../../runtime/stores/object-store";
import { listingPrefixes, scopesFor, scopesOf } from "../backfill/scopes";
import { forEachBounded } from "../bounded";
import type { OperatedBridge } from "../operated-bridge";
import type { KeyStatus, StatusReader } from "./read-status";

export interface Summary {
  objects: number;
  bytes: number;
  statuses: Record<ObjectStatus, { objects: number; bytes: number }>;
  /** By the source's own Last-Modified. */
  oldestPending?: { key: string; lastModified: string };
}

export interface SummaryOptions {
  /** Keys of the side begin with this and then go on as at the source. */
  side: { store: Pick<ObjectStore, "list">; keyPrefix: string };
  prefix: string;
  concurrency: number;
  signal: AbortSignal;
  read: StatusReader;
  /** Told of every object that was looked at. */
  onStatus(status: KeyStatus): void;
}

export async function summarise(config: OperatedBridge["config"], options: SummaryOptions): Promise<Summary> {
  const { side, prefix, signal, read, onStatus } = options;
  const scopes = scopesOf(config);
  const summary = emptySummary();
  const look = async ({ key: listed, sizeBytes }: ListedObject) => {
    const key = listed.slice(side.keyPrefix.length);
    const isIn = scopesFor(scopes, key, sizeBytes).length > 0;
    const status: KeyStatus = isIn ? await read(key) : { key, status: "OUT_OF_SCOPE", sizeBytes };
    // Deleted since it was listed.
    if (status.sizeBytes === undefined) return;
    count(summary, status, status.sizeBytes);
    onStatus(status);
  };
  for (const start of listingPrefixes(scopes, prefix)) {
    const listing = side.store.list(side.keyPrefix + start, { signal });
    await forEachBounded(listing, { limit: options.concurrency, signal }, look);
  }
  return summary;
}

function emptySummary(): Summary {
  const none = () => ({ objects: 0, bytes: 0 });
  const statuses = Object.fromEntries(OBJECT_STATUSES.map((status) => [status, none()])) as Summary["statuses"];
  return { ...none(), statuses };
}

function count(summary: Summary, { key, status, lastModified }: KeyStatus, sizeBytes: number): void {
  for (const sum of [summary, summary.statuses[status]]) {
    sum.objects += 1;
    sum.bytes += sizeBytes;
  }
  if (status !== "PENDING" || lastModified === undefined) return;
  if (summary.oldestPending === undefined || lastModified < summary.oldestPending.lastModified)
    summary.oldestPending = { key, lastModified };
}
