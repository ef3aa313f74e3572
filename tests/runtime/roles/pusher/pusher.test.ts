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

test("a small object: inspected, copied, verified, recorded", async () => {
  const { put, run, destination, counted, clock } = openPusher();
  await put("hello", { headers: { contentType: "text/plain" }, metadata: { author: "me" }, tags: { team: "red" } });
  clock.advance(7_000);
  const { steps, state } = await run();
  expect(steps).toEqual(["inspect", "copy", "verify", "record"]);
  expect(state).toMatchObject({ result: "replicated", bytesMoved: 5, attempt: 0, rounds: 0 });
  expect(bytesAt(destination)).toBe("hello");
  expect(destination.snapshotOf("to/a.txt")).toMatchObject({ headers: { contentType: "text/plain" }, tags: { team: "red" } });
  expect(counted).toEqual({ Replicated: 1, BytesMoved: 5, LagMs: 7_000 });
});

test("a large object: copied in parts in the same invocation, under a lease", async () => {
  const { put, run, destination, leases, source } = openPusher();
  await put("hello large world");
  const { steps, state } = await run();
  expect(steps).toEqual(["inspect", "copy", "verify", "record"]);
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
  expect(steps).toEqual(["inspect", "record"]);
  expect(state.result).toBe("unchanged");
  expect(source.bytesRead).toBe(before);
  expect(counted.Unchanged).toBe(1);
});

test("absent: the replica is deleted, another owner's object stays", async () => {
  const { put, run, source, destination, counted } = openPusher();
  await put("hello");
  await run();
  await source.delete("a.txt");
  expect((await run()).steps).toEqual(["inspect", "copy", "verify", "record"]);
  expect(destination.snapshotOf("to/a.txt")).toBeUndefined();
  expect(counted.Deleted).toBe(1);
  await destination.put("to/a.txt", Buffer.from("mine"), { sizeBytes: 4, attributes: plain });
  expect((await run()).state.result).toBe("unchanged");
  expect(bytesAt(destination)).toBe("mine");
});

test("out of scope, or absent where deletes are ignored: skipped with the reason", async () => {
  const { run, stateAt, counted } = openPusher({ config: { deletes: "ignore" } });
  const { steps, state } = await run();
  expect(steps).toEqual(["inspect", "record"]);
  expect(state).toMatchObject({ result: "skipped", reason: "absent at the source, and deletes are ignored" });
  expect((await run(stateAt("inspect", { key: "b.bin" }))).state.result).toBe("skipped");
  expect(counted).toEqual({ Skipped: 2, BytesMoved: 0 });
});

test("the source changes before the verification: another round, and no attempt", async () => {
  const { put, step, stateAt, run, destination } = openPusher();
  await put("one");
  const copied = await step(stateAt("copy"));
  await put("two");
  const verified = await step(copied);
  expect(verified).toMatchObject({ next: "inspect", rounds: 1, attempt: 0 });
  expect((await run(verified)).steps).toEqual(["inspect", "copy", "verify", "record"]);
  expect(bytesAt(destination)).toBe("two");
});

test("the source leaves the scope between two steps: skipped", async () => {
  const scope = { prefixes: [], suffixes: [], tags: {}, minSizeBytes: 3 };
  const { put, run, stateAt, destination } = openPusher({ config: { scope } });
  await put("no");
  expect((await run(stateAt("copy"))).steps).toEqual(["copy", "inspect", "record"]);
  expect(destination.snapshotOf("to/a.txt")).toBeUndefined();
});

test("the replica is changed by a user: counted as a failed attempt, with the difference", async () => {
  const { put, step, stateAt, destination } = openPusher();
  await put("hello", { metadata: { author: "me" } });
  const copied = await step(stateAt("copy"));
  const replica = destination.snapshotOf("to/a.txt");
  await destination.put("to/a.txt", Buffer.from("hello"), {
    sizeBytes: 5,
    attributes: { ...plain, metadata: { ...replica?.metadata, author: "you" } },
  });
  expect(await step(copied)).toMatchObject({
    next: "wait",
    attempt: 1,
    reason: 'the destination\'s metadata author is "you", the source\'s is "me"; the source did not change',
    difference: { what: "metadata", name: "author", wanted: "me", found: "you" },
  });
});

test("the destination is down: after three failed calls the key goes to the outage queue, and the execution ends", async () => {
  const { put, run, parked, queued, outage, counted, clock } = openPusher({ destination: { head: down } });
  await put("hello");
  const firstSeenMs = clock.now();
  const { steps, state } = await run();
  expect(steps).toEqual(["inspect", "wait", "wait", "record"]);
  expect(state).toMatchObject({ result: "waiting", reason: "the store does not answer", attempt: 0 });
  expect(outage.messages.map(({ look }) => look)).toEqual([
    {
      ...{ key: "a.txt", firstSeenMs, failures: 0, waits: 3 },
      last: { reason: "the store does not answer", place: "destination", store: "alicloud:destination", atMs: clock.now() },
    },
  ]);
  expect([parked, queued]).toEqual([[], []]);
  expect(counted).toMatchObject({ Waited: 3 });
});

