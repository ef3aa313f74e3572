/** What is around the sender: failures, a missing queue, metrics and status tags. */
import type { MetricName } from "../../../../runtime/protocol/ports";
import { STATUS_TAG } from "../../../../runtime/replication/snapshot";
import { BridgeError } from "../../../../runtime/stores/errors";
import { type Answer, keysOf, message, open, put } from "./sender-fixture";

describe("what fails around it", () => {
  const failure = new BridgeError("Unavailable", "head", "the source did not answer");

  test("the first look: asked again later, and not of the receiver now", async () => {
    const all = open([{ result: "replicated" }]);
    jest.spyOn(all.source, "head").mockRejectedValue(failure);
    expect(await all.run(message("m1", {}))).toEqual({ failures: [] });
    expect(all.requests).toEqual([]);
    expect(all.enqueued).toEqual([["k", 1, 2]]);
  });

  test("the look after the answer: not acknowledged", async () => {
    const all = open(({ notices }) => {
      jest.spyOn(all.source, "head").mockRejectedValue(failure);
      return notices.map(({ key }) => ({ key, result: "replicated" }));
    });
    await put(all.source, "k");
    await all.run(message("m1", {}));
    expect(all.enqueued).toEqual([["k", 1, 2]]);
    expect(all.metrics.Replicated).toBeUndefined();
  });

  test("the queue: every message of the key comes back, no other one", async () => {
    const all = open(({ notices }) => notices.map(({ key }) => ({ key, result: key === "a" ? "in-progress" : "replicated" })));
    for (const key of ["a", "b"]) await put(all.source, key);
    jest.spyOn(all.queue, "enqueue").mockRejectedValue(new BridgeError("Unavailable", "enqueue", "the queue did not answer"));
    const { failures } = await all.run(message("m1", { key: "a" }), message("m2", { key: "b" }), message("m3", { key: "a" }));
    expect(failures.map(({ messageId }) => messageId).sort()).toEqual(["m1", "m3"]);
    expect(failures[0]?.reason).toBe("the key could not be put back or parked: the queue did not answer");
  });

  test("the dead-letter queue: the message comes back", async () => {
    const all = open([{ result: "rejected", reason: "no" }]);
    await put(all.source, "k");
    jest.spyOn(all.deadLetters, "park").mockRejectedValue(new Error("socket"));
    const { failures } = await all.run(message("m1", {}));
    expect(failures).toEqual([{ messageId: "m1", reason: expect.stringContaining("unexpected failure") }]);
  });

  test("what could not be read is parked, what could is done", async () => {
    const all = open([{ result: "unchanged" }]);
    await put(all.source, "k");
    expect(await all.run({ ...message("m1", {}), problem: "a record is of no known source" })).toEqual({ failures: [] });
    expect(all.parked).toEqual([["", "a record is of no known source"]]);
    expect(keysOf(all.requests)).toEqual([["k"]]);
  });

  test("an event of another bucket is parked under its key", async () => {
    const all = open([{ result: "unchanged" }]);
    await all.run(message("m1", { bucket: "other" }));
    expect(all.parked).toEqual([["k", "the event is of bucket other, this bridge serves source"]]);
    expect(all.requests).toEqual([]);
  });

  test("an unreadable message that cannot be parked comes back", async () => {
    const all = open([{ result: "unchanged" }]);
    jest.spyOn(all.deadLetters, "park").mockRejectedValue(new Error("socket"));
    const { failures } = await all.run({ messageId: "m1", looks: [], problem: "not JSON" });
    expect(failures).toEqual([{ messageId: "m1", reason: "not JSON" }]);
  });

  test("a fresh event for a key that failed before counts anew; the first event's time is kept", async () => {
    const all = open([{ result: "retry" }]);
    await put(all.source, "k");
    const looks = jest.spyOn(all.queue, "enqueue");
    await all.run(message("m1", { attempt: 2, firstSeenMs: 5 }), message("m2", { firstSeenMs: 9 }));
    expect(looks).toHaveBeenCalledWith({ key: "k", attempt: 1, firstSeenMs: 5 }, 2);
  });
});

