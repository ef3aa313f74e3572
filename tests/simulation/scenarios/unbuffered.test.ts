/** `buffer: none`: events invoke the sender directly. A failed invocation is retried twice. A key that has to wait goes into the work queue. */
import { ReceiverUnreachable } from "../../../runtime/protocol/ports";
import { pullStage } from "../stage";

const down = () => new ReceiverUnreachable("the receiver cannot be connected to", { attemptMayRun: false, retryable: true });

test("a large object finishes: its key waits in the work queue while the copy runs", async () => {
  const stage = pullStage({ trigger: "invocation" });
  await stage.does("write-large", "k", 1);
  await stage.settle();
  expect(stage.seen()).toEqual(["11111111111"]);
  expect(stage.world.events).toEqual(["k in-progress", "copier replicated", "k unchanged"]);
});

test("after a crash the event is delivered again a minute later", async () => {
  const stage = pullStage({ trigger: "invocation", faults: [{ label: "post", nth: 1, kind: "crash", hold: 0 }] });
  await stage.does("write-small", "k", 1);
  const startMs = stage.world.time.now();
  await stage.settle();
  expect(stage.seen()).toEqual(["111111"]);
  expect(stage.world.time.now() - startMs).toBeGreaterThanOrEqual(60_000);
});

test("receiver down for a minute: retried within and across invocations, nothing is parked", async () => {
  const stage = pullStage({ trigger: "invocation" });
  const endMs = stage.world.time.now() + 60_000;
  stage.world.beforeReceiver = () => {
    if (stage.world.time.now() < endMs) throw down();
  };
  await stage.does("write-small", "k", 1);
  await stage.settle();
  expect(stage.seen()).toEqual(["111111"]);
});

test("receiver down for a day: no letter, and the object arrives afterwards", async () => {
  const stage = pullStage({ trigger: "invocation" });
  const endMs = stage.world.time.now() + 24 * 3_600_000;
  stage.world.beforeReceiver = () => {
    if (stage.world.time.now() < endMs) throw down();
  };
  await stage.does("write-small", "k", 1);
  await stage.settle();
  expect(stage.seen()).toEqual(["111111"]);
  expect(stage.world.parked).toEqual([]);
});

test("a copy of forty minutes finishes without a letter", async () => {
  const stage = pullStage({ trigger: "invocation" });
  await stage.does("write-large", "k", 1);
  await stage.until(/^copier .* begins$/);
  for (let minute = 0; minute < 40; minute++) {
    stage.passTime(60_000);
    await stage.run();
  }
  stage.release(/^copier .* begins$/);
  await stage.settle();
  expect(stage.seen()).toEqual(["11111111111"]);
});
