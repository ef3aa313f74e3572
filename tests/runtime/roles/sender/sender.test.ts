import type { SenderConfig } from "../../../../runtime/protocol/env";
import type { Look } from "../../../../runtime/protocol/ports";
import { ReceiverUnreachable } from "../../../../runtime/protocol/ports";
import { replicaMetadata } from "../../../../runtime/replication/provenance";
import { statusTagOf } from "../../../../runtime/replication/snapshot";
import { BridgeError } from "../../../../runtime/stores/errors";
import { makeSnapshot } from "../../support/make-snapshot";
import { type Answer, config, keysOf, message, open, put } from "./sender-fixture";

describe("what is asked", () => {
  test("the current state, with a URL of its key", async () => {
    const all = open([{ result: "replicated", bytesMoved: 6 }]);
    await put(all.source, "k");
    all.clock.advance(2_500);
    expect(await all.run(message("m1", {}))).toEqual({ failures: [] });
    const snapshot = expect.objectContaining({ sizeBytes: 6 });
    const url = expect.stringContaining("memory://source/k?expires");
    const tagsUrl = expect.stringContaining("memory://source/k?tagging");
    const notice = { key: "k", state: "present", url, tagsUrl, snapshot };
    expect(all.requests).toEqual([{ version: 1, bridgeId: "bridge", notices: [notice] }]);
    expect(all.source.bytesRead).toBe(0);
    expect(all.metrics).toEqual({ Replicated: 1, BytesMoved: 6, LagMs: 2_500 });
  });

  test("over a connection that is opened while the source is read", async () => {
    const all = open([{ result: "unchanged" }]);
    await put(all.source, "k");
    await all.run(message("m1", {}));
    expect(all.headsBeforeWarm).toEqual([0]);
    expect(all.source.calls.head).toBeGreaterThan(0);
  });

  test("absence, with a URL that lets the receiver verify it", async () => {
    const all = open([{ result: "replicated" }]);
    await all.run(message("m1", {}));
    expect(all.requests[0]?.notices).toEqual([{ key: "k", state: "absent", url: expect.stringContaining("memory://source/k?") }]);
    expect(all.metrics).toEqual({ Deleted: 1, BytesMoved: 0 });
  });

  test("a key once, even if several messages and records name it", async () => {
    const all = open([{ result: "unchanged" }]);
    for (const key of ["a", "b"]) await put(all.source, key);
    await all.run(message("m1", { key: "a" }, { key: "a" }), message("m2", { key: "b" }), message("m3", { key: "a" }));
    expect(keysOf(all.requests)).toEqual([["a", "b"]]);
  });

  test.each<[string, Partial<SenderConfig>]>([
    ["an object out of scope", { scope: { ...config.scope, tags: { replicate: "yes" } } }],
    ["a deleted object where deletes are ignored", { deletes: "ignore" }],
  ])("%s is skipped: acknowledged without a request", async (what, changes) => {
    const all = open([{ result: "replicated" }], { config: changes });
    if (!what.includes("deleted")) await put(all.source, "k", "123456");
    expect(await all.run(message("m1", {}))).toEqual({ failures: [] });
    expect(all.requests).toEqual([]);
    expect(all.metrics).toEqual({ Skipped: 1 });
  });

  describe("a replica that came from the destination", () => {
    const returned = replicaMetadata(makeSnapshot(), { bridgeId: "back", sourceId: "aws-cn:destination" }, "k");

    test("the receiver is asked about it; the key is skipped, without a second look and without a status tag", async () => {
      const all = open([{ result: "unchanged" }], { config: { statusTags: true } });
      await put(all.source, "k", "123456", returned);
      expect(await all.run(message("m1", {}))).toEqual({ failures: [] });
      expect(keysOf(all.requests)).toEqual([["k"]]);
      expect(all.metrics).toEqual({ Skipped: 1 });
      expect([all.source.calls.head, all.source.calls.putTags]).toEqual([1, undefined]);
    });

    test("the key is parked without a status tag when both sides hold each other's object", async () => {
      const all = open([{ result: "rejected", reason: "overwritten each other's object" }], { config: { statusTags: true } });
      await put(all.source, "k", "123456", returned);
      await all.run(message("m1", {}));
      expect(all.metrics).toMatchObject({ Parked: 1 });
      expect(all.source.calls.putTags).toBeUndefined();
    });
  });

  test("a replica of a third store is replicated", async () => {
    const all = open([{ result: "replicated" }]);
    await put(all.source, "k", "123456", replicaMetadata(makeSnapshot(), { bridgeId: "other", sourceId: "aws:third" }, "k"));
    await all.run(message("m1", {}));
    expect(all.requests).toHaveLength(1);
  });

  test("a key out of scope is skipped without a call to the source", async () => {
    const all = open([{ result: "replicated" }], { config: { scope: { ...config.scope, suffixes: [".jpg"] } } });
    expect(await all.run(message("m1", {}))).toEqual({ failures: [] });
    expect(all.source.calls).toEqual({});
    expect(all.metrics).toEqual({ Skipped: 1 });
  });
});

