/**
 * Leases in a store without conditional writes. Each key has a log of JSON lines that only grows; its last line is the state. The
 * compare-and-swap is an append at the length that was read.
 *
 * A log is never deleted here. The token is the length of the log: a log that was deleted and grew to the same length again would accept a
 * write of a function that read the old log. So removing a lease appends a line. A lifecycle rule on `leaseLogPrefix` deletes old logs, by age
 * since the last change. That is safe when the age is greater than the longest run of any function (24 hours on Function Compute): every
 * function that read the log has ended by then. The rule waits three days. The prefix must be in a bucket without versions: where versions are
 * kept, an expired log leaves a delete marker, and nothing can be appended to it.
 */
import { createHash, randomUUID } from "node:crypto";
import * as z from "zod";
import { controlPrefix } from "../protocol/control";
import { parseJson } from "../protocol/json";
import { BridgeError, isBridgeError, mayStillLand } from "../stores/errors";
import type { AppendStore } from "../stores/object-store";
import { type HeldLease, type Lease, type LeaseStore, leaseSchema } from "./lease";

/** Longer lines are not written, so that the tail of a log always holds its last line. */
const MAX_LINE_BYTES = 64 * 1024;
/** Tries of one append whose outcome is unknown. */
const ATTEMPTS = 3;

const lineSchema = z.union([
  z.strictObject({ writer: z.string(), lease: leaseSchema }),
  z.strictObject({ writer: z.string(), removed: z.literal(true) }),
]);

/** The end of a log: its length, and its last line as it was written. */
interface LogEnd {
  position: number;
  line: Buffer;
  /** Undefined when the lease was removed. */
  lease: Lease | undefined;
}

/** The prefix of the logs, for the lifecycle rule that deletes them. */
export function leaseLogPrefix(bridgeId: string): string {
  return `${controlPrefix(bridgeId)}lease-logs/`;
}

/**
 * Each lease store marks its lines with its own `writer`, so that it knows them again. If two stores write the same lease at the same moment,
 * exactly one succeeds. If one store writes a line twice because the answer was lost, it finds its line and succeeds.
 */
export function createAppendLeaseStore(store: AppendStore, bridgeId: string, writer: string = randomUUID()): LeaseStore {
  const name = (key: string): string => leaseLogPrefix(bridgeId) + createHash("sha256").update(key).digest("hex");

  async function endOf(key: string, signal: AbortSignal | undefined): Promise<LogEnd | undefined> {
    const tail = await store.readTail(name(key), MAX_LINE_BYTES, { signal });
    if (tail === undefined) return undefined;
    const { bytes, sizeBytes } = tail;
    const line = bytes.subarray(bytes.lastIndexOf("\n", -2) + 1);
    const parsed = lineSchema.safeParse(parseJson(line.toString("utf8")));
    if (!parsed.success || ("lease" in parsed.data && parsed.data.lease.key !== key))
      throw new BridgeError("Unexpected", "readLease", `the control record ${name(key)} is not a lease of this key: remove it`);
    return { position: sizeBytes, line, lease: "lease" in parsed.data ? parsed.data.lease : undefined };
  }

  /**
   * The new length, or undefined when the log is no longer `position` bytes long. After a lost answer it reads the log: if the log has grown
   * without this line, the append can no longer land.
   */
  async function append(key: string, position: number, line: Buffer, signal?: AbortSignal): Promise<number | undefined> {
    for (let attempt = 1; ; attempt++) {
      try {
        return (await store.append(name(key), position, line, { signal })).sizeBytes;
      } catch (error) {
        if (!isBridgeError(error, "PreconditionFailed") && !mayStillLand(error)) throw error;
        const end = await endOf(key, signal);
        if (end !== undefined && end.position === position + line.length && end.line.equals(line)) return end.position;
        if ((end?.position ?? 0) !== position) return undefined;
        if (attempt >= ATTEMPTS) throw error;
      }
    }
  }

  return {
    async read(key, signal) {
      const end = await endOf(key, signal);
      return end?.lease && { lease: end.lease, token: `${end.position}` };
    },
    async write(lease, previous, signal) {
      const line = lineOf({ writer, lease: leaseSchema.parse(lease) });
      const held = (position: number): HeldLease => ({ lease, token: `${position}` });
      if (previous !== undefined) {
        const position = await append(lease.key, Number(previous.token), line, signal);
        return position === undefined ? undefined : held(position);
      }
      const end = await endOf(lease.key, signal);
      if (end?.lease !== undefined) return end.line.equals(line) ? held(end.position) : undefined;
      const position = await append(lease.key, end?.position ?? 0, line, signal);
      return position === undefined ? undefined : held(position);
    },
    async remove(held, signal) {
      await append(held.lease.key, Number(held.token), lineOf({ writer, removed: true }), signal);
    },
  };
}

function lineOf(content: z.infer<typeof lineSchema>): Buffer {
  const line = Buffer.from(`${JSON.stringify(content)}\n`);
  if (line.length > MAX_LINE_BYTES)
    throw new BridgeError("Invalid", "writeLease", `a lease takes at most ${MAX_LINE_BYTES} bytes, this one has ${line.length}`);
  return line;
}
