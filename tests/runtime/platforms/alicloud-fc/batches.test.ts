import { setImmediate } from "node:timers/promises";
import { OSS_SENDER_LANES } from "../../../../components/config/defaults";
import { inBatches, LANES, repeatThrottled } from "../../../../runtime/platforms/alicloud-fc/batches";
import type { EventRole } from "../../../../runtime/platforms/event-handler";
import type { DecodedRecord } from "../../../../runtime/protocol/events";
import { type Deadline, ReceiverUnreachable } from "../../../../runtime/protocol/ports";
import type { Failure } from "../../../../runtime/replication/intake";
import { VirtualTime } from "../../../support/virtual-time";

const record = (...keys: string[]): DecodedRecord => ({ looks: keys.map((key) => ({ key, failures: 0 })) });
const keysOf = (records: readonly DecodedRecord[]) => records.flatMap(({ looks }) => looks.map(({ key }) => key));
const within = (ms: number): Deadline => ({ remainingMs: () => ms });

/** A role whose batches end when the test says so. */
function stage(tick?: EventRole["tick"]) {
  const clock = new VirtualTime();
  const batches: { keys: string[]; remainingMs: number; end(outcome?: Failure[] | Error): Promise<void> }[] = [];
  const role: EventRole = {
    ...(tick === undefined ? {} : { tick }),
    handle: (records, deadline) =>
      new Promise((resolve, reject) => {
        batches.push({
          keys: keysOf(records),
          remainingMs: deadline.remainingMs(),
          async end(outcome = []) {
            if (outcome instanceof Error) reject(outcome);
            else
              resolve({ failures: outcome.map(({ messageId, reason }) => ({ messageId: named(records, messageId), reason })) });
            await setImmediate();
          },
        });
      }),
  };
  const batched = inBatches(role, clock);
  const handle = (keys: string[], ms = 90_000) => batched.handle([record(...keys)], within(ms));
  return { clock, batches, batched, handle, seen: () => batches.map(({ keys }) => keys) };
}

/** The message that holds the key; any other text stays. */
function named(records: readonly DecodedRecord[], key: string): string {
  return records.find((one) => keysOf([one]).includes(key))?.messageId ?? key;
}

describe("events of invocations that run side by side", () => {
  test("of one moment become one batch, whose deadline is the earliest", () => {
    const { clock, handle, batches, seen } = stage();
    void handle(["a"], 90_000);
    clock.advance(10);
    void handle(["b"], 70_000);
    expect(seen()).toEqual([]);
    clock.advance(10);
    expect(seen()).toEqual([["a", "b"]]);
    expect(batches[0]?.remainingMs).toBe(70_000);
  });

  test("a lone event waits 20 ms", async () => {
    const { clock, handle, batches, seen } = stage();
    const answer = handle(["a"]);
    clock.advance(19);
    expect(seen()).toEqual([]);
    clock.advance(1);
    await batches[0]?.end();
    expect(await answer).toEqual({ failures: [] });
  });

  test("a full batch starts at once", () => {
    const { handle, seen } = stage();
    for (let index = 0; index < 33; index++) void handle([`k${index}`]);
    expect(seen().map(({ length }) => length)).toEqual([32]);
  });

  test("a full batch does not start beside a running one before half a second: the receiver gets one request at a time", async () => {
    const { handle, clock, batches, seen } = stage();
    for (let index = 0; index < 64; index++) void handle([`k${index}`]);
    expect(seen().map(({ length }) => length)).toEqual([32]);
    clock.advance(499);
    expect(seen()).toHaveLength(1);
    await batches[0]?.end();
    expect(seen().map(({ length }) => length)).toEqual([32, 32]);
  });

  test("at most two batches run at once, as the component expects; the next one starts when one of them ends", async () => {
    expect(LANES).toBe(OSS_SENDER_LANES);
    const { handle, clock, batches, seen } = stage();
    for (const key of ["a", "b", "c"]) {
      void handle([key]);
      clock.advance(500);
    }
    expect(seen()).toEqual([["a"], ["b"]]);
    void handle(["d"]);
    await batches[1]?.end();
    expect(seen()[2]).toEqual(["c", "d"]);
  });

  test("an event with many keys counts as many, and events beyond a full batch wait for the next one", async () => {
    const { handle, batches, seen } = stage();
    const sixteen = Array.from({ length: 16 }, (_, index) => `k${index}`);
    for (let index = 0; index < 6; index++) void handle(sixteen);
    expect(seen().map(({ length }) => length)).toEqual([32]);
    await batches[0]?.end();
    await batches[1]?.end();
    await batches[2]?.end();
    expect(seen().map(({ length }) => length)).toEqual([32, 32, 32]);
  });

  test("events beyond a full batch start beside it after half a second", () => {
    const { clock, handle, seen } = stage();
    for (let index = 0; index < 33; index++) void handle([`k${index}`]);
    clock.advance(500);
    expect(seen().map(({ length }) => length)).toEqual([32, 1]);
  });

  test("while a batch runs, the next one gathers until it ends", async () => {
    const { clock, handle, batches, seen } = stage();
    void handle(["a"]);
    clock.advance(20);
    void handle(["b"]);
    clock.advance(300);
    void handle(["c"]);
    expect(seen()).toEqual([["a"]]);
    await batches[0]?.end();
    expect(seen()).toEqual([["a"], ["b", "c"]]);
  });

  test("a slow batch holds the next one back for half a second", () => {
    const { clock, handle, seen } = stage();
    void handle(["slow"]);
    clock.advance(20);
    void handle(["b"]);
    clock.advance(499);
    expect(seen()).toEqual([["slow"]]);
    clock.advance(1);
    expect(seen()).toEqual([["slow"], ["b"]]);
  });

  test("a window that is over does not start a later batch", async () => {
    const { clock, handle, batches, seen } = stage();
    void handle(["a"]);
    clock.advance(20);
    void handle(["b"]);
    await batches[0]?.end();
    await batches[1]?.end();
    clock.advance(490);
    void handle(["c"]);
    clock.advance(15);
    expect(seen()).toEqual([["a"], ["b"]]);
    clock.advance(5);
    expect(seen()).toEqual([["a"], ["b"], ["c"]]);
  });
});

