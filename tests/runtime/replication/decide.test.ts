import { decide, type Plan, type Situation } from "../../../runtime/replication/decide";
import type { DestinationState } from "../../../runtime/replication/equality";
import type { CopyOutcome, Lease } from "../../../runtime/replication/lease";
import { replicaMetadata } from "../../../runtime/replication/provenance";
import { snapshotId } from "../../../runtime/replication/snapshot";
import { BRIDGE, makeHead, makeSnapshot } from "../support/make-snapshot";

const NOW = 1_000_000;
const small = makeSnapshot();
const large = makeSnapshot({ sizeBytes: 100, etag: "large" });

const replicaOf = (snapshot = small, tags = snapshot.tags): DestinationState => ({
  head: makeHead({ sizeBytes: snapshot.sizeBytes, metadata: replicaMetadata(snapshot, BRIDGE, "k") }),
  tags,
});
const foreign: DestinationState = { head: makeHead({ metadata: {} }), tags: {} };

const leaseOf = (snapshot = large, changes: Partial<Lease> = {}): Lease => ({
  version: 1,
  key: "k",
  execution: "x",
  snapshotId: snapshotId(snapshot),
  leaseUntilMs: NOW + 1,
  stop: false,
  reported: false,
  ...changes,
});
const over = (outcome: CopyOutcome, changes: Partial<Lease> = {}) => leaseOf(large, { outcome, ...changes });
const expired = (changes: Partial<Lease> = {}) => leaseOf(large, { leaseUntilMs: NOW, ...changes });

type Case = [what: string, situation: Partial<Situation>, plan: Plan["step"]];

test.each<Case>([
  ["nothing there, small", { snapshot: small }, "write"],
  ["nothing there, exactly at the limit", { snapshot: makeSnapshot({ sizeBytes: 10 }) }, "write"],
  ["nothing there, one byte more", { snapshot: makeSnapshot({ sizeBytes: 11 }) }, "copy"],
  ["nothing there, empty", { snapshot: makeSnapshot({ sizeBytes: 0 }), inlineLimitBytes: 0 }, "write"],
  ["equal", { snapshot: small, destination: replicaOf() }, "unchanged"],
  ["equal, large", { snapshot: large, destination: replicaOf(large) }, "unchanged"],
  ["an older replica", { snapshot: small, destination: replicaOf(makeSnapshot({ etag: "old" })) }, "write"],
  ["another owner's object", { snapshot: small, destination: foreign }, "write"],
  ["only the tags differ", { snapshot: small, destination: replicaOf(small, { team: "blue" }) }, "tag"],
  ["only the tags differ, large", { snapshot: large, destination: replicaOf(large, {}) }, "tag"],
  ["absent, and nothing there", { snapshot: undefined }, "unchanged"],
  ["absent, and our replica there", { snapshot: undefined, destination: replicaOf() }, "delete"],
  ["absent, and another owner's object there", { snapshot: undefined, destination: foreign }, "unchanged"],
])("%s: %s", (_what, situation, step) => {
  expect(plan(situation).step).toBe(step);
});

describe("a live lease comes before everything", () => {
  test.each<Case>([
    ["the same snapshot", { snapshot: large, lease: leaseOf() }, "wait"],
    ["the same snapshot, equal already", { snapshot: large, destination: replicaOf(large), lease: leaseOf() }, "wait"],
    ["the same snapshot, marked", { snapshot: large, lease: leaseOf(large, { stop: true }) }, "stop-copy"],
    ["another snapshot, equal already", { snapshot: small, destination: replicaOf(), lease: leaseOf() }, "stop-copy"],
    ["absent", { snapshot: undefined, lease: leaseOf() }, "stop-copy"],
    ["taken by a run", { snapshot: large, lease: leaseOf(large, { run: "r" }) }, "wait"],
    ["one that has run out", { snapshot: small, lease: expired() }, "write"],
    ["one whose copy has its outcome", { snapshot: small, lease: over({ result: "superseded" }) }, "write"],
  ])("%s: %s", (_what, situation, step) => {
    expect(plan(situation).step).toBe(step);
  });
});

