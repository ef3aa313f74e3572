import type { ObjectSnapshot } from "../../../../runtime/protocol/snapshot";
import type { DestinationState } from "../../../../runtime/replication/equality";
import { replicaMetadata } from "../../../../runtime/replication/provenance";
import { differenceOf, isMadeFrom } from "../../../../runtime/roles/pusher/proof";
import { BRIDGE, makeHead, makeSnapshot } from "../../support/make-snapshot";

const replicaOf = (snapshot: ObjectSnapshot, bridge: { bridgeId: string; sourceId: string } = BRIDGE) => ({
  head: makeHead({ metadata: replicaMetadata(snapshot, bridge, "k") }),
  tags: snapshot.tags,
});
const snapshot = makeSnapshot();
const replica = replicaOf(snapshot);
const ofOther = replicaOf(snapshot, { ...BRIDGE, bridgeId: "other" });

test.each<[string, ObjectSnapshot | undefined, DestinationState | undefined, string | undefined]>([
  ["equal", snapshot, replica, undefined],
  ["nothing at the destination", snapshot, undefined, "object"],
  ["other tags", snapshot, { ...replica, tags: {} }, "tags"],
  ["another bridge's replica", snapshot, ofOther, "owner"],
  ["absent on both sides", undefined, undefined, undefined],
  ["absent at the source, a replica of this bridge", undefined, replica, "object"],
  ["absent at the source, another bridge's replica", undefined, ofOther, undefined],
])("differenceOf, %s", (_what, source, seen, difference) => {
  expect(differenceOf(source, seen, BRIDGE)?.what).toBe(difference);
});

test.each<[string, ObjectSnapshot | undefined, DestinationState | undefined, boolean]>([
  ["from this state", snapshot, replica, true],
  ["from this state, with other tags now", { ...snapshot, tags: {} }, replica, true],
  ["from an older state", makeSnapshot({ etag: "newer" }), replica, false],
  ["from the same bytes, written again", makeSnapshot({ lastModified: "2026-03-01T00:00:01.000Z" }), replica, false],
  ["by another bridge", snapshot, ofOther, false],
  ["from an object that is gone", undefined, replica, false],
  ["no replica", snapshot, undefined, false],
])("isMadeFrom, %s", (_what, source, seen, expected) => {
  expect(isMadeFrom(seen, source, BRIDGE)).toBe(expected);
});
