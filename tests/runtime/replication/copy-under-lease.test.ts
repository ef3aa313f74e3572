import { copyUnderLease } from "../../../runtime/replication/copy-under-lease";
import { createLeaseStore, type Lease } from "../../../runtime/replication/lease";
import { createSlots } from "../../../runtime/replication/slots";
import { snapshotId, takeSnapshot } from "../../../runtime/replication/snapshot";
import type { BoundSource } from "../../../runtime/replication/source";
import { BridgeError } from "../../../runtime/stores/errors";
import { MemoryStore } from "../../../runtime/stores/memory/store";
import { VirtualTime } from "../../support/virtual-time";
import { memorySource } from "../support/memory-reader";
import { recordingLogger } from "../support/recording-logger";

const config = { bridgeId: "bridge", sourceId: "aws:source", timeoutSeconds: 900, partSizeBytes: 4, partsAtOnce: 1 };
const CONTENT = "abcdefghijk";
const START_GRACE_MS = 120_000;
const plain = { headers: {}, metadata: {}, tags: {} };

async function open() {
  const clock = new VirtualTime();
  const store = new MemoryStore({ clock, name: "source" });
  const destination = new MemoryStore({ clock, capabilities: { minPartSizeBytes: 1 } });
  const control = new MemoryStore({ clock });
  const leases = createLeaseStore(control, "bridge");
  const slots = createSlots(control, { bridgeId: "bridge", clock });
  await store.put("k", Buffer.from(CONTENT), { sizeBytes: CONTENT.length, attributes: plain });
  const snapshot = await takeSnapshot(store, "k");
  if (snapshot === undefined) throw new Error("the source object is gone");
  const copy = { execution: "x1", key: "k", sourceKey: "k", snapshot };
  const written: Lease = {
    version: 1,
    key: "k",
    execution: "x1",
    snapshotId: snapshotId(snapshot),
    leaseUntilMs: clock.now() + START_GRACE_MS,
    stop: false,
    reported: false,
  };
  await leases.write(written, undefined);
  const source = memorySource(store, "k");
  const remaining = { ms: 900_000 };
  let runs = 0;
  const deps = {
    config,
    destination,
    leases,
    slots,
    clock,
    logger: recordingLogger(),
    newId: () => `r${++runs}`,
    random: () => 0.5,
    sleep: async () => undefined,
    triesPerPart: 1,
  };
  const run = (changes: { source?: Partial<BoundSource>; bind?: () => BoundSource; mayStream?: boolean } = {}) =>
    copyUnderLease(
      copy,
      changes.bind ?? (() => ({ ...source, ...changes.source })),
      { ...deps, mayStream: changes.mayStream ?? false },
      { remainingMs: () => remaining.ms },
    );
  const lease = async () => (await leases.read("k"))?.lease;
  const change = async (changes: Partial<Lease>) => {
    const held = await leases.read("k");
    if (held === undefined) throw new Error("there is no lease");
    await leases.write({ ...held.lease, ...changes }, held);
  };
  return { clock, store, destination, leases, slots, copy, source, remaining, written, run, lease, change };
}

