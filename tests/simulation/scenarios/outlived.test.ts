/** Attempts that still run after the source has changed or their sender has ended. */
import { type PullStageOptions, pullStage } from "../stage";

const PUT = /receiver \d+: destination put$/;
const DELETE = /receiver \d+: destination delete$/;

describe.each([true, false])("conditional writes: %s", (conditionalWrites) => {
  const open = (options: PullStageOptions = {}) => pullStage({ conditionalWrites, ...options });

  test("an attempt outlives its sender: its late write is refused, or corrected by the redelivered message", async () => {
    // The sender ends right after its request. Its message is hidden for the visibility timeout.
    const stage = open({ faults: [{ label: "destination put", nth: 1, kind: "stall", hold: 1 }] });
    await stage.does("write-small", "k", 1);
    await stage.run();
    for (const attempt of stage.world.time.attempts) if (attempt.name.startsWith("sender")) attempt.die();
    await stage.does("write-small", "k", 2);
    await stage.run();
    expect(stage.seen()).toEqual(["222222"]);
    // The old write takes effect before its hard end.
    stage.passTime(20_000);
    await stage.run();
    expect(stage.seen()).toEqual(conditionalWrites ? ["222222"] : ["222222", "111111"]);
    await stage.settle();
    expect(stage.seen()).toEqual(conditionalWrites ? ["222222"] : ["222222", "111111", "222222"]);
  });

  test("receiver out of time: it answers before its hard end, and the next request waits until its write cannot take effect", async () => {
    const stage = open();
    await stage.does("write-small", "k", 1);
    await stage.until(PUT);
    stage.passTime(27_600);
    await stage.run();
    expect(stage.world.events).toEqual(["k waiting the receiver ran out of time on this item"]);
    const [again] = stage.world.delivery.messages;
    expect(again?.content).toMatchObject({ failures: 0, waits: 1, slow: true });
    // Later than the receiver's hard end plus `NETWORK_MS`.
    expect((again?.visibleAtMs ?? 0) - stage.world.time.now()).toBeGreaterThanOrEqual(29_000 + 3_000);
    stage.release(PUT);
    await stage.run();
    expect(stage.seen()).toEqual(["111111"]);
    const moved = stage.bytesMoved;
    await stage.settle();
    expect(stage.world.events.at(-1)).toBe("k unchanged");
    expect(stage.bytesMoved).toBe(moved);
  });

  test("receiver out of time: all keys of a request ran at once, and each is retried", async () => {
    const stage = open({ batchSize: 12 });
    stage.hold(PUT);
    const keys = [..."abcdefghijkl"];
    for (const key of keys) await stage.does("write-small", key, 1);
    await stage.run();
    expect(stage.director.held).toHaveLength(keys.length);
    stage.passTime(27_600);
    await stage.run();
    const outOfTime = "waiting the receiver ran out of time on this item";
    expect(stage.world.events.map((event) => event.slice(2))).toEqual(keys.map(() => outOfTime));
    stage.release(PUT);
    await stage.settle();
    for (const key of keys) expect(stage.seen(key)).toEqual(["111111"]);
    expect(stage.bytesMoved).toBe(keys.length * 6);
  });

  test("no resurrection: a late copy after a delete fails at its pinned read", async () => {
    const stage = open();
    await stage.does("write-small", "k", 1);
    await stage.until(/receiver \d+: source get$/);
    await stage.does("delete");
    stage.release(/receiver \d+: source get$/);
    await stage.settle();
    expect(stage.seen()).toEqual([]);
    expect(stage.world.events[0]).toMatch(/^k superseded the source answered/);
    expect(stage.bytesMoved).toBe(0);
  });

  test("no resurrection: a PUT that read the object before its delete is deleted again", async () => {
    const stage = open();
    await stage.does("write-small", "k", 1);
    await stage.until(PUT);
    await stage.does("delete");
    await stage.run();
    expect(stage.world.events).toEqual(["k unchanged"]);
    stage.release(PUT);
    await stage.settle();
    expect(stage.seen()).toEqual(["111111", "absent"]);
  });

  test("late delete after a new write: it is refused, or corrected", async () => {
    const stage = open();
    await stage.does("write-small", "k", 1);
    await stage.settle();
    await stage.does("delete");
    await stage.until(DELETE);
    await stage.does("write-small", "k", 2);
    await stage.run();
    stage.release(DELETE);
    await stage.settle();
    expect(stage.seen()).toEqual(conditionalWrites ? ["111111", "222222"] : ["111111", "222222", "absent", "222222"]);
  });

  test("late delete that has not read the source yet: it does not delete the new object", async () => {
    const stage = open();
    await stage.does("write-small", "k", 1);
    await stage.settle();
    await stage.does("delete");
    await stage.until(/receiver \d+: source head$/);
    await stage.does("write-small", "k", 2);
    await stage.run();
    stage.release(/receiver \d+: source head$/);
    await stage.settle();
    expect(stage.seen()).toEqual(["111111", "222222"]);
  });

  test("overwritten while copied: the destination shows the whole old object or none, and then the new one", async () => {
    const stage = open();
    await stage.does("write-small", "k", 1);
    await stage.until(PUT);
    await stage.does("write-small", "k", 2);
    stage.release(PUT);
    await stage.settle();
    expect(["111111,222222", "222222"]).toContain(
      stage
        .seen()
        .filter((one, index, all) => one !== all[index - 1])
        .join(),
    );
  });

  test("deleted between event and copy: nothing is written", async () => {
    const stage = open();
    await stage.does("write-small", "k", 1);
    await stage.until(/sender m1: source head$/);
    await stage.does("delete");
    stage.release(/sender m1: source head$/);
    await stage.settle();
    expect(stage.seen()).toEqual([]);
    expect(stage.world.destination.bytesWritten).toBe(0);
  });
});
