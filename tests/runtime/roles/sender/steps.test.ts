import type { Receipt } from "../../../../runtime/protocol/messages";
import type { Look } from "../../../../runtime/protocol/ports";
import type { AcceptedLook } from "../../../../runtime/replication/intake";
import { stateName } from "../../../../runtime/replication/snapshot";
import type { Answer } from "../../../../runtime/roles/sender/ask";
import {
  buildNotice,
  groupByKey,
  metricsOf,
  type StepPolicy,
  stepAfterAnswer,
  stepAfterVerify,
  type Verify,
  type Work,
} from "../../../../runtime/roles/sender/steps";
import { makeSnapshot } from "../../support/make-snapshot";

const accepted = (messageId: string, key: string, failures: number, firstSeenMs: number): AcceptedLook => ({
  messageId,
  look: { key, failures, firstSeenMs },
});

test("one work item per key: all its messages, the most tries, the earliest time", () => {
  const works = groupByKey([
    accepted("m1", "a", 2, 5),
    accepted("m2", "b", 1, 7),
    accepted("m3", "a", 0, 9),
    accepted("m1", "a", 1, 6),
  ]);
  expect(works).toEqual([
    { look: { key: "a", failures: 2, firstSeenMs: 5 }, messageIds: new Set(["m1", "m3"]), askedBefore: true },
    { look: { key: "b", failures: 1, firstSeenMs: 7 }, messageIds: new Set(["m2"]), askedBefore: true },
  ]);
});

test.each<[string, Partial<Look>, Partial<Look>]>([
  ["more failures win over more waits", { failures: 2, waits: 1 }, { failures: 1, waits: 9 }],
  ["of as many failures the one with more waits wins", { failures: 1, waits: 3 }, { failures: 1, waits: 2 }],
  ["no waits are fewer than one", { failures: 1, waits: 1 }, { failures: 1 }],
])("looks at one key, in either order: %s", (_, more, less) => {
  const lookOf = (given: Partial<Look>, state: string) => ({ key: "k", failures: 0, firstSeenMs: NOW, state, ...given });
  const [winner, other] = [lookOf(more, "of the winner"), lookOf(less, "of the other")];
  for (const looks of [
    [winner, other],
    [other, winner],
  ]) {
    const [work] = groupByKey(looks.map((look) => ({ messageId: "m", look })));
    expect(work?.look).toEqual(winner);
  }
});

test("a notice names the snapshot, or the absence", () => {
  const { snapshot, ...absent } = workOf();
  const urls = { url: "u", tagsUrl: "t" };
  expect(buildNotice(workOf(), urls)).toEqual({ key: "k", url: "u", tagsUrl: "t", state: "present", snapshot });
  expect(buildNotice(absent, urls)).toEqual({ key: "k", url: "u", state: "absent" });
});

test.each<[string, Partial<AcceptedLook["look"]>, boolean]>([
  ["a fresh event", {}, false],
  ["a message that is delivered again", { redelivered: true }, true],
  ["a failure", { failures: 1 }, true],
  ["a wait", { waits: 1 }, true],
  ["a key that was held", { last: { reason: "r", place: "border", atMs: 1 } }, true],
  ["a key that the tick released", { released: true }, true],
])("%s: the notice says whether the key was asked about before", (_what, look, expected) => {
  const [work] = groupByKey([{ messageId: "m", look: { key: "k", failures: 0, firstSeenMs: NOW, ...look } }]);
  if (work === undefined) throw new Error("there is no work");
  expect(buildNotice(work, { url: "u", tagsUrl: "t" }).askedBefore).toBe(expected || undefined);
});

const NOW = 1_000_000;
const policy: StepPolicy = {
  maxAttempts: 3,
  giveUpAfterMs: 3_600_000,
  backoff: (failures) => failures * 10,
  hardEndSeconds: 34,
  sourceId: "aws:from",
  destinationId: "alicloud:to",
  random: () => 0.5,
  nowMs: () => NOW,
  isDown: () => false,
};
const workOf = (look: Partial<Look> = {}): Work => ({
  look: { key: "k", failures: 0, firstSeenMs: NOW, ...look },
  messageIds: new Set(["m"]),
  askedBefore: false,
  snapshot: makeSnapshot(),
});
const receipt = (given: Omit<Receipt, "key">): Answer => ({ receipt: { key: "k", ...given } });
const noAnswer = (given: Partial<Extract<Answer, { reason: string }>> = {}): Answer => ({
  reason: "no answer",
  attemptMayRun: false,
  retryable: true,
  ...given,
});
const failedAfter = (failures: number) => ({ failures, state: stateName(makeSnapshot()) });

