/** A whole prefix, key by key, with no more in memory than what is being looked at. */
import type { Scope } from "../../runtime/protocol/env";
import type { ListedObject, ObjectStore } from "../../runtime/stores/object-store";
import { forEachBounded } from "../concurrency";
import { OBJECT_STATUSES, type ObjectStatus } from "../replication-status";
import { scopesFor } from "../scopes";
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
  scopes: readonly Scope[];
  /** The listings that hold every key to look at, none of them twice. */
  prefixes: readonly string[];
  concurrency: number;
  signal: AbortSignal;
  read: StatusReader;
  /** Told of every object that was looked at. */
  onStatus(status: KeyStatus): void;
}

export async function summarise(options: SummaryOptions): Promise<Summary> {
  const { side, scopes, signal, read, onStatus } = options;
  const summary = emptySummary();
  const look = async ({ key: listed, sizeBytes }: ListedObject) => {
    const key = listed.slice(side.keyPrefix.length);
    const canBeIn = scopesFor(scopes, key, sizeBytes).length > 0;
    const status: KeyStatus = canBeIn ? await read(key) : { key, status: "OUT_OF_SCOPE", sizeBytes };
    // Deleted since it was listed.
    if (status.sizeBytes === undefined) return;
    count(summary, status, status.sizeBytes);
    onStatus(status);
  };
  for (const prefix of options.prefixes) {
    const listing = side.store.list(side.keyPrefix + prefix, { signal });
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
