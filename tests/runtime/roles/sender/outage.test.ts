/** The sender while the receiver is down: the breaker, the outage queue and the tick. */
import { ReceiverUnreachable } from "../../../../runtime/protocol/ports";
import type { Sender } from "../../../../runtime/roles/sender/sender";
import { BridgeError } from "../../../../runtime/stores/errors";
import type { VirtualTime } from "../../../support/virtual-time";
import { config, message, open, put } from "./sender-fixture";

describe("while the receiver is down", () => {
  const down = () => {
    throw new ReceiverUnreachable("the receiver cannot be connected to", { attemptMayRun: false, retryable: true });
  };
  const keys = (count: number) => Array.from({ length: count }, (_, index) => `k${index}`);

  async function afterOutage(count: number, changes: Parameters<typeof open>[1] = {}) {
    const state = { down: true };
    const all = open(({ notices }) => {
      if (state.down) down();
      return notices.map(({ key }) => ({ key, result: "replicated" }));
    }, changes);
    for (const key of keys(count)) await put(all.source, key);
    for (const key of keys(count)) await all.run(message(`m-${key}`, { key, firstSeenMs: all.clock.now() }));
    return { ...all, state };
  }
  const tick = ({ sender, clock }: { sender: Sender; clock: VirtualTime }, ms = 60_000) => {
    clock.advance(ms);
    return sender.tick({ remainingMs: () => 60_000 });
  };

  test("three requests fail, then keys are held and nothing is sent", async () => {
    const all = await afterOutage(20);
    expect(all.requests).toHaveLength(3);
    expect(all.enqueued).toHaveLength(2);
    expect(all.outage.keys).toHaveLength(18);
    expect(all.parked).toEqual([]);
    expect(all.outage.messages[0]?.look.last?.reason).toBe("the receiver cannot be connected to");
  });

  test("another instance sees the outage queue and sends nothing", async () => {
    const all = await afterOutage(20);
    const other = open([{ result: "replicated" }]);
    await put(other.source, "k");
    await other.outage.add(all.outage.messages.map(({ look }) => look));
    expect(await other.run(message("m1", {}))).toEqual({ failures: [] });
    expect(other.requests).toEqual([]);
    expect(other.outage.keys).toContain("k");
  });

  test("an attempt that may still run is waited out in the work queue", async () => {
    const all = open(() => {
      throw new ReceiverUnreachable("no answer", { attemptMayRun: true, retryable: true });
    });
    for (const key of keys(4)) await put(all.source, key);
    for (const key of keys(4)) await all.run(message(`m-${key}`, { key, firstSeenMs: all.clock.now() }));
    expect(all.enqueued).toEqual([
      ["k0", 0, 34],
      ["k1", 0, 34],
      ["k2", 0, 34],
    ]);
    expect(all.outage.keys).toEqual(["k3"]);
  });

  test("each tick sends one request and keeps the keys", async () => {
    const all = await afterOutage(20);
    for (let minute = 0; minute < 10; minute++) await tick(all);
    expect(all.requests).toHaveLength(13);
    expect(all.outage.keys).toHaveLength(18);
    expect(all.metrics).toMatchObject({ BreakerOpen: 10 });
    expect(all.metrics.OldestUnprovenAgeMs).toBeGreaterThanOrEqual(600_000);
  });

  test("the tick after the recovery proves its keys and hands all others back to work", async () => {
    const all = await afterOutage(20);
    all.state.down = false;
    await tick(all);
    expect(all.outage.keys).toEqual([]);
    expect(all.metrics.Replicated).toBe(10);
    expect(all.enqueued.slice(2)).toHaveLength(8);
    expect(all.looks.at(-1)).toMatchObject({ released: true, waits: 0, failures: 0 });
  });

  test("a released key is sent although the outage queue is not empty yet", async () => {
    const all = open([{ result: "replicated" }]);
    await put(all.source, "k");
    await all.outage.add([{ key: "other", failures: 0, firstSeenMs: 0 }]);
    await all.run(message("m1", { released: true }));
    expect(all.metrics.Replicated).toBe(1);
  });

  test("a key that waited too long is parked by the tick, with the reason", async () => {
    const all = await afterOutage(20);
    await tick(all, 604_800_000);
    expect(all.parked).toHaveLength(18);
    expect(all.parked[0]?.[1]).toBe(
      "given up after 7 days of waiting, the last on the way to the receiver: the receiver cannot be connected to",
    );
    expect(all.outage.keys).toEqual([]);
  });

  test("keys out of scope are not held", async () => {
    const all = open([{ result: "replicated" }], { config: { scope: { ...config.scope, prefixes: ["in/"] } } });
    await all.outage.add([{ key: "in/other", failures: 0, firstSeenMs: 0 }]);
    await all.run(message("m1", { key: "out/k" }));
    expect(all.outage.keys).toEqual(["in/other"]);
  });

  test("a probe without a key that needs the receiver closes nothing", async () => {
    const all = open([{ result: "replicated" }]);
    jest.spyOn(all.source, "head").mockRejectedValue(new BridgeError("Unavailable", "head", "the source did not answer"));
    await all.outage.add(keys(3).map((key) => ({ key, failures: 0, firstSeenMs: all.clock.now() })));
    await tick(all);
    expect(all.requests).toEqual([]);
    expect(all.outage.keys).toHaveLength(3);
  });

  test("a held key that cannot be stored comes back", async () => {
    const all = await afterOutage(5);
    jest.spyOn(all.outage, "add").mockRejectedValue(new BridgeError("Unavailable", "add", "the queue did not answer"));
    expect(await all.run(message("m1", { key: "k0" }))).toEqual({
      failures: [{ messageId: "m1", reason: "the key could not be held: the queue did not answer" }],
    });
  });

  test("an idle bridge does not ask the queue while it knows that the receiver works", async () => {
    const all = open([{ result: "replicated" }]);
    await put(all.source, "k");
    for (let times = 0; times < 10; times++) await all.run(message("m1", {}));
    expect(all.outage.calls.isEmpty).toBe(1);
  });
});
