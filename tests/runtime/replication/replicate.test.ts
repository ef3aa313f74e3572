import { planReplica } from "../../../runtime/replication/destination";
import { createLeaseStore, type Lease } from "../../../runtime/replication/lease";
import { type ReplicationDeps, replicate } from "../../../runtime/replication/replicate";
import { createSlots } from "../../../runtime/replication/slots";
import { snapshotId, takeSnapshot } from "../../../runtime/replication/snapshot";
import { storeSource } from "../../../runtime/replication/source";
import { SUPERSEDED } from "../../../runtime/replication/write";
import { MemoryStore } from "../../../runtime/stores/memory/store";
import { VirtualTime } from "../../support/virtual-time";
import { plain } from "../roles/push-fixture";
import { BRIDGE } from "../support/make-snapshot";

/** More than the fixture writes inline. */
const LARGE = "123456789";
const STOPPING = { result: "in-progress", reason: "an older copy of this key is being stopped" };

function open() {
  const clock = new VirtualTime();
  const source = new MemoryStore({ clock, name: "source" });
  const destination = new MemoryStore({ clock, name: "destination" });
  const control = new MemoryStore({ clock, name: "control" });
  const leases = createLeaseStore(control, "bridge");
  let ids = 0;
  const deps: ReplicationDeps = {
    config: { ...BRIDGE, destinationPrefix: "to/", inlineLimitBytes: 8, copiesAtOnce: 2 },
    destination,
    leases,
    slots: createSlots(control, { bridgeId: "bridge", clock }),
    clock,
    newId: () => `x${++ids}`,
  };
  const put = (text: string, key = "k") => source.put(key, Buffer.from(text), { sizeBytes: text.length, attributes: plain });
  const { signal } = new AbortController();
  /** Replicates what the source is now. */
  const run = async (key = "k", asked: { askedBefore?: true } = {}) => {
    const snapshot = await takeSnapshot(source, key);
    return await replicate(key, snapshot, storeSource(source, key), { ...deps, signal, ...asked });
  };
  const lease = async () => (await leases.read("to/k"))?.lease;
  const changeLease = async (changes: Partial<Lease>) => {
    const held = await leases.read("to/k");
    if (held === undefined) throw new Error("there is no lease");
    await leases.write({ ...held.lease, ...changes }, held);
  };
  return { clock, source, destination, control, leases, deps, signal, put, run, lease, changeLease };
}

/** A large object whose copy has its lease. */
async function leased() {
  const all = open();
  await all.put(LARGE);
  await all.run();
  return all;
}

describe("an archived object", () => {
  const archived = async (text: string, restore: "none" | "ongoing" | "done") => {
    const all = open();
    await all.put(text);
    all.source.setArchive("k", { storageClass: "GLACIER", restore });
    return all;
  };

  test.each([["1"], [LARGE]])(
    "that nobody restores is rejected with what to do, and no read and no copy begins (%s)",
    async (text) => {
      const all = await archived(text, "none");
      expect(await all.run()).toEqual({
        result: "rejected",
        place: "source",
        reason: expect.stringMatching(/^archived as GLACIER: restore it at the source, then redrive/),
      });
      expect([all.source.calls.get, await all.lease(), all.destination.keys()]).toEqual([undefined, undefined, []]);
    },
  );

  test.each([["1"], [LARGE]])("that is being restored waits (%s)", async (text) => {
    const all = await archived(text, "ongoing");
    const reason = "archived as GLACIER, and being restored";
    expect(await all.run()).toEqual({ result: "waiting", waitsFor: "restore", place: "source", reason });
    expect([all.source.calls.get, await all.lease()]).toEqual([undefined, undefined]);
  });

  test("that is restored is copied", async () => {
    const all = await archived("1", "done");
    expect(await all.run()).toEqual({ result: "replicated", bytesMoved: 1 });
  });

  test("that arrived before it was archived is unchanged", async () => {
    const all = await archived("1", "done");
    await all.run();
    all.source.setArchive("k", { storageClass: "GLACIER", restore: "none" });
    expect(await all.run()).toEqual({ result: "unchanged" });
    await all.source.putTags("k", { team: "blue" });
    expect(await all.run()).toMatchObject({ result: "rejected", reason: expect.stringMatching(/^archived as GLACIER/) });
  });
});