describe("the step after an answer", () => {
  test.each<[Answer, Partial<Look>, object]>([
    [receipt({ result: "superseded" }), {}, { step: "repeat" }],
    [receipt({ result: "in-progress" }), failedAfter(2), { delaySeconds: 2, failed: false, cause: "copy" }],
    [receipt({ result: "in-progress" }), { waits: 9 }, { delaySeconds: 45, failed: false }],
    [receipt({ result: "waiting", waitsFor: "room" }), failedAfter(2), { delaySeconds: 8, failed: false, cause: "room" }],
    [receipt({ result: "waiting", waitsFor: "restore" }), {}, { delaySeconds: 675, failed: false, cause: "restore" }],
    [receipt({ result: "waiting", waitsFor: "store", unsettled: true }), {}, { delaySeconds: 34, failed: false }],
    [receipt({ result: "retry" }), {}, { delaySeconds: 10, failed: true }],
    [receipt({ result: "retry", reason: "busy" }), failedAfter(1), { delaySeconds: 20, failed: true }],
    [receipt({ result: "retry", reason: "busy", unsettled: true }), {}, { delaySeconds: 34, failed: true }],
    [receipt({ result: "retry", retryAfterSeconds: 50 }), {}, { delaySeconds: 50, failed: true }],
    [receipt({ result: "retry", retryAfterSeconds: 5_000 }), {}, { delaySeconds: 900, failed: true }],
    [receipt({ result: "rejected" }), {}, { step: "park", reason: "rejected by the receiver" }],
    [receipt({ result: "rejected", reason: "the key is too long" }), {}, { step: "park", reason: "the key is too long" }],
    [noAnswer({ attemptMayRun: true }), failedAfter(2), { delaySeconds: 34, failed: false, cause: "border" }],
    [noAnswer(), failedAfter(2), { delaySeconds: 2, failed: false, cause: "border" }],
    [noAnswer({ retryAfterSeconds: 70 }), {}, { delaySeconds: 70, failed: false }],
    [noAnswer({ retryable: false }), {}, { step: "park", reason: "no answer" }],
  ])("%j after %j: %j", (answer, look, step) => {
    expect(stepAfterAnswer(workOf(look), answer, policy)).toMatchObject(step);
  });

  test.each<Receipt["result"]>(["replicated", "unchanged"])("%s: the source is read again", (result) => {
    const verify: Verify = { step: "verify", receipt: { key: "k", result } };
    expect(stepAfterAnswer(workOf(), receipt({ result }), policy)).toEqual(verify);
  });

  test("a failure names its side, its store and its state; a later wait keeps the count", () => {
    const step = stepAfterAnswer(workOf(), receipt({ result: "retry", reason: "denied", place: "source" }), policy);
    expect(step).toMatchObject({
      step: "put-back",
      look: {
        failures: 1,
        state: stateName(makeSnapshot()),
        last: { reason: "denied", place: "source", store: "aws:from", atMs: NOW },
        nextTryMs: NOW + 10_000,
      },
    });
  });

  test("the last failed attempt parks, with a sentence", () => {
    const answer = receipt({ result: "retry", reason: "denied" });
    expect(stepAfterAnswer(workOf(failedAfter(2)), answer, policy)).toEqual({
      step: "park",
      reason: "given up after 3 failed attempts, the last at the destination (alicloud:to): denied",
    });
  });

  test("an object that was slow stays slow after a failure, as long as it is the same", () => {
    const slowAt = (state: string) => stepAfterAnswer(workOf({ slow: true, state }), receipt({ result: "retry" }), policy);
    expect(slowAt(stateName(makeSnapshot()))).toMatchObject({ look: { slow: true } });
    expect(slowAt("other")).toMatchObject({ look: { slow: undefined } });
  });

  test("failures at another state do not count", () => {
    const step = stepAfterAnswer(workOf({ failures: 2, state: "other" }), receipt({ result: "retry" }), policy);
    expect(step).toMatchObject({ step: "put-back", look: { failures: 1 } });
  });

  test.each<[string, Answer, string]>([
    ["no answer", noAnswer(), "hold"],
    ["no answer, and an attempt may run", noAnswer({ attemptMayRun: true }), "put-back"],
    ["the destination does not work", receipt({ result: "waiting", waitsFor: "store" }), "hold"],
    ["the source does not work", receipt({ result: "waiting", waitsFor: "store", place: "source" }), "put-back"],
    ["a copy runs", receipt({ result: "in-progress" }), "put-back"],
  ])("while the other side is down, %s: %s", (_what, answer, step) => {
    expect(stepAfterAnswer(workOf(), answer, { ...policy, isDown: () => true })).toMatchObject({ step });
  });
});

const one = makeSnapshot();
test.each([
  ["the same object", one, makeSnapshot(), "acknowledge"],
  ["still absent", undefined, undefined, "acknowledge"],
  ["another etag", one, makeSnapshot({ etag: "other" }), "repeat"],
  ["other tags", one, makeSnapshot({ tags: { other: "tag" } }), "repeat"],
  ["deleted", one, undefined, "repeat"],
  ["created", undefined, one, "repeat"],
])("after the second read, %s: %4$s", (_, before, now, step) => {
  expect(stepAfterVerify(before, now).step).toBe(step);
});

describe("metrics of an acknowledged key", () => {
  const snapshot = makeSnapshot({ lastModified: "2026-03-01T00:00:00.000Z" });
  const nowMs = Date.parse("2026-03-01T00:00:02.500Z");
  test.each<[string, Omit<Receipt, "key">, typeof snapshot | undefined, number, ReturnType<typeof metricsOf>]>([
    ["replicated", { result: "replicated", bytesMoved: 6 }, snapshot, nowMs, { Replicated: 1, BytesMoved: 6, LagMs: 2_500 }],
    ["the source's clock is ahead", { result: "replicated" }, snapshot, 0, { Replicated: 1, BytesMoved: 0, LagMs: 0 }],
    ["deleted", { result: "replicated" }, undefined, nowMs, { Deleted: 1, BytesMoved: 0 }],
    ["unchanged", { result: "unchanged" }, snapshot, nowMs, { Unchanged: 1, BytesMoved: 0 }],
    ["nothing to delete", { result: "unchanged" }, undefined, nowMs, { Unchanged: 1, BytesMoved: 0 }],
  ])("%s", (_, given, state, now, metrics) => {
    expect(metricsOf({ key: "k", ...given }, state, now)).toEqual(metrics);
  });
});