describe("taking up the lease", () => {
  test("it is extended over the whole run and its last request", async () => {
    const all = await open();
    all.remaining.ms = 600_000;
    let seen: Lease | undefined;
    const watch: BoundSource["open"] = async (options) => {
      seen ??= await all.lease();
      return await all.source.open(options);
    };
    await all.run({ source: { open: watch } });
    expect(seen).toMatchObject({ run: "r1", leaseUntilMs: all.clock.now() + 600_000 + 60_000 });
  });

  test("never longer than the function's own timeout", async () => {
    const all = await open();
    all.remaining.ms = 10_000_000;
    await all.run();
    expect((await all.lease())?.leaseUntilMs).toBe(all.clock.now() + 900_000 + 60_000);
  });

  test.each<[string, (all: Awaited<ReturnType<typeof open>>) => Promise<unknown> | unknown]>([
    ["there is none", async ({ leases }) => await leases.read("k").then((held) => held && leases.remove(held))],
    ["it names another copy", ({ change }) => change({ execution: "x2" })],
    ["another run has taken it", ({ change }) => change({ run: "other" })],
    ["it has run out", ({ clock }) => clock.advance(START_GRACE_MS)],
    ["it is over", ({ change }) => change({ outcome: { result: "superseded" } })],
  ])("%s: the lease is not this run's, and nothing happens", async (_what, prepare) => {
    const all = await open();
    await prepare(all);
    const before = await all.leases.read("k");
    expect(await all.run()).toEqual({ result: "not-mine" });
    expect(await all.leases.read("k")).toEqual(before);
    expect(all.store.bytesRead).toBe(0);
    expect(all.destination.calls).toEqual({});
  });

  test("two concurrent runs: one works", async () => {
    const all = await open();
    const results = await Promise.all([all.run(), all.run()]);
    expect(results.map(({ result }) => result).sort()).toEqual(["not-mine", "replicated"]);
    expect(all.store.bytesRead).toBe(CONTENT.length);
  });
});

describe("the slot", () => {
  const limits = (untilMs: number) => ({ untilMs, limit: 1 });
  const other = { execution: "other", key: "other" };

  test("is kept during the run, and free after it", async () => {
    const all = await open();
    const until = all.clock.now() + START_GRACE_MS;
    await all.slots.take({ execution: "x1", key: "k" }, limits(until));
    let during: boolean | undefined;
    const taking: BoundSource["open"] = async (options) => {
      // Longer than a start may take: the slot now lasts as long as the lease of the run.
      all.clock.advance(START_GRACE_MS);
      during ??= await all.slots.take(other, limits(until + START_GRACE_MS));
      return await all.source.open(options);
    };
    await all.run({ source: { open: taking } });
    expect(during).toBe(false);
    expect(await all.slots.take(other, limits(all.clock.now() + 1))).toBe(true);
  });

  test.each(["fails", "cannot record its outcome"])("is free after a run that %s", async (how) => {
    const all = await open();
    if (how === "fails") jest.spyOn(all.destination, "createUpload").mockRejectedValue(new TypeError("defect"));
    else {
      const write = all.leases.write.bind(all.leases);
      jest
        .spyOn(all.leases, "write")
        .mockImplementationOnce(write)
        .mockRejectedValue(new BridgeError("Unavailable", "put", "gone"));
    }
    await all.run().catch(() => undefined);
    expect(await all.slots.take(other, limits(all.clock.now() + 1))).toBe(true);
  });

  test("that cannot be freed is logged, and does not change the outcome", async () => {
    const all = await open();
    jest.spyOn(all.slots, "release").mockRejectedValue(new BridgeError("Unavailable", "put", "no answer"));
    expect(await all.run()).toMatchObject({ result: "replicated" });
  });
});

