import fc from "fast-check";
import { executionName, secondExecutionName } from "../../../../runtime/roles/dispatcher/dispatcher";
import { BridgeError } from "../../../../runtime/stores/errors";
import { openDispatcher } from "../push-fixture";

const throttled = () => new BridgeError("RateLimited", "startExecution", "the workflow service is busy");

test("an event starts one execution for its key", async () => {
  const { deliver, inputs, clock, executions } = openDispatcher();
  expect(await deliver("e1")).toEqual({ failures: [] });
  const [name] = [...executions.keys()];
  expect(name).toMatch(/^k[0-9a-f]{40}$/);
  const expected = { version: 1, next: "inspect", key: "a.txt", execution: name, eventId: "e1" };
  expect(inputs()).toEqual([{ ...expected, firstSeenMs: clock.now(), attempt: 0, rounds: 0, bytesMoved: 0 }]);
});

test.each(["Running", "Succeeded"])("the same event again, while its execution is %s: nothing starts", async (status) => {
  const { deliver, end, inputs, clock } = openDispatcher();
  await deliver("e1");
  end(status);
  clock.advance(1000);
  expect(await deliver("e1")).toEqual({ failures: [] });
  expect(inputs()).toHaveLength(1);
});

test.each(["Failed", "TimedOut", "Stopped"])("the same event again, its execution %s: one more, and no third", async (status) => {
  const { deliver, end, inputs, executions } = openDispatcher();
  await deliver("e1");
  for (let times = 0; times < 3; times++) {
    end(status);
    await deliver("e1");
  }
  // The first one may have left a copy that is still running.
  expect(inputs().map(({ next, eventId, askedBefore }) => [next, eventId, askedBefore])).toEqual([
    ["inspect", "e1", undefined],
    ["inspect", "e1", true],
  ]);
  const [first, second] = [...executions.keys()];
  expect(second).toBe(`${first}-again`);
  expect(inputs()[1]?.execution).toBe(second);
});

test.each(["Running", "Succeeded"])(
  "another event of the same key, while the first one's execution is %s: one more",
  async (status) => {
    const { deliver, end, inputs, executions } = openDispatcher();
    await deliver("e1");
    end(status);
    await deliver("e2");
    await deliver("e2");
    expect(inputs().map(({ next, eventId }) => [next, eventId])).toEqual([
      ["inspect", "e1"],
      ["inspect", "e2"],
    ]);
    expect(executions.size).toBe(2);
  },
);

test("the status of an execution is asked only after a refusal of its name", async () => {
  let asked = 0;
  const { deliver, end } = openDispatcher({
    flow: ({ describe }) => ({
      describe: async (name) => {
        asked += 1;
        return await describe(name);
      },
    }),
  });
  await deliver("e1");
  await deliver("e1");
  await deliver("e2");
  expect(asked).toBe(0);
  end("Succeeded");
  await deliver("e1");
  expect(asked).toBe(1);
});

test("the service has forgotten an execution but refuses its name: another one is started", async () => {
  const { deliver, end, inputs } = openDispatcher({ flow: () => ({ describe: async () => undefined }) });
  await deliver("e1");
  end("Succeeded");
  await deliver("e1");
  expect(inputs().map(({ next }) => next)).toEqual(["inspect", "inspect"]);
});

test("redriven without an event: inspected again each time", async () => {
  const { deliver, end, inputs } = openDispatcher();
  for (let times = 0; times < 3; times++) {
    await deliver();
    end("Failed");
  }
  expect(inputs()).toHaveLength(3);
  expect(inputs().every(({ eventId }) => eventId === undefined)).toBe(true);
});

test("out of scope by key, or by the size that the event reports: nothing starts", async () => {
  const scope = { prefixes: [], suffixes: [".txt"], tags: { ship: "yes" }, minSizeBytes: 3, maxSizeBytes: 9 };
  const { deliver, inputs, counted } = openDispatcher({ config: { scope } });
  await deliver("e1", { key: "b.bin" });
  await deliver("e2", { key: ".crossborderbridge/b.txt" });
  await deliver("e3", { sizeBytes: 2 });
  await deliver("e4", { sizeBytes: 10 });
  expect([inputs(), counted]).toEqual([[], { Skipped: 4 }]);
  await deliver("e5", { sizeBytes: 9 });
  await deliver("e6");
  expect(inputs().map(({ eventId }) => eventId)).toEqual(["e5", "e6"]);
});

