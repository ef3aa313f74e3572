/** An archived object cannot be read. One letter says so; a restore that runs is waited for. */
import type { Archive } from "../../../runtime/stores/unreadable";
import { pullStage } from "../stage";

const archived = async (restore: Archive["restore"], size: "write-small" | "write-large" = "write-small") => {
  const stage = pullStage();
  const { source } = stage.world;
  await stage.does(size, "k", 1);
  source.setArchive("k", { storageClass: "GLACIER", restore });
  /** The restore is complete, and the store says so. */
  const restored = () => {
    source.setArchive("k", { storageClass: "GLACIER", restore: "done" });
    stage.world.notify("k");
  };
  return { stage, restored };
};

test.each(["write-small", "write-large"] as const)(
  "nobody restores it (%s): one letter, at once, with what to do",
  async (size) => {
    const { stage, restored } = await archived("none", size);
    const startMs = stage.world.time.now();
    await stage.settle({ mayPark: true });
    expect(stage.world.time.now() - startMs).toBeLessThan(60_000);
    expect(stage.world.parked.map(({ look, reason }) => [look.key, reason])).toEqual([
      ["k", expect.stringMatching(/^archived as GLACIER: restore it at the source/)],
    ]);
    stage.world.parked.length = 0;
    restored();
    await stage.settle();
    expect(stage.seen()).toEqual([size === "write-small" ? "111111" : "11111111111"]);
  },
);

test.each(["write-small", "write-large"] as const)(
  "it is being restored (%s): the key waits, and arrives after the restore",
  async (size) => {
    const { stage, restored } = await archived("ongoing", size);
    stage.hold(/: acknowledge$/);
    await stage.run();
    expect(stage.world.parked).toEqual([]);
    expect(stage.world.events).toEqual(["k waiting archived as GLACIER, and being restored"]);
    stage.release(/: acknowledge$/);
    restored();
    await stage.settle();
    expect(stage.seen()).toEqual([size === "write-small" ? "111111" : "11111111111"]);
  },
);

test("an archived object that arrived before is not read again, and is no letter", async () => {
  const { stage } = await archived("done");
  await stage.settle();
  stage.world.source.setArchive("k", { storageClass: "GLACIER", restore: "none" });
  stage.world.notify("k");
  await stage.settle();
  expect(stage.world.events).toEqual(["k replicated", "k unchanged"]);
});
