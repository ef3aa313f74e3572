import { statusTagOf } from "../../../../runtime/replication/snapshot";
import { BridgeError } from "../../../../runtime/stores/errors";
import { openPusher, plain } from "../push-fixture";

const bytesAt = (store: { snapshotOf(key: string): Readonly<{ bytes: Uint8Array }> | undefined }, key = "to/a.txt") => {
  const object = store.snapshotOf(key);
  return object && Buffer.from(object.bytes).toString();
};
const down = async () => {
  throw new BridgeError("Unavailable", "head", "the store does not answer");
};

test("a small object: one call looks, copies, proves and records", async () => {
  const { put, run, destination, counted, clock } = openPusher();
  await put("hello", { headers: { contentType: "text/plain" }, metadata: { author: "me" }, tags: { team: "red" } });
  clock.advance(7_000);
  const { steps, state } = await run();
  expect(steps).toEqual(["first"]);
  expect(state).toMatchObject({ result: "replicated", bytesMoved: 5, attempt: 0, rounds: 0 });
  expect(bytesAt(destination)).toBe("hello");
  expect(destination.snapshotOf("to/a.txt")).toMatchObject({ headers: { contentType: "text/plain" }, tags: { team: "red" } });
  expect(counted).toEqual({ Replicated: 1, BytesMoved: 5, LagMs: 7_000 });
});

test("a large object: copied in parts in the same call, under a lease", async () => {
  const { put, run, destination, leases, source } = openPusher();
  await put("hello large world");
  const { steps, state } = await run();
  expect(steps).toEqual(["first"]);
  expect(state.bytesMoved).toBe(17);
  expect(bytesAt(destination)).toBe("hello large world");
  expect(destination.calls.uploadPart).toBe(5);
  expect((await leases.read("to/a.txt"))?.lease.outcome?.result).toBe("replicated");
  expect(source.bytesRead).toBe(17);
});

test("unchanged: no bytes move, and there is nothing to verify", async () => {
  const { put, run, source, counted } = openPusher();
  await put("hello");
  await run();
  const before = source.bytesRead;
  const { steps, state } = await run();
  expect(steps).toEqual(["first"]);
  expect(state.result).toBe("unchanged");
  expect(source.bytesRead).toBe(before);
  expect(counted.Unchanged).toBe(1);
});

test("absent: the replica is deleted, another owner's object stays", async () => {
  const { put, run, source, destination, counted } = openPusher();
  await put("hello");
  await run();
  await source.delete("a.txt");
  expect((await run()).steps).toEqual(["first"]);
  expect(destination.snapshotOf("to/a.txt")).toBeUndefined();
  expect(counted.Deleted).toBe(1);
  await destination.put("to/a.txt", Buffer.from("mine"), { sizeBytes: 4, attributes: plain });
  expect((await run()).state.result).toBe("unchanged");
  expect(bytesAt(destination)).toBe("mine");
});

test("out of scope, or absent where deletes are ignored: skipped with the reason", async () => {
  const { run, stateAt, counted } = openPusher({ config: { deletes: "ignore" } });
  const { steps, state } = await run();
  expect(steps).toEqual(["first"]);
  expect(state).toMatchObject({ result: "skipped", reason: "absent at the source, and deletes are ignored" });
  expect((await run(stateAt("inspect", { key: "b.bin" }))).state.result).toBe("skipped");
  expect(counted).toEqual({ Skipped: 2, BytesMoved: 0 });
});

test("the source changes before the second look: another round in the same call, and no failed attempt", async () => {
  const opened = openPusher({
    destination: {
      put: async (...of) => {
        const result = await opened.destination.put(...of);
        if (opened.source.versionIds("a.txt").length === 1) await opened.put("two");
        return result;
      },
    },
  });
  await opened.put("one");
  const { steps, state } = await opened.run();
  expect(steps).toEqual(["first"]);
  expect(state).toMatchObject({ result: "replicated", rounds: 1, attempt: 0, bytesMoved: 6 });
  expect(bytesAt(opened.destination)).toBe("two");
});

test("the source changes, and no time is left for another small write: another call", async () => {
  const opened = openPusher({
    destination: {
      put: async (...of) => {
        const result = await opened.destination.put(...of);
        if (opened.source.versionIds("a.txt").length === 1) await opened.put("two");
        opened.clock.advance(11_000);
        return result;
      },
    },
  });
  await opened.put("one");
  const calling = opened.answer({ why: "first", state: opened.stateAt("inspect") });
  await expect(calling).rejects.toThrow(/^state:[^.]+\. next: inspect; it goes on at once$/);
  expect(bytesAt(opened.destination)).toBe("one");
  expect((await opened.run()).state.result).toBe("replicated");
  expect(bytesAt(opened.destination)).toBe("two");
});

