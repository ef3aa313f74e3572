import { controlPrefix } from "../../../runtime/protocol/control";
import { recordLogPrefix } from "../../../runtime/replication/append-record-store";
import type { HeldLease, LeaseStore } from "../../../runtime/replication/lease";
import { createAppendLeaseStore } from "../../../runtime/replication/lease";
import { BridgeError } from "../../../runtime/stores/errors";
import { MemoryAppendStore } from "../../../runtime/stores/memory/store";
import type { AppendStore } from "../../../runtime/stores/object-store";
import { leaseOf, leaseStoreConformance } from "../../conformance/lease-store-conformance";
import { expectKind } from "../../conformance/object-store/context";

leaseStoreConformance({
  name: "Leases as lines of a log",
  make: async () => {
    const store = new MemoryAppendStore();
    return () => createAppendLeaseStore(store, "bridge");
  },
});

type Fault = "lose-request" | "lose-answer" | "land-late";

/** An append store whose next appends fail in the given ways. */
class Flaky implements AppendStore {
  readonly faults: Fault[] = [];
  appends = 0;
  /** Lands a request that was thought lost. */
  late: () => Promise<unknown> = () => Promise.reject(new Error("nothing is late"));
  constructor(private readonly store: MemoryAppendStore) {}

  async append(key: string, position: number, bytes: Uint8Array): Promise<{ sizeBytes: number }> {
    this.appends += 1;
    const fault = this.faults.shift();
    if (fault === undefined) return this.store.append(key, position, bytes);
    if (fault === "lose-answer") await this.store.append(key, position, bytes);
    if (fault === "land-late") this.late = () => this.store.append(key, position, bytes);
    throw new BridgeError("Unavailable", "append", "simulated");
  }

  readTail(...args: Parameters<AppendStore["readTail"]>): ReturnType<AppendStore["readTail"]> {
    return this.store.readTail(...args);
  }
}

describe("a request whose answer got lost", () => {
  let store: MemoryAppendStore;
  let flaky: Flaky;
  let mine: LeaseStore;
  let theirs: LeaseStore;
  beforeEach(() => {
    store = new MemoryAppendStore();
    flaky = new Flaky(store);
    mine = createAppendLeaseStore(flaky, "bridge");
    theirs = createAppendLeaseStore(store, "bridge");
  });
  const lines = () =>
    store
      .contents(store.keys()[0] ?? "")
      ?.toString("utf8")
      .split("\n")
      .filter(Boolean) ?? [];

  test("and the request landed: the write won, and is in the log once", async () => {
    flaky.faults.push("lose-answer");
    const held = await mine.write(leaseOf("k"), undefined);
    expect(held).toEqual(await theirs.read("k"));
    flaky.faults.push("lose-answer");
    expect(await mine.write(leaseOf("k", { run: "r1" }), held)).toMatchObject({ lease: { run: "r1" } });
    expect(lines()).toHaveLength(2);
    expect(flaky.appends).toBe(2);
  });

  test("and the request did not land: it is sent again", async () => {
    flaky.faults.push("lose-request", "lose-request");
    expect(await mine.write(leaseOf("k"), undefined)).toEqual(await theirs.read("k"));
    expect(flaky.appends).toBe(3);
    expect(lines()).toHaveLength(1);
  });

  test("and the request lands after it was sent again: it is in the log once", async () => {
    flaky.faults.push("land-late");
    const held = await mine.write(leaseOf("k"), undefined);
    await expectKind(flaky.late(), "PreconditionFailed");
    expect(lines()).toHaveLength(1);
    expect(await theirs.read("k")).toEqual(held);
  });

  test("and the request lands just before it is sent again: the write finds itself", async () => {
    flaky.faults.push("land-late");
    const readTail = flaky.readTail.bind(flaky);
    let reads = 0;
    flaky.readTail = async (...args) => {
      const tail = await readTail(...args);
      // The first read is before the write. The second is after the lost answer.
      if (++reads === 2) await flaky.late();
      return tail;
    };
    expect(await mine.write(leaseOf("k"), undefined)).toEqual(await theirs.read("k"));
    expect(lines()).toHaveLength(1);
  });

  test("and another writer was faster: the write lost, and cannot land later", async () => {
    const first = (await mine.write(leaseOf("k"), undefined)) as HeldLease;
    flaky.faults.push("land-late");
    const readTail = flaky.readTail.bind(flaky);
    flaky.readTail = async (...args) => {
      await theirs.write(leaseOf("k", { stop: true }), first);
      return readTail(...args);
    };
    expect(await mine.write(leaseOf("k", { run: "r1" }), first)).toBeUndefined();
    await expectKind(flaky.late(), "PreconditionFailed");
    expect((await theirs.read("k"))?.lease).toEqual(leaseOf("k", { stop: true }));
  });

  test("on every try: the outcome stays unknown, and the error says so", async () => {
    flaky.faults.push("lose-request", "lose-request", "lose-request");
    await expectKind(mine.write(leaseOf("k"), undefined), "Unavailable");
  });

  test("after a removal: the outcome is settled, too", async () => {
    const held = (await mine.write(leaseOf("k"), undefined)) as HeldLease;
    flaky.faults.push("lose-answer");
    await mine.remove(held);
    expect(await theirs.read("k")).toBeUndefined();
    expect(lines()).toHaveLength(2);
  });
});

