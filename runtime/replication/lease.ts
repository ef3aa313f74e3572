/**
 * Write-ahead lease and fence of long copies: one record per key under the control prefix, changed by compare-and-swap only.
 *
 * A record is written before its copy may start. While it is live nobody else writes the key; a newer notice marks it `stop` and waits
 * for the copier's last word or the end of the lease. That end lies behind the hard end of the copier's function.
 */
import { createHash } from "node:crypto";
import * as z from "zod";
import { controlPrefix } from "../protocol/control";
import { parseJson } from "../protocol/json";
import { BridgeError, isBridgeError, mayStillLand } from "../stores/errors";
import type { ObjectStore } from "../stores/object-store";
import { readAll } from "../stores/read-all";

/**
 * How a copy ended.
 * - `replicated`: the destination was proven equal. `superseded`: the source moved on, or a newer notice stopped it.
 * - `continue`: it ran out of time or its URL ran out, with progress kept; start again to go on.
 * - `retry`, `rejected`: it failed; the reason is for the sender.
 */
const outcomeSchema = z.strictObject({
  result: z.enum(["replicated", "superseded", "continue", "retry", "rejected"]),
  reason: z.string().optional(),
  bytesMoved: z.number().int().nonnegative().optional(),
});
export type CopyOutcome = { result: z.infer<typeof outcomeSchema>["result"]; reason?: string; bytesMoved?: number };

const offset = z.number().int().nonnegative();
const checkedRangeSchema = z.strictObject({ start: offset, end: offset, value: z.string() });
/** Bytes of the source that were read and uploaded, and their checksum. */
export type CheckedRange = z.infer<typeof checkedRangeSchema>;
const checkedSchema = z.strictObject({ algorithm: z.string(), ranges: z.array(checkedRangeSchema) });

/** The shape of a record as it is stored. */
export const leaseSchema = z.strictObject({
  version: z.literal(1),
  key: z.string(),
  execution: z.string(),
  snapshotId: z.string(),
  /** ms since the epoch; the clocks of one region's functions. */
  leaseUntilMs: z.number(),
  /** The copier's run that took it up: from then on the lease covers that whole run, and no other run may work. */
  run: z.string().optional(),
  /** A newer notice wants the key: end as soon as possible and complete nothing. */
  stop: z.boolean(),
  /** The multipart upload that holds the progress, and the size of its parts: under another size their numbers mean other ranges. */
  upload: z
    .strictObject({
      uploadId: z.string(),
      partSizeBytes: z.number().int().positive(),
      checked: checkedSchema.optional(),
    })
    .optional(),
  outcome: outcomeSchema.optional(),
  /** The outcome was told to a sender once; the key is free for another try. */
  reported: z.boolean(),
});

export interface LeasedUpload {
  uploadId: string;
  partSizeBytes: number;
  /** Where the destination verifies another kind of checksum than the source has: what later runs need not read for the check of the whole. */
  checked?: z.infer<typeof checkedSchema>;
}

export interface Lease {
  version: 1;
  /** The destination key. */
  key: string;
  execution: string;
  snapshotId: string;
  leaseUntilMs: number;
  run?: string;
  stop: boolean;
  upload?: LeasedUpload;
  outcome?: CopyOutcome;
  reported: boolean;
}

/** A lease as read, with what a later compare-and-swap compares. */
export interface HeldLease {
  lease: Lease;
  token: string;
}

export interface LeaseStore {
  read(key: string, signal?: AbortSignal): Promise<HeldLease | undefined>;
  /** Writes over `previous` (or where nothing is); undefined when somebody else was faster, and nothing was written. */
  write(lease: Lease, previous: HeldLease | undefined, signal?: AbortSignal): Promise<HeldLease | undefined>;
  /** Removes exactly this state; does nothing when it has changed. */
  remove(held: HeldLease, signal?: AbortSignal): Promise<void>;
}

/** Whether a copier may be at work under this lease. */
export function isLive(lease: Lease, nowMs: number): boolean {
  return lease.outcome === undefined && nowMs < lease.leaseUntilMs;
}

/** Leases as objects of a store that writes conditionally. */
export function createLeaseStore(store: ObjectStore, bridgeId: string): LeaseStore {
  const name = (key: string): string => `${controlPrefix(bridgeId)}leases/${createHash("sha256").update(key).digest("hex")}`;

  return {
    async read(key, signal) {
      try {
        const { head, body } = await store.get(name(key), { signal });
        const parsed = leaseSchema.safeParse(parseJson((await readAll(body, 64 * 1024)).toString("utf8")));
        if (!parsed.success || parsed.data.key !== key) {
          throw new BridgeError(
            "Unexpected",
            "readLease",
            `the control record ${name(key)} is not a lease of this key: remove it`,
          );
        }
        return { lease: parsed.data as Lease, token: head.etag };
      } catch (error) {
        if (isBridgeError(error, "NotFound")) return undefined;
        throw error;
      }
    },
    async write(lease, previous, signal) {
      const body = Buffer.from(JSON.stringify(lease));
      try {
        const { etag } = await store.put(name(lease.key), body, {
          sizeBytes: body.length,
          attributes: { headers: { contentType: "application/json" }, metadata: {}, tags: {} },
          condition: previous ? { ifMatch: previous.token } : { ifAbsent: true },
          signal,
        });
        return { lease, token: etag };
      } catch (error) {
        const isUnknown = mayStillLand(error);
        if (!isUnknown && !isBridgeError(error, "PreconditionFailed", "NotFound")) throw error;
        // A write whose answer was lost, and one that was sent again and met itself: what stands there then is ours.
        const current = await this.read(lease.key, signal);
        if (current && JSON.stringify(current.lease) === JSON.stringify(leaseSchema.parse(lease))) return current;
        if (isUnknown) throw error;
        return undefined;
      }
    },
    async remove(held, signal) {
      try {
        await store.delete(name(held.lease.key), { condition: { ifMatch: held.token }, signal });
      } catch (error) {
        if (!isBridgeError(error, "PreconditionFailed", "NotFound")) throw error;
      }
    },
  };
}
