import type { Notice } from "../../../../runtime/protocol/messages";
import { BridgeError, type BridgeErrorKind } from "../../../../runtime/stores/errors";
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

test("deleted at the source: deleted at the destination, and then nothing is left to do", async () => {
  const all = open();
  await all.put("a", "1");
  await all.about("a");
  await all.source.delete("a");
  expect(await all.about("a")).toEqual([{ key: "a", result: "replicated", bytesMoved: 0 }]);
  expect(await all.about("a")).toEqual([{ key: "a", result: "unchanged" }]);
  expect(all.destination.keys()).toEqual([]);
});

test("a copy that somebody made of a replica, provenance and all, is theirs: no delete at the source touches it", async () => {
  const all = open();
  await all.put("a", "1");
  await all.about("a");
  const replica = await all.destination.head("to/a");
  await all.destination.put("to/mine", Buffer.from("1"), {
    sizeBytes: 1,
    attributes: { headers: {}, metadata: replica?.metadata ?? {}, tags: {} },
  });
  expect(await all.about("mine")).toEqual([
    { key: "mine", result: "unchanged", reason: expect.stringMatching(/not written by this bridge/) },
  ]);
  expect(all.destination.keys()).toEqual(["to/a", "to/mine"]);
});

test("the lease is looked at before the destination: what a copy that just ended has written is seen", async () => {
  const all = open();
  const order: string[] = [];
  for (const [name, store] of [
    ["lease", all.control],
    ["destination", all.destination],
  ] as const) {
    for (const op of ["get", "head"] as const) {
      const real = store[op].bind(store) as (...args: unknown[]) => Promise<unknown>;
      jest.spyOn(store, op as "get").mockImplementation((async (...args: unknown[]) => {
        order.push(`${name} asked`);
        return await real(...args).finally(() => order.push(`${name} answered`));
      }) as never);
    }
  }
  await all.about("gone");
  expect(order).toEqual(["lease asked", "lease answered", "destination asked", "destination answered"]);
});

describe("what is refused", () => {
  test.each<[string, (notice: Notice) => Notice, RegExp]>([
    ["a URL of no allowed source", (notice) => ({ ...notice, url: "https://evil.example/" }), /no allowed source/],
    ["a key under the control prefix", (notice) => ({ ...notice, key: ".crossborderbridge/x" }), /control prefix/],
    [
      "a key too long with the prefix",
      (notice) => ({ ...notice, key: "é".repeat(511) }),
      /would have 1025 bytes, the store allows 1024/,
    ],
    [
      "an object too large for the destination",
      (notice) =>
        notice.state === "present" ? { ...notice, snapshot: { ...notice.snapshot, sizeBytes: Number.MAX_SAFE_INTEGER } } : notice,
      /more than the destination can hold/,
    ],
  ])("%s: for good, and nothing is read or written", async (_what, change, reason) => {
    const all = open();
    await all.put("k", "1");
    const [receipt] = await all.ask([change(await all.noticeOf("k"))]);
    expect(receipt).toMatchObject({ result: "rejected", reason: expect.stringMatching(reason) });
    expect(all.destination.calls).toEqual({});
    expect(all.source.bytesRead).toBe(0);
  });

  test("the others of the request are done", async () => {
    const all = open();
    await all.put("k", "1");
    const notice = await all.noticeOf("k");
    const receipts = await all.ask([{ ...notice, url: "https://evil.example/" }, notice]);
    expect(receipts.map(({ result }) => result)).toEqual(["rejected", "replicated"]);
  });
});

describe("what fails", () => {
  test.each<[BridgeErrorKind, "retry" | "rejected", boolean]>([
    ["Unavailable", "retry", true],
    ["Unexpected", "retry", true],
    ["RateLimited", "retry", false],
    ["PreconditionFailed", "retry", false],
    ["PermissionDenied", "retry", false],
    ["NotFound", "retry", false],
    ["Corrupted", "retry", false],
    ["Invalid", "rejected", false],
    ["Unsupported", "rejected", false],
    ["ConfigInvalid", "rejected", false],
  ])("%s at the destination: %s, unsettled: %s", async (kind, result, unsettled) => {
    const all = open();
    await all.put("k", "1");
    jest.spyOn(all.destination, "put").mockRejectedValue(new BridgeError(kind, "put", "what happened"));
    expect(await all.about("k")).toEqual([{ key: "k", result, reason: "what happened", ...(unsettled && { unsettled }) }]);
  });

  test.each(["get", "head"] as const)("a %s that failed for the moment has written nothing: settled", async (what) => {
    const all = open();
    await all.put("k", "1");
    const notice = await all.noticeOf("k");
    const store = what === "get" ? all.source : all.destination;
    jest.spyOn(store, what).mockRejectedValue(new BridgeError("Unavailable", what, "no answer"));
    expect(await all.ask([notice])).toEqual([{ key: "k", result: "retry", reason: "no answer" }]);
  });

  test("an error that nobody expected tells nothing of itself, and is logged", async () => {
    const all = open();
    await all.put("k", "1");
    jest.spyOn(all.destination, "put").mockRejectedValue(new TypeError("secret internals"));
    expect(await all.about("k")).toEqual([
      { key: "k", result: "retry", reason: "unexpected failure in the receiver", unsettled: true },
    ]);
    expect(all.logger.lines).toContainEqual(expect.objectContaining({ level: "warn", message: "notice failed" }));
  });

  test("too little time left: not even begun", async () => {
    const all = open();
    await all.put("k", "1");
    expect(await all.ask([await all.noticeOf("k")], 2_999)).toEqual([
      { key: "k", result: "retry", reason: "the receiver ran out of time before this item" },
    ]);
    expect(all.destination.calls).toEqual({});
  });

  test("out of time in the middle: it says so before its hard end, and that the write may still land", async () => {
    const all = open();
    await all.put("k", "1");
    jest.spyOn(all.destination, "put").mockImplementation(
      (_key, _body, { signal }) =>
        new Promise((_resolve, reject) => {
          signal?.addEventListener("abort", () => reject(new BridgeError("Unavailable", "put", "given up")));
        }),
    );
    // The signal comes 1.5 s before the end.
    expect(await all.ask([await all.noticeOf("k")], 3_000)).toEqual([
      { key: "k", result: "retry", reason: "the receiver ran out of time on this item", unsettled: true },
    ]);
  });
});
