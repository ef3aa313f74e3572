import {
  type BridgeView,
  bridgeStatus,
  type InHand,
  type Known,
  type NativeView,
  nativeStatus,
  type ObjectStatus,
  type StatusVerdict,
} from "../../operator/replication-status";
import type { ObjectSnapshot } from "../../runtime/protocol/snapshot";
import { replicaMetadata } from "../../runtime/replication/provenance";
import type { ObjectHead } from "../../runtime/stores/object-store";
import { BRIDGE, makeHead, makeSnapshot } from "../runtime/support/make-snapshot";

const SCOPE = { prefixes: ["in/"], suffixes: [], tags: {}, minSizeBytes: 0, maxSizeBytes: 1000 };
const bridge = { bridgeId: BRIDGE.bridgeId, scope: SCOPE, deletes: "replicate" as const, destinationId: "aws-cn:destination" };
const key = "in/k";
/** The Last-Modified of `makeSnapshot`. */
const WRITTEN = new Date("2026-03-01T00:00:00Z");
const before = new Date("2026-02-28T23:59:59.999Z");
const after = new Date("2026-03-01T00:00:00.001Z");

function replicaOf(snapshot: ObjectSnapshot, head: Partial<ObjectHead> = {}, tags = snapshot.tags) {
  return { head: makeHead({ metadata: replicaMetadata(snapshot, BRIDGE, key), ...head }), tags };
}

const snapshot = makeSnapshot();
/** A minute after the write: its event may be on its way. */
const fresh: InHand = { queued: 0, complete: true, nowMs: WRITTEN.getTime() + 60_000 };
const base: BridgeView = { bridge, key, snapshot, destination: undefined, inHand: fresh };
const foreign = { head: makeHead(), tags: {} };
const cameBack = makeSnapshot({
  metadata: replicaMetadata(snapshot, { bridgeId: "other", sourceId: bridge.destinationId }, key),
});

describe("a key that has not arrived", () => {
  /** An hour after the write. */
  const nowMs = WRITTEN.getTime() + 3_600_000;
  const later: InHand = { queued: 0, complete: true, nowMs };
  const putBack: Known = {
    ...{ state: "queued", atMs: nowMs - 60_000, failures: 6, waits: 0, nextTryMs: nowMs + 38_000 },
    ...{ reason: "401: the signing secrets differ", place: "border", sinceMs: nowMs - 3_000_000 },
  };
  const stale = { ...putBack, nextTryMs: nowMs - 121_000 };
  const missing = "not at the destination yet";
  const stranded = `${missing}; nothing is queued for it: run a backfill with --prefix of this key`;

  test.each<[string, InHand, StatusVerdict]>([
    [
      "put back: the reason of the log",
      { ...later, known: putBack },
      { status: "PENDING", reason: putBack.reason, progress: putBack },
    ],
    [
      "held during an outage, and tried long ago",
      { ...later, known: { ...stale, state: "held" } },
      { status: "PENDING", reason: putBack.reason, progress: { ...stale, state: "held" } },
    ],
    [
      "in an execution without a reason",
      { ...later, known: { state: "runs", atMs: 1, failures: 0, waits: 0 } },
      { status: "PENDING", reason: missing, progress: { state: "runs", atMs: 1, failures: 0, waits: 0 } },
    ],
    [
      "put back, and long due while messages are in the queue: its reason is of yesterday",
      { ...later, queued: 3, known: stale },
      { status: "PENDING", reason: `${missing}; 3 messages are in the work queue` },
    ],
    ["unknown, and nothing is queued", later, { status: "NONE", reason: stranded }],
    ["unknown, and its try is long over", { ...later, known: stale }, { status: "NONE", reason: stranded }],
    [
      "unknown, while one message is in the queue",
      { ...later, queued: 1 },
      { status: "PENDING", reason: `${missing}; 1 message is in the work queue` },
    ],
    ["unknown, and not everything could be read", { ...later, complete: false }, { status: "PENDING", reason: missing }],
    ["unknown, and written a moment ago", fresh, { status: "PENDING", reason: missing }],
    [
      "unknown, ten minutes after the write, where events are kept out of sight",
      { ...later, queued: undefined, nowMs: WRITTEN.getTime() + 600_000 },
      { status: "PENDING", reason: missing },
    ],
    [
      "unknown for an hour, where events are kept out of sight",
      { ...later, queued: undefined },
      { status: "NONE", reason: stranded },
    ],
    [
      "given up, and its letter was removed",
      { ...later, known: { ...putBack, state: "parked", reason: "too many tags" } },
      {
        status: "NONE",
        reason:
          "given up (too many tags), and its dead letter was removed; nothing is queued for it: run a backfill with --prefix of this key",
      },
    ],
  ])("%s", (_what, inHand, verdict) => {
    expect(bridgeStatus({ ...base, inHand })).toEqual(verdict);
  });

  test("a replica counts whatever the log says", () => {
    const view = { ...base, destination: replicaOf(snapshot), inHand: { ...later, known: putBack } };
    expect(bridgeStatus(view)).toEqual({ status: "COMPLETED", lagMs: 5_000 });
  });

  test("a delete that waits has the reason of the log", () => {
    const view = { ...base, snapshot: undefined, destination: replicaOf(snapshot), inHand: { ...later, known: putBack } };
    expect(bridgeStatus(view)).toEqual({ status: "PENDING", reason: putBack.reason, progress: putBack });
  });
});