describe("the outcome", () => {
  test("replicated, with the bytes that moved", async () => {
    const all = await open();
    expect(await all.run()).toEqual({ result: "replicated", bytesMoved: 11 });
    expect(await all.lease()).toMatchObject({ outcome: { result: "replicated", bytesMoved: 11 } });
    expect(Buffer.from(all.destination.snapshotOf("k")?.bytes ?? []).toString()).toBe(CONTENT);
  });

  test("marked before it began: superseded, nothing moves", async () => {
    const all = await open();
    await all.change({ stop: true });
    expect(await all.run()).toMatchObject({ result: "superseded", bytesMoved: 0 });
    expect(await all.lease()).toMatchObject({ stop: true, outcome: { result: "superseded" } });
    expect(all.destination.openUploads()).toEqual([]);
  });

  test.each([
    ["seen after 30 s, before the next part", 30_000, 4],
    ["seen before the completion, at the latest", 0, 11],
  ])("marked during the copy: %s, superseded", async (_when, passesMs, bytesMoved) => {
    const all = await open();
    const marking: BoundSource["open"] = async (options) => {
      await all.change({ stop: true });
      all.clock.advance(passesMs);
      return await all.source.open(options);
    };
    expect(await all.run({ source: { open: marking } })).toMatchObject({ result: "superseded", bytesMoved });
    expect(all.destination.keys()).toEqual([]);
    expect(all.destination.openUploads()).toEqual([]);
  });

  test("the lease is read when it is taken, and right before the completion: not for each part", async () => {
    const all = await open();
    const order: string[] = [];
    for (const name of ["read", "write"] as const) {
      const call = all.leases[name].bind(all.leases) as (...of: unknown[]) => Promise<unknown>;
      jest.spyOn(all.leases, name).mockImplementation(((...of: unknown[]) => {
        order.push(name);
        return call(...of);
      }) as never);
    }
    const complete = all.destination.completeUpload.bind(all.destination);
    jest.spyOn(all.destination, "completeUpload").mockImplementation((...of) => {
      order.push("complete");
      return complete(...of);
    });
    expect(await all.run()).toMatchObject({ result: "replicated" });
    // Taken, the upload recorded, completed, the outcome recorded.
    expect(order).toEqual(["read", "write", "write", "read", "complete", "write"]);
  });

  test("a lease that is about to end is read before each part", async () => {
    const all = await open();
    const late: BoundSource["open"] = async (options) => {
      const opened = await all.source.open(options);
      // The run hangs beyond its hard end. Its lease was taken over meanwhile.
      all.clock.advance(900_001);
      await all.change({ execution: "x2", run: "other" });
      return opened;
    };
    expect(await all.run({ source: { open: late } })).toMatchObject({ result: "superseded" });
    expect(all.destination.keys()).toEqual([]);
  });

  test("the first run may copy as one stream, later runs copy in parts", async () => {
    const all = await open();
    jest.spyOn(all.destination, "put").mockRejectedValue(new BridgeError("PermissionDenied", "put", "no"));
    expect(await all.run({ mayStream: true })).toMatchObject({ result: "retry" });
    expect(all.destination.calls.createUpload).toBeUndefined();
    await all.change({ execution: "x2", run: undefined, outcome: undefined });
    all.copy.execution = "x2";
    expect(await all.run({ mayStream: true })).toMatchObject({ result: "replicated" });
    expect(all.destination.calls.completeUpload).toBe(1);
  });

  test("taken over during the copy: superseded, and the new lease is unchanged", async () => {
    const all = await open();
    const taking: BoundSource["open"] = async (options) => {
      await all.change({ execution: "x2", run: "other" });
      return await all.source.open(options);
    };
    expect(await all.run({ source: { open: taking } })).toMatchObject({ result: "superseded" });
    expect(await all.lease()).toMatchObject({ execution: "x2", run: "other" });
    expect((await all.lease())?.outcome).toBeUndefined();
    expect(all.destination.keys()).toEqual([]);
  });

  test("the lease expires during the copy: superseded, nothing is completed", async () => {
    const all = await open();
    const expiring: BoundSource["open"] = async (options) => {
      await all.change({ leaseUntilMs: all.clock.now() });
      return await all.source.open(options);
    };
    expect(await all.run({ source: { open: expiring } })).toMatchObject({ result: "superseded" });
    expect(all.destination.keys()).toEqual([]);
  });

  test("out of time: unfinished, and the next run continues", async () => {
    const all = await open();
    const slow: BoundSource["open"] = async (options) => {
      all.remaining.ms = 19_999;
      return await all.source.open(options);
    };
    expect(await all.run({ source: { open: slow } })).toEqual({
      result: "continue",
      reason: "the copier's time ran out",
      bytesMoved: 4,
    });
    const held = await all.leases.read("k");
    const { upload } = held?.lease ?? {};
    expect(upload).toEqual({ uploadId: expect.any(String), partSizeBytes: 4 });
    await all.leases.write({ ...all.written, execution: "x2", ...(upload && { upload }) }, held);
    all.remaining.ms = 900_000;
    all.copy.execution = "x2";
    expect(await all.run()).toEqual({ result: "replicated", bytesMoved: 7 });
    expect(all.store.bytesRead).toBe(CONTENT.length);
  });

  test("a URL that nothing can be read with: a failed attempt, so that it cannot repeat for ever", async () => {
    const all = await open();
    const expired = () => Promise.reject(new BridgeError("PermissionDenied", "read", "the presigned URL has expired"));
    expect(await all.run({ source: { open: expired } })).toEqual({
      result: "retry",
      reason: "aws:source: the presigned URL has expired",
      place: "source",
      bytesMoved: 0,
    });
  });

  test.each<[string, Error, string, string]>([
    ["a permanent one", new BridgeError("Invalid", "read", "no such range"), "rejected", "aws:source: no such range"],
    ["a defect", new TypeError("secret internals"), "retry", "unexpected failure in the copier"],
  ])("%s: %s", async (_what, error, result, reason) => {
    const all = await open();
    expect(await all.run({ source: { open: () => Promise.reject(error) } })).toMatchObject({ result, reason, bytesMoved: 0 });
    expect(await all.lease()).toMatchObject({ outcome: { result, reason } });
  });

  test.each([
    ["Unavailable", "store", "source"],
    ["RateLimited", "throttling", "source"],
    ["Unavailable", "store", "destination"],
  ] as const)("%s: waits for %s of the %s", async (kind, waitsFor, place) => {
    const all = await open();
    const fail = () => Promise.reject(new BridgeError(kind, "uploadPart", "no answer", { retryAfterSeconds: 3 }));
    if (place === "destination") jest.spyOn(all.destination, "uploadPart").mockImplementation(fail);
    const reason = place === "source" ? "aws:source: no answer" : "no answer";
    const outcome = { result: "waiting", waitsFor, place, retryAfterSeconds: 3, reason };
    expect(await all.run(place === "source" ? { source: { open: fail } } : {})).toMatchObject(outcome);
    expect(await all.lease()).toMatchObject({ outcome });
  });

  test("a source that may not be read: rejected, and the lease says so", async () => {
    const all = await open();
    const bind = () => {
      throw new BridgeError("Invalid", "read", "the presigned URL is refused");
    };
    const outcome = { result: "rejected", reason: "the presigned URL is refused", bytesMoved: 0 };
    expect(await all.run({ bind })).toEqual(outcome);
    expect(await all.lease()).toMatchObject({ run: "r1", outcome });
  });

  test("a completion of unknown outcome: the lease gets no outcome, so that it must expire", async () => {
    const all = await open();
    jest
      .spyOn(all.destination, "completeUpload")
      .mockRejectedValue(new BridgeError("Unavailable", "completeUpload", "no answer"));
    expect(await all.run()).toMatchObject({ result: "retry", reason: "the completion was not answered" });
    expect((await all.lease())?.outcome).toBeUndefined();
  });

  test("a stop mark written concurrently: the outcome is kept with it", async () => {
    const all = await open();
    const write = all.leases.write.bind(all.leases);
    jest
      .spyOn(all.leases, "write")
      .mockImplementationOnce(write)
      .mockImplementationOnce(write)
      .mockImplementationOnce(async (...args) => {
        await all.change({ stop: true });
        return await write(...args);
      });
    await all.run();
    expect(await all.lease()).toMatchObject({ stop: true, outcome: { result: "replicated" } });
  });

  test("a lease that cannot be written any more: the run fails, and its lease expires", async () => {
    const all = await open();
    const write = all.leases.write.bind(all.leases);
    jest
      .spyOn(all.leases, "write")
      .mockImplementationOnce(write)
      .mockRejectedValue(new BridgeError("Unavailable", "put", "no answer"));
    await expect(all.run()).rejects.toThrow("no answer");
    expect(await all.lease()).toMatchObject({ run: "r1" });
    expect((await all.lease())?.outcome).toBeUndefined();
  });
});