describe("each invocation is answered", () => {
  test("with its own failures", async () => {
    const { clock, handle, batches } = stage();
    const answers = Promise.all([handle(["a"]), handle(["b"]), handle(["c"])]);
    clock.advance(20);
    await batches[0]?.end([{ messageId: "b", reason: "the queue does not answer" }]);
    expect(await answers).toEqual([
      { failures: [] },
      { failures: [{ messageId: "", reason: "the queue does not answer" }] },
      { failures: [] },
    ]);
  });

  test("with a failure that names no event", async () => {
    const { clock, handle, batches } = stage();
    const answers = Promise.all([handle(["a"]), handle(["b"])]);
    clock.advance(20);
    await batches[0]?.end([{ messageId: "", reason: "unknown" }]);
    const failed = { failures: [{ messageId: "", reason: "unknown" }] };
    expect(await answers).toEqual([failed, failed]);
  });

  test("with the failure of the whole batch; the next batch is not affected", async () => {
    const { clock, handle, batches } = stage();
    const answers = Promise.allSettled([handle(["a"]), handle(["b"])]);
    clock.advance(20);
    await batches[0]?.end(new Error("out of order"));
    expect((await answers).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    const next = handle(["a"]);
    clock.advance(20);
    await batches[1]?.end();
    expect(await next).toEqual({ failures: [] });
  });
});

test("no record passes for one whose deliveries a queue counts", async () => {
  const clock = new VirtualTime();
  const handle = jest.fn(async (_records: readonly DecodedRecord[]) => ({ failures: [] }));
  const answer = inBatches({ handle }, clock).handle([record("a")], within(1));
  clock.advance(20);
  await answer;
  expect(handle.mock.calls[0]?.[0]).toEqual([{ ...record("a"), messageId: "0", uncounted: true }]);
});

test("the tick is no event: it runs at once, and a role without one has none", async () => {
  const tick = jest.fn(async () => undefined);
  const { batched } = stage(tick);
  await batched.tick?.(within(1));
  expect(tick).toHaveBeenCalledTimes(1);
  expect(stage().batched.tick).toBeUndefined();
});

describe("a request that the receiver throttles", () => {
  const REQUEST = { version: 1, bridgeId: "b", notices: [] } as const;
  const throttled = (retryAfterSeconds?: number) =>
    new ReceiverUnreachable("429", { attemptMayRun: false, retryable: true, throttled: true, retryAfterSeconds });

  /** A client that gives the outcomes in order. */
  function client(...outcomes: (Error | "answered")[]) {
    const slept: number[] = [];
    const post = jest.fn(async () => {
      const next = outcomes.shift();
      if (next instanceof Error) throw next;
      return { version: 1 as const, receipts: [] };
    });
    const sleep = async (ms: number) => void slept.push(ms);
    return { slept, post, send: () => repeatThrottled({ post }, { random: () => 0, sleep }).post({ ...REQUEST, notices: [] }) };
  }

  test("is repeated after a moment", async () => {
    const { slept, send } = client(throttled(), throttled(1), "answered");
    expect(await send()).toEqual({ version: 1, receipts: [] });
    expect(slept).toEqual([250, 1_000]);
  });

  test("is repeated three times at most: then the key waits in the queue", async () => {
    const { slept, post, send } = client(throttled(), throttled(), throttled(), throttled());
    await expect(send()).rejects.toThrow("429");
    expect(post).toHaveBeenCalledTimes(4);
    expect(slept).toEqual([250, 500, 750]);
  });

  test("is not repeated where the receiver asks for a longer wait, nor after another failure", async () => {
    const down = new ReceiverUnreachable("503", { attemptMayRun: true, retryable: true });
    for (const error of [throttled(30), down, new Error("broken")]) {
      const { post, send } = client(error);
      await expect(send()).rejects.toBe(error);
      expect(post).toHaveBeenCalledTimes(1);
    }
  });
});
