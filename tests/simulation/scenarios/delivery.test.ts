/** Events and messages arrive twice, late, out of order or not at all. */
import { ReceiverUnreachable } from "../../../runtime/protocol/ports";
import { pullStage } from "../stage";

const refused = (retryable: boolean) =>
  new ReceiverUnreachable(retryable ? "the receiver cannot be connected to" : "the receiver answered 400: not-a-request", {
    attemptMayRun: false,
    retryable,
  });

test.each([1, 5])("same event twice (batches of %s): the second moves no bytes", async (batchSize) => {
  const stage = pullStage({ batchSize });
  await stage.does("write-small", "k", 1);
  await stage.settle();
  stage.world.notify("k", { copies: 3 });
  await stage.settle();
  expect(stage.bytesMoved).toBe(6);
  expect(stage.seen()).toEqual(["111111"]);
});

test("same event four times in one batch: one notice", async () => {
  const stage = pullStage({ batchSize: 5 });
  await stage.does("write-small", "k", 1, 4);
  await stage.settle();
  expect(stage.world.events).toEqual(["k replicated"]);
  expect(stage.bytesMoved).toBe(6);
});

test("events reversed: the older event finds the newer object at the destination", async () => {
  const stage = pullStage();
  await stage.does("write-small", "k", 1);
  await stage.until(/deliver m1$/);
  await stage.does("write-small", "k", 2);
  await stage.run();
  stage.release(/deliver m1$/);
  await stage.settle();
  expect(stage.world.events).toEqual(["k replicated", "k unchanged"]);
  expect(stage.seen()).toEqual(["222222"]);
  expect(stage.bytesMoved).toBe(6);
});

test("receiver down for six hours: every change arrives once afterwards", async () => {
  const stage = pullStage();
  let posts = 0;
  const endMs = stage.world.time.now() + 6 * 3_600_000;
  stage.world.beforeReceiver = () => {
    posts++;
    if (stage.world.time.now() < endMs) throw refused(true);
  };
  await stage.does("write-small", "a", 1);
  await stage.does("write-large", "b", 2);
  await stage.does("write-small", "a", 3);
  await stage.settle();
  expect(stage.world.time.now()).toBeGreaterThan(endMs);
  expect(stage.seen("a")).toEqual(["333333"]);
  expect(stage.seen("b")).toEqual(["22222222222"]);
  // One probe a minute, and the few requests until the breaker opens.
  expect(posts).toBeLessThan(6 * 60 + 20);
});

test("receiver down for longer than giveUpAfterHours: parked with the reason", async () => {
  const stage = pullStage({ maxAttempts: 4, giveUpAfterSeconds: 24 * 3600 });
  stage.world.beforeReceiver = () => {
    throw refused(true);
  };
  await stage.does("write-small", "k", 1);
  await stage.settle({ mayPark: true });
  expect(stage.world.parked).toEqual([
    {
      look: expect.objectContaining({ key: "k", failures: 0 }),
      reason: "given up after 1 day of waiting, the last on the way to the receiver: the receiver cannot be connected to",
    },
  ]);
});

test("permanent failure: parked at once with the reason", async () => {
  const stage = pullStage({ destinationCapabilities: { maxKeyBytes: 4 } });
  await stage.does("write-small", "too-long", 1);
  await stage.settle({ mayPark: true });
  expect(stage.world.parked.map(({ look, reason }) => [look.key, reason])).toEqual([
    ["too-long", expect.stringMatching(/^the destination key would have 8 bytes, the store allows 4: shorten/)],
  ]);
  expect(stage.bytesMoved).toBe(0);
});

test("batch with one bad notice: only this notice is parked, the others arrive", async () => {
  const stage = pullStage({ batchSize: 5 });
  stage.world.beforeReceiver = ({ notices }) => {
    if (notices.some(({ key }) => key === "bad")) throw refused(false);
  };
  for (const key of ["a", "b", "bad", "c", "d"]) await stage.does("write-small", key, 1);
  await stage.settle({ mayPark: true });
  expect(stage.world.parked.map(({ look, reason }) => [look.key, reason])).toEqual([
    ["bad", "the receiver answered 400: not-a-request"],
  ]);
  for (const key of ["a", "b", "c", "d"]) expect(stage.seen(key)).toEqual(["111111"]);
  expect(stage.bytesMoved).toBe(4 * 6);
});

test.each(["enqueue", "park"])("%s fails: the queue delivers the message again", async (label) => {
  const stage = pullStage({
    faults: [{ label, nth: 1, kind: "refuse", hold: 0 }],
    giveUpAfterSeconds: label === "park" ? 0 : 86_400,
  });
  let down = true;
  stage.world.beforeReceiver = () => {
    if (down) throw refused(true);
  };
  await stage.does("write-small", "k", 1);
  await stage.run();
  expect(stage.world.delivery.messages.map(({ id }) => id)).toEqual(["m1"]);
  down = false;
  await stage.settle();
  expect(stage.seen()).toEqual(["111111"]);
});

test("enqueue fails for one message of a batch: only that message is delivered again", async () => {
  const stage = pullStage({ batchSize: 5, faults: [{ label: "enqueue", nth: 1, kind: "refuse", hold: 0 }] });
  stage.world.beforeReceiver = () => {
    if (stage.world.time.now() % 1_000_000 === 0) throw refused(true);
  };
  stage.passTime(1_000_000 - (stage.world.time.now() % 1_000_000));
  await stage.does("write-small", "a", 1);
  await stage.does("write-small", "b", 1);
  await stage.run();
  expect(stage.world.delivery.messages.map(({ id, content }) => `${id} ${content.key}`)).toEqual(["m1 a", "m3 b"]);
  await stage.settle();
  expect(stage.seen("a")).toEqual(["111111"]);
  expect(stage.seen("b")).toEqual(["111111"]);
});

test("crash between enqueue and acknowledge: two messages, one copy", async () => {
  const stage = pullStage({ faults: [{ label: "acknowledge", nth: 1, kind: "crash", hold: 0 }] });
  await stage.does("write-large", "k", 1);
  await stage.settle();
  expect(stage.seen()).toEqual(["11111111111"]);
  expect(stage.bytesMoved).toBe(11);
});

test("status tags: the event of the tag causes no further event, and the tag is not replicated", async () => {
  const stage = pullStage({ statusTags: true, batchSize: 5 });
  await stage.does("write-large", "k", 1);
  await stage.settle();
  expect(stage.world.source.snapshotOf("k")?.tags).toEqual({ "crossborderbridge-status-source-to-destination": "COMPLETED" });
  expect(stage.world.destination.snapshotOf("k")?.tags).toEqual({});
  expect(stage.world.source.calls.putTags).toBe(2);
  expect(stage.bytesMoved).toBe(11);
});
