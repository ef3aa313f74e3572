import { type CommandContext, type ExitCode, FINE, UsageError } from "../../../operator/command";
import { overviewOf } from "../../../operator/overview/terminal";
import { watchStatus } from "../../../operator/status/command";
import { statusLine, summaryText } from "../../../operator/status/status-text";
import type { Summary } from "../../../operator/status/summary";
import { replicaMetadata } from "../../../runtime/replication/provenance";
import { BridgeError } from "../../../runtime/stores/errors";
import { makeSnapshot } from "../../runtime/support/make-snapshot";
import { FakeBridge, NO_ATTRIBUTES, nativeRaw, ossNativeRaw, pullRaw } from "../backfill/fixture";
import { parked, status } from "./fixture";

/** A bridge in mode pull with one object of each status. */
async function mixed(): Promise<FakeBridge> {
  const bridge = new FakeBridge(pullRaw({ scope: { prefixes: ["in/"], maxSizeBytes: 10 } }), { destinationPrefix: "copy/" });
  const { name, destination } = bridge.config;
  for (const key of ["in/done", "in/stale", "in/waiting", "in/given-up", "out"]) await bridge.put(key, "abc");
  await bridge.put("in/large", "a".repeat(11));
  await bridge.replicate("in/done");
  await bridge.replicate("in/stale");
  await bridge.put("in/stale", "new");
  const origin = { bridgeId: name, sourceId: `${destination.cloud}:${destination.bucket}` };
  await bridge.put("in/replica", "abc", { ...NO_ATTRIBUTES, metadata: replicaMetadata(makeSnapshot(), origin, "in/replica") });
  return bridge;
}

test("prints each named key on its line, in their order", async () => {
  const bridge = await mixed();
  const keys = ["in/waiting", "in/done", "in/given-up", "in/replica", "in/large", "out", "nope"];
  const { exitCode, printed } = await status(bridge, keys, { letters: [parked("in/given-up", "too many tags")] });
  expect(printed.map((line) => line.replace(/version [^,)]+/, "version V"))).toEqual([
    "PENDING       in/waiting  (3 bytes, version V, not at the destination yet)",
    "COMPLETED     in/done  (3 bytes, version V, lag about 0 s)",
    "FAILED        in/given-up  (3 bytes, version V, too many tags)",
    "REPLICA       in/replica  (3 bytes, version V, it came from the destination)",
    "OUT_OF_SCOPE  in/large  (11 bytes, version V, 11 bytes are more than maxSizeBytes 10)",
    'OUT_OF_SCOPE  out  (3 bytes, version V, the key starts with none of the prefixes "in/")',
    'OUT_OF_SCOPE  nope  (the key starts with none of the prefixes "in/")',
  ]);
  expect(exitCode).toBe(1);
});

test("a paused bridge says so, and a pause that cannot be read is named", async () => {
  const bridge = await mixed();
  const ways = (read: () => Promise<{ name: string; isOpen: boolean }[]>) => ({ read, set: async () => undefined });
  bridge.ways = ways(async () => [
    { name: "the tick", isOpen: true },
    { name: "the work queue", isOpen: false },
  ]);
  expect((await status(bridge)).noted).toContain(
    "the bridge is paused; go on with: npm run bridge -- resume --stack dev --local",
  );
  bridge.ways = ways(async () => [{ name: "the work queue", isOpen: true }]);
  expect((await status(bridge)).noted.join()).not.toMatch(/paused/);
  bridge.ways = ways(async () => {
    throw new BridgeError("PermissionDenied", "ListEventSourceMappings", "the role may not list the mappings");
  });
  expect((await status(bridge)).noted).toContain("the role may not list the mappings");
});

test("prints a key as JSON", async () => {
  const { printed, exitCode } = await status(await mixed(), ["in/stale"], { json: true });
  expect(printed.map((line) => JSON.parse(line))).toEqual([
    {
      key: "in/stale",
      status: "PENDING",
      reason: "the destination has another state",
      sizeBytes: 3,
      versionId: expect.any(String),
      lastModified: "2026-11-21T10:00:00.000Z",
    },
  ]);
  expect(exitCode).toBe(0);
});