test("while the breaker is open, a key goes to the outage queue once, and the destination is not asked", async () => {
  let asked = 0;
  const head = async () => {
    asked += 1;
    return await down();
  };
  const { put, run, outage, stateAt, clock } = openPusher({ destination: { head } });
  await put("hello");
  await run();
  expect(asked).toBe(3);
  for (let times = 0; times < 20; times++) {
    clock.advance(30 * 60_000);
    expect((await run(stateAt("inspect", { key: `${times}.txt` }))).steps).toEqual(["inspect", "record"]);
  }
  expect([asked, outage.messages.length]).toEqual([3, 21]);
});

test("a source that does not answer is waited for: it never opens the breaker, and counts as no failure", async () => {
  const { run, outage, queued, parked } = openPusher({ source: { head: down } });
  const { steps, state } = await run();
  expect(steps.filter((one) => one === "wait")).toHaveLength(5);
  expect(state).toMatchObject({ result: "waiting", attempt: 0 });
  expect(queued).toEqual([{ look: expect.objectContaining({ failures: 0, waits: 6 }), delaySeconds: 120 }]);
  expect(queued[0]?.look.last).toMatchObject({ place: "source", store: "alicloud:source" });
  expect([outage.messages, parked]).toEqual([[], []]);
});

test("a refusal of the destination is an answer: it counts as a failure, and never opens the breaker", async () => {
  const head = async () => {
    throw new BridgeError("PermissionDenied", "head", "not allowed");
  };
  const { put, run, outage, parked } = openPusher({ destination: { head } });
  await put("hello");
  expect((await run()).state).toMatchObject({ result: "parked", reason: "given up after 3 failed attempts: not allowed" });
  expect([outage.messages.length, parked.map(({ look }) => look.failures)]).toEqual([0, [3]]);
});

test("a key that no queue takes stays in its execution", async () => {
  const enqueue = async () => {
    throw new BridgeError("Unavailable", "sendMessage", "no answer");
  };
  const { step, stateAt, queued } = openPusher({ source: { head: down }, queue: { enqueue } });
  expect(await step(stateAt("inspect", { waits: 9 }))).toMatchObject({ next: "wait", waitSeconds: 300 });
  expect(queued).toEqual([]);
});

test("a write of unknown outcome: the next look is after its hard end", async () => {
  const { put, step, stateAt } = openPusher({
    destination: {
      put: async () => {
        throw new BridgeError("Unavailable", "put", "no answer");
      },
    },
  });
  await put("hello");
  const { next, waitSeconds } = await step(stateAt("copy"));
  expect(next).toBe("wait");
  expect(waitSeconds).toBeGreaterThanOrEqual(20);
});

test("a small write has its own hard end, counted from the beginning of the step", async () => {
  const { put, step, stateAt, source, clock, destination } = openPusher({
    source: {
      head: async (key) => {
        clock.advance(18_000);
        return await source.head(key);
      },
    },
  });
  await put("hello");
  expect(await step(stateAt("copy"))).toMatchObject({ next: "wait", reason: "the pusher ran out of time before this item" });
  expect(destination.calls.put).toBeUndefined();
});

test("too large for the destination: parked at once", async () => {
  const { put, run } = openPusher({ config: { destinationPrefix: "x".repeat(1030) } });
  await put("hello");
  const { steps, state } = await run(openPusher().stateAt("copy"));
  expect(steps).toEqual(["copy", "park"]);
  expect(state.reason).toMatch(/bytes, the store allows 1024/);
});

test("a copy that runs out of time continues where it stopped", async () => {
  let remainingMs = 600_000;
  const { put, step, stateAt, run, source, destination } = openPusher({
    source: {
      get: async (key, options) => {
        if (options?.range?.start === 8) remainingMs = 0;
        return await source.get(key, options);
      },
    },
  });
  await put("hello large world");
  const ended = await step(stateAt("copy"), () => remainingMs);
  expect(ended).toMatchObject({ next: "copy", attempt: 0 });
  expect(ended.bytesMoved).toBeLessThan(17);
  const { steps, state } = await run(ended);
  expect(steps).toEqual(["copy", "verify", "record"]);
  expect([state.bytesMoved, source.bytesRead]).toEqual([17, 17]);
  expect(bytesAt(destination)).toBe("hello large world");
});

