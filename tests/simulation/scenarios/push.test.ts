/** Push mode, step by step. */
import { pushStage } from "../stage";

test("one event delivered three times: one execution, and the bytes move once", async () => {
  const stage = pushStage();
  await stage.does("write-large", "k", 1, 3);
  await stage.settle();
  expect(stage.world.steps).toEqual(["k first -> done replicated"]);
  expect(stage.world.source.bytesRead).toBe(11);
  expect(stage.world.flow.executions.size).toBe(1);
});

test("two executions of one key: the slower one writes last, and corrects its write itself", async () => {
  const stage = pushStage();
  const put = /pusher k\w{3} first 2: destination put$/;
  stage.hold(put);
  await stage.does("write-small", "k", 1);
  await stage.run();
  expect(stage.director.held).toHaveLength(1);
  await stage.does("write-small", "k", 2);
  await stage.run();
  expect(stage.seen()).toEqual(["222222"]);
  stage.release(put);
  await stage.settle();
  expect(stage.seen()).toEqual(["222222", "111111", "222222"]);
  expect([...stage.world.flow.executions.values()].map(({ state }) => state.rounds)).toEqual([1, 0]);
});

test("a crash during a large copy: after the lease the next run resumes from the uploaded parts", async () => {
  const stage = pushStage({ faults: [{ label: "destination uploadPart", nth: 3, kind: "crash", hold: 0 }] });
  await stage.does("write-large", "k", 1);
  const startMs = stage.world.time.now();
  await stage.settle();
  // The hard end of the crashed run, plus the time in which its last request may take effect.
  expect(stage.world.time.now() - startMs).toBeGreaterThanOrEqual(180_000);
  expect(stage.world.source.bytesRead).toBeLessThanOrEqual(11 + 3);
  expect(stage.world.steps).toContain("k again -> wait a copy of this key is running");
});

test("the same bytes return while the execution that wrote them still runs: the event has an execution of its own", async () => {
  const stage = pushStage({ faults: [{ label: "invoke", nth: 1, kind: "lose-answer", hold: 0 }] });
  await stage.does("write-small", "k", 1);
  await stage.run();
  await stage.does("write-small", "k", 2);
  await stage.run();
  await stage.does("write-small", "k", 1);
  await stage.run();
  expect([...stage.world.flow.executions.values()].map(({ status }) => status)).toEqual(["Running", "Succeeded", "Succeeded"]);
  await stage.settle();
  expect(stage.seen()).toEqual(["111111", "222222", "111111"]);
});

test("an older version is restored: it is replicated although its execution has finished", async () => {
  const stage = pushStage({ versionedSource: true });
  for (const [what, content] of [
    ["write-small", 1],
    ["write-small", 2],
    ["restore", 0],
  ] as const) {
    await stage.does(what, "k", content);
    await stage.settle();
  }
  expect(stage.seen()).toEqual(["111111", "222222", "111111"]);
});