describe("a bridge replicates", () => {
  test.each<[string, Partial<BridgeView>, StatusVerdict]>([
    ["a faithful replica", { destination: replicaOf(snapshot) }, { status: "COMPLETED", lagMs: 5_000 }],
    [
      "a replica that was there before the object was written again as it was",
      { destination: replicaOf(snapshot, { lastModified: before }) },
      { status: "COMPLETED" },
    ],
    [
      "a replica, and a letter that is of no weight any more",
      { destination: replicaOf(snapshot), parked: { reason: "no", parkedAt: after } },
      { status: "COMPLETED", lagMs: 5_000 },
    ],
    ["nothing at the destination", {}, { status: "PENDING", reason: "not at the destination yet" }],
    [
      "a replica of an earlier version",
      { destination: replicaOf(makeSnapshot({ etag: "e0" })) },
      { status: "PENDING", reason: "the destination has another state" },
    ],
    [
      "a replica of another size",
      { destination: replicaOf(snapshot, { sizeBytes: 5 }) },
      { status: "PENDING", reason: "the destination has another state" },
    ],
    [
      "other headers",
      { destination: replicaOf(snapshot, { headers: {} }) },
      { status: "PENDING", reason: "the destination has other headers" },
    ],
    [
      "other metadata",
      { destination: replicaOf(makeSnapshot({ metadata: {} })) },
      { status: "PENDING", reason: "the destination has other metadata" },
    ],
    ["other tags", { destination: replicaOf(snapshot, {}, {}) }, { status: "PENDING", reason: "the destination has other tags" }],
    [
      "an object that the bridge did not write",
      { destination: foreign },
      { status: "PENDING", reason: "the destination has an object that this bridge did not write" },
    ],
    ["a letter of this state", { parked: { reason: "refused", parkedAt: after } }, { status: "FAILED", reason: "refused" }],
    ["a letter of its second", { parked: { reason: "refused", parkedAt: WRITTEN } }, { status: "FAILED", reason: "refused" }],
    ["a letter without a time", { parked: { reason: "refused", parkedAt: undefined } }, { status: "FAILED", reason: "refused" }],
    [
      "a letter of an earlier state",
      { parked: { reason: "refused", parkedAt: before } },
      { status: "PENDING", reason: "not at the destination yet" },
    ],
    ["the destination's own object", { snapshot: cameBack }, { status: "REPLICA", reason: "it came from the destination" }],
    [
      "the destination's own object, out of scope",
      { key: "out", snapshot: cameBack },
      { status: "REPLICA", reason: "it came from the destination" },
    ],
  ])("%s", (_what, view, verdict) => {
    expect(bridgeStatus({ ...base, ...view })).toEqual(verdict);
  });

  test("a replica from a third bucket is replicated like any object", () => {
    const chained = makeSnapshot({ metadata: replicaMetadata(snapshot, { bridgeId: "first", sourceId: "aws:first" }, key) });
    expect(bridgeStatus({ ...base, snapshot: chained }).status).toBe("PENDING");
  });

  test.each<[string, Partial<BridgeView>, RegExp]>([
    ["by key", { key: "out" }, /starts with none of the prefixes/],
    ["by size", { snapshot: makeSnapshot({ sizeBytes: 1001 }) }, /1001 bytes are more/],
    ["the bridge's own records", { key: ".crossborderbridge/x" }, /belong to bridges/],
    ["absent and by key", { key: "out", snapshot: undefined }, /starts with none/],
  ])("out of scope %s", (_what, view, reason) => {
    const verdict = bridgeStatus({ ...base, parked: { reason: "old", parkedAt: undefined }, ...view });
    expect(verdict).toEqual({ status: "OUT_OF_SCOPE", reason: expect.stringMatching(reason) });
  });

  const gone = { ...base, snapshot: undefined };
  test.each<[string, Partial<BridgeView>, ObjectStatus, RegExp]>([
    ["absent on both sides", {}, "NONE", /no such object on either side/],
    ["absent on both sides, with an old letter", { parked: { reason: "x", parkedAt: after } }, "NONE", /no such object/],
    ["only an object that the bridge did not write", { destination: foreign }, "NONE", /not of this bridge/],
    ["the replica is still there", { destination: replicaOf(snapshot) }, "PENDING", /not at the destination yet/],
    [
      "the delete was given up",
      { destination: replicaOf(snapshot), parked: { reason: "denied", parkedAt: before } },
      "FAILED",
      /denied/,
    ],
    [
      "deletes are ignored",
      { bridge: { ...bridge, deletes: "ignore" }, destination: replicaOf(snapshot) },
      "NONE",
      /deletes are ignored/,
    ],
  ])("deleted: %s", (_what, view, status, reason) => {
    expect(bridgeStatus({ ...gone, ...view })).toEqual({ status, reason: expect.stringMatching(reason) });
  });
});

