/**
 * Write-ahead lease and fence of long copies: one record per key under the control prefix, changed by compare-and-swap only.
 *
 * A record is written before its copy starts. While the lease is live, no other function writes the key; a newer notice marks the lease `stop`
 * and waits for the copy's outcome or the end of the lease. The lease ends after the hard end of the copier's function.
 */
import { createHash } from "node:crypto";
import { differenceSchema, WAITS } from "../protocol/messages";
import * as z from "../protocol/schema";
import type { AppendStore, ObjectStore } from "../stores/object-store";
import { createAppendRecordStore } from "./append-record-store";
import { createRecordStore, type HeldRecord, type RecordKind, type RecordStore } from "./record-store";

/**
 * How a copy ended.
 * - `replicated`: the destination was proven equal. `superseded`: the source has changed, or a newer notice stopped the copy.
 * - `continue`: its time or its URL ran out after it moved bytes. The progress is kept; the next start goes on with it.
 * - `waiting`: a store does not work, or asks for fewer requests. No failure.
 * - `retry`, `rejected`: it failed; the reason is for the sender.
 */
const outcomeSchema = z.strictObject({
  result: z.enum(["replicated", "superseded", "continue", "waiting", "retry", "rejected"]),
  /** Present on `waiting`. */
  waitsFor: z.optional(z.enum(WAITS)),
  /** The side that the reason concerns. */
  place: z.optional(z.enum(["source", "destination"])),
  retryAfterSeconds: z.optional(z.count),
  reason: z.optional(z.string()),
  bytesMoved: z.optional(z.count),
  /** Present when the copy was completed and is still not equal. */
  difference: z.optional(differenceSchema),
});
export type CopyOutcome = z.infer<typeof outcomeSchema>;

const offset = z.count;
const checkedRangeSchema = z.strictObject({ start: offset, end: offset, value: z.string(), sent: z.optional(z.string()) });
/** A range of the source that was read and uploaded, and its checksums. */
export type CheckedRange = z.infer<typeof checkedRangeSchema>;
/** `algorithm` is the kind of each `value`, and `sent` the kind of each `sent`. */
const checkedSchema = z.strictObject({
  algorithm: z.string(),
  sent: z.optional(z.string()),
  ranges: z.array(checkedRangeSchema),
});

/** The shape of a record as it is stored. */
export const leaseSchema = z.strictObject({
  version: z.literal(1),
  /** The destination key. */
  key: z.string(),
  execution: z.string(),
  snapshotId: z.string(),
  /** ms since the epoch, by the clocks of the region's functions. */
  leaseUntilMs: z.number(),
  /** The run that took the lease: from then on the lease covers that whole run, and no other run may copy. */
  run: z.optional(z.string()),
  /** A newer notice needs the key: the copy ends as soon as possible and completes nothing. */
  stop: z.boolean(),
  /** The multipart upload that holds the progress, and the size of its parts: with another size the part numbers mean other ranges. */
  upload: z.optional(
    z.strictObject({
      uploadId: z.string(),
      partSizeBytes: z.int().check(z.positive()),
      /** Only if the destination does not compare the source's kind of checksum. A later run need not read these ranges again to check the whole object. */
      checked: z.optional(checkedSchema),
    }),
  ),
  /** What the runs so far tell the next one about the link, see `PaceRecord`. */
  pace: z.optional(
    z.strictObject({
      bytesPerSecond: z.optional(z.number().check(z.positive())),
      partSizeBytes: z.optional(z.int().check(z.positive())),
      lastPartMs: z.optional(z.number()),
      hasBegun: z.optional(z.boolean()),
    }),
  ),
  outcome: z.optional(outcomeSchema),
  /** The outcome was reported to a sender: the key is free for another try. */
  reported: z.boolean(),
});

export type Lease = z.infer<typeof leaseSchema>;
export type LeasedUpload = NonNullable<Lease["upload"]>;

/** A lease as it was read, and the token for a later compare-and-swap. */
export interface HeldLease {
  lease: Lease;
  token: string;
}

export interface LeaseStore {
  read(key: string, signal?: AbortSignal): Promise<HeldLease | undefined>;
  /** Replaces `previous`, or creates the record. Undefined when the record has changed: nothing was written. */
  write(lease: Lease, previous: HeldLease | undefined, signal?: AbortSignal): Promise<HeldLease | undefined>;
  /** Removes exactly this state. Does nothing when the record has changed. */
  remove(held: HeldLease, signal?: AbortSignal): Promise<void>;
}

/** Whether a copy may be running under this lease. */
export function isLive(lease: Lease, nowMs: number): boolean {
  return lease.outcome === undefined && nowMs < lease.leaseUntilMs;
}

const nameOf = (key: string): string => createHash("sha256").update(key).digest("hex");

const leaseKind: RecordKind<Lease> = {
  what: "lease",
  schema: leaseSchema,
  objectName: (key) => `leases/${nameOf(key)}`,
  logName: nameOf,
  fits: (lease, key) => lease.key === key,
};

/** Keeps leases as objects of a store that writes conditionally. */
export function createLeaseStore(store: ObjectStore, bridgeId: string): LeaseStore {
  return leasesIn(createRecordStore(store, bridgeId, leaseKind));
}

/** Keeps leases as logs of a store without conditional writes. */
export function createAppendLeaseStore(store: AppendStore, bridgeId: string, writer?: string): LeaseStore {
  return leasesIn(createAppendRecordStore(store, bridgeId, leaseKind, { writer }));
}

function leasesIn(records: RecordStore<Lease>): LeaseStore {
  const held = (found: HeldRecord<Lease> | undefined): HeldLease | undefined =>
    found && { lease: found.record, token: found.token };
  const asRecord = ({ lease, token }: HeldLease): HeldRecord<Lease> => ({ record: lease, token });
  return {
    read: async (key, signal) => held(await records.read(key, signal)),
    write: async (lease, previous, signal) => held(await records.write(lease.key, lease, previous && asRecord(previous), signal)),
    remove: (lease, signal) => records.remove(lease.lease.key, asRecord(lease), signal),
  };
}