test("a second look that fails: the key waits, and what was moved is not forgotten", async () => {
  let heads = 0;
  const opened = openPusher({
    source: { head: async (...of) => (++heads === 2 ? await down() : await opened.source.head(...of)) },
  });
  await opened.put("hello");
  const waiting = await opened.first(opened.stateAt("inspect"));
  expect(waiting).toMatchObject({ next: "wait", bytesMoved: 5, waits: 1, attempt: 0, last: { place: "source" } });
  expect(await opened.again(waiting)).toMatchObject({ next: "done", result: "unchanged", bytesMoved: 5 });
});

test("the source leaves the scope during the copy: skipped", async () => {
  const scope = { prefixes: [], suffixes: [], tags: {}, minSizeBytes: 3 };
  const opened = openPusher({
    config: { scope },
    source: {
      get: async (...of) => {
        if (opened.source.versionIds("a.txt").length === 1) await opened.put("no");
        return await opened.source.get(...of);
      },
    },
  });
  await opened.put("yes");
  const { steps, state } = await opened.run();
  expect([steps, state.result, state.rounds]).toEqual([["first"], "skipped", 1]);
  expect(opened.destination.snapshotOf("to/a.txt")).toBeUndefined();
});

test("a write of unknown outcome: the next look is after its hard end", async () => {
  const { put, first, stateAt } = openPusher({
    destination: {
      put: async () => {
        throw new BridgeError("Unavailable", "put", "no answer");
      },
    },
  });
  await put("hello");
  const { next, waitSeconds } = await first(stateAt("inspect"));
  expect(next).toBe("wait");
  expect(waitSeconds).toBeGreaterThanOrEqual(20);
});

test("a small write has its own hard end, counted from the beginning of the call", async () => {
  const { put, first, stateAt, source, clock, destination } = openPusher({
    source: {
      head: async (key) => {
        clock.advance(18_000);
        return await source.head(key);
      },
    },
  });
  await put("hello");
  expect(await first(stateAt("inspect"))).toMatchObject({ next: "wait", reason: "the pusher ran out of time before this item" });
  expect(destination.calls.put).toBeUndefined();
});

test("too large for the destination: parked at once", async () => {
  const { put, run } = openPusher({ config: { destinationPrefix: "x".repeat(1030) } });
  await put("hello");
  const { steps, state } = await run();
  expect(steps).toEqual(["first", "park"]);
  expect(state.reason).toMatch(/bytes, the store allows 1024/);
});

test("a copy that runs out of time continues where it stopped", async () => {
  let remainingMs = 600_000;
  const { put, answer, stateAt, run, source, destination } = openPusher({
    source: {
      get: async (key, options) => {
        if (options?.range?.start === 8) remainingMs = 0;
        return await source.get(key, options);
      },
    },
  });
  await put("hello large world");
  const ended = await answer({ why: "again", state: stateAt("copy") }, () => remainingMs);
  expect(ended).toMatchObject({ next: "copy", attempt: 0 });
  expect(ended.bytesMoved).toBeLessThan(17);
  const { steps, state } = await run(ended);
  expect(steps).toEqual(["first"]);
  expect([state.bytesMoved, source.bytesRead]).toEqual([17, 17]);
  expect(bytesAt(destination)).toBe("hello large world");
});

test("another execution copies the key: this one waits, counts no attempt, and ends after it", async () => {
  const { put, first, stateAt, again, leases, clock, destination, run } = openPusher();
  await put("hello large world");
  await run();
  await put("another large world");
  const held = await leases.read("to/a.txt");
  if (held === undefined) throw new Error("no lease");
  const { outcome: _outcome, ...running } = held.lease;
  await leases.write({ ...running, execution: "other", run: "r", leaseUntilMs: clock.now() + 30_000 }, held);
  let now = await first(stateAt("inspect"));
  expect(now).toMatchObject({ next: "wait", waitSeconds: 4, attempt: 0, rounds: 0 });
  let waits = 0;
  for (; now.next === "wait"; waits++) {
    clock.advance((now.waitSeconds ?? 0) * 1000);
    now = await again(now);
  }
  expect([waits, now.result, now.attempt]).toEqual([4, "replicated", 0]);
  expect(bytesAt(destination)).toBe("another large world");
});

test("a copier's failure counts once", async () => {
  let failing = 4;
  const { put, run, destination } = openPusher({
    destination: {
      uploadPart: async (...of) => {
        if (of[1].partNumber === 3 && failing-- > 0) throw new BridgeError("Unexpected", "uploadPart", "no sense");
        return await destination.uploadPart(...of);
      },
    },
  });
  await put("hello large world");
  const { steps, state } = await run();
  expect(steps).toEqual(["first", "wait"]);
  expect(state).toMatchObject({ attempt: 1, result: "replicated" });
  expect(bytesAt(destination)).toBe("hello large world");
});

