import type { Receipt } from "../../../../runtime/protocol/messages";
import type { AcceptedLook } from "../../../../runtime/replication/intake";
import type { Answer } from "../../../../runtime/roles/sender/ask";
import {
  buildNotice,
  groupByKey,
  metricsOf,
  type Step,
  stepAfterAnswer,
  stepAfterVerify,
  type Verify,
  waitBeforeRound,
} from "../../../../runtime/roles/sender/steps";
import { makeSnapshot } from "../../support/make-snapshot";

const accepted = (messageId: string, key: string, failures: number, firstSeenMs: number): AcceptedLook => ({
  messageId,
  look: { key, failures, firstSeenMs },
});

test("one work item per key: all its messages, the fewest attempts, the earliest time", () => {
  const works = groupByKey([
    accepted("m1", "a", 2, 5),
    accepted("m2", "b", 1, 7),
    accepted("m3", "a", 0, 9),
    accepted("m1", "a", 1, 6),
  ]);
  expect(works).toEqual([
    { look: { key: "a", failures: 0, firstSeenMs: 5 }, messageIds: new Set(["m1", "m3"]) },
    { look: { key: "b", failures: 1, firstSeenMs: 7 }, messageIds: new Set(["m2"]) },
  ]);
});

test("a notice names the snapshot, or the absence", () => {
  const snapshot = makeSnapshot();
  expect(buildNotice("k", "u", snapshot)).toEqual({ key: "k", url: "u", state: "present", snapshot });
  expect(buildNotice("k", "u", undefined)).toEqual({ key: "k", url: "u", state: "absent" });
});

const policy = { maxAttempts: 3, backoff: (failures: number, unsettled: boolean) => failures * 10 + Number(unsettled) };
const putBack = (delaySeconds: number, failures: number, reason: string): Step => ({
  step: "put-back",
  delaySeconds,
  failures,
  reason,
});
const receipt = (given: Omit<Receipt, "key">): Answer => ({ receipt: { key: "k", ...given } });

describe("the step after an answer", () => {
  test.each<[Answer, number, Step]>([
    [receipt({ result: "superseded" }), 2, { step: "repeat" }],
    [receipt({ result: "in-progress" }), 2, putBack(5, 2, "a copy is running")],
    [receipt({ result: "in-progress", reason: "part 3 of 9" }), 0, putBack(5, 0, "part 3 of 9")],
    [receipt({ result: "retry" }), 0, putBack(10, 1, "the receiver asked for another try")],
    [receipt({ result: "retry", reason: "busy" }), 1, putBack(20, 2, "busy")],
    [receipt({ result: "retry", reason: "busy", unsettled: true }), 0, putBack(11, 1, "busy")],
    [receipt({ result: "retry", reason: "busy" }), 2, { step: "park", reason: "given up after 3 attempts: busy" }],
    [receipt({ result: "rejected" }), 0, { step: "park", reason: "rejected by the receiver" }],
    [receipt({ result: "rejected", reason: "the key is too long" }), 0, { step: "park", reason: "the key is too long" }],
    [{ reason: "no answer", attemptMayRun: true, retryable: true }, 0, putBack(11, 1, "no answer")],
    [{ reason: "no answer", attemptMayRun: false, retryable: true }, 0, putBack(10, 1, "no answer")],
    [
      { reason: "no answer", attemptMayRun: false, retryable: true },
      2,
      { step: "park", reason: "given up after 3 attempts: no answer" },
    ],
    [{ reason: "answered 400", attemptMayRun: false, retryable: false }, 0, { step: "park", reason: "answered 400" }],
  ])("%j after %s attempts: %j", (answer, failures, step) => {
    expect(stepAfterAnswer({ key: "k", failures, firstSeenMs: 0 }, answer, policy)).toEqual(step);
  });

  test.each<Receipt["result"]>(["replicated", "unchanged"])("%s: the source is read again", (result) => {
    const verify: Verify = { step: "verify", receipt: { key: "k", result } };
    expect(stepAfterAnswer({ key: "k", failures: 0, firstSeenMs: 0 }, receipt({ result }), policy)).toEqual(verify);
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

describe("another round in this invocation", () => {
  const limits = { round: 1, remainingMs: 600_000, receiverTimeoutSeconds: 29, hasQueue: true };
  const repeat: Step = { step: "repeat" };
  test.each<[string, Step, Partial<typeof limits>, number | undefined]>([
    ["the source changed", repeat, {}, 0],
    ["the source changed in the last round", repeat, { round: 4 }, undefined],
    ["the source changed, with just enough time", repeat, { remainingMs: 32_001 }, 0],
    ["the source changed, with too little time", repeat, { remainingMs: 32_000 }, undefined],
    ["put back, with a queue", putBack(5, 1, ""), {}, undefined],
    ["put back, without a queue", putBack(5, 1, ""), { hasQueue: false, round: 9 }, 5],
    ["put back, without a queue, with just enough time", putBack(5, 1, ""), { hasQueue: false, remainingMs: 37_001 }, 5],
    ["put back, without a queue, with too little time", putBack(5, 1, ""), { hasQueue: false, remainingMs: 37_000 }, undefined],
    ["acknowledged", { step: "acknowledge" }, { hasQueue: false }, undefined],
    ["parked", { step: "park", reason: "" }, { hasQueue: false }, undefined],
  ])("%s", (_, step, changes, waitSeconds) => {
    expect(waitBeforeRound(step, { ...limits, ...changes })).toBe(waitSeconds);
  });
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
