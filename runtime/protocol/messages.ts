/** The request and the answer between a sender and a receiver. Both are JSON, and unknown fields are refused in both. */
import * as z from "./schema";
import { type ObjectSnapshot, snapshotSchema } from "./snapshot";

/** A receiver refuses more; the sender stays below. */
export const LIMITS = {
  /** Notices in one request. */
  notices: 100,
  /** Bytes of one request body: 100 notices of a 1 KiB key, two 8 KiB URLs and 2 KiB of metadata fit. */
  bodyBytes: 4 * 1024 * 1024,
  keyBytes: 1024,
  urlCharacters: 16 * 1024,
  /** The length of the reason in a receipt, a workflow's state and a dead letter. A longer reason is cut. */
  reasonCharacters: 1024,
} as const;

const keySchema = z.string().check(
  z.minLength(1),
  z.refine((key) => Buffer.byteLength(key) <= LIMITS.keyBytes, { message: `longer than ${LIMITS.keyBytes} bytes` }),
);

const noticeCommon = {
  key: keySchema,
  /**
   * A presigned GET of the key's current object. The receiver reads it with `If-Match` on the snapshot's etag. For an absent object, the
   * receiver checks with it that the object is still absent.
   */
  url: z.string().check(z.minLength(1), z.maxLength(LIMITS.urlCharacters)),
  /** The sender asked about this key before, or may have: a copy of an earlier state may still be running. */
  askedBefore: z.optional(z.literal(true)),
};

export const noticeSchema = z.discriminatedUnion("state", [
  z.strictObject({
    ...noticeCommon,
    state: z.literal("present"),
    snapshot: snapshotSchema,
    /** A presigned GET of the object's tags: no store has a version of tags, so the receiver compares them with what they are now. */
    tagsUrl: z.string().check(z.minLength(1), z.maxLength(LIMITS.urlCharacters)),
    /** An attempt at this state ran out of time: start a copy, whatever the size. */
    slow: z.optional(z.literal(true)),
  }),
  z.strictObject({ ...noticeCommon, state: z.literal("absent") }),
]);

/** A signed request item: "the source looks like this at `key`; make the destination equal to it". */
export type Notice = { key: string; url: string; askedBefore?: true | undefined } & (
  | { state: "present"; snapshot: ObjectSnapshot; tagsUrl: string; slow?: true | undefined }
  | { state: "absent" }
);

export const requestSchema = z.strictObject({
  version: z.literal(1),
  bridgeId: z.string().check(z.minLength(1), z.maxLength(64)),
  notices: z.array(noticeSchema).check(z.minLength(1), z.maxLength(LIMITS.notices)),
});
export interface ReplicationRequest {
  version: 1;
  bridgeId: string;
  notices: Notice[];
}

/** The length of a value in a `Difference`. A longer value is cut. */
export const DIFFERENCE_CHARACTERS = 100;
const differing = z.optional(z.string().check(z.maxLength(DIFFERENCE_CHARACTERS)));

export const DIFFERENCES = ["object", "owner", "bytes", "headers", "metadata", "tags"] as const;
export const differenceSchema = z.strictObject({
  what: z.enum(DIFFERENCES),
  name: differing,
  wanted: differing,
  found: differing,
});
/**
 * What differs between the source and the destination. `object`: the destination has none, or one that has to go. `owner`: another bridge or
 * a user wrote the object.
 */
export interface Difference {
  what: (typeof DIFFERENCES)[number];
  /** The header, the metadata entry, the tag, or the property of the bytes that differs. */
  name?: string | undefined;
  /** The value at the source; absent where the source has none. */
  wanted?: string | undefined;
  /** The value at the destination; absent where the destination has none. */
  found?: string | undefined;
}

export const RECEIPT_RESULTS = ["replicated", "unchanged", "superseded", "in-progress", "waiting", "retry", "rejected"] as const;
export type ReceiptResult = (typeof RECEIPT_RESULTS)[number];

/**
 * What a key waits for.
 * - `room`: as many copies run as may run at once. `throttling`: a store asks for fewer requests.
 * - `store`: a store does not work: it cannot be reached, its bucket is gone, or it must be asked through another host.
 * - `restore`: the archived object is being restored.
 * - `time`: the receiver's time ran out. With `slow` an attempt was under way, and the copier takes it up.
 */
export const WAITS = ["room", "throttling", "store", "restore", "time"] as const;
export type WaitsFor = (typeof WAITS)[number];

export const receiptSchema = z.strictObject({
  key: z.string(),
  result: z.enum(RECEIPT_RESULTS),
  /** Present on `waiting`. */
  waitsFor: z.optional(z.enum(WAITS)),
  /** The side that the reason concerns. @default destination */
  place: z.optional(z.enum(["source", "destination"])),
  /** Ask no sooner. From a store's `Retry-After`. */
  retryAfterSeconds: z.optional(z.int().check(z.nonnegative(), z.maximum(86_400))),
  /** The attempt ran out of time: ask for a copy next time. */
  slow: z.optional(z.literal(true)),
  /** For an operator; present on `retry` and `rejected`, and on others where it helps. Never holds a URL or a secret. */
  reason: z.optional(z.string().check(z.maxLength(LIMITS.reasonCharacters))),
  /** Bytes moved from the source for this receipt. */
  bytesMoved: z.optional(z.count),
  /** A write of unknown outcome may still land: do not ask again before the receiver's hard end has passed. */
  unsettled: z.optional(z.literal(true)),
  /** Present when the destination was written and is still not equal. */
  difference: z.optional(differenceSchema),
});

/**
 * The result of one notice.
 * - `replicated`: the destination was made equal and proven equal.
 * - `unchanged`: the destination was equal already (or had nothing of this bridge to delete).
 * - `superseded`: the source is no longer as the notice says; inspect it again.
 * - `in-progress`: a copy of this key is running elsewhere; ask again later.
 * - `waiting`: it is not over, for the reason in `waitsFor`; ask again later. Counts as no failure.
 * - `retry`: an attempt was made and failed; ask again later.
 * - `rejected`: asking again cannot help; park it with the reason.
 */
export interface Receipt {
  key: string;
  result: ReceiptResult;
  waitsFor?: WaitsFor | undefined;
  place?: "source" | "destination" | undefined;
  retryAfterSeconds?: number | undefined;
  slow?: true | undefined;
  reason?: string | undefined;
  bytesMoved?: number | undefined;
  unsettled?: true | undefined;
  difference?: Difference | undefined;
}

/** Receipts in the order of the notices. */
export const responseSchema = z.strictObject({
  version: z.literal(1),
  receipts: z.array(receiptSchema).check(z.maxLength(LIMITS.notices)),
});
export interface ReplicationResponse {
  version: 1;
  receipts: Receipt[];
}