describe("without a queue", () => {
  test("it waits and asks again within the attempt", async () => {
    const all = open([{ result: "in-progress" }, { result: "in-progress" }, { result: "unchanged" }], {
      queue: false,
      remainingMs: 600_000,
    });
    await put(all.source, "k");
    expect(await all.run(message("", {}))).toEqual({ failures: [] });
    expect(all.sleeps).toEqual([5_000, 5_000]);
  });

  test("no time to wait: the event comes back", async () => {
    const all = open([{ result: "in-progress" }], { queue: false, remainingMs: 36_000 });
    await put(all.source, "k");
    expect(await all.run({ looks: [{ bucket: "source", key: "k", attempt: 0 }] })).toEqual({
      failures: [{ messageId: "", reason: "a copy is running" }],
    });
    expect(all.sleeps).toEqual([]);
  });

  test("attempts are counted while it waits, and end in the dead-letter queue", async () => {
    const all = open([{ result: "retry", reason: "busy" }], { queue: false, remainingMs: 600_000 });
    await put(all.source, "k");
    expect(await all.run(message("", {}))).toEqual({ failures: [] });
    expect(all.requests).toHaveLength(3);
    expect(all.parked).toEqual([["k", "given up after 3 attempts: busy"]]);
  });
});

describe("what is told", () => {
  test("replicated: bytes and lag by the source's clock", async () => {
    const all = open([{ result: "replicated", bytesMoved: 6 }]);
    await put(all.source, "k");
    all.clock.advance(2_500);
    await all.run(message("m1", {}));
    expect(all.metrics).toEqual({ Replicated: 1, BytesMoved: 6, LagMs: 2_500 });
  });

  test("a source whose clock is ahead gives no negative lag", async () => {
    const all = open([{ result: "replicated", bytesMoved: 6 }]);
    await put(all.source, "k");
    all.clock.advance(-60_000);
    await all.run(message("m1", {}));
    expect(all.metrics.LagMs).toBe(0);
  });

  test.each<[string, Answer, Partial<Record<MetricName, number>>]>([
    ["deleted", { result: "replicated" }, { Deleted: 1, BytesMoved: 0 }],
    ["nothing to delete", { result: "unchanged" }, { Unchanged: 1, BytesMoved: 0 }],
  ])("%s", async (_what, answer, metrics) => {
    const all = open([answer]);
    await all.run(message("m1", {}));
    expect(all.metrics).toEqual(metrics);
  });

  test("no URL is ever logged", async () => {
    const all = open([{ result: "rejected", reason: "no" }]);
    await put(all.source, "k");
    await all.run(message("m1", {}));
    expect(JSON.stringify(all.logger.lines)).not.toContain("memory://");
  });
});

describe("status tags", () => {
  test.each<[Answer, string]>([
    [{ result: "replicated" }, "COMPLETED"],
    [{ result: "in-progress" }, "PENDING"],
    [{ result: "rejected", reason: "no" }, "FAILED"],
  ])("%j: %s", async (answer, status) => {
    const all = open([answer], { config: { statusTags: true } });
    await put(all.source, "k", "123456", {}, { team: "red" });
    await all.run(message("m1", {}));
    expect(await all.source.getTags("k")).toEqual({ team: "red", [STATUS_TAG]: status });
  });

  test("one that cannot be set delays nothing", async () => {
    const all = open([{ result: "replicated" }], { config: { statusTags: true } });
    await put(all.source, "k");
    jest.spyOn(all.source, "putTags").mockRejectedValue(new BridgeError("PermissionDenied", "putTags", "no right"));
    expect(await all.run(message("m1", {}))).toEqual({ failures: [] });
    expect(all.logger.lines.map(({ level, message: text }) => `${level} ${text}`)).toContain("warn status tag not set");
  });

  test("off: the source is never written", async () => {
    const all = open([{ result: "replicated" }]);
    await put(all.source, "k");
    await all.run(message("m1", {}));
    expect(all.source.calls.putTags).toBeUndefined();
  });
});
