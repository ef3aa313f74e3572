import fc from "fast-check";
import { executionName, type Occasion, secondExecutionName } from "../../../../runtime/roles/dispatcher/dispatcher";
import { BridgeError } from "../../../../runtime/stores/errors";
import { makeSnapshot } from "../../support/make-snapshot";
import { openDispatcher, plain } from "../push-fixture";

const throttled = () => new BridgeError("RateLimited", "startExecution", "the workflow service is busy");

test("an event starts one execution that inspects its key", async () => {
  const { put, deliver, inputs, clock, executions } = openDispatcher();
  await put("hello");
  expect(await deliver("e1")).toEqual({ failures: [] });
  const [name] = [...executions.keys()];
  expect(name).toMatch(/^k[0-9a-f]{40}$/);
  const expected = { version: 1, next: "inspect", key: "a.txt", execution: name, eventId: "e1" };
  expect(inputs()).toEqual([{ ...expected, firstSeenMs: clock.now(), attempt: 0, rounds: 0, bytesMoved: 0 }]);
});

test.each(["Running", "Succeeded"])("the same event again, while its execution is %s: nothing starts", async (status) => {
  const { put, deliver, end, inputs, clock } = openDispatcher();
  await put("hello");
  await deliver("e1");
  end(status);
  clock.advance(1000);
  expect(await deliver("e1")).toEqual({ failures: [] });
  expect(inputs()).toHaveLength(1);
});

test.each(["Failed", "TimedOut", "Stopped"])("the same event again, its execution %s: one more, and no third", async (status) => {
  const { put, deliver, end, inputs } = openDispatcher();
  await put("hello");
  await deliver("e1");
  for (let times = 0; times < 3; times++) {
    end(status);
    await deliver("e1");
  }
  expect(inputs().map(({ next, eventId }) => [next, eventId])).toEqual([
    ["inspect", "e1"],
    ["inspect", "e1"],
  ]);
});

test("another event of the same state, after its execution has ended: inspected again", async () => {
  const { put, deliver, end, inputs, executions } = openDispatcher();
  await put("hello");
  await deliver("e1");
  end("Succeeded");
  await deliver("e2");
  await deliver("e2");
  expect(inputs().map(({ next, eventId }) => [next, eventId])).toEqual([
    ["inspect", "e1"],
    ["inspect", "e2"],
  ]);
  const [first, second] = [...executions.keys()];
  expect(second).toMatch(new RegExp(`^${first}-[0-9a-f]{16}$`));
  expect(inputs()[1]?.execution).toBe(second);
});

test("another event of the same state, while its execution runs: inspected again a little later", async () => {
  const { put, deliver, inputs } = openDispatcher();
  await put("hello");
  await deliver("e1");
  await deliver("e2");
  expect(inputs().map(({ next, waitSeconds, eventId }) => [next, waitSeconds, eventId])).toEqual([
    ["inspect", undefined, "e1"],
    ["inspect", 5, "e2"],
  ]);
});

test("the service has forgotten an execution but refuses its name: another one is started", async () => {
  const { put, deliver, end, inputs } = openDispatcher({ flow: () => ({ describe: async () => undefined }) });
  await put("hello");
  await deliver("e1");
  end("Succeeded");
  await deliver("e1");
  expect(inputs().map(({ next }) => next)).toEqual(["inspect", "inspect"]);
});

test("redriven without an event: inspected again each time", async () => {
  const { put, deliver, end, inputs } = openDispatcher();
  await put("hello");
  for (let times = 0; times < 3; times++) {
    await deliver();
    end("Failed");
  }
  expect(inputs()).toHaveLength(3);
  expect(inputs().every(({ eventId }) => eventId === undefined)).toBe(true);
});

test("a removal that brings an older version back starts an execution of its own", async () => {
  const { put, deliver, end, inputs, source } = openDispatcher();
  await put("old");
  await deliver("e1");
  await put("newer");
  await deliver("e2");
  end("Succeeded");
  source.deleteVersion("a.txt", source.versionIds("a.txt").at(-1) ?? "");
  await deliver("e3", { removal: true });
  expect(inputs().map(({ eventId }) => eventId)).toEqual(["e1", "e2", "e3"]);
});

test("absent: each event has its execution, unless deletes are ignored", async () => {
  const replicating = openDispatcher();
  await replicating.deliver("e1", { removal: true });
  await replicating.deliver("e2", { removal: true });
  await replicating.deliver("e2", { removal: true });
  expect(replicating.inputs().map(({ eventId }) => eventId)).toEqual(["e1", "e2"]);
  const ignoring = openDispatcher({ config: { deletes: "ignore" } });
  await ignoring.deliver("e1", { removal: true });
  expect(ignoring.inputs()).toEqual([]);
  expect(ignoring.counted).toEqual({ Skipped: 1 });
});