describe("a small object", () => {
  test("is written under the destination's prefix, and a second run changes nothing", async () => {
    const all = open();
    await all.put("1");
    expect(await all.run()).toEqual({ result: "replicated", bytesMoved: 1 });
    expect(all.destination.keys()).toEqual(["to/k"]);
    expect(await all.run()).toEqual({ result: "unchanged" });
  });

  test("deleted at the source: deleted at the destination, and a second run changes nothing", async () => {
    const all = open();
    await all.put("1");
    await all.run();
    await all.source.delete("k");
    expect(await all.run()).toEqual({ result: "replicated", bytesMoved: 0 });
    expect(await all.run()).toEqual({ result: "unchanged" });
    expect(all.destination.keys()).toEqual([]);
  });

  test("only its tags changed: no bytes move", async () => {
    const all = open();
    await all.put("1");
    await all.run();
    await all.source.putTags("k", { team: "blue" });
    expect(await all.run()).toEqual({ result: "replicated", bytesMoved: 0 });
    expect(await all.destination.getTags("to/k")).toEqual({ team: "blue" });
  });

  test("a user's copy of a replica carries the provenance, and no delete at the source touches it", async () => {
    const all = open();
    await all.put("1");
    await all.run();
    const replica = await all.destination.head("to/k");
    await all.destination.put("to/mine", Buffer.from("1"), {
      sizeBytes: 1,
      attributes: { ...plain, metadata: replica?.metadata ?? {} },
    });
    expect(await all.run("mine")).toEqual({
      result: "unchanged",
      reason: expect.stringMatching(/not written by this bridge/),
    });
    expect(all.destination.keys()).toEqual(["to/k", "to/mine"]);
  });

  test("the source has changed since its snapshot: superseded, nothing is written", async () => {
    const all = open();
    await all.put("1");
    const snapshot = await takeSnapshot(all.source, "k");
    await all.put("2");
    const source = storeSource(all.source, "k");
    expect(await replicate("k", snapshot, source, { ...all.deps, signal: all.signal })).toMatchObject({ result: "superseded" });
    expect(await replicate("k", undefined, source, { ...all.deps, signal: all.signal })).toEqual({ result: "unchanged" });
    await all.run();
    expect(await replicate("k", undefined, source, { ...all.deps, signal: all.signal })).toMatchObject({ result: "superseded" });
    expect(all.destination.keys()).toEqual(["to/k"]);
  });
});

test("the lease is read before the destination, so that the object of a copy that just ended is seen", async () => {
  const all = open();
  const order: string[] = [];
  for (const [name, store] of [
    ["lease", all.control],
    ["destination", all.destination],
  ] as const) {
    for (const op of ["get", "head"] as const) {
      const real = store[op].bind(store) as (...args: unknown[]) => Promise<unknown>;
      jest.spyOn(store, op as "get").mockImplementation((async (...args: unknown[]) => {
        order.push(`${name} asked`);
        return await real(...args).finally(() => order.push(`${name} answered`));
      }) as never);
    }
  }
  await all.run("gone", { askedBefore: true });
  expect(order).toEqual(["lease asked", "lease answered", "destination asked", "destination answered"]);
});

describe("the lease of a small object", () => {
  const small = async (asked: { askedBefore?: true }) => {
    const all = await leased();
    await all.put("new");
    return { all, result: await all.run("k", asked) };
  };

  test("is not read for a fresh look: the object is written, and the copy of the older one goes on until it sees the source", async () => {
    const reads = jest.fn();
    const all = await leased();
    jest.spyOn(all.leases, "read").mockImplementation(reads);
    await all.put("new");
    expect(await all.run()).toEqual({ result: "replicated", bytesMoved: 3 });
    expect(reads).not.toHaveBeenCalled();
  });

  test("is read for a look that was asked about before: the copy may be its own", async () => {
    const { all, result } = await small({ askedBefore: true });
    expect([result, (await all.lease())?.stop]).toEqual([STOPPING, true]);
  });
});

