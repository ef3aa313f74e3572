/** `buffer: none`: no queue. A failed asynchronous invocation is retried twice, and then goes to the failure destination. */
import { ReceiverUnreachable } from "../../../runtime/protocol/ports";
import { pullStage } from "../stage";

const down = () => new ReceiverUnreachable("the receiver cannot be connected to", { attemptMayRun: false, retryable: true });

test("the invocation waits for the copy of a large object", async () => {
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

test("receiver down for three invocations: the event goes to the failure destination", async () => {
  const stage = pullStage({ trigger: "invocation" });
  stage.world.beforeReceiver = () => {
    throw down();
  };
  await stage.does("write-small", "k", 1);
  await stage.settle({ mayPark: true });
  expect(stage.world.parked.map(({ look, reason }) => [look.key, reason])).toEqual([["k", "the invocation failed 3 times"]]);
  expect(stage.seen()).toEqual([]);
});
