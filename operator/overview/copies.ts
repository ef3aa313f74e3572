/** Large copies that run, with their progress: the parts that the destination has already. */
import { controlPrefix } from "../../runtime/protocol/control";
import { parseJson } from "../../runtime/protocol/json";
import { isLive, type Lease, leaseSchema } from "../../runtime/replication/lease";
import { MAX_RECORD_BYTES } from "../../runtime/replication/record-store";
import { isBridgeError } from "../../runtime/stores/errors";
import { readAll } from "../../runtime/stores/read-all";
import { forEachBounded } from "../concurrency";
import type { LogLine, OperatedBridge } from "../operated-bridge";

export interface RunningCopy {
  /** As at the source. */
  key: string;
  /** Undefined if the source has no such object any more, or it is not known. */
  sizeBytes?: number | undefined;
  /** Undefined if the copy is one stream: only its end is known. */
  movedBytes?: number | undefined;
  /** The end of its lease: it is not over before that unless it says so. */
  leaseUntilMs?: number | undefined;
}

const MAX_COPIES = 50;
const READS_AT_ONCE = 8;

type Side = Pick<OperatedBridge["source"], "store" | "keyPrefix">;

export interface ReadCopiesOptions {
  nowMs: number;
  /** Lines of both sides about copies. */
  lines: readonly LogLine[];
  signal: AbortSignal;
}

/**
 * Reads the leases where the destination holds them: in S3. OSS holds them as logs in a bucket of their own; there the functions' log stands
 * for them, and the progress is not known.
 */
export async function readCopies(bridge: OperatedBridge, { nowMs, lines, signal }: ReadCopiesOptions): Promise<RunningCopy[]> {
  const { source, destination, config } = bridge;
  if (config.mode === "native") return [];
  if (destination.cloud === "alicloud") return copiesIn(lines);
  const copies: RunningCopy[] = [];
  const records = first(MAX_COPIES, destination.store.list(`${controlPrefix(config.name)}leases/`, { signal }));
  await forEachBounded(records, { limit: READS_AT_ONCE, signal }, async ({ key }) => {
    const lease = await readLease(destination, key, signal);
    if (lease !== undefined && isLive(lease, nowMs)) copies.push(await progressOf(lease, source, destination, signal));
  });
  return copies.sort((a, b) => (a.key < b.key ? -1 : 1));
}

async function* first<T>(count: number, items: AsyncIterable<T>): AsyncGenerator<T> {
  let seen = 0;
  for await (const item of items) {
    yield item;
    seen += 1;
    if (seen === count) return;
  }
}

/** Undefined where the record is gone, or another version of the bridge wrote it. */
async function readLease({ store }: Side, name: string, signal: AbortSignal): Promise<Lease | undefined> {
  try {
    const { body } = await store.get(name, { signal });
    return leaseSchema.safeParse(parseJson((await readAll(body, MAX_RECORD_BYTES)).toString("utf8"))).data;
  } catch (error) {
    if (isBridgeError(error, "NotFound")) return undefined;
    throw error;
  }
}

async function progressOf(lease: Lease, source: Side, destination: Side, signal: AbortSignal): Promise<RunningCopy> {
  const { upload, leaseUntilMs } = lease;
  const key = lease.key.slice(destination.keyPrefix.length);
  const [head, movedBytes] = await Promise.all([
    source.store.head(source.keyPrefix + key, { signal }),
    upload && uploadedBytes(destination, lease.key, upload.uploadId, signal),
  ]);
  return { key, sizeBytes: head?.sizeBytes, movedBytes, leaseUntilMs };
}

/** Undefined if the upload was completed or aborted meanwhile. */
async function uploadedBytes({ store }: Side, key: string, uploadId: string, signal: AbortSignal): Promise<number | undefined> {
  try {
    const parts = await store.listParts(key, uploadId, { signal });
    return parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  } catch (error) {
    if (isBridgeError(error, "NotFound")) return undefined;
    throw error;
  }
}

/** @param lines oldest first */
function copiesIn(lines: readonly LogLine[]): RunningCopy[] {
  const running = new Map<unknown, RunningCopy>();
  for (const { message, fields } of lines) {
    const { key, execution, sizeBytes } = fields;
    if (message === "copy ends") running.delete(execution);
    if (message === "copy begins" && typeof key === "string")
      running.set(execution, { key, sizeBytes: typeof sizeBytes === "number" ? sizeBytes : undefined });
  }
  return [...running.values()].slice(0, MAX_COPIES);
}