describe("after an answer", () => {
  test.each<Answer["result"]>(["replicated", "unchanged"])("%s: acknowledged after the source is read again", async (result) => {
    const all = open([{ result }]);
    await put(all.source, "k");
    expect(await all.run(message("m1", {}))).toEqual({ failures: [] });
    expect(all.source.calls).toEqual({ ...all.source.calls, head: 2, getTags: undefined });
    expect([all.enqueued, all.parked]).toEqual([[], []]);
  });

  test("replicated, while a request that broke may still be carried out: looked at once more after the receiver's hard end", async () => {
    const all = open([{ result: "replicated", unsettled: true }]);
    await put(all.source, "k");
    expect(await all.run(message("m1", {}))).toEqual({ failures: [] });
    expect(all.enqueued).toEqual([["k", 0, 34]]);
    expect(all.metrics).toMatchObject({ Replicated: 1, Waited: 1 });
  });

  test("replicated, but the source changed: another round with the new state", async () => {
    const all = open(async ({ notices }) => {
      if (all.requests.length === 1) await put(all.source, "k", "newer");
      return notices.map(({ key }) => ({ key, result: "replicated" }));
    });
    await put(all.source, "k");
    await all.run(message("m1", {}));
    expect(all.requests.map(({ notices: [notice] }) => notice?.state === "present" && notice.snapshot.sizeBytes)).toEqual([6, 5]);
    expect(all.metrics.Replicated).toBe(1);
  });

  test.each<[string, number, number]>([
    ["four rounds", 60_000, 4],
    ["no other round where there is no time", 32_000, 1],
  ])("superseded: %s, then put back", async (_what, remainingMs, rounds) => {
    const all = open([{ result: "superseded" }], { remainingMs });
    await put(all.source, "k");
    expect(await all.run(message("m1", {}))).toEqual({ failures: [] });
    expect(all.requests).toHaveLength(rounds);
    expect(all.enqueued).toEqual([["k", 0, 1]]);
  });

  test.each<[string, Answer | ReceiverUnreachable, number, [string, number, number][], [string, string][]]>([
    ["in-progress: put back without a failed attempt", { result: "in-progress" }, 2, [["k", 2, 2]], []],
    ["waiting: put back without a failed attempt", { result: "waiting", waitsFor: "room" }, 2, [["k", 2, 8]], []],
    ["the store says when", { result: "waiting", waitsFor: "throttling", retryAfterSeconds: 77 }, 0, [["k", 0, 77]], []],
    ["retry: one more attempt, with backoff", { result: "retry" }, 1, [["k", 2, 3]], []],
    ["an unsettled write: after the attempt's hard end", { result: "retry", unsettled: true }, 0, [["k", 1, 34]], []],
    [
      "the last retry",
      { result: "retry", reason: "busy" },
      2,
      [],
      [["k", "given up after 3 failed attempts, the last at the destination (aws-cn:destination): busy"]],
    ],
    ["rejected", { result: "rejected", reason: "the key is too long" }, 0, [], [["k", "the key is too long"]]],
    ["no answer: waits", new ReceiverUnreachable("no", { attemptMayRun: true, retryable: true }), 0, [["k", 0, 34]], []],
    ["not reached: waits", new ReceiverUnreachable("no", { attemptMayRun: false, retryable: true }), 0, [["k", 0, 2]], []],
    [
      "throttled: waits as long as Retry-After says",
      new ReceiverUnreachable("no", { attemptMayRun: false, retryable: true, throttled: true, retryAfterSeconds: 120 }),
      0,
      [["k", 0, 120]],
      [],
    ],
    [
      "refused",
      new ReceiverUnreachable("answered 400", { attemptMayRun: false, retryable: false }),
      0,
      [],
      [["k", "answered 400"]],
    ],
  ])("%s", async (_what, answer, failures, enqueued, parked) => {
    const all = open(({ notices }) => {
      if (answer instanceof Error) throw answer;
      return notices.map(({ key }) => ({ key, ...answer }));
    });
    await put(all.source, "k");
    expect(await all.run(message("m1", { failures, firstSeenMs: all.clock.now() }))).toEqual({ failures: [] });
    expect([all.enqueued, all.parked]).toEqual([enqueued, parked]);
    expect([all.metrics.Parked ?? 0, (all.metrics.Retried ?? 0) + (all.metrics.Waited ?? 0)]).toEqual(
      parked.length > 0 ? [1, 0] : [0, 1],
    );
    expect(JSON.stringify(all.logger.lines)).not.toContain("memory://");
  });

  test("each key of a batch by its own answer", async () => {
    const results: Record<string, Answer> = {
      a: { result: "replicated" },
      b: { result: "retry" },
      c: { result: "rejected", reason: "no" },
      d: { result: "in-progress" },
    };
    const all = open(({ notices }) => notices.map(({ key }) => ({ key, ...(results[key] as Answer) })));
    for (const key of Object.keys(results)) await put(all.source, key);
    expect(await all.run(...Object.keys(results).map((key) => message(`m-${key}`, { key })))).toEqual({ failures: [] });
    expect(all.enqueued.map(([key]) => key).sort()).toEqual(["b", "d"]);
    expect(all.parked).toEqual([["c", "no"]]);
  });
});