test("another execution copies the key: this one waits, counts no attempt, and does not verify meanwhile", async () => {
  const { put, step, stateAt, run, leases, clock, destination } = openPusher();
  await put("hello large world");
  await run();
  const held = await leases.read("to/a.txt");
  if (held === undefined) throw new Error("no lease");
  const { outcome: _outcome, ...running } = held.lease;
  await leases.write({ ...running, execution: "other", run: "r", leaseUntilMs: clock.now() + 30_000 }, held);
  // The destination is equal, but the other copy may still change it.
  const inspected = await step(stateAt("inspect"));
  expect(inspected.next).toBe("copy");
  const waiting = await step(inspected);
  expect(waiting).toMatchObject({ next: "wait", waitSeconds: 4, attempt: 0, rounds: 0 });
  expect(await step({ ...stateAt("verify"), result: "replicated" })).toMatchObject({ next: "inspect", rounds: 1 });
  const { steps, state } = await run(waiting);
  expect(steps.filter((one) => one === "wait")).toHaveLength(4);
  expect(state.result).toBe("unchanged");
  expect(bytesAt(destination)).toBe("hello large world");
});

test.each(["wait", "inspect"] as const)(
  "a start that comes second waits once, if the workflow comes back with %s",
  async (next) => {
    const { put, step, stateAt } = openPusher();
    await put("hello");
    const waiting = await step(stateAt("inspect", { waitSeconds: 5 }));
    expect(waiting).toMatchObject({ next: "wait", waitSeconds: 5, attempt: 0 });
    expect((await step({ ...waiting, next })).next).toBe("copy");
  },
);

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
  expect(steps).toEqual(["inspect", "copy", "wait", "copy", "verify", "record"]);
  expect(state).toMatchObject({ attempt: 1, result: "replicated" });
  expect(bytesAt(destination)).toBe("hello large world");
});

test("an archived object that is being restored waits in the queue, and counts no failure", async () => {
  const { put, run, source, destination, queued, parked } = openPusher();
  await put("frozen");
  source.setArchive("a.txt", { storageClass: "ColdArchive", restore: "ongoing" });
  const { steps, state } = await run();
  expect(steps).toEqual(["inspect", "copy", "record"]);
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
  expect(steps).toEqual(["inspect", "copy", "park"]);
  expect(state).toMatchObject({ result: "parked", reason: expect.stringMatching(/^archived as ColdArchive: restore it/) });
});

test("status tags: pending while it waits, completed when verified, failed when parked", async () => {
  let broken = true;
  const { put, step, stateAt, run, source, destination } = openPusher({
    config: { statusTags: true },
    destination: { head: async (...of) => (broken ? await down() : await destination.head(...of)) },
  });
  await put("hello", { tags: { team: "red" } });
  const status = () => source.snapshotOf("a.txt")?.tags[statusTagOf("bridge")];
  const waiting = await step(stateAt("inspect"));
  expect([waiting.next, status()]).toEqual(["wait", "PENDING"]);
  await step(stateAt("park", { reason: "given up" }));
  expect(status()).toBe("FAILED");
  broken = false;
  await run(waiting);
  expect(source.snapshotOf("a.txt")?.tags).toEqual({ team: "red", [statusTagOf("bridge")]: "COMPLETED" });
  expect(destination.snapshotOf("to/a.txt")?.tags).toEqual({ team: "red" });
});

test("status tags: a newer state is not called completed", async () => {
  const { put, step, stateAt, run, source } = openPusher({ config: { statusTags: true } });
  await put("one");
  await run();
  await put("two");
  await step(stateAt("record", { result: "replicated" }));
  expect(source.snapshotOf("a.txt")?.tags).toEqual({});
});

test("a failure of metrics or tags does not fail the step", async () => {
  const { step, stateAt, counted, logger } = openPusher({ config: { statusTags: true }, source: { head: down } });
  expect(await step(stateAt("record", { result: "replicated", bytesMoved: 5 }))).toMatchObject({
    next: "done",
    result: "replicated",
  });
  expect(counted).toEqual({ BytesMoved: 5, Replicated: 1 });
  expect(logger.lines.some(({ level, message }) => level === "warn" && message === "not everything was recorded")).toBe(true);
});

test("parking keeps the workflow's reason", async () => {
  const { step, stateAt, parked } = openPusher();
  expect(await step(stateAt("park", { reason: "FnF.Timeout" }))).toMatchObject({
    next: "done",
    result: "parked",
    reason: "FnF.Timeout",
  });
  await step(stateAt("park"));
  expect(parked.map(({ reason }) => reason)).toEqual(["FnF.Timeout", "the workflow gave no reason"]);
});

test("an unexpected error is thrown: the workflow repeats the step", async () => {
  const { put, step, stateAt } = openPusher({
    destination: {
      head: async () => {
        throw new TypeError("x is undefined");
      },
    },
  });
  await put("hello");
  await expect(step(stateAt("inspect"))).rejects.toThrow("x is undefined");
});

test("done stays done", async () => {
  const { step, stateAt } = openPusher();
  const done = stateAt("done", { result: "replicated" });
  expect(await step(done)).toEqual(done);
});