test("counts all keys under the scope's prefixes, those out of scope apart", async () => {
  const bridge = await mixed();
  const { exitCode, printed } = await status(bridge, [], { json: true, letters: [parked("in/given-up")] });
  expect(JSON.parse(printed.join(""))).toEqual({
    stack: "dev",
    mode: "pull",
    prefix: "",
    objects: 6,
    bytes: 26,
    statuses: {
      PENDING: { objects: 2, bytes: 6 },
      COMPLETED: { objects: 1, bytes: 3 },
      FAILED: { objects: 1, bytes: 3 },
      REPLICA: { objects: 1, bytes: 3 },
      NONE: { objects: 0, bytes: 0 },
      OUT_OF_SCOPE: { objects: 1, bytes: 11 },
    },
    oldestPending: { key: expect.stringMatching(/^in\/(stale|waiting)$/), lastModified: "2026-11-21T10:00:00.000Z" },
    reasons: [
      { status: "PENDING", reason: "not at the destination yet", objects: 1, example: "in/waiting", failures: 0, held: 0 },
      { status: "FAILED", reason: "refused", objects: 1, example: "in/given-up", failures: 0, held: 0 },
      { status: "PENDING", reason: "the destination has another state", objects: 1, example: "in/stale", failures: 0, held: 0 },
    ].map((reason) => expect.objectContaining(reason)),
  });
  expect(exitCode).toBe(1);
});

test("does not read objects that are out of scope by key or size", async () => {
  const bridge = await mixed();
  bridge.from.calls.head = 0;
  await status(bridge);
  expect(bridge.from.calls.head).toBe(5);
});

test("--prefix narrows the listing; a prefix outside the scope is reported", async () => {
  const bridge = await mixed();
  const narrow = await status(bridge, [], { json: true, prefix: "in/s" });
  expect(JSON.parse(narrow.printed.join(""))).toMatchObject({
    prefix: "in/s",
    objects: 1,
    statuses: { PENDING: { objects: 1 } },
  });
  const outside = await status(bridge, [], { json: true, prefix: "out" });
  expect(JSON.parse(outside.printed.join(""))).toMatchObject({ objects: 0 });
  expect(outside.noted).toEqual(['the bridge carries no key that begins with "out"']);
});

test("--failed reads only the keys of dead letters", async () => {
  const bridge = await mixed();
  const letters = ["in/given-up", "in/given-up", "in/done", "in/waiting-not", "out"].map((key) => parked(key));
  const { exitCode, printed } = await status(bridge, [], { failed: true, letters });
  expect(printed).toEqual([expect.stringMatching(/^FAILED +in\/given-up /)]);
  // Only the look at the bucket itself.
  expect(bridge.from.calls.list).toBe(1);
  expect(exitCode).toBe(1);
  expect((await status(bridge, [], { failed: true, letters, prefix: "in/x" })).exitCode).toBe(0);
});

test("the newest letter of a key counts, and one of an earlier state does not", async () => {
  const bridge = await mixed();
  const old = parked("in/waiting", "old", new Date("2026-11-20T00:00:00Z"));
  const fresh = parked("in/waiting", "fresh", new Date("2026-11-22T00:00:00Z"));
  expect((await status(bridge, ["in/waiting"], { letters: [old] })).printed[0]).toContain("PENDING");
  expect((await status(bridge, ["in/waiting"], { letters: [fresh, old] })).printed[0]).toContain("fresh");
  expect((await status(bridge, ["in/waiting"], { letters: [parked("in/waiting", "undated"), fresh] })).printed[0]).toContain(
    "undated",
  );
});

test("reports letters that name no key", async () => {
  const { noted } = await status(await mixed(), ["in/done"], { letters: [parked("", "no shape\u001b"), parked("", "neither")] });
  expect(noted).toEqual(["2 dead letters name no key: no shape\\u{1b}"]);
});

test("reports that not all letters were read, because the others may be about a key", async () => {
  const { noted } = await status(await mixed(), ["in/done"], { letters: [parked("in/done")], complete: false });
  expect(noted).toEqual(["not all dead letters were read, but 1 of them: a key may be FAILED that is shown as PENDING"]);
});