describe("a store replicates by itself", () => {
  const crc = [{ algorithm: "CRC64XZ" as const, value: "AAAA" }];
  const source = makeHead({ lastModified: WRITTEN, checksums: crc });
  const base: NativeView = { source, scope: { inScope: true }, storeReportsStatus: true };
  const out = { inScope: false, reason: "no rule" } as const;

  test.each(["PENDING", "COMPLETED", "FAILED", "REPLICA"] as const)(
    "%s is the status that the store reports, also if the rules have changed",
    (status) => {
      const reported = { ...source, replication: status };
      expect(nativeStatus({ ...base, source: reported }).status).toBe(status);
      expect(nativeStatus({ ...base, source: reported, scope: out }).status).toBe(status);
      const { reason } = nativeStatus({ ...base, source: reported });
      expect(reason === undefined).toBe(status === "COMPLETED");
    },
  );

  test.each<[string, Partial<NativeView>, StatusVerdict]>([
    ["no object", { source: undefined }, { status: "NONE", reason: "there is no such object" }],
    ["no rule", { scope: out }, { status: "OUT_OF_SCOPE", reason: "no rule" }],
    ["from before the rule", {}, { status: "NONE", reason: "no rule took it in when it was written; a backfill brings it" }],
  ])("S3: %s", (_what, view, verdict) => {
    expect(nativeStatus({ ...base, ...view })).toEqual(verdict);
  });

  test.each<[string, ObjectHead | undefined, ObjectStatus]>([
    ["the same object", makeHead({ checksums: crc }), "COMPLETED"],
    ["nothing", undefined, "PENDING"],
    ["other bytes", makeHead({ checksums: [{ algorithm: "CRC64XZ", value: "BBBB" }] }), "PENDING"],
    ["no checksum to compare", makeHead(), "PENDING"],
    ["another size", makeHead({ checksums: crc, sizeBytes: 7 }), "PENDING"],
    ["other headers", makeHead({ checksums: crc, headers: {} }), "PENDING"],
    ["other metadata", makeHead({ checksums: crc, metadata: { a: "b" } }), "PENDING"],
  ])("OSS, which says nothing: the destination has %s", (_what, replica, status) => {
    expect(nativeStatus({ ...base, storeReportsStatus: false, replica }).status).toBe(status);
  });

  test("reports the lag of a replica that was compared", () => {
    const replica = makeHead({ checksums: crc });
    expect(nativeStatus({ ...base, storeReportsStatus: false, replica })).toEqual({ status: "COMPLETED", lagMs: 5_000 });
  });
});
