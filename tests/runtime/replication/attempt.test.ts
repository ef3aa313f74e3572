/** What an attempt answers when it fails or runs out of time. */
import { attempt, failureResult, type ReplicationResult } from "../../../runtime/replication/replicate";
import { BridgeError, type BridgeErrorKind } from "../../../runtime/stores/errors";
import { VirtualTime } from "../../support/virtual-time";

describe("failureResult", () => {
  test.each<[BridgeErrorKind, "waiting" | "retry" | "rejected", boolean]>([
    ["Unavailable", "waiting", true],
    ["Unexpected", "retry", true],
    ["RateLimited", "waiting", false],
    ["NoSuchBucket", "waiting", false],
    ["HostRefused", "waiting", false],
    ["PreconditionFailed", "retry", false],
    ["PermissionDenied", "retry", false],
    ["NotFound", "retry", false],
    ["Corrupted", "retry", false],
    ["Invalid", "rejected", false],
    ["Unsupported", "rejected", false],
    ["ConfigInvalid", "rejected", false],
  ])("a write that failed with %s: %s, unsettled: %s", (kind, result, unsettled) => {
    const error = new BridgeError(kind, "put", "what happened");
    const found = failureResult(error, "receiver", false);
    const place = result === "rejected" ? undefined : "destination";
    expect([found.result, found.unsettled ?? false, found.place]).toEqual([result, unsettled, place]);
    expect(found.reason).toContain("what happened");
  });

  test.each<[BridgeErrorKind, Partial<ReplicationResult>]>([
    ["RateLimited", { waitsFor: "throttling", retryAfterSeconds: 7, reason: "src: what happened" }],
    ["Unavailable", { waitsFor: "store", retryAfterSeconds: 7, reason: "src: what happened" }],
    ["HostRefused", { waitsFor: "store", reason: "src: what happened" }],
    ["NoSuchBucket", { waitsFor: "store", reason: "the source bucket does not exist: src: what happened" }],
  ])("a read of the source that failed with %s waits, and says for what and where", (kind, result) => {
    const error = new BridgeError(kind, "read", "what happened", { retryAfterSeconds: 7 });
    error.locate({ place: "source", store: "src" });
    expect(failureResult(error, "receiver", false)).toMatchObject({ result: "waiting", place: "source", ...result });
  });

  test.each(["get", "head"])("a %s that failed has written nothing: settled", (op) => {
    const error = new BridgeError("Unavailable", op, "no answer");
    expect(failureResult(error, "receiver", false)).toEqual({
      result: "waiting",
      waitsFor: "store",
      place: "destination",
      reason: "no answer",
    });
  });

  test("the text of an unexpected error is not passed on", () => {
    expect(failureResult(new TypeError("secret internals"), "pusher", false)).toEqual({
      result: "retry",
      reason: "unexpected failure in the pusher",
      unsettled: true,
    });
  });

  test("out of time: not a failure, slow, and unsettled, for any error", () => {
    expect(failureResult(new BridgeError("Invalid", "put", "given up"), "receiver", true)).toEqual({
      result: "waiting",
      waitsFor: "time",
      slow: true,
      reason: "the receiver ran out of time on this item",
      unsettled: true,
    });
  });
});

describe("attempt", () => {
  const clock = new VirtualTime();
  const failures: unknown[] = [];
  const within = (remainingMs: number) => ({
    deadline: { remainingMs: () => remainingMs },
    clock,
    role: "receiver" as const,
    onFailure: (...of: unknown[]) => void failures.push(of),
  });

  test("too little time: nothing is started", async () => {
    const work = jest.fn();
    expect(await attempt(work, within(2_999))).toEqual({
      result: "waiting",
      waitsFor: "time",
      reason: "the receiver ran out of time before this item",
    });
    expect(work).not.toHaveBeenCalled();
  });

  test("the result of the work is returned as it is", async () => {
    expect(await attempt(async () => ({ result: "unchanged" as const }), within(3_000))).toEqual({ result: "unchanged" });
  });

  test("a failure is reported with its result, and the result is returned", async () => {
    const error = new BridgeError("RateLimited", "put", "slow down");
    const result = { result: "waiting", waitsFor: "throttling", place: "destination", reason: "slow down" };
    expect(await attempt(() => Promise.reject(error), within(3_000))).toEqual(result);
    expect(failures).toEqual([[error, result]]);
  });

  test("work is given up 1.5 s before the deadline", async () => {
    const after = jest.spyOn(clock, "after");
    const givenUp = (signal: AbortSignal) =>
      new Promise<never>((_resolve, reject) => signal.addEventListener("abort", () => reject(new Error("given up"))));
    expect(await clock.during(attempt(givenUp, within(3_000)))).toEqual({
      result: "waiting",
      waitsFor: "time",
      slow: true,
      reason: "the receiver ran out of time on this item",
      unsettled: true,
    });
    expect(after).toHaveBeenCalledWith(1_500);
  });
});