describe("a failure", () => {
  const failure = new BridgeError("Unavailable", "head", "the source did not answer");

  test("of the first read: put back, and the receiver is not asked", async () => {
    const all = open([{ result: "replicated" }]);
    jest.spyOn(all.source, "head").mockRejectedValue(failure);
    expect(await all.run(message("m1", {}))).toEqual({ failures: [] });
    expect(all.requests).toEqual([]);
    expect(all.enqueued).toEqual([["k", 0, 4]]);
    expect(all.looks[0]?.last).toMatchObject({
      place: "source",
      store: "aws:source",
      reason: "the source cannot be read: the source did not answer",
    });
  });

  test("of a host that the source refuses: the key waits and names the way out, and no attempt is counted", async () => {
    const all = open([{ result: "replicated" }]);
    jest.spyOn(all.source, "head").mockRejectedValue(new BridgeError("HostRefused", "head", "set customDomain"));
    await all.run(message("m1", {}));
    expect(all.looks[0]).toMatchObject({
      failures: 0,
      waits: 1,
      last: { reason: "the source cannot be read: set customDomain" },
    });
    expect(all.parked).toEqual([]);
  });

  test("of the second read: not acknowledged", async () => {
    const all = open(({ notices }) => {
      jest.spyOn(all.source, "head").mockRejectedValue(failure);
      return notices.map(({ key }) => ({ key, result: "replicated" }));
    });
    await put(all.source, "k");
    await all.run(message("m1", {}));
    expect(all.enqueued).toEqual([["k", 0, 4]]);
    expect(all.metrics.Replicated).toBeUndefined();
  });

  test("of the queue: the key's messages come back, no others", async () => {
    const all = open(({ notices }) => notices.map(({ key }) => ({ key, result: key === "a" ? "in-progress" : "replicated" })));
    for (const key of ["a", "b"]) await put(all.source, key);
    jest.spyOn(all.queue, "enqueue").mockRejectedValue(new BridgeError("Unavailable", "enqueue", "the queue did not answer"));
    const { failures } = await all.run(message("m1", { key: "a" }), message("m2", { key: "b" }), message("m3", { key: "a" }));
    expect(failures.map(({ messageId }) => messageId).sort()).toEqual(["m1", "m3"]);
    expect(failures[0]?.reason).toBe("the key could not be put back or parked: the queue did not answer");
  });

  test("of the dead-letter queue: the message comes back", async () => {
    const all = open([{ result: "rejected", reason: "no" }]);
    await put(all.source, "k");
    jest.spyOn(all.deadLetters, "park").mockRejectedValue(new Error("socket"));
    const { failures } = await all.run(message("m1", {}));
    expect(failures).toEqual([{ messageId: "m1", reason: expect.stringContaining("unexpected failure in the sender") }]);
  });
});

