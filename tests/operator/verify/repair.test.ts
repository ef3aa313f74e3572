/** `verify --repair`: what it hands over, and within which budget. */
import { FakeBridge, filled, keyOf, nativeRaw, pullRaw, withFolder } from "../backfill/fixture";
import { kindsIn, run } from "./fixture";

/** Five objects of 1 to 5 bytes that the destination lacks, one replica of a deleted object, and one that is left alone. */
async function broken(): Promise<FakeBridge> {
  const bridge = new FakeBridge(pullRaw({ deletes: "replicate" }));
  for (let index = 1; index <= 5; index++) await bridge.put(keyOf(index), "x".repeat(index));
  await bridge.put(keyOf(8));
  await bridge.replicate(keyOf(8));
  await bridge.from.delete(keyOf(8));
  await bridge.to.put(keyOf(9), Buffer.from("x"), { attributes: { headers: {}, metadata: {}, tags: {} }, sizeBytes: 1 });
  return bridge;
}

const ALL = [1, 2, 3, 4, 5, 8].map(keyOf);

test("hands over every difference but those that are left alone", () =>
  withFolder(async (folder) => {
    const bridge = await broken();
    const { exitCode } = await run(bridge, { folder, repair: true, yes: true, parallel: 1 });
    expect(bridge.enqueued).toEqual(ALL);
    expect(exitCode).toBe(0);
  }));

test("a dry run says what it would hand over, and hands over nothing", () =>
  withFolder(async (folder) => {
    const bridge = await broken();
    const { exitCode, noted } = await run(bridge, { folder, repair: true, dryRun: true });
    expect(bridge.enqueued).toEqual([]);
    expect(noted).toContain("--repair would hand over 6 objects (15 bytes)");
    expect(exitCode).toBe(1);
  }));

test.each<[string, { maxObjects?: number; maxBytes?: number }, string[]]>([
  ["objects", { maxObjects: 2 }, ALL.slice(0, 2)],
  ["bytes", { maxBytes: 6 }, ALL.slice(0, 3)],
])("stays within a budget of %s, and says that differences are left", (_what, budget, handed) =>
  withFolder(async (folder) => {
    const bridge = await broken();
    const { exitCode, noted } = await run(bridge, { folder, repair: true, yes: true, parallel: 1, ...budget });
    expect(bridge.enqueued).toEqual(handed);
    expect(noted).toContainEqual(expect.stringMatching(new RegExp(`^${ALL.length - handed.length} differences would be left`)));
    expect(exitCode).toBe(1);
  }),
);

test("asks before it begins, and does nothing after a no", () =>
  withFolder(async (folder) => {
    const bridge = await broken();
    const asked: string[] = [];
    const confirm = async (question: string) => {
      asked.push(question);
      return false;
    };
    const { exitCode } = await run(bridge, { folder, repair: true, deps: { confirm, interactive: true } });
    expect(asked).toEqual(["Hand over 6 objects (15 bytes) to the bridge?"]);
    expect(bridge.enqueued).toEqual([]);
    expect(exitCode).toBe(1);
  }));

test("in mode native it copies each object onto itself", () =>
  withFolder(async (folder) => {
    const bridge = await filled(nativeRaw(), 2);
    const { exitCode } = await run(bridge, { folder, repair: true, yes: true });
    expect(bridge.touched.sort()).toEqual([keyOf(0), keyOf(1)]);
    expect(exitCode).toBe(0);
  }));

test("after a failure the same command goes on without comparing again", () =>
  withFolder(async (folder) => {
    const bridge = await broken();
    const { enqueue } = bridge;
    bridge.enqueue = async () => {
      throw new Error("the queue is gone");
    };
    await expect(run(bridge, { folder, repair: true, yes: true })).rejects.toThrow("the queue is gone");
    bridge.enqueue = enqueue;
    const listed = bridge.from.calls.list ?? 0;
    const { exitCode } = await run(bridge, { folder, repair: true, yes: true });
    // Only the look at the bucket itself.
    expect((bridge.from.calls.list ?? 0) - listed).toBe(1);
    expect([...bridge.enqueued].sort()).toEqual(ALL);
    expect(exitCode).toBe(0);
    expect(await kindsIn(folder)).toHaveLength(7);
  }));
