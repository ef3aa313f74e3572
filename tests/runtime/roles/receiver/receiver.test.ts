import { LIMITS, type Notice } from "../../../../runtime/protocol/messages";
import type { Lease } from "../../../../runtime/replication/lease";
import { formatProvenance, withProvenance } from "../../../../runtime/replication/provenance";
import { BridgeError } from "../../../../runtime/stores/errors";
import { LARGE, open } from "./receiver-fixture";

test("one receipt for each notice, in their order, under the destination's prefix", async () => {
  const all = open();
  await all.put("a", "1");
  await all.put("b", LARGE);
  expect(await all.about("b", "gone", "a")).toEqual([
    { key: "b", result: "in-progress" },
    { key: "gone", result: "unchanged" },
    { key: "a", result: "replicated", bytesMoved: 1 },
  ]);
  expect(all.destination.keys()).toEqual(["to/a"]);
  expect(await all.about("a")).toEqual([{ key: "a", result: "unchanged" }]);
});

test("a whole request is worked on at once", async () => {
  const all = open();
  const keys = Array.from({ length: LIMITS.notices }, (_, index) => `k${index}`);
  for (const key of keys) await all.put(key, "1");
  const notices = await Promise.all(keys.map(all.noticeOf));
  let reading = 0;
  let release = () => undefined as unknown;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const get = all.source.get.bind(all.source);
  jest.spyOn(all.source, "get").mockImplementation(async (...given) => {
    reading += 1;
    if (reading === keys.length) release();
    await released;
    return await get(...given);
  });
  const receipts = await all.ask(notices);
  expect(receipts.map(({ result }) => result)).toEqual(keys.map(() => "replicated"));
});

test("connections are opened ahead for the objects whose bytes may be read, and for no others", async () => {
  const all = open();
  await all.put("small", "1");
  await all.put("large", LARGE);
  await all.put("slow", "1");
  const [small, large, slow, gone] = await Promise.all(["small", "large", "slow", "gone"].map(all.noticeOf));
  await all.ask([small, large, { ...slow, slow: true }, gone] as Notice[]);
  expect(all.warmed).toEqual([[small?.url]]);
});

test("absent at the source: deleted at the destination", async () => {
  const all = open();
  await all.put("a", "1");
  await all.about("a");
  await all.source.delete("a");
  expect(await all.about("a")).toEqual([{ key: "a", result: "replicated", bytesMoved: 0 }]);
  expect(all.destination.keys()).toEqual([]);
});

describe("a large object", () => {
  test("the copier is started with the notice's URL, after its lease was written", async () => {
    const all = open();
    await all.put("k", LARGE);
    let seen: Lease | undefined;
    jest.spyOn(all.launcher, "start").mockImplementation(async (job) => {
      seen = await all.leaseOf("k");
      all.jobs.push(job);
    });
    const notice = await all.noticeOf("k");
    expect(await all.ask([notice])).toEqual([{ key: "k", result: "in-progress" }]);
    const snapshot = notice.state === "present" ? notice.snapshot : undefined;
    expect(all.jobs).toEqual([{ execution: "x1", key: "to/k", sourceKey: "k", url: notice.url, snapshot }]);
    expect(seen).toMatchObject({ key: "to/k", execution: "x1" });
  });

  test("two concurrent requests: one copier", async () => {
    const all = open();
    await all.put("k", LARGE);
    expect(await Promise.all([all.about("k"), all.about("k")])).toEqual([
      [{ key: "k", result: "in-progress" }],
      [{ key: "k", result: "in-progress" }],
    ]);
    expect(all.jobs).toHaveLength(1);
  });

  test("the start is refused: waiting, and the next request starts it at once", async () => {
    const all = open();
    await all.put("k", LARGE);
    jest.spyOn(all.launcher, "start").mockRejectedValueOnce(new BridgeError("RateLimited", "start", "too many starts"));
    expect(await all.about("k")).toEqual([
      { key: "k", result: "waiting", waitsFor: "throttling", place: "destination", reason: "too many starts" },
    ]);
    expect(await all.about("k")).toMatchObject([{ key: "k", result: "in-progress" }]);
    expect(all.jobs).toHaveLength(1);
  });

  test("the start is not answered: the lease keeps other copies away until it has ended", async () => {
    const all = open();
    await all.put("k", LARGE);
    jest.spyOn(all.launcher, "start").mockRejectedValueOnce(new BridgeError("Unavailable", "start", "no answer"));
    expect(await all.about("k")).toMatchObject([{ key: "k", result: "waiting", waitsFor: "store", unsettled: true }]);
    expect(await all.about("k")).toEqual([{ key: "k", result: "in-progress" }]);
    all.clock.advance(120_000);
    expect(await all.about("k")).toEqual([
      { key: "k", result: "in-progress", reason: expect.stringMatching(/did not begin in time/) },
    ]);
    expect(all.jobs).toHaveLength(1);
  });

  test("11 large objects, room for 10: one waits", async () => {
    const all = open();
    const keys = [..."abcdefghijk"];
    for (const key of keys) await all.put(key, LARGE);
    const receipts = await all.about(...keys);
    expect(receipts.filter(({ result }) => result === "in-progress")).toHaveLength(10);
    expect(receipts.filter(({ result }) => result === "waiting")).toMatchObject([{ waitsFor: "room" }]);
    expect(all.jobs).toHaveLength(10);
  });
});