test("S3's own replication: uses the status of S3, and does not read the destination", async () => {
  const bridge = new FakeBridge(nativeRaw());
  for (const word of ["PENDING", "COMPLETED", "FAILED", "REPLICA"] as const) {
    await bridge.put(word);
    bridge.from.setReplication(word, word);
  }
  await bridge.put("before");
  const { exitCode, printed } = await status(bridge, [], { json: true });
  expect(JSON.parse(printed.join("")).statuses).toMatchObject({
    ...{ PENDING: { objects: 1 }, COMPLETED: { objects: 1 }, FAILED: { objects: 1 }, REPLICA: { objects: 1 } },
    ...{ NONE: { objects: 1 }, OUT_OF_SCOPE: { objects: 0 } },
  });
  expect(exitCode).toBe(1);
  // Only the look at the bucket itself.
  expect(bridge.to.calls).toEqual({ list: 1 });
  const failed = await status(bridge, [], { failed: true });
  expect(failed.printed).toEqual([expect.stringMatching(/^FAILED {8}FAILED {2}\(/)]);
  expect(failed.noted).toEqual(["1 of 5 objects have failed"]);
});

test("S3's own replication with rules that ask for tags: an object that no rule covers is out of scope, as for a backfill", async () => {
  const rules = [{ id: "in", priority: 1, enabled: true, prefix: "in/", tags: { keep: "yes" } }];
  const bridge = new FakeBridge(nativeRaw({ replication: { rules } }));
  await bridge.put("in/tagged", "x", { ...NO_ATTRIBUTES, tags: { keep: "yes" } });
  for (const key of ["in/untagged", "in/reported", "in/vanishing", "other"]) await bridge.put(key);
  bridge.from.setReplication("in/reported", "COMPLETED");
  const getTags = bridge.from.getTags.bind(bridge.from);
  bridge.from.getTags = async (key, options) => {
    if (key === "in/vanishing") await bridge.from.delete(key);
    return getTags(key, options);
  };
  const { printed } = await status(bridge, ["in/tagged", "in/untagged", "in/reported", "in/vanishing", "other"]);
  expect(printed.map((line) => line.split(/ +/).slice(0, 2))).toEqual([
    ["NONE", "in/tagged"],
    ["OUT_OF_SCOPE", "in/untagged"],
    ["COMPLETED", "in/reported"],
    ["NONE", "in/vanishing"],
    ["OUT_OF_SCOPE", "other"],
  ]);
  expect(printed[3]).toContain("there is no such object");
  expect(bridge.from.calls.getTags).toBe(3);
  const summary = await status(bridge, [], { json: true });
  expect(JSON.parse(summary.printed.join(""))).toMatchObject({
    objects: 3,
    statuses: { NONE: { objects: 1 }, OUT_OF_SCOPE: { objects: 1 }, COMPLETED: { objects: 1 } },
  });
});

test("S3's own replication, two-way: from either side", async () => {
  const bridge = new FakeBridge(nativeRaw({ direction: "two-way" }));
  await bridge.put("here");
  bridge.from.setReplication("here", "COMPLETED");
  const attributes = NO_ATTRIBUTES;
  await bridge.to.put("there", Buffer.from("x"), { attributes, sizeBytes: 1 });
  bridge.to.setReplication("there", "PENDING");
  expect((await status(bridge, ["there"], { side: "destination" })).printed[0]).toMatch(/^PENDING +there/);
  const summary = await status(bridge, [], { side: "destination", json: true });
  expect(JSON.parse(summary.printed.join(""))).toMatchObject({ objects: 1, statuses: { PENDING: { objects: 1 } } });
});

test("a one-way bridge refuses --side destination", async () => {
  await expect(status(await mixed(), [], { side: "destination" })).rejects.toThrow(UsageError);
});

test("OSS's own replication: compares both sides, because OSS reports no status per object", async () => {
  const bridge = new FakeBridge(ossNativeRaw({ scope: { prefixes: ["in/"] } }));
  for (const key of ["in/done", "in/waiting"]) await bridge.put(key, key);
  await bridge.to.put("in/done", Buffer.from("in/done"), { attributes: NO_ATTRIBUTES, sizeBytes: 7 });
  const { printed } = await status(bridge, ["in/done", "in/waiting", "other"]);
  expect(printed.map((line) => line.split(" ")[0])).toEqual(["COMPLETED", "PENDING", "NONE"]);
});

test("bounds memory and requests for any number of objects", async () => {
  const bridge = new FakeBridge(nativeRaw());
  for (let index = 0; index < 2_500; index++) await bridge.put(`k${index}`);
  const head = bridge.from.head.bind(bridge.from);
  let running = 0;
  let most = 0;
  bridge.from.head = async (key, options) => {
    most = Math.max(most, ++running);
    await new Promise(setImmediate);
    running -= 1;
    return head(key, options);
  };
  const { printed } = await status(bridge, [], { concurrency: 7, json: true });
  expect(JSON.parse(printed.join("")).objects).toBe(2_500);
  expect(most).toBe(7);
});

test("an interruption ends a scan", async () => {
  const bridge = await mixed();
  const controller = new AbortController();
  const { from } = bridge;
  const head = from.head.bind(from);
  from.head = (key, options) => {
    controller.abort(new Error("enough"));
    return head(key, options);
  };
  await expect(status(bridge, [], { signal: controller.signal, concurrency: 1 })).rejects.toThrow();
});

test("fails if an object cannot be read", async () => {
  const bridge = await mixed();
  bridge.to.head = () => Promise.reject(new Error("denied"));
  await expect(status(bridge)).rejects.toThrow("denied");
});

const NOW = Date.parse("2026-03-01T12:00:00Z");
const none = { objects: 0, bytes: 0 };
const EMPTY: Summary = {
  ...none,
  statuses: { PENDING: none, COMPLETED: none, FAILED: none, REPLICA: none, NONE: none, OUT_OF_SCOPE: none },
};

test("prints the summary in columns, without statuses that no object has", () => {
  const summary: Summary = {
    objects: 1_234_571,
    bytes: 5 * 1024 ** 4 + 3,
    statuses: {
      ...EMPTY.statuses,
      PENDING: { objects: 4, bytes: 3 },
      COMPLETED: { objects: 1_234_567, bytes: 5 * 1024 ** 4 },
    },
    oldestPending: { key: "a/b", lastModified: "2026-03-01T11:00:00.000Z" },
  };
  expect(summaryText(summary, NOW)).toBe(
    [
      "PENDING               4 objects  3 bytes",
      "COMPLETED     1,234,567 objects  5.0 TiB",
      "in all        1,234,571 objects  5.0 TiB",
      "oldest pending: a/b, written 60 min ago",
    ].join("\n"),
  );
});

test("prints one object in the singular, below the others", () => {
  const one = { objects: 1, bytes: 2 };
  const statuses = { ...EMPTY.statuses, PENDING: one, COMPLETED: { objects: 2, bytes: 4 } };
  expect(summaryText({ objects: 3, bytes: 6, statuses }, NOW)).toBe(
    ["PENDING       1 object   2 bytes", "COMPLETED     2 objects  4 bytes", "in all        3 objects  6 bytes"].join("\n"),
  );
});

test("prints a summary of no objects", () => {
  expect(summaryText(EMPTY, NOW)).toBe("in all        0 objects  0 bytes");
});

test.each([
  [1_500, "2 s"],
  [119_000, "119 s"],
  [120_000, "2 min"],
  [7_200_000, "2 h"],
  [172_800_000, "2 days"],
])("a lag of %i ms is %s", (lagMs, text) => {
  expect(statusLine({ key: "k", status: "COMPLETED", lagMs }, NOW)).toBe(`COMPLETED     k  (lag about ${text})`);
});

test("escapes control characters in key and reason", () => {
  const line = statusLine({ key: "\u001b[2J", status: "FAILED", reason: 'no "such"\n\u001b[31mthing' }, NOW);
  expect(line).toBe('FAILED        "\\u001b[2J"  (no "such"\\u{a}\\u{1b}[31mthing)');
});

test("a queue that is gone: the objects are shown all the same, with what it means and the command, and the exit code is 1", async () => {
  const bridge = await mixed();
  bridge.queued = () =>
    Promise.reject(new BridgeError("NotFound", "receive", "the queue cannot be read: QueueDoesNotExist (400)"));
  const { exitCode, printed, noted } = await status(bridge, []);
  expect(exitCode).toBe(1);
  expect(printed.join("\n")).toMatch(/^COMPLETED/m);
  expect(noted).toContain("the work queue is gone: no event of the source arrives");
  expect(noted.join("\n")).toMatch(/Put the queue back, then run a backfill.*#a-queue-is-gone\)\n +\S.* backfill --stack dev/);
});

test("--watch looks again after each pause, until the signal, and begins with the state of the bridge", async () => {
  const interrupt = new AbortController();
  const printed: string[] = [];
  const print = (text: string) => void printed.push(text);
  const context = {
    bridge: new FakeBridge(pullRaw()),
    local: true,
    signal: interrupt.signal,
    print,
  } as unknown as CommandContext;
  let looks = 0;
  const look = async (): Promise<ExitCode> => {
    looks += 1;
    return FINE;
  };
  const pause = async (signal: AbortSignal) => {
    if (looks === 3) interrupt.abort(new Error("interrupted"));
    signal.throwIfAborted();
  };
  const overview = () => overviewOf(context).look();
  await expect(watchStatus(context, { overview, look, pause })).rejects.toThrow("interrupted");
  expect(looks).toBe(3);
  expect(printed.filter((text) => /^dev \(pull\) .*\nOK {12}nothing is waiting\nsource /.test(text))).toHaveLength(3);

  printed.length = 0;
  const once = () => Promise.reject(new Error("interrupted"));
  const inJson = { ...context, json: true, signal: new AbortController().signal };
  const seen = () => overviewOf(inJson).look();
  await expect(watchStatus(inJson, { overview: seen, look, pause: once })).rejects.toThrow("interrupted");
  expect(printed.map((text) => JSON.parse(text) as object)).toMatchObject([{ stack: "dev", verdict: { id: "across" } }]);
});