describe("a copy that has ended", () => {
  test.each<Case>([
    ["replicated, and still equal", { destination: replicaOf(large), lease: over({ result: "replicated" }) }, "unchanged"],
    ["replicated, and overwritten since", { destination: foreign, lease: over({ result: "replicated" }) }, "copy"],
    ["superseded, because the source refused the reads", { lease: over({ result: "superseded" }) }, "report"],
    ["superseded, reported already", { lease: over({ result: "superseded" }, { reported: true }) }, "copy"],
    ["stopped, and current again", { lease: over({ result: "superseded" }, { stop: true }) }, "copy"],
    ["a store that does not work", { lease: over({ result: "waiting", waitsFor: "store", reason: "why" }) }, "report"],
    ["out of time, with progress", { lease: over({ result: "continue" }) }, "copy"],
    ["failed for now", { lease: over({ result: "retry", reason: "why" }) }, "report"],
    ["failed for good", { lease: over({ result: "rejected", reason: "why" }) }, "report"],
    ["failed, reported already", { lease: over({ result: "retry" }, { reported: true }) }, "copy"],
    ["failed, yet equal by now", { destination: replicaOf(large), lease: over({ result: "retry" }) }, "unchanged"],
    [
      "failed for another snapshot",
      { snapshot: makeSnapshot({ ...large, etag: "newer" }), lease: over({ result: "retry" }) },
      "copy",
    ],
    ["ended without an outcome", { lease: expired({ run: "r" }) }, "report"],
    ["never begun", { lease: expired() }, "copy"],
    ["ended without an outcome, reported already", { lease: expired({ reported: true }) }, "copy"],
  ])("%s: %s", (_what, situation, step) => {
    expect(plan({ snapshot: large, ...situation }).step).toBe(step);
  });

  test("the report gives the copier's reason, or a reason of its own where there is none", () => {
    expect(plan({ snapshot: large, lease: over({ result: "rejected", reason: "no space" }) })).toEqual({
      step: "report",
      outcome: { result: "rejected", reason: "no space" },
    });
    expect(plan({ snapshot: large, lease: expired({ run: "r" }) })).toEqual({
      step: "report",
      outcome: { result: "retry", reason: "the copier ended without a result; the next ask resumes it" },
    });
  });
});

test("a copy that has not begun is started again, and the reason says why", () => {
  expect(plan({ snapshot: large, lease: expired() })).toEqual({
    step: "copy",
    snapshot: large,
    reason: "the copy did not begin in time, probably no instance was free: it is started again",
  });
});

describe("an object that one request is too short for", () => {
  const upload = { uploadId: "u", partSizeBytes: 4 };
  test.each<Case>([
    ["small, and slow", { snapshot: small, slow: true }, "copy"],
    ["empty, and slow", { snapshot: makeSnapshot({ sizeBytes: 0 }), slow: true }, "write"],
    ["equal by now", { snapshot: small, destination: replicaOf(), slow: true }, "unchanged"],
    ["absent", { snapshot: undefined, slow: true }, "unchanged"],
    ["its upload has begun", { lease: leaseOf(small, { leaseUntilMs: NOW, upload, outcome: { result: "continue" } }) }, "copy"],
    ["an upload of another snapshot", { lease: leaseOf(large, { leaseUntilMs: NOW, upload }) }, "write"],
  ])("%s: %s", (_what, situation, step) => {
    expect(plan(situation).step).toBe(step);
  });
});

test("an object of another owner stays, and the reason says so", () => {
  expect(plan({ snapshot: undefined, destination: foreign })).toEqual({
    step: "unchanged",
    reason: "the destination object was not written by this bridge and stays",
  });
});

function plan(situation: Partial<Situation>): Plan {
  return decide({
    snapshot: small,
    destination: undefined,
    lease: undefined,
    nowMs: NOW,
    bridge: BRIDGE,
    inlineLimitBytes: 10,
    ...situation,
  });
}
