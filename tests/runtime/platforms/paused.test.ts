/** A paused function keeps the keys of its events in the work queue. */
import { createEventHandler } from "../../../runtime/platforms/event-handler";
import { isPaused, pausedRole } from "../../../runtime/platforms/paused";
import { decodeLook, encodeLook } from "../../../runtime/protocol/queue-messages";
import { config, message, open } from "../roles/sender/sender-fixture";

const deadline = { remainingMs: () => 60_000 };

function paused(changes: { enqueue?: () => Promise<void> } = {}) {
  const all = open([]);
  const metrics: Record<string, number> = {};
  const deps = {
    ...all,
    config,
    metrics: {
      add(name: string, value: number) {
        metrics[name] = (metrics[name] ?? 0) + value;
      },
    },
    queue: { enqueue: all.queue.enqueue, ...changes },
  };
  return { ...all, deps, role: pausedRole(deps), metrics };
}

test.each([
  [{ BRIDGE_PAUSED: "1" }, true],
  [{ BRIDGE_PAUSED: "" }, true],
  [{}, false],
])("%j is paused: %s", (env, expected) => expect(isPaused(env)).toBe(expected));

test("stores each key with the reason, and acknowledges its event; nothing is asked", async () => {
  const { role, looks, requests, logger, metrics } = paused();
  const { failures } = await role.handle([message("1", { key: "a" }), message("2", { key: "b" }, { key: "c" })], deadline);
  expect(failures).toEqual([]);
  expect(requests).toEqual([]);
  expect(looks.map(({ key, failures: failed, last }) => [key, failed, last?.reason])).toEqual(
    ["a", "b", "c"].map((key) => [key, 0, "the bridge is paused: crossborderbridge resume goes on"]),
  );
  expect(metrics).toEqual({ Waited: 3 });
  expect(logger.lines.filter(({ message: text }) => text === "put back")).toHaveLength(3);
});

test("a key that is kept is one that may have been tried before, and starts with what is known of it", async () => {
  const { role, looks } = paused();
  await role.handle([message("1", { key: "a", failures: 2, firstSeenMs: 5, released: true, state: "s" })], deadline);
  const [stored] = looks.map((look) => decodeLook(encodeLook(look)));
  expect(stored).toMatchObject({ key: "a", failures: 2, firstSeenMs: 5, state: "s", waits: 0 });
  expect(stored?.released).toBeUndefined();
});

test("keys that cannot be stored are delivered again", async () => {
  const enqueue = () => Promise.reject(new Error("the queue is gone"));
  const { role } = paused({ enqueue });
  const { failures } = await role.handle([message("1", { key: "a" }), message("2", { key: "b" })], deadline);
  expect(failures.map(({ messageId }) => messageId)).toEqual(["1", "2"]);
  const handle = createEventHandler(role, paused().logger);
  await expect(handle(encodeLook({ key: "a", failures: 0 }), deadline)).rejects.toThrow(/could not be kept/);
});

test("an event of another bucket becomes a dead letter as ever, and one out of scope is dropped", async () => {
  const all = paused();
  const scoped = pausedRole({ ...all.deps, config: { ...config, scope: { ...config.scope, prefixes: ["in/"] } } });
  await scoped.handle([message("1", { key: "in/a" }), message("2", { key: "out" }), message("3", { bucket: "other" })], deadline);
  expect(all.looks.map(({ key }) => key)).toEqual(["in/a"]);
  expect(all.parked).toEqual([["k", "the event is of bucket other, this bridge serves source"]]);
});

test("the tick reads no queue", async () => {
  const all = paused();
  await all.outage.add([{ key: "held", failures: 0, firstSeenMs: 0 }]);
  const handle = createEventHandler(all.role, all.logger);
  await handle('{"crossborderbridge":"tick"}', deadline);
  expect(all.outage.messages).toHaveLength(1);
  expect(all.requests).toEqual([]);
});