test("an unreadable part, or one of another bucket, is parked with its reason; the rest of the message is handled", async () => {
  const { dispatch, parked, inputs, clock } = openDispatcher();
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
  // The event has no id: the name depends on a generated one.
  expect(await deliver(undefined)).toEqual({ failures: [] });
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
    const { deliver, queued, clock, counted, parked } = openDispatcher({ flow: busy });
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

  test("a key that is too old is parked with the reason", async () => {
    const { deliver, parked, clock } = openDispatcher({ flow: busy });
    await deliver(undefined, { firstSeenMs: clock.now() - 156 * 3_600_000, waits: 700 });
    expect(parked.map(({ reason }) => reason)).toEqual(["given up after 156 hours of waiting: the workflow service is busy"]);
  });

  test("without the queue the message comes back", async () => {
    const enqueue = async () => {
      throw new BridgeError("Unavailable", "sendMessage", "the queue does not answer");
    };
    const { deliver } = openDispatcher({ flow: busy, queue: { enqueue } });
    expect(await deliver("e1")).toEqual({ failures: [{ messageId: "m", reason: "the queue does not answer" }] });
  });
});

test("a key from a queue starts an execution of its own, with what is known of it, and only one however often it is delivered", async () => {
  const { deliver, inputs, executions, clock } = openDispatcher();
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

test("a key that was held with the reason of its last wait has another execution when it is released", async () => {
  const { deliver, executions, end, clock } = openDispatcher();
  const last = { reason: "down", place: "destination", atMs: 5 } as const;
  const waiting = { firstSeenMs: clock.now() - 10, waits: 4, last };
  await deliver(undefined, waiting);
  end("Succeeded");
  for (let times = 0; times < 2; times++) await deliver(undefined, { ...waiting, waits: 0, released: true });
  expect(executions.size).toBe(2);
});

test.each([
  ["permission denied", new BridgeError("PermissionDenied", "startExecution", "not allowed"), "not allowed"],
  ["a defect", new TypeError("x is undefined"), "unexpected failure in the dispatcher"],
])("%s: the message comes back at once", async (_, error, reason) => {
  const { deliver, clock } = openDispatcher({
    flow: () => ({
      start: async () => {
        throw error;
      },
    }),
  });
  const startMs = clock.now();
  expect(await deliver("e1")).toEqual({ failures: [{ messageId: "m", reason }] });
  expect(clock.now()).toBe(startMs);
});

test("a key that can never be started is parked", async () => {
  const { deliver, parked } = openDispatcher({
    flow: () => ({
      start: async () => {
        throw new BridgeError("Invalid", "startExecution", "the input is too large");
      },
    }),
  });
  expect(await deliver("e1")).toEqual({ failures: [] });
  expect(parked.map(({ look, reason }) => [look.key, reason])).toEqual([["a.txt", "the input is too large"]]);
});

const occasion = { bridgeId: "bridge", key: "k", occasion: "e1" };

test.each<[string, Partial<typeof occasion>]>([
  ["another event", { occasion: "e2" }],
  ["another key", { key: "l" }],
  ["another bridge", { bridgeId: "other" }],
])("%s has another name", (_, change) => {
  expect(executionName({ ...occasion })).toBe(executionName(occasion));
  expect(executionName({ ...occasion, ...change })).not.toBe(executionName(occasion));
});

test("the service accepts every name", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (key, id) => {
      const name = executionName({ ...occasion, key, occasion: id });
      // https://www.alibabacloud.com/help/en/serverless-workflow/latest/execution-introduction
      for (const one of [name, secondExecutionName(name)]) expect(one).toMatch(/^[A-Za-z_][A-Za-z0-9_-]{0,127}$/);
    }),
  );
});