test("out of scope: by key nothing is read, by size and tags nothing is started", async () => {
  const scope = { prefixes: [], suffixes: [".txt"], tags: { ship: "yes" }, minSizeBytes: 3 };
  const { put, deliver, inputs, counted, source } = openDispatcher({ config: { scope } });
  await deliver("e1", { key: "b.bin" });
  await deliver("e2", { key: ".crossborderbridge/b.txt" });
  expect(source.calls).toEqual({});
  await put("no", { tags: { ship: "yes" } });
  await deliver("e3");
  await put("hello");
  await deliver("e4");
  expect(inputs()).toEqual([]);
  expect(counted).toEqual({ Skipped: 4 });
});

test("a replica of the destination's own object is not sent back", async () => {
  const { deliver, source, inputs, counted } = openDispatcher();
  const { replicaMetadata } = await import("../../../../runtime/replication/provenance");
  const { makeSnapshot } = await import("../../support/make-snapshot");
  const metadata = replicaMetadata(makeSnapshot(), { bridgeId: "back", sourceId: "alicloud:destination" }, "a.txt");
  await source.put("a.txt", Buffer.from("hello"), { sizeBytes: 5, attributes: { ...plain, metadata } });
  await deliver("e1");
  expect(inputs()).toEqual([]);
  expect(counted).toEqual({ Skipped: 1 });
});

test("an unreadable part, or one of another bucket, is parked with its reason; the rest of the message is handled", async () => {
  const { put, dispatch, parked, inputs, clock } = openDispatcher();
  await put("hello");
  const looks = [
    { bucket: "other", key: "a.txt", failures: 0, eventId: "e1" },
    { bucket: "source", key: "a.txt", failures: 0, eventId: "e2" },
  ];
  expect(await dispatch([{ messageId: "m", looks, problem: "half of it is garbage", original: "{...}" }])).toEqual({
    failures: [],
  });
  const look = { failures: 0, firstSeenMs: clock.now() };
  expect(parked).toEqual([
    { look: { ...look, key: "a.txt" }, reason: "the event is of bucket other, this bridge serves source", original: "{...}" },
    { look: { ...look, key: "" }, reason: "half of it is garbage", original: "{...}" },
  ]);
  expect(inputs().map(({ eventId }) => eventId)).toEqual(["e2"]);
});

test("throttled: retried under the same name, each time later", async () => {
  const names: string[] = [];
  const { deliver, inputs, clock, queued } = openDispatcher({
    flow: ({ start }) => ({
      start: async (name, input) => {
        names.push(name);
        if (names.length < 4) throw throttled();
        return await start(name, input);
      },
    }),
  });
  const startMs = clock.now();
  // An absent object whose event has no id: the name depends on a generated id.
  expect(await deliver(undefined, { removal: true })).toEqual({ failures: [] });
  expect(inputs()).toHaveLength(1);
  expect(new Set(names).size).toBe(1);
  expect(clock.now() - startMs).toBe(188 + 375 + 750);
  expect(queued).toEqual([]);
});

describe("a service that does not work", () => {
  const busy = () => ({
    start: async () => {
      throw throttled();
    },
  });

  test("the key waits in the queue after a few tries, with the reason, later each time, and is never parked for it", async () => {
    const { put, deliver, queued, clock, counted, parked } = openDispatcher({ flow: busy });
    await put("hello");
    const firstSeenMs = clock.now();
    expect(await deliver("e1")).toEqual({ failures: [] });
    expect(clock.now() - firstSeenMs).toBeLessThan(3_000);
    for (let times = 1; times < 30; times++) await deliver(undefined, queued.at(-1)?.look);
    expect(queued.slice(0, 7).map(({ delaySeconds }) => delaySeconds)).toEqual([8, 15, 30, 60, 120, 225, 225]);
    expect(queued.at(-1)?.look).toMatchObject({
      ...{ key: "a.txt", firstSeenMs, failures: 0, waits: 30 },
      last: { reason: "the workflow service is busy", place: "source" },
    });
    expect([parked, counted.Waited]).toEqual([[], 30]);
  });

  test("a source that does not answer is waited for as well", async () => {
    const head = async () => {
      throw new BridgeError("Unavailable", "head", "the store does not answer");
    };
    const { deliver, queued, executions } = openDispatcher({ source: { head } });
    expect(await deliver("e1")).toEqual({ failures: [] });
    expect([queued.map(({ look }) => look.last?.reason), executions.size]).toEqual([["the store does not answer"], 0]);
  });

  test("a key that is too old is parked with the reason", async () => {
    const { put, deliver, parked, clock } = openDispatcher({ flow: busy });
    await put("hello");
    await deliver(undefined, { firstSeenMs: clock.now() - 156 * 3_600_000, waits: 700 });
    expect(parked.map(({ reason }) => reason)).toEqual(["given up after 156 hours of waiting: the workflow service is busy"]);
  });

  test("without the queue the message comes back", async () => {
    const enqueue = async () => {
      throw new BridgeError("Unavailable", "sendMessage", "the queue does not answer");
    };
    const { put, deliver } = openDispatcher({ flow: busy, queue: { enqueue } });
    await put("hello");
    expect(await deliver("e1")).toEqual({ failures: [{ messageId: "m", reason: "the queue does not answer" }] });
  });
});