test("an archived object that is being restored waits in the queue, and counts no failure", async () => {
  const { put, run, source, destination, queued, parked } = openPusher();
  await put("frozen");
  source.setArchive("a.txt", { storageClass: "ColdArchive", restore: "ongoing" });
  const { steps, state } = await run();
  expect(steps).toEqual(["first"]);
  expect(state).toMatchObject({ result: "waiting", attempt: 0, reason: "archived as ColdArchive, and being restored" });
  expect(queued).toEqual([{ look: expect.objectContaining({ failures: 0, waits: 1 }), delaySeconds: 675 }]);
  source.setArchive("a.txt", { storageClass: "ColdArchive", restore: "done" });
  await run();
  expect([bytesAt(destination), parked]).toEqual(["frozen", []]);
});

test("an archived object that nobody restores is parked at once with what to do", async () => {
  const { put, run, source } = openPusher();
  await put("frozen");
  source.setArchive("a.txt", { storageClass: "ColdArchive", restore: "none" });
  const { steps, state } = await run();
  expect(steps).toEqual(["first", "park"]);
  expect(state).toMatchObject({ result: "parked", reason: expect.stringMatching(/^archived as ColdArchive: restore it/) });
});

test("status tags: pending while it waits, completed when verified, failed when parked", async () => {
  let broken = true;
  const { put, first, again, stateAt, run, source, destination } = openPusher({
    config: { statusTags: true },
    destination: { head: async (...of) => (broken ? await down() : await destination.head(...of)) },
  });
  await put("hello", { tags: { team: "red" } });
  const status = () => source.snapshotOf("a.txt")?.tags[statusTagOf("bridge")];
  const waiting = await first(stateAt("inspect"));
  expect([waiting.next, status()]).toEqual(["wait", "PENDING"]);
  await again(stateAt("park", { reason: "given up" }));
  expect(status()).toBe("FAILED");
  broken = false;
  await run(waiting);
  expect(source.snapshotOf("a.txt")?.tags).toEqual({ team: "red", [statusTagOf("bridge")]: "COMPLETED" });
  expect(destination.snapshotOf("to/a.txt")?.tags).toEqual({ team: "red" });
});

test("status tags: a key that goes into a queue is not called completed", async () => {
  const { put, run, source } = openPusher({ config: { statusTags: true } });
  await put("frozen");
  source.setArchive("a.txt", { storageClass: "ColdArchive", restore: "ongoing" });
  expect((await run()).state.result).toBe("waiting");
  expect(source.snapshotOf("a.txt")?.tags).toEqual({ [statusTagOf("bridge")]: "PENDING" });
});

test("status tags: a newer state is not called completed", async () => {
  const { put, again, stateAt, run, source } = openPusher({ config: { statusTags: true } });
  await put("one");
  await run();
  await put("two");
  await again(stateAt("record", { result: "replicated" }));
  expect(source.snapshotOf("a.txt")?.tags).toEqual({});
});

test("a failure of metrics or tags does not fail the call", async () => {
  const { again, first, stateAt, put, source, counted, logger } = openPusher({
    config: { statusTags: true },
    source: { putTags: down },
  });
  await put("hello");
  expect(await first(stateAt("inspect"))).toMatchObject({ next: "done", result: "replicated" });
  const warned = () => logger.lines.filter(({ level, message }) => level === "warn" && message === "not everything was recorded");
  expect([warned().length, source.snapshotOf("a.txt")?.tags]).toEqual([1, {}]);
  const broken = openPusher({ source: { head: down } });
  const step = stateAt("record", { result: "replicated", bytesMoved: 5 });
  expect(await broken.again(step)).toMatchObject({ next: "done", result: "replicated" });
  expect(broken.counted).toEqual({ BytesMoved: 5, Replicated: 1 });
  expect(counted).toMatchObject({ Replicated: 1 });
  expect(await again({ ...step, result: "unchanged" })).toMatchObject({ next: "done" });
});

test("parking keeps the workflow's reason", async () => {
  const { again, stateAt, parked } = openPusher();
  expect(await again(stateAt("park", { reason: "FnF.Timeout" }))).toMatchObject({
    next: "done",
    result: "parked",
    reason: "FnF.Timeout",
  });
  await again(stateAt("park"));
  expect(parked.map(({ reason }) => reason)).toEqual(["FnF.Timeout", "the workflow gave no reason"]);
});

test("an unexpected error is thrown: the workflow repeats the call", async () => {
  const { first, stateAt } = openPusher({
    source: {
      head: async () => {
        throw new TypeError("x is undefined");
      },
    },
  });
  await expect(first(stateAt("inspect"))).rejects.toThrow("x is undefined");
});

test("done stays done", async () => {
  const { first, stateAt } = openPusher();
  const done = stateAt("done", { result: "replicated" });
  expect(await first(done)).toEqual(done);
});