test("a notice that says slow: a copy is started, whatever the size", async () => {
  const all = open();
  await all.put("k", "1");
  const notice = await all.noticeOf("k");
  expect(await all.ask([{ ...notice, slow: true } as Notice])).toEqual([{ key: "k", result: "in-progress" }]);
  expect(all.jobs).toMatchObject([{ key: "to/k" }]);
  expect(all.source.bytesRead).toBe(0);
});

test("a bucket that does not exist: waiting, and the reason names the side", async () => {
  const all = open();
  await all.put("k", "1");
  jest.spyOn(all.destination, "put").mockRejectedValue(new BridgeError("NoSuchBucket", "put", "dst: S3 answered put with 404"));
  expect(await all.about("k")).toEqual([
    {
      key: "k",
      result: "waiting",
      waitsFor: "store",
      place: "destination",
      reason: "the destination bucket does not exist: dst: S3 answered put with 404",
    },
  ]);
});

test("a read of the source that fails is told apart from a failure of the destination", async () => {
  const all = open();
  await all.put("k", "1");
  jest.spyOn(all.source, "get").mockRejectedValue(new BridgeError("Unavailable", "read", "the source did not answer"));
  expect(await all.about("k")).toEqual([
    {
      key: "k",
      result: "waiting",
      waitsFor: "store",
      place: "source",
      reason: "aws:source: the source did not answer",
    },
  ]);
});

test.each<[string, { key?: string; url?: string; tagsUrl?: string }, RegExp]>([
  ["a URL of no allowed source", { url: "https://evil.example/" }, /no allowed source/],
  ["a URL of another key", { key: "other" }, /the URL names another key/],
  [
    "a URL for the tags of another key",
    { tagsUrl: "memory://source/other?tagging&expires=1772326800000" },
    /tags names another key/,
  ],
  [
    "a key that the destination cannot hold",
    {
      key: ".crossborderbridge/x",
      url: "memory://source/.crossborderbridge%2Fx?expires=1772326800000",
      tagsUrl: "memory://source/.crossborderbridge%2Fx?tagging&expires=1772326800000",
    },
    /control prefix/,
  ],
])("%s: rejected, nothing of it is read or written, and the others of the request are done", async (_what, change, reason) => {
  const all = open();
  await all.put("k", "1");
  await all.put("l", "1");
  const refused = { ...(await all.noticeOf("k")), ...change };
  expect(await all.ask([refused])).toEqual([
    expect.objectContaining({ result: "rejected", reason: expect.stringMatching(reason) }),
  ]);
  expect([all.destination.calls, all.source.bytesRead]).toEqual([{}, 0]);
  const receipts = await all.ask([refused, await all.noticeOf("l")]);
  expect(receipts.map(({ result }) => result)).toEqual(["rejected", "replicated"]);
});

