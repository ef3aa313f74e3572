/** Copies by copiers: leases, fences, resumption. */
import { type PullStageOptions, pullStage } from "../stage";

const COMPLETE = /copier .*: destination completeUpload$/;
const PART = /copier .*: destination uploadPart$/;

describe.each([true, false])("conditional writes: %s", (conditionalWrites) => {
  const open = (options: PullStageOptions = {}) => pullStage({ conditionalWrites, ...options });

  test("a read of the destination before the read of the lease proves nothing", async () => {
    const stage = open();
    await stage.does("write-large", "k", 1);
    // The copier has checked the source and is about to complete. Then the object is deleted.
    await stage.until(/copier .*: destination completeUpload$/);
    await stage.does("delete");
    // Both receivers start before the copy completes, and read the lease after it.
    stage.hold(/receiver .*: control get$/);
    stage.passTime(5_000);
    await stage.run();
    stage.release(/copier .*: destination completeUpload$/);
    await stage.run();
    stage.release(/receiver .*: control get$/);
    await stage.settle();
    expect(stage.seen()).toEqual(["11111111111", "absent"]);
  });

  test("copier started twice: one run copies, the other ends at once", async () => {
    const stage = open({ faults: [{ label: "launch", nth: 1, kind: "twice", hold: 0 }], batchSize: 5 });
    // If the slower run copied as well, it would complete after the newer object is written.
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

  test("small v2 is written while large v1 completes: v2 arrives at once, and the message of v1 repairs it if v1 lands later", async () => {
    const stage = open();
    await stage.does("write-large", "k", 1);
    await stage.until(COMPLETE);
    await stage.does("write-small", "k", 2);
    await stage.run();
    expect(stage.seen()).toEqual(["222222"]);
    // The message of v1 waits as long as its copier may complete.
    expect(stage.world.delivery.messages).toHaveLength(1);
    stage.release(COMPLETE);
    await stage.settle();
    const states = stage.seen().filter((one, index, all) => one !== all[index - 1]);
    expect(states).toEqual(conditionalWrites ? ["222222"] : ["222222", "11111111111", "222222"]);
  });

  test("a copier with a stop mark does not complete its copy", async () => {
    const stage = open({ batchSize: 5 });
    await stage.does("write-large", "k", 1);
    await stage.until(PART);
    // The bytes are equal, so only the stop mark shows that the copy is out of date.
    await stage.does("touch", "k", 7);
    await stage.run();
    stage.release(PART);
    await stage.settle();
    expect(stage.world.events).toContain("copier superseded");
    expect(stage.seen()).toEqual(["11111111111 touched 7"]);
    expect(stage.world.destination.openUploads()).toEqual([]);
  });

  test("overwritten while copied: the pinned reads fail, and the old object never becomes visible", async () => {
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

  test("copier crash: the next run resumes from the uploaded parts, and no byte moves twice", async () => {
    const stage = open({ faults: [{ label: "destination uploadPart", nth: 3, kind: "lose-answer-and-crash", hold: 0 }] });
    await stage.does("write-large", "k", 1);
    await stage.settle();
    expect(stage.seen()).toEqual(["11111111111"]);
    expect(stage.bytesMoved).toBe(11);
    expect(stage.world.destination.calls.createUpload).toBe(1);
    expect(stage.world.events).toContain("k retry the copier ended without a result; the next ask resumes it");
  });

  test("copier crash and resume with another part size: no old part is used", async () => {
    // Parts of 8 bytes split 11 bytes into 8 and 3. Only the second part arrives. It is as long as the second part of a copy with parts of 3.
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

  test("copier start lost: the key is copied after the lease has expired", async () => {
    const stage = open({ faults: [{ label: "launch", nth: 1, kind: "crash", hold: 0 }] });
    await stage.does("write-large", "k", 1);
    await stage.settle();
    expect(stage.seen()).toEqual(["11111111111"]);
    expect(stage.bytesMoved).toBe(11);
  });

  test("copier starts late: it finds its lease expired and ends", async () => {
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

  test("lease takeover aborts the old upload: a copier that outlives its hard end cannot complete", async () => {
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

  test("URL expires during the copy: the run ends, and the next run resumes with a fresh URL", async () => {
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
    // A continued copy is not a failed attempt.
    expect(stage.world.events.filter((event) => event.startsWith("k retry"))).toEqual([]);
  });

  test("completion with unknown result: a small object does not wait for it, and the message of the copy does", async () => {
    const stage = open({ faults: [{ label: "destination completeUpload", nth: 1, kind: "refuse", hold: 0 }] });
    await stage.does("write-large", "k", 1);
    await stage.run();
    await stage.does("write-small", "k", 2);
    await stage.run();
    expect(stage.seen()).toEqual(["222222"]);
    expect(stage.world.delivery.messages).toHaveLength(1);
    await stage.settle();
    expect(new Set(stage.seen())).toEqual(new Set(["222222"]));
  });

  test("a completed copy whose answer was lost frees its key at once", async () => {
    const stage = open({ faults: [{ label: "destination completeUpload", nth: 1, kind: "lose-answer", hold: 0 }] });
    await stage.does("write-large", "k", 1);
    await stage.run();
    await stage.does("write-small", "k", 2);
    await stage.run();
    expect(stage.seen()).toEqual(["11111111111", "222222"]);
  });
});
