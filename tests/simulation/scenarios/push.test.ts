/** Push mode, told step by step. */
import { pushStage } from "../stage";

test("one event delivered three times: one execution, and its bytes once", async () => {
  const stage = pushStage();
  await stage.does("write-large", "k", 1, 3);
  await stage.settle();
  expect(stage.world.steps).toEqual([
    "k inspect -> copy",
    "k copy -> verify replicated",
    "k verify -> record replicated",
    "k record -> done replicated",
  ]);
  expect(stage.world.source.bytesRead).toBe(11);
  expect(stage.world.flow.executions.size).toBe(1);
});

test("two executions of one key: the slower one's write lands last, and it sets that right itself", async () => {
  const stage = pushStage();
  const put = /pusher k\w{3} copy 4: destination put$/;
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

test("a crash in the midst of a large copy: once its lease is over the next run goes on with the parts that are there", async () => {
  const stage = pushStage({ faults: [{ label: "destination uploadPart", nth: 3, kind: "crash", hold: 0 }] });
  await stage.does("write-large", "k", 1);
  const startMs = stage.world.time.now();
  await stage.settle();
  // The hard end of the run that crashed, and the time for what it sent last.
  expect(stage.world.time.now() - startMs).toBeGreaterThanOrEqual(180_000);
  expect(stage.world.source.bytesRead).toBeLessThanOrEqual(11 + 3);
  expect(stage.world.steps).toContain("k copy -> wait a copy of this key is running");
});

test("the same bytes are back while the execution that wrote them is kept from ending: looked at once more", async () => {
  const stage = pushStage({ faults: [{ label: "invoke", nth: 4, kind: "lose-answer", hold: 0 }] });
  await stage.does("write-small", "k", 1);
  await stage.run();
  await stage.does("write-small", "k", 2);
  await stage.run();
  await stage.does("write-small", "k", 1);
  await stage.run();
  expect([...stage.world.flow.executions.values()].map(({ status }) => status)).toEqual(["Running", "Succeeded", "Running"]);
  stage.passTime(5_000);
  await stage.settle();
  expect(stage.seen()).toEqual(["111111", "222222", "111111"]);
});

test("an older version comes back: it is replicated although its execution is long over", async () => {
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