test("a notice of one key with the URL of another changes nothing at the destination", async () => {
  const all = open();
  await all.put("public/hello", "hello");
  await all.put("secret/pay", "100");
  await all.about("secret/pay");
  const { url } = await all.noticeOf("public/hello");
  const { url: missing } = await all.noticeOf("missing");
  const before = all.destination.history("to/secret/pay").length;
  const receipts = await all.ask([
    { ...(await all.noticeOf("public/hello")), key: "secret/pay", url },
    { key: "secret/pay", url: missing, state: "absent" },
  ]);
  expect(receipts.map(({ result }) => result)).toEqual(["rejected", "rejected"]);
  expect(all.destination.history("to/secret/pay")).toHaveLength(before);
});

describe("a failure", () => {
  test("of a store becomes a receipt", async () => {
    const all = open();
    await all.put("k", "1");
    jest.spyOn(all.destination, "put").mockRejectedValue(new BridgeError("Unavailable", "put", "no answer"));
    expect(await all.about("k")).toEqual([
      { key: "k", result: "waiting", waitsFor: "store", place: "destination", reason: "no answer", unsettled: true },
    ]);
  });

  test("that is unexpected is logged, and its text is not passed on", async () => {
    const all = open();
    await all.put("k", "1");
    const error = new TypeError("secret internals");
    jest.spyOn(all.destination, "put").mockRejectedValue(error);
    expect(await all.about("k")).toEqual([
      { key: "k", result: "retry", reason: "unexpected failure in the receiver", unsettled: true },
    ]);
    expect(all.logger.lines).toMatchObject([{ level: "warn", message: "notice failed", fields: { key: "k", error } }]);
  });

  test("too little time left: the item is not started", async () => {
    const all = open();
    await all.put("k", "1");
    expect(await all.ask([await all.noticeOf("k")], 2_999)).toEqual([
      { key: "k", result: "waiting", waitsFor: "time", reason: "the receiver ran out of time before this item" },
    ]);
    expect(all.destination.calls).toEqual({});
  });

  test("out of time during the write: answered before the hard end, with the write unsettled", async () => {
    const all = open();
    await all.put("k", "1");
    jest.spyOn(all.destination, "put").mockImplementation(
      (_key, _body, { signal }) =>
        new Promise((_resolve, reject) => {
          signal?.addEventListener("abort", () => reject(new BridgeError("Unavailable", "put", "given up")));
        }),
    );
    // The signal comes 1.5 s before the end.
    expect(await all.clock.during(all.ask([await all.noticeOf("k")], 3_000))).toEqual([
      {
        key: "k",
        result: "waiting",
        waitsFor: "time",
        slow: true,
        reason: "the receiver ran out of time on this item",
        unsettled: true,
      },
    ]);
  });
});