test("two stores write the same lease concurrently: one wins", async () => {
  const store = new MemoryAppendStore();
  const outcomes = await Promise.all(
    Array.from({ length: 5 }, () => createAppendLeaseStore(store, "bridge").write(leaseOf("k"), undefined)),
  );
  expect(outcomes.filter((held) => held !== undefined)).toHaveLength(1);
});

test("any other refusal of the store is passed on", async () => {
  const refuse = async () => Promise.reject(new BridgeError("PermissionDenied", "append", "no"));
  const store: AppendStore = { append: refuse, readTail: async () => undefined };
  await expectKind(createAppendLeaseStore(store, "bridge").write(leaseOf("k"), undefined), "PermissionDenied");
});

test("only the end of a long log is read", async () => {
  const store = new MemoryAppendStore();
  const leases = createAppendLeaseStore(store, "bridge");
  let held = await leases.write(leaseOf("k"), undefined);
  for (let round = 1; round <= 600; round++) held = await leases.write(leaseOf("k", { leaseUntilMs: round }), held);
  const [name] = store.keys() as [string];
  expect(store.contents(name)?.length).toBeGreaterThan(64 * 1024);
  expect((await leases.read("k"))?.lease.leaseUntilMs).toBe(600);
  expect(name.startsWith(recordLogPrefix("bridge"))).toBe(true);
  expect(recordLogPrefix("bridge").startsWith(controlPrefix("bridge"))).toBe(true);
});

test("a lease of the greatest length is read back, a longer one is refused", async () => {
  const store = new MemoryAppendStore();
  const leases = createAppendLeaseStore(store, "bridge", "w");
  const withReason = (length: number) => leaseOf("k", { outcome: { result: "retry", reason: "x".repeat(length) } });
  const room = 64 * 1024 - JSON.stringify({ writer: "w", lease: withReason(0) }).length - 1;
  const held = await leases.write(leaseOf("k"), undefined);
  expect(await leases.write(withReason(room), held)).toEqual(await leases.read("k"));
  await expectKind(leases.write(withReason(room + 1), await leases.read("k")), "Invalid");
});

test.each([
  ["no JSON", "junk\n"],
  ["another shape", '{"writer":"w","lease":{}}\n'],
  ["the lease of another key", `${JSON.stringify({ writer: "w", lease: leaseOf("other") })}\n`],
])("a log that ends with %s is Unexpected, with the way out", async (_, content) => {
  const store = new MemoryAppendStore();
  const leases = createAppendLeaseStore(store, "bridge");
  await leases.write(leaseOf("k"), undefined);
  const [name] = store.keys() as [string];
  await store.append(name, store.contents(name)?.length ?? 0, Buffer.from(content));
  await expectKind(leases.read("k"), "Unexpected");
  await expect(leases.read("k")).rejects.toThrow(/is not a lease of this key: remove it/);
});