test("failures count for one state: a new state of the source starts anew, the first event's time is kept", async () => {
  const all = open([{ result: "retry" }]);
  await put(all.source, "k");
  const firstSeenMs = all.clock.now() - 1_000;
  await all.run(
    message("m1", { failures: 2, state: "0123456789abcdef", firstSeenMs }),
    message("m2", { firstSeenMs: all.clock.now() }),
  );
  expect(all.looks).toMatchObject([{ key: "k", failures: 1, firstSeenMs }]);
  expect(all.looks[0]?.state).not.toBe("0123456789abcdef");
});

test("a permanent failure of the source parks at once", async () => {
  const all = open([{ result: "replicated" }]);
  jest
    .spyOn(all.source, "head")
    .mockRejectedValue(new BridgeError("Invalid", "head", "the object is encrypted with a customer key"));
  await all.run(message("m1", {}));
  expect(all.parked).toEqual([["k", "the source cannot be read: the object is encrypted with a customer key"]]);
});

test("waiting ends by age, with the reason of the last wait", async () => {
  const all = open([{ result: "waiting", waitsFor: "throttling", reason: "slow down" }]);
  await put(all.source, "k");
  await all.run(message("m1", { firstSeenMs: all.clock.now() - 604_799_000 }));
  expect(all.parked).toEqual([]);
  await all.run(message("m1", { firstSeenMs: all.clock.now() - 604_800_000 }));
  expect(all.parked).toEqual([
    ["k", "given up after 7 days of waiting, the last at the destination (aws-cn:destination): slow down"],
  ]);
});

test("the delays of a wait grow, and stay below the queue's limit", async () => {
  const all = open([{ result: "waiting", waitsFor: "store" }]);
  await put(all.source, "k");
  for (const waits of [0, 1, 5, 10, 1000]) await all.run(message("m1", { waits, firstSeenMs: all.clock.now() }));
  const delays = all.enqueued.map(([, , seconds]) => seconds);
  expect(delays).toEqual([...delays].sort((a, b) => a - b));
  expect(delays.at(-1)).toBeLessThanOrEqual(900);
});

test("an attempt that ran out of time asks for a copy the next time, while the state is the same", async () => {
  const all = open([{ result: "waiting", waitsFor: "time", slow: true }]);
  await put(all.source, "k");
  await all.run(message("m1", {}));
  const [look] = all.looks;
  expect(look).toMatchObject({ slow: true, failures: 0 });
  await all.run(message("m2", look as Look));
  await put(all.source, "k", "another");
  await all.run(message("m3", look as Look));
  expect(all.requests.map(({ notices: [notice] }) => notice?.state === "present" && notice.slow)).toEqual([
    undefined,
    true,
    undefined,
  ]);
});

test("the same difference after two undisturbed writes is permanent", async () => {
  const difference = { what: "headers" as const, name: "cache-control", wanted: "a", found: "b" };
  const reason = 'after the write the header cache-control is "b" and not "a"';
  const all = open([{ result: "retry", reason, difference }], { config: { maxAttempts: 20 } });
  await put(all.source, "k");
  await all.run(message("m1", {}));
  expect(all.parked).toEqual([]);
  await all.run(message("m2", all.looks[0] as Look));
  expect(all.parked).toEqual([["k", `the destination does not keep the object as it was written: ${reason}`]]);
  expect(all.requests).toHaveLength(2);
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
    expect(await all.source.getTags("k")).toEqual({ team: "red", [statusTagOf("bridge")]: status });
  });

  test("a tag that cannot be set is logged and delays nothing", async () => {
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