describe("a notice that is sent again, or comes late, changes nothing", () => {
  const attributes = (metadata: Record<string, string>) => ({ headers: {}, metadata, tags: {} });

  test("tags stay as the source has them now", async () => {
    const all = open();
    await all.put("k", "1");
    await all.source.putTags("k", { state: "draft" });
    const old = await all.noticeOf("k");
    await all.ask([old]);
    await all.source.putTags("k", { state: "final" });
    await all.about("k");
    expect(await all.ask([old])).toMatchObject([{ key: "k", result: "superseded" }]);
    expect(all.destination.snapshotOf("to/k")?.tags).toEqual({ state: "final" });
  });

  test("metadata of equal bytes stay as the source has them now", async () => {
    const all = open();
    const put = (by: string) => all.source.put("k", Buffer.from("1"), { sizeBytes: 1, attributes: attributes({ by }) });
    await put("old");
    const old = await all.noticeOf("k");
    await all.ask([old]);
    all.clock.advance(1_000);
    await put("new");
    await all.about("k");
    expect(await all.ask([old])).toMatchObject([{ key: "k", result: "superseded" }]);
    expect(all.destination.snapshotOf("to/k")?.metadata).toMatchObject({ by: "new" });
  });

  test("a copy of a newer object goes on", async () => {
    const all = open();
    await all.put("k", LARGE);
    const old = await all.noticeOf("k");
    await all.put("k", `${LARGE}0`);
    expect(await all.about("k")).toEqual([{ key: "k", result: "in-progress" }]);
    expect(await all.ask([old])).toMatchObject([{ key: "k", result: "superseded" }]);
    expect(await all.leaseOf("k")).toMatchObject({ execution: "x1", stop: false });
  });

  test("a copy goes on when an object that is present was absent once", async () => {
    const all = open();
    const old = await all.noticeOf("k");
    await all.put("k", LARGE);
    await all.about("k");
    expect(await all.ask([old])).toMatchObject([{ key: "k", result: "unchanged" }]);
    expect(await all.ask([{ ...old, askedBefore: true }])).toMatchObject([{ key: "k", result: "superseded" }]);
    expect(await all.leaseOf("k")).toMatchObject({ stop: false });
  });

  test("a copy goes on when the old notice differs in its tags alone", async () => {
    const all = open();
    await all.put("k", LARGE);
    const old = await all.noticeOf("k");
    await all.source.putTags("k", { state: "final" });
    await all.about("k");
    expect(await all.ask([old])).toMatchObject([{ key: "k", result: "superseded" }]);
    expect(await all.leaseOf("k")).toMatchObject({ stop: false });
  });

  test("the progress of a newer copy is kept, and no copy of the old object is started", async () => {
    const all = open();
    await all.put("k", LARGE);
    const old = await all.noticeOf("k");
    await all.put("k", `${LARGE}0`);
    await all.about("k");
    all.clock.advance(120_000);
    expect(await all.ask([old])).toMatchObject([{ key: "k", result: "superseded" }]);
    expect(all.jobs).toHaveLength(1);
    expect(all.destination.calls.abortUpload).toBeUndefined();
  });

  test("a true notice still stops the copy of an older object", async () => {
    const all = open();
    await all.put("k", LARGE);
    await all.about("k");
    await all.put("k", `${LARGE}0`);
    expect(await all.about("k")).toEqual([
      { key: "k", result: "in-progress", reason: "an older copy of this key is being stopped" },
    ]);
    expect(await all.leaseOf("k")).toMatchObject({ stop: true });
  });
});

describe("a notice about a replica of the destination's own object", () => {
  const replica = (all: ReturnType<typeof open>, at: "source" | "destination", text: string) => {
    const [key, bridgeId, origin] = at === "source" ? ["k", "other", "aws-cn:destination"] : ["to/k", "bridge", "aws:source"];
    const provenance = { bridgeId, sourceVersion: "v", sourceModified: "2026-03-01T00:00:00.000Z", origin };
    const metadata = withProvenance({}, formatProvenance(provenance, key as string));
    return all[at].put(key as string, Buffer.from(text), {
      sizeBytes: text.length,
      attributes: { headers: {}, metadata, tags: {} },
    });
  };

  test("is answered without a write: the destination has its own object still", async () => {
    const all = open();
    await replica(all, "source", "of B");
    await all.destination.put("to/k", Buffer.from("of B"), { sizeBytes: 4, attributes: { headers: {}, metadata: {}, tags: {} } });
    expect(await all.about("k")).toMatchObject([{ key: "k", result: "unchanged" }]);
    expect(all.destination.history("to/k")).toHaveLength(1);
  });

  test("is rejected with the reason when the destination holds a replica of the source's object", async () => {
    const all = open();
    await replica(all, "source", "of B");
    await replica(all, "destination", "of A");
    expect(await all.about("k")).toMatchObject([
      { key: "k", result: "rejected", reason: expect.stringMatching(/overwritten each other's object/) },
    ]);
    expect(all.destination.history("to/k")).toHaveLength(1);
  });

  test("is superseded when the source has a newer object by now", async () => {
    const all = open();
    await replica(all, "source", "of B");
    const notice = await all.noticeOf("k");
    await all.put("k", "new");
    await replica(all, "destination", "of A");
    expect(await all.ask([notice])).toMatchObject([{ key: "k", result: "superseded" }]);
  });
});
