import { decide, type Plan, type PresentNotice, type Situation } from "../../../runtime/replication/decide";
import type { DestinationState } from "../../../runtime/replication/equality";
import type { CopyOutcome, Lease } from "../../../runtime/replication/lease";
import { replicaMetadata } from "../../../runtime/replication/provenance";
import { snapshotId } from "../../../runtime/replication/snapshot";
import { BRIDGE, makeHead, makeSnapshot } from "../support/make-snapshot";

const NOW = 1_000_000;
const url = "https://source.example/k";
const small = makeSnapshot();
const large = makeSnapshot({ sizeBytes: 100, etag: "large" });
const present = (snapshot = small): PresentNotice => ({ key: "k", url, state: "present", snapshot });
const absent = { key: "k", url, state: "absent" } as const;

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
  ["nothing there, small", { notice: present() }, "write"],
  ["nothing there, exactly at the limit", { notice: present(makeSnapshot({ sizeBytes: 10 })) }, "write"],
  ["nothing there, one byte more", { notice: present(makeSnapshot({ sizeBytes: 11 })) }, "copy"],
  ["nothing there, empty", { notice: present(makeSnapshot({ sizeBytes: 0 })), inlineLimitBytes: 0 }, "write"],
  ["equal", { notice: present(), destination: replicaOf() }, "unchanged"],
  ["equal, large", { notice: present(large), destination: replicaOf(large) }, "unchanged"],
  ["an older replica", { notice: present(), destination: replicaOf(makeSnapshot({ etag: "old" })) }, "write"],
  ["somebody else's object", { notice: present(), destination: foreign }, "write"],
  ["only the tags differ", { notice: present(), destination: replicaOf(small, { team: "blue" }) }, "tag"],
  ["only the tags differ, large", { notice: present(large), destination: replicaOf(large, {}) }, "tag"],
  ["absent, and nothing there", { notice: absent }, "unchanged"],
  ["absent, and our replica there", { notice: absent, destination: replicaOf() }, "delete"],
  ["absent, and somebody else's object there", { notice: absent, destination: foreign }, "unchanged"],
])("%s: %s", (_what, situation, step) => {
  expect(plan(situation).step).toBe(step);
});

describe("a live lease comes before everything", () => {
  test.each<Case>([
    ["the same snapshot", { notice: present(large), lease: leaseOf() }, "wait"],
    ["the same snapshot, equal already", { notice: present(large), destination: replicaOf(large), lease: leaseOf() }, "wait"],
    ["the same snapshot, marked", { notice: present(large), lease: leaseOf(large, { stop: true }) }, "stop-copy"],
    ["another snapshot, equal already", { notice: present(), destination: replicaOf(), lease: leaseOf() }, "stop-copy"],
    ["absent", { notice: absent, lease: leaseOf() }, "stop-copy"],
    ["taken up", { notice: present(large), lease: leaseOf(large, { run: "r" }) }, "wait"],
    ["one that has run out", { notice: present(), lease: expired() }, "write"],
    ["one whose copier said its last word", { notice: present(), lease: over({ result: "superseded" }) }, "write"],
  ])("%s: %s", (_what, situation, step) => {
    expect(plan(situation).step).toBe(step);
  });
});

describe("a copy that is over", () => {
  test.each<Case>([
    ["replicated, and still equal", { destination: replicaOf(large), lease: over({ result: "replicated" }) }, "unchanged"],
    ["replicated, and overwritten since", { destination: foreign, lease: over({ result: "replicated" }) }, "copy"],
    ["superseded, and current again", { lease: over({ result: "superseded" }) }, "copy"],
    ["out of time, with progress", { lease: over({ result: "continue" }) }, "copy"],
    ["failed for now", { lease: over({ result: "retry", reason: "why" }) }, "report"],
    ["failed for good", { lease: over({ result: "rejected", reason: "why" }) }, "report"],
    ["failed, told already", { lease: over({ result: "retry" }, { reported: true }) }, "copy"],
    ["failed, yet equal by now", { destination: replicaOf(large), lease: over({ result: "retry" }) }, "unchanged"],
    [
      "failed for another snapshot",
      { notice: present(makeSnapshot({ ...large, etag: "newer" })), lease: over({ result: "retry" }) },
      "copy",
    ],
    ["ended without a word", { lease: expired({ run: "r" }) }, "report"],
    ["never begun", { lease: expired() }, "report"],
    ["ended without a word, told already", { lease: expired({ reported: true }) }, "copy"],
  ])("%s: %s", (_what, situation, step) => {
    expect(plan({ notice: present(large), ...situation }).step).toBe(step);
  });

  test("the failure is told in the copier's words, or in ours when it had none", () => {
    expect(plan({ notice: present(large), lease: over({ result: "rejected", reason: "no space" }) })).toEqual({
      step: "report",
      outcome: { result: "rejected", reason: "no space" },
    });
    expect(plan({ notice: present(large), lease: expired() })).toEqual({
      step: "report",
      outcome: { result: "retry", reason: "the copier ended without a result; the next ask resumes it" },
    });
  });
});

test("what stays at the destination though the source has nothing is told", () => {
  expect(plan({ notice: absent, destination: foreign })).toEqual({
    step: "unchanged",
    reason: "the destination object was not written by this bridge and stays",
  });
});

function plan(situation: Partial<Situation>): Plan {
  return decide({
    notice: present(),
    destination: undefined,
    lease: undefined,
    nowMs: NOW,
    bridge: BRIDGE,
    inlineLimitBytes: 10,
    ...situation,
  });
}
