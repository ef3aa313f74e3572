/** Objects with equal etag, size or time, and clocks that are wrong or coarse. */
import { pullStage } from "../stage";

describe.each([true, false])("source checksums: %s", (sourceChecksums) => {
  test("coarse clocks: two objects of one size within one second are two states", async () => {
    const stage = pullStage({ sourceChecksums });
    await stage.does("write-small", "k", 1);
    await stage.settle();
    const before = stage.world.source.snapshotOf("k")?.lastModified;
    await stage.does("write-small", "k", 2);
    expect(stage.world.source.snapshotOf("k")?.lastModified).toEqual(before);
    await stage.settle();
    expect(stage.seen()).toEqual(["111111", "222222"]);
  });

  test.each([true, false])("same etag, other metadata (versions: %s): it is replicated", async (versionedSource) => {
    const stage = pullStage({ sourceChecksums, versionedSource });
    await stage.does("write-small", "k", 1);
    await stage.settle();
    const etag = stage.world.source.snapshotOf("k")?.etag;
    await stage.does("touch", "k", 7);
    expect(stage.world.source.snapshotOf("k")?.etag).toBe(etag);
    await stage.settle();
    expect(stage.seen()).toEqual(["111111", "111111 touched 7"]);
  });

  test("same etag, other metadata, while it is copied: the re-read compares more than the etag", async () => {
    const stage = pullStage({ sourceChecksums });
    await stage.does("write-small", "k", 1);
    await stage.until(/receiver \d+: destination put$/);
    // No event is sent for this write. Only the sender's re-read can find it.
    await stage.world.source.put("k", Buffer.from("111111"), {
      sizeBytes: 6,
      attributes: { headers: { contentType: "text/plain" }, metadata: { written: "1", touched: "7" }, tags: {} },
    });
    stage.release(/receiver \d+: destination put$/);
    await stage.settle();
    expect(stage.seen()).toEqual(["111111", "111111 touched 7"]);
  });

  test("same etag, other tags: the tags are replicated, and no bytes move", async () => {
    const stage = pullStage({ sourceChecksums });
    await stage.does("write-large", "k", 1);
    await stage.settle();
    const moved = stage.bytesMoved;
    await stage.does("retag", "k", 7);
    await stage.settle();
    expect(stage.world.destination.snapshotOf("k")?.tags).toEqual({ retagged: "7" });
    expect(stage.bytesMoved).toBe(moved);
  });

  test("older version restored with its old lastModified: the destination gets the older version", async () => {
    const stage = pullStage({ sourceChecksums, versionedSource: true });
    await stage.does("write-small", "k", 1);
    await stage.settle();
    const first = stage.world.source.snapshotOf("k")?.lastModified as Date;
    stage.passTime(60_000);
    await stage.does("write-small", "k", 2);
    await stage.settle();
    await stage.does("restore");
    expect(stage.world.source.snapshotOf("k")?.lastModified).toEqual(first);
    await stage.settle();
    expect(stage.seen()).toEqual(["111111", "222222", "111111"]);
  });

  test.each([-86_400_000, 86_400_000])(
    "clock skew of %s ms: copies, overwrites and deletes are replicated",
    async (sourceSkewMs) => {
      const stage = pullStage({ sourceChecksums, sourceSkewMs });
      await stage.does("write-small", "k", 1);
      await stage.settle();
      await stage.does("write-large", "k", 2);
      await stage.settle();
      await stage.does("delete");
      await stage.settle();
      expect(stage.seen()).toEqual(["111111", "22222222222", "absent"]);
    },
  );
});
