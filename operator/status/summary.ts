/** Counts the statuses under a prefix. Memory holds only the keys in progress. */
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
  /** The pending object with the earliest Last-Modified. */
  oldestPending?: { key: string; lastModified: string };
}

export interface SummaryOptions {
  /** `keyPrefix` is the prefix of every key of the scope on this side. */
  side: { store: Pick<ObjectStore, "list">; keyPrefix: string };
  scopes: readonly Scope[];
  /** Prefixes that together list every key to check, none of them twice. */
  prefixes: readonly string[];
  concurrency: number;
  signal: AbortSignal;
  read: StatusReader;
  /** Called for every object that was checked. */
  onStatus(status: KeyStatus): void;
}

export async function summarise(options: SummaryOptions): Promise<Summary> {
  const { side, scopes, signal, read, onStatus } = options;
  const summary = emptySummary();
  const check = async ({ key: listed, sizeBytes }: ListedObject) => {
    const key = listed.slice(side.keyPrefix.length);
    const canBeIn = scopesFor(scopes, key, sizeBytes).length > 0;
    const status: KeyStatus = canBeIn ? await read(key) : { key, status: "OUT_OF_SCOPE", sizeBytes };
    // The object was deleted after the listing.
    if (status.sizeBytes === undefined) return;
    count(summary, status, status.sizeBytes);
    onStatus(status);
  };
  for (const prefix of options.prefixes) {
    const listing = side.store.list(side.keyPrefix + prefix, { signal });
    await forEachBounded(listing, { limit: options.concurrency, signal }, check);
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