describe("a key or an object that the destination cannot hold is refused before anything is read", () => {
  test.each<[string, string, Partial<{ sizeBytes: number }>, RegExp]>([
    ["a key under the control prefix", ".crossborderbridge/x", {}, /control prefix/],
    ["a key that is too long with the prefix", "é".repeat(511), {}, /would have 1025 bytes, the store allows 1024/],
    ["an object that is too large", "k", { sizeBytes: Number.MAX_SAFE_INTEGER }, /more than the destination can hold/],
  ])("%s", async (_what, key, changes, reason) => {
    const all = open();
    await all.put("1");
    const snapshot = await takeSnapshot(all.source, "k");
    if (snapshot === undefined) throw new Error("nothing is at the source");
    const before = { ...all.source.calls };
    await expect(
      replicate(key, { ...snapshot, ...changes }, storeSource(all.source, key), { ...all.deps, signal: all.signal }),
    ).rejects.toMatchObject({ kind: "Invalid", message: expect.stringMatching(reason) });
    expect([all.destination.calls, all.control.calls, all.source.calls]).toEqual([{}, {}, before]);
  });

  test("a prefix under the control prefix", async () => {
    const all = open();
    all.deps.config.destinationPrefix = ".crossborderbridge/";
    await all.put("1");
    await expect(all.run()).rejects.toMatchObject({ kind: "Invalid", message: expect.stringMatching(/control prefix/) });
  });
});

