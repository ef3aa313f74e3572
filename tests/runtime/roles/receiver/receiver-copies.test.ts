/** What the receiver makes of large objects and of the leases of their copies. */

import { replicaAttributes } from "../../../../runtime/replication/destination";
import type { Lease } from "../../../../runtime/replication/lease";
import { snapshotId } from "../../../../runtime/replication/snapshot";
import { BridgeError } from "../../../../runtime/stores/errors";
import { BRIDGE } from "../../support/make-snapshot";
import { LARGE, open, plain } from "./receiver-fixture";

describe("a large object", () => {
  test("the lease is there before the copier is started, and names the same copy", async () => {
    const all = open();
    await all.put("k", LARGE);
    let seen: Lease | undefined;
    jest.spyOn(all.launcher, "start").mockImplementation(async (job) => {
      seen = await all.leaseOf("k");
      all.jobs.push(job);
    });
    const notice = await all.noticeOf("k");
    expect(await all.ask([notice])).toEqual([{ key: "k", result: "in-progress" }]);
    const snapshot = notice.state === "present" ? notice.snapshot : undefined;
    expect(all.jobs).toEqual([{ execution: "x1", key: "to/k", url: notice.url, snapshot }]);
    expect(seen).toEqual({
      version: 1,
      key: "to/k",
      execution: "x1",
      snapshotId: snapshot && snapshotId(snapshot),
      leaseUntilMs: all.clock.now() + 120_000,
      stop: false,
      reported: false,
    });
  });

  test("asked for again: it waits for the copy that runs", async () => {
    const all = open();
    await all.put("k", LARGE);
    await all.about("k");
    expect(await all.about("k")).toEqual([{ key: "k", result: "in-progress" }]);
    expect(all.jobs).toHaveLength(1);
    expect((await all.leaseOf("k"))?.stop).toBe(false);
  });

  test("asked for twice at once: one copy", async () => {
    const all = open();
    await all.put("k", LARGE);
    expect(await Promise.all([all.about("k"), all.about("k")])).toEqual([
      [{ key: "k", result: "in-progress" }],
      [{ key: "k", result: "in-progress" }],
    ]);
    expect(all.jobs).toHaveLength(1);
  });

  test("overwritten meanwhile: the lease is marked, nothing else happens", async () => {
    const all = open();
    await all.put("k", LARGE);
    await all.about("k");
    await all.put("k", "new");
    const expected = [{ key: "k", result: "in-progress", reason: "an older copy of this key is being stopped" }];
    expect(await all.about("k")).toEqual(expected);
    expect((await all.leaseOf("k"))?.stop).toBe(true);
    const writes = all.control.calls.put;
    expect(await all.about("k")).toEqual(expected);
    expect(all.control.calls.put).toBe(writes);
    expect(all.destination.keys()).toEqual([]);
  });

  test("the start fails: asked for again, and the lease of the start keeps others away until it has run out", async () => {
    const all = open();
    await all.put("k", LARGE);
    jest.spyOn(all.launcher, "start").mockRejectedValueOnce(new BridgeError("RateLimited", "start", "too many starts"));
    expect(await all.about("k")).toEqual([{ key: "k", result: "retry", reason: "too many starts" }]);
    expect(await all.about("k")).toEqual([{ key: "k", result: "in-progress" }]);
    all.clock.advance(120_000);
    expect(await all.about("k")).toEqual([
      { key: "k", result: "retry", reason: "the copier ended without a result; the next ask resumes it" },
    ]);
    expect(await all.about("k")).toEqual([{ key: "k", result: "in-progress" }]);
    expect(all.jobs).toHaveLength(1);
  });

  test.each<["retry" | "rejected", "retry" | "rejected"]>([
    ["retry", "retry"],
    ["rejected", "rejected"],
  ])("its copy ended with %s: told once, then copied anew from its parts", async (outcome, result) => {
    const all = open();
    await all.put("k", LARGE);
    await all.about("k");
    const upload = { uploadId: "u", partSizeBytes: 4 };
    await all.changeLease("k", { upload, outcome: { result: outcome, reason: "why" } });
    expect(await all.about("k")).toEqual([{ key: "k", result, reason: "why" }]);
    expect(await all.about("k")).toEqual([{ key: "k", result: "in-progress" }]);
    expect(await all.leaseOf("k")).toMatchObject({ execution: "x2", upload });
    expect(all.destination.calls.abortUpload).toBeUndefined();
  });

  test("its copy ended for lack of time: copied on at once", async () => {
    const all = open();
    await all.put("k", LARGE);
    await all.about("k");
    await all.changeLease("k", { upload: { uploadId: "u", partSizeBytes: 4 }, outcome: { result: "continue" } });
    expect(await all.about("k")).toEqual([{ key: "k", result: "in-progress" }]);
    expect(all.jobs).toHaveLength(2);
  });

  test.each([
    ["small", "new"],
    ["large", "987654321"],
  ])("overwritten by a %s one after its copy failed: the old upload is aborted first", async (_what, text) => {
    const all = open();
    const { uploadId } = await all.destination.createUpload("to/k", { attributes: plain });
    await all.put("k", LARGE);
    await all.about("k");
    await all.changeLease("k", { upload: { uploadId, partSizeBytes: 4 }, outcome: { result: "retry" } });
    await all.put("k", text);
    await all.about("k");
    expect(all.destination.openUploads()).toEqual([]);
    expect(await all.leaseOf("k")).toEqual(text === "new" ? undefined : expect.objectContaining({ execution: "x2" }));
    expect((await all.leaseOf("k"))?.upload).toBeUndefined();
  });

  test("copied: the lease is cleared away, the upload left alone", async () => {
    const all = open();
    await all.put("k", LARGE);
    await all.about("k");
    await all.changeLease("k", { upload: { uploadId: "u", partSizeBytes: 4 }, outcome: { result: "replicated" } });
    const notice = await all.noticeOf("k");
    if (notice.state === "absent") throw new Error("nothing is at the source");
    const attributes = replicaAttributes(notice.snapshot, BRIDGE, "to/k");
    await all.destination.put("to/k", Buffer.from(LARGE), { sizeBytes: 9, attributes });
    expect(await all.ask([notice])).toEqual([{ key: "k", result: "unchanged" }]);
    expect(await all.leaseOf("k")).toBeUndefined();
    expect(all.destination.calls.abortUpload).toBeUndefined();
  });
});
