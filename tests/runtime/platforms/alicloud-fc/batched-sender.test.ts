/** The sender as its entry builds it: one invocation for each event of OSS, many of them in one instance. */
import { setImmediate } from "node:timers/promises";
import { inBatches } from "../../../../runtime/platforms/alicloud-fc/batches";
import { createEventHandler } from "../../../../runtime/platforms/event-handler";
import { ReceiverUnreachable } from "../../../../runtime/protocol/ports";
import { type Answer, keysOf, open, put } from "../../roles/sender/sender-fixture";

/** Invocations that one instance takes at the same time. */
const PER_INSTANCE = 64;
const deadline = { remainingMs: () => 90_000 };

const eventOf = (key: string) =>
  JSON.stringify({
    events: [
      {
        eventName: "ObjectCreated:PutObject",
        eventSource: "acs:oss",
        eventTime: "2026-03-01T00:00:00.000Z",
        oss: { bucket: { name: "source" }, object: { key } },
        responseElements: { requestId: `request-${key}` },
      },
    ],
  });

/** An instance that gets all events in turn, as many at once as it takes. */
async function replicate(keys: readonly string[], answers: Answer[]) {
  const all = open(answers);
  for (const key of keys) await put(all.source, key);
  const handle = createEventHandler(inBatches(all.sender, all.clock), all.logger);
  const outcomes = new Map<string, string>();
  const waiting = [...keys];
  const worker = async () => {
    for (let key = waiting.shift(); key !== undefined; key = waiting.shift()) {
      const name = key;
      await handle(eventOf(name), deadline).then(
        () => outcomes.set(name, "done"),
        (error: Error) => outcomes.set(name, error.message),
      );
    }
  };
  await all.clock.during(Promise.all(Array.from({ length: PER_INSTANCE }, worker)));
  return { ...all, outcomes };
}

const burst = Array.from({ length: 200 }, (_, index) => `k${index}`);

test("a burst of 200 events takes 7 requests, in which each key is once", async () => {
  const { requests, outcomes, metrics } = await replicate(burst, [{ result: "replicated" }]);
  expect(requests).toHaveLength(7);
  expect(keysOf(requests).flat().sort()).toEqual([...burst].sort());
  expect([...outcomes.values()].every((outcome) => outcome === "done")).toBe(true);
  expect(metrics).toMatchObject({ Replicated: 200 });
});

test("a lone event takes one request", async () => {
  const { requests, outcomes } = await replicate(["alone"], [{ result: "replicated" }]);
  expect([keysOf(requests), outcomes.get("alone")]).toEqual([[["alone"]], "done"]);
});

test("a key that cannot be put back fails its own invocation, and no other", async () => {
  const all = open(async ({ notices }) => notices.map(({ key }) => ({ key, result: key === "bad" ? "retry" : "replicated" })));
  all.queue.enqueue = async () => {
    throw new Error("the queue is gone");
  };
  for (const key of ["good", "bad"]) await put(all.source, key);
  const handle = createEventHandler(inBatches(all.sender, all.clock), all.logger);
  const outcomes = await all.clock.during(Promise.allSettled(["good", "bad"].map((key) => handle(eventOf(key), deadline))));
  expect(keysOf(all.requests)).toEqual([["good", "bad"]]);
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
});

test("while the receiver is down, the keys of a burst go to the outage queue, and the tick of the same instance brings them back", async () => {
  const state = { isDown: true };
  const all = open(async ({ notices }) => {
    if (state.isDown) throw new ReceiverUnreachable("down", { attemptMayRun: false, retryable: true });
    return notices.map(({ key }) => ({ key, result: "replicated" as const }));
  });
  for (const key of burst) await put(all.source, key);
  const role = inBatches(all.sender, all.clock);
  const handle = createEventHandler(role, all.logger);
  await all.clock.during(Promise.all(burst.map((key) => handle(eventOf(key), deadline))));
  // Three requests in a row open the breaker. Their keys were put back, the others are held.
  expect(all.requests.length).toBeLessThanOrEqual(4);
  const held = all.outage.messages.length;
  expect(held + all.enqueued.length).toBe(burst.length);
  expect(held).toBeGreaterThan(0);
  state.isDown = false;
  const meanwhile = handle(eventOf("k0"), deadline);
  await all.clock.during(Promise.all([handle('{"crossborderbridge":"tick"}', deadline), meanwhile]));
  await setImmediate();
  expect(all.outage.messages).toHaveLength(0);
});
