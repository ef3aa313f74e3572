import type { SenderConfig } from "../../../../runtime/protocol/env";
import { ReceiverUnreachable } from "../../../../runtime/protocol/ports";
import { replicaMetadata } from "../../../../runtime/replication/provenance";
import { makeSnapshot } from "../../support/make-snapshot";
import { type Answer, config, keysOf, message, open, put } from "./sender-fixture";

describe("what is asked", () => {
  test("the current state, with a URL of its key", async () => {
    const all = open([{ result: "replicated", bytesMoved: 6 }]);
    await put(all.source, "k");
    expect(await all.run(message("m1", {}))).toEqual({ failures: [] });
    expect(all.requests).toEqual([
      {
        version: 1,
        bridgeId: "bridge",
        notices: [
          {
            key: "k",
            state: "present",
            url: expect.stringContaining("memory://source/k?"),
            snapshot: expect.objectContaining({ sizeBytes: 6 }),
          },
        ],
      },
    ]);
    expect(all.source.bytesRead).toBe(0);
  });

  test("absence, with a URL that lets the receiver see for itself", async () => {
    const all = open([{ result: "replicated" }]);
    await all.run(message("m1", {}));
    expect(all.requests[0]?.notices).toEqual([{ key: "k", state: "absent", url: expect.stringContaining("memory://source/k?") }]);
  });

  test("a key once, however many messages and records name it", async () => {
    const all = open([{ result: "unchanged" }]);
    for (const key of ["a", "b"]) await put(all.source, key);
    await all.run(message("m1", { key: "a" }, { key: "a" }), message("m2", { key: "b" }), message("m3", { key: "a" }));
    expect(keysOf(all.requests)).toEqual([["a", "b"]]);
  });

  test.each<[string, Partial<SenderConfig>, Record<string, string>]>([
    ["a key out of scope", { scope: { ...config.scope, prefixes: ["in/"] } }, {}],
    ["an object out of scope", { scope: { ...config.scope, tags: { replicate: "yes" } } }, {}],
    ["a deleted object where deletes are ignored", { deletes: "ignore" }, {}],
    [
      "a replica that came from the destination",
      {},
      replicaMetadata(makeSnapshot(), { bridgeId: "back", sourceId: "aws-cn:destination" }, "k"),
    ],
  ])("%s is nobody's concern: acknowledged unasked", async (what, changes, metadata) => {
    const all = open([{ result: "replicated" }], { config: changes });
    if (!what.includes("deleted")) await put(all.source, "k", "123456", metadata);
    expect(await all.run(message("m1", {}))).toEqual({ failures: [] });
    expect(all.requests).toEqual([]);
    expect(all.metrics).toEqual({ Skipped: 1 });
  });

  test("a replica of a third store goes on", async () => {
    const all = open([{ result: "replicated" }]);
    await put(all.source, "k", "123456", replicaMetadata(makeSnapshot(), { bridgeId: "other", sourceId: "aws:third" }, "k"));
    await all.run(message("m1", {}));
    expect(all.requests).toHaveLength(1);
  });

  test("what is out of scope by its key costs no request to the source", async () => {
    const all = open([{ result: "replicated" }], { config: { scope: { ...config.scope, suffixes: [".jpg"] } } });
    await all.run(message("m1", {}));
    expect(all.source.calls).toEqual({});
  });
});

describe("what becomes of an answer", () => {
  test.each<Answer["result"]>(["replicated", "unchanged"])("%s: acknowledged after one more look", async (result) => {
    const all = open([{ result }]);
    await put(all.source, "k");
    expect(await all.run(message("m1", {}))).toEqual({ failures: [] });
    expect(all.source.calls).toMatchObject({ head: 2, getTags: 2 });
    expect(all.enqueued).toEqual([]);
    expect(all.parked).toEqual([]);
  });

  test("replicated, yet the source moved on: round again with the new state", async () => {
    const all = open(async ({ notices }) => {
      if (all.requests.length === 1) await put(all.source, "k", "newer");
      return notices.map(({ key }) => ({ key, result: "replicated" }));
    });
    await put(all.source, "k");
    await all.run(message("m1", {}));
    expect(all.requests.map(({ notices: [notice] }) => notice?.state === "present" && notice.snapshot.sizeBytes)).toEqual([6, 5]);
    expect(all.metrics.Replicated).toBe(1);
  });

  test("superseded: round again at once, and after four rounds from the queue", async () => {
    const all = open([{ result: "superseded" }]);
    await put(all.source, "k");
    expect(await all.run(message("m1", {}))).toEqual({ failures: [] });
    expect(all.requests).toHaveLength(4);
    expect(all.enqueued).toEqual([["k", 0, 1]]);
  });

  test("superseded with no time for another round: from the queue", async () => {
    const all = open([{ result: "superseded" }], { remainingMs: 32_000 });
    await put(all.source, "k");
    await all.run(message("m1", {}));
    expect(all.requests).toHaveLength(1);
    expect(all.enqueued).toEqual([["k", 0, 1]]);
  });

  test("in-progress: asked again soon, and that is no failed attempt", async () => {
    const all = open([{ result: "in-progress" }]);
    await put(all.source, "k");
    expect(await all.run(message("m1", { attempt: 2 }))).toEqual({ failures: [] });
    expect(all.enqueued).toEqual([["k", 2, 5]]);
  });

  test("retry: one attempt more, backed off", async () => {
    const all = open([{ result: "retry", reason: "busy" }]);
    await put(all.source, "k");
    expect(await all.run(message("m1", { attempt: 1 }))).toEqual({ failures: [] });
    expect(all.enqueued).toEqual([["k", 2, 3]]);
    expect(all.metrics.Retried).toBe(1);
  });

  test("retry of an unsettled write: not before the attempt's hard end", async () => {
    const all = open([{ result: "retry", reason: "no answer", unsettled: true }]);
    await put(all.source, "k");
    await all.run(message("m1", {}));
    expect(all.enqueued).toEqual([["k", 1, 34]]);
  });

  test("retry too often: parked with the reason", async () => {
    const all = open([{ result: "retry", reason: "busy" }]);
    await put(all.source, "k");
    expect(await all.run(message("m1", { attempt: 2 }))).toEqual({ failures: [] });
    expect(all.parked).toEqual([["k", "given up after 3 attempts: busy"]]);
    expect(all.enqueued).toEqual([]);
  });

  test("rejected: parked with the receiver's reason", async () => {
    const all = open([{ result: "rejected", reason: "the key is too long" }]);
    await put(all.source, "k");
    expect(await all.run(message("m1", {}))).toEqual({ failures: [] });
    expect(all.parked).toEqual([["k", "the key is too long"]]);
    expect(all.metrics).toEqual({ Parked: 1 });
  });

  test.each<[boolean, number]>([
    [true, 34],
    [false, 2],
  ])("receiver unreachable (an attempt may run: %s): asked again after %s s", async (attemptMayRun, delay) => {
    const all = open(() => {
      throw new ReceiverUnreachable("no answer", { attemptMayRun, retryable: true });
    });
    await put(all.source, "k");
    await all.run(message("m1", {}));
    expect(all.enqueued).toEqual([["k", 1, delay]]);
  });

  test("receiver refuses for good: parked", async () => {
    const all = open(() => {
      throw new ReceiverUnreachable("the receiver answered 400", { attemptMayRun: false, retryable: false });
    });
    await put(all.source, "k");
    await all.run(message("m1", {}));
    expect(all.parked).toEqual([["k", "the receiver answered 400"]]);
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