test("a key from a queue starts an execution of its own, with what is known of it, and only one however often it is delivered", async () => {
  const { put, deliver, inputs, executions, clock } = openDispatcher();
  await put("hello");
  await deliver("e1");
  const last = { reason: "down", place: "destination", store: "d", atMs: 5 } as const;
  const difference = { what: "tags", name: "a", wanted: "1" } as const;
  const look = { firstSeenMs: clock.now() - 10, failures: 2, waits: 4, state: "v1", slow: true, released: true, last } as const;
  for (let times = 0; times < 3; times++) await deliver(undefined, { ...look, difference: JSON.stringify(difference) });
  expect(executions.size).toBe(2);
  expect(inputs()[1]).toMatchObject({
    ...{ attempt: 2, firstSeenMs: look.firstSeenMs, waits: 4, state: "v1", slow: true, released: true, last, difference },
    ...{ next: "inspect", rounds: 0, bytesMoved: 0 },
  });
  await deliver(undefined, { ...look, last: { ...last, atMs: 6 }, difference: "cut {" });
  expect(executions.size).toBe(3);
  expect(inputs()[2]?.difference).toBeUndefined();
});

test.each([
  ["permission denied", new BridgeError("PermissionDenied", "startExecution", "not allowed"), "not allowed"],
  ["a defect", new TypeError("x is undefined"), "unexpected failure in the dispatcher"],
])("%s: the message comes back at once", async (_, error, reason) => {
  const { put, deliver, clock } = openDispatcher({
    flow: () => ({
      start: async () => {
        throw error;
      },
    }),
  });
  await put("hello");
  const startMs = clock.now();
  expect(await deliver("e1")).toEqual({ failures: [{ messageId: "m", reason }] });
  expect(clock.now()).toBe(startMs);
});

test("a key that can never be started is parked", async () => {
  const { put, deliver, parked } = openDispatcher({
    flow: () => ({
      start: async () => {
        throw new BridgeError("Invalid", "startExecution", "the input is too large");
      },
    }),
  });
  await put("hello");
  expect(await deliver("e1")).toEqual({ failures: [] });
  expect(parked.map(({ look, reason }) => [look.key, reason])).toEqual([["a.txt", "the input is too large"]]);
});

const occasion = (changes: Partial<Occasion> = {}): Occasion => ({
  bridgeId: "bridge",
  key: "k",
  snapshot: makeSnapshot(),
  removal: false,
  eventId: "e1",
  ...changes,
});

test.each<[string, boolean, Partial<Occasion>, Partial<Occasion>]>([
  ["another event that finds the same state", true, {}, { eventId: "e2" }],
  ["a second later, nothing else changed", true, {}, { snapshot: makeSnapshot({ lastModified: "2026-03-01T00:00:01.000Z" }) }],
  ["another state", false, {}, { snapshot: makeSnapshot({ etag: "e2" }) }],
  ["other tags", false, {}, { snapshot: makeSnapshot({ tags: {} }) }],
  ["another key", false, {}, { key: "l" }],
  ["another bridge", false, {}, { bridgeId: "other" }],
  ["a removal that brings the state back", false, {}, { removal: true }],
  ["two removals", false, { removal: true }, { removal: true, eventId: "e2" }],
  ["one removal, delivered twice", true, { removal: true }, { removal: true }],
  ["absent twice", false, { snapshot: undefined }, { snapshot: undefined, eventId: "e2" }],
  ["absent, delivered twice", true, { snapshot: undefined }, { snapshot: undefined }],
])("%s: one name is %s", (_, same, a, b) => {
  expect(executionName(occasion(a)) === executionName(occasion(b))).toBe(same);
});

test("the service accepts every name", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (key, eventId) => {
      const name = executionName(occasion({ key, eventId }));
      // https://www.alibabacloud.com/help/en/serverless-workflow/latest/execution-introduction
      for (const one of [name, secondExecutionName(name, eventId)]) expect(one).toMatch(/^[A-Za-z_][A-Za-z0-9_-]{0,127}$/);
    }),
  );
});