describe("a large object", () => {
  test("its copy is leased: the lease names the execution and the snapshot that are to be copied", async () => {
    const all = open();
    await all.put(LARGE);
    const snapshot = await takeSnapshot(all.source, "k");
    expect(await all.run()).toEqual({ result: "copy-leased", copy: { execution: "x1", key: "to/k", sourceKey: "k", snapshot } });
    expect(await all.lease()).toEqual({
      version: 1,
      key: "to/k",
      execution: "x1",
      snapshotId: snapshot && snapshotId(snapshot),
      leaseUntilMs: all.clock.now() + 120_000,
      stop: false,
      reported: false,
    });
    expect(all.source.bytesRead).toBe(0);
  });

  test("a second request waits for the running copy", async () => {
    const all = await leased();
    expect(await all.run()).toEqual({ result: "in-progress" });
    expect((await all.lease())?.stop).toBe(false);
  });

  test("two concurrent requests: one copy", async () => {
    const all = open();
    await all.put(LARGE);
    const results = await Promise.all([all.run(), all.run()]);
    expect(results.map(({ result }) => result).sort()).toEqual(["copy-leased", "in-progress"]);
  });

  test("as many copies run as may run at once: waiting for room, no lease is written, and a small object is not affected", async () => {
    const all = open();
    for (const key of ["a", "b", "c"]) await all.put(LARGE, key);
    expect(await all.run("a")).toMatchObject({ result: "copy-leased" });
    expect(await all.run("b")).toMatchObject({ result: "copy-leased" });
    expect(await all.run("c")).toEqual({
      result: "waiting",
      waitsFor: "room",
      reason: "2 copies run, as many as copy.concurrency allows",
    });
    expect(all.control.keys().filter((name) => name.includes("leases/"))).toHaveLength(2);
    await all.put("small", "d");
    expect(await all.run("d")).toMatchObject({ result: "replicated" });
  });

  test("two requests for one key take one slot", async () => {
    const all = open();
    for (const key of ["k", "l"]) await all.put(LARGE, key);
    await Promise.all([all.run(), all.run()]);
    expect(await all.run("l")).toMatchObject({ result: "copy-leased" });
  });

  test("overwritten during the copy: the lease is marked to stop once, nothing else happens", async () => {
    const all = await leased();
    await all.put("new");
    expect(await all.run("k", { askedBefore: true })).toEqual(STOPPING);
    expect((await all.lease())?.stop).toBe(true);
    const writes = all.control.calls.put;
    expect(await all.run("k", { askedBefore: true })).toEqual(STOPPING);
    expect(all.control.calls.put).toBe(writes);
    expect(all.destination.keys()).toEqual([]);
  });

  test("its copy never began: when the lease has ended it is copied again, and no failure is reported", async () => {
    const all = await leased();
    all.clock.advance(119_999);
    expect(await all.run()).toEqual({ result: "in-progress" });
    all.clock.advance(1);
    expect(await all.run()).toMatchObject({
      result: "copy-leased",
      copy: { execution: "x2" },
      reason: expect.stringMatching(/^the copy did not begin in time/),
    });
  });

  test("its run died: reported once when the lease has ended, then copied again", async () => {
    const all = await leased();
    await all.changeLease({ run: "r1" });
    all.clock.advance(120_000);
    expect(await all.run()).toEqual({
      result: "retry",
      reason: "the copier ended without a result; the next ask resumes it",
    });
    expect(await all.run()).toMatchObject({ result: "copy-leased", copy: { execution: "x2" } });
  });

  test("its copier waits for a store: reported once, with the wait and the side", async () => {
    const all = await leased();
    const waiting = { waitsFor: "throttling", place: "source", retryAfterSeconds: 9, reason: "slow down" } as const;
    await all.changeLease({ run: "r1", outcome: { result: "waiting", bytesMoved: 4, ...waiting } });
    expect(await all.run()).toEqual({ result: "waiting", ...waiting });
    expect(await all.run()).toMatchObject({ result: "copy-leased" });
  });

  test("the source refused every read although it has not changed: superseded with the reason, once", async () => {
    const all = await leased();
    await all.changeLease({ run: "r1", outcome: { ...SUPERSEDED, bytesMoved: 0 } });
    expect(await all.run()).toEqual(SUPERSEDED);
    expect(await all.run()).toMatchObject({ result: "copy-leased" });
  });

  test.each(["retry", "rejected"] as const)(
    "its copy ended with %s: reported once, then copied anew from its parts",
    async (result) => {
      const all = await leased();
      const upload = { uploadId: "u", partSizeBytes: 4 };
      const difference = { what: "headers", name: "expires", wanted: "0" } as const;
      await all.changeLease({ upload, outcome: { result, reason: "why", difference } });
      expect(await all.run()).toEqual({ result, reason: "why", difference });
      expect(await all.run()).toMatchObject({ result: "copy-leased" });
      expect(await all.lease()).toMatchObject({ execution: "x2", upload });
      expect(all.destination.calls.abortUpload).toBeUndefined();
    },
  );

  test("its copy ran out of time: continued at once from its parts", async () => {
    const all = await leased();
    const upload = { uploadId: "u", partSizeBytes: 4 };
    await all.changeLease({ upload, outcome: { result: "continue" } });
    expect(await all.run()).toMatchObject({ result: "copy-leased" });
    expect(await all.lease()).toMatchObject({ execution: "x2", upload });
  });

  test.each([
    ["small", "new"],
    ["large", "987654321"],
  ])("overwritten by a %s one after its copy failed: the old upload is aborted first", async (what, text) => {
    const all = open();
    const { uploadId } = await all.destination.createUpload("to/k", { attributes: plain });
    await all.put(LARGE);
    await all.run();
    await all.changeLease({ upload: { uploadId, partSizeBytes: 4 }, outcome: { result: "retry" } });
    await all.put(text);
    await all.run("k", { askedBefore: true });
    expect(all.destination.openUploads()).toEqual([]);
    expect(await all.lease()).toEqual(what === "small" ? undefined : expect.objectContaining({ execution: "x2" }));
    expect((await all.lease())?.upload).toBeUndefined();
  });

  test("copied, and overwritten at the destination: copied again with a new upload", async () => {
    const all = await leased();
    await all.changeLease({ upload: { uploadId: "u", partSizeBytes: 4 }, outcome: { result: "replicated" } });
    expect(await all.run()).toMatchObject({ result: "copy-leased" });
    expect((await all.lease())?.upload).toBeUndefined();
    expect(all.destination.calls.abortUpload).toBeUndefined();
  });

  test.each<[NonNullable<Lease["outcome"]>["result"]]>([["replicated"], ["superseded"]])(
    "copied (%s): the lease is removed, the upload left alone",
    async (result) => {
      const all = await leased();
      await all.changeLease({ upload: { uploadId: "u", partSizeBytes: 4 }, outcome: { result } });
      const snapshot = await takeSnapshot(all.source, "k");
      if (snapshot === undefined) throw new Error("nothing is at the source");
      const { attributes } = planReplica({ destination: all.destination, bridge: BRIDGE, key: "to/k" }, snapshot, undefined);
      await all.destination.put("to/k", Buffer.from(LARGE), { sizeBytes: 9, attributes });
      expect(await all.run()).toEqual({ result: "unchanged" });
      expect(await all.lease()).toBeUndefined();
      expect(all.destination.calls.abortUpload).toBeUndefined();
    },
  );
});
