/** Copies that run beside everything else: leases, fences, resumption. */
import { type PullStageOptions, pullStage } from "../stage";

const COMPLETE = /copier .*: destination completeUpload$/;
const PART = /copier .*: destination uploadPart$/;

describe.each([true, false])("conditional writes: %s", (conditionalWrites) => {
  const open = (options: PullStageOptions = {}) => pullStage({ conditionalWrites, ...options });

  test("a look at the destination that is older than the look at the lease proves nothing", async () => {
    const stage = open();
    await stage.does("write-large", "k", 1);
    // The copier has made sure of the source and is about to complete; then the object is deleted.
    await stage.until(/copier .*: destination completeUpload$/);
    await stage.does("delete");
    // Both messages ask before the copy lands, and learn of the lease after it.
    stage.hold(/receiver .*: control get$/);
    stage.passTime(5_000);
    await stage.run();
    stage.release(/copier .*: destination completeUpload$/);
    await stage.run();
    stage.release(/receiver .*: control get$/);
    await stage.settle();
    expect(stage.seen()).toEqual(["11111111111", "absent"]);
  });

  test("copier started twice: one run works, the other leaves at once", async () => {
    const stage = open({ faults: [{ label: "launch", nth: 1, kind: "twice", hold: 0 }], batchSize: 5 });
    // If the slower run worked as well, it would be about to complete when the other one is done and a newer state is written.
    stage.hold(/copier .* run 4: destination completeUpload$/);
    await stage.does("write-large", "k", 1);
    await stage.run();
    await stage.does("write-small", "k", 2);
    stage.passTime(5_000);
    await stage.run();
    stage.release(/copier .* run 4: destination completeUpload$/);
    await stage.settle();
    expect(stage.seen()).toEqual(["11111111111", "222222"]);
    expect(stage.world.events.filter((event) => event.startsWith("copier")).sort()).toEqual([
      "copier not-mine",
      "copier replicated",
    ]);
    expect(stage.bytesMoved).toBe(11 + 6);
  });

  test("a copy that outlives its snapshot: large v1 is still being copied when small v2 is written", async () => {
    const stage = open();
    await stage.does("write-large", "k", 1);
    await stage.until(COMPLETE);
    await stage.does("write-small", "k", 2);
    await stage.run();
    // v2 is not written, and so not acknowledged, while the old copier may still complete.
    expect(stage.seen()).toEqual([]);
    expect(stage.world.delivery.messages).toHaveLength(2);
    stage.release(COMPLETE);
    await stage.settle();
    expect(stage.seen().filter((one, index, all) => one !== all[index - 1])).toEqual(["11111111111", "222222"]);
  });

  test("a copy that outlives its snapshot: stopped before its last look at the lease, it completes nothing", async () => {
    const stage = open({ batchSize: 5 });
    await stage.does("write-large", "k", 1);
    await stage.until(PART);
    // Equal bytes: neither the pinned reads nor the look at the source notice, only the mark does.
    await stage.does("touch", "k", 7);
    await stage.run();
    stage.release(PART);
    await stage.settle();
    expect(stage.world.events).toContain("copier superseded");
    expect(stage.seen()).toEqual(["11111111111 touched 7"]);
    expect(stage.world.destination.openUploads()).toEqual([]);
  });

  test("overwritten while copied: the pinned parts fail, nothing of the old object is ever visible", async () => {
    const stage = open({ batchSize: 5, sourceChecksums: false });
    await stage.does("write-large", "k", 1);
    await stage.until(/copier .*: source get$/);
    await stage.does("write-large", "k", 2);
    stage.release(/copier .*: source get$/);
    await stage.settle();
    expect(stage.seen()).toEqual(["22222222222"]);
    expect(stage.bytesMoved).toBe(11);
    expect(stage.world.destination.openUploads()).toEqual([]);
  });

  test("deleted while copied: nothing becomes visible", async () => {
    const stage = open();
    await stage.does("write-large", "k", 1);
    await stage.until(PART);
    await stage.does("delete");
    stage.release(PART);
    await stage.settle();
    expect(stage.seen()).toEqual([]);
    expect(stage.world.destination.openUploads()).toEqual([]);
  });

  test("copier crash and resume from the parts that are there: no byte moves twice", async () => {
    const stage = open({ faults: [{ label: "destination uploadPart", nth: 3, kind: "lose-answer-and-crash", hold: 0 }] });
    await stage.does("write-large", "k", 1);
    await stage.settle();
    expect(stage.seen()).toEqual(["11111111111"]);
    expect(stage.bytesMoved).toBe(11);
    expect(stage.world.destination.calls.createUpload).toBe(1);
    expect(stage.world.events).toContain("k retry the copier ended without a result; the next ask resumes it");
  });

  test("copier crash and resume with parts of another size: none is taken for what it is not", async () => {
    // 11 bytes in parts of 8 are 8 and 3. Only the second arrives, and it is as long as a second part of 3 would be.
    const stage = open({
      sourceChecksums: false,
      faults: [{ label: "destination uploadPart", nth: 1, kind: "crash", hold: 0 }],
    });
    stage.world.settings.partBytes = 8;
    await stage.world.source.put("k", Buffer.from("abcdefghijk"), {
      sizeBytes: 11,
      attributes: { headers: {}, metadata: {}, tags: {} },
    });
    stage.world.notify("k");
    await stage.run();
    expect(stage.world.destination.openUploads()).toMatchObject([{ parts: [{ partNumber: 2, sizeBytes: 3 }] }]);
    stage.world.settings.partBytes = 3;
    await stage.settle();
    expect(stage.seen()).toEqual(["abcdefghijk"]);
    expect(stage.world.destination.openUploads()).toEqual([]);
  });

  test("copier start lost: the key is asked for until the lease of the start has run out, then copied", async () => {
    const stage = open({ faults: [{ label: "launch", nth: 1, kind: "crash", hold: 0 }] });
    await stage.does("write-large", "k", 1);
    await stage.settle();
    expect(stage.seen()).toEqual(["11111111111"]);
    expect(stage.bytesMoved).toBe(11);
  });

  test("copier start that comes late: it finds its lease run out, and leaves", async () => {
    const stage = open({ batchSize: 5 });
    await stage.does("write-large", "k", 1);
    await stage.until(/copier x2 begins$/);
    stage.passTime(121_000);
    await stage.does("write-small", "k", 2);
    await stage.run();
    stage.release(/copier x2 begins$/);
    await stage.settle();
    expect(stage.world.events).toContain("copier not-mine");
    expect(stage.seen()).toEqual(["222222"]);
    expect(stage.bytesMoved).toBe(6);
  });

  test("lease takeover fences the old upload: not even a copier that outlives everything can complete", async () => {
    const stage = open({ batchSize: 5 });
    await stage.does("write-large", "k", 1);
    await stage.until(COMPLETE);
    const [upload] = stage.world.destination.openUploads();
    // The copier hangs beyond its hard end and its lease.
    for (let minutes = 0; minutes < 4; minutes++) stage.passTime(60_000);
    await stage.does("write-small", "k", 2);
    await stage.run();
    expect(stage.seen()).toEqual(["222222"]);
    expect(stage.world.destination.openUploads()).toEqual([]);
    await expect(stage.world.destination.completeUpload("k", upload?.uploadId ?? "", upload?.parts ?? [])).rejects.toMatchObject({
      kind: "NotFound",
    });
    stage.release(COMPLETE);
    await stage.settle();
    expect(stage.seen()).toEqual(["222222"]);
  });

  test("URL expired in mid copy: the run ends with that reason, the next one resumes with a fresh URL", async () => {
    const stage = open({ urlExpiresInSeconds: 60 });
    await stage.does("write-large", "k", 1);
    await stage.until(/copier .*: destination uploadPart answered$/);
    stage.passTime(61_000);
    stage.release(/copier .*: destination uploadPart answered$/);
    await stage.settle();
    expect(stage.world.events.filter((event) => event.startsWith("copier"))).toEqual(["copier continue", "copier replicated"]);
    expect(stage.seen()).toEqual(["11111111111"]);
    expect(stage.bytesMoved).toBe(11);
    expect(stage.world.destination.calls.createUpload).toBe(1);
    // Going on is no failed attempt.
    expect(stage.world.events.filter((event) => event.startsWith("k retry"))).toEqual([]);
  });

  test("completion of unknown outcome: nobody writes the key before the lease has run out", async () => {
    const stage = open({ faults: [{ label: "destination completeUpload", nth: 1, kind: "refuse", hold: 0 }] });
    await stage.does("write-large", "k", 1);
    await stage.run();
    await stage.does("write-small", "k", 2);
    await stage.run();
    expect(stage.seen()).toEqual([]);
    await stage.settle();
    expect(new Set(stage.seen())).toEqual(new Set(["222222"]));
  });

  test("a completion whose answer was lost and that has landed frees its key at once", async () => {
    const stage = open({ faults: [{ label: "destination completeUpload", nth: 1, kind: "lose-answer", hold: 0 }] });
    await stage.does("write-large", "k", 1);
    await stage.run();
    await stage.does("write-small", "k", 2);
    await stage.run();
    expect(stage.seen()).toEqual(["11111111111", "222222"]);
  });
});
