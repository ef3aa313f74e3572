/** The contract of `LeaseStore`, as tests that every implementation must pass. */
import type { HeldLease, Lease, LeaseStore } from "../../runtime/replication/lease";

export interface LeaseStoreConformance {
  name: string;
  /** Opens another store over the same records, as another process would. */
  make(): Promise<() => LeaseStore>;
}

export function leaseOf(key: string, change: Partial<Lease> = {}): Lease {
  return {
    version: 1,
    key,
    execution: "e1",
    snapshotId: "s1",
    leaseUntilMs: 1_000,
    stop: false,
    reported: false,
    ...change,
  };
}

export function leaseStoreConformance({ name, make }: LeaseStoreConformance): void {
  describe(`${name} keeps the contract of LeaseStore`, () => {
    let open: () => LeaseStore;
    let keys = 0;
    const freshKey = () => `leases/${++keys}/中文`;
    beforeAll(async () => {
      open = await make();
    });

    async function created(store: LeaseStore, lease: Lease): Promise<HeldLease> {
      const held = await store.write(lease, undefined);
      if (held === undefined) throw new Error("another writer holds this fresh key");
      return held;
    }

    test("a key starts without a lease, and every store reads the lease that one wrote", async () => {
      const key = freshKey();
      expect(await open().read(key)).toBeUndefined();
      const lease = leaseOf(key, { outcome: { result: "retry", reason: '中\n"x"' } });
      const held = await created(open(), lease);
      expect(held.lease).toEqual(lease);
      expect(await open().read(key)).toEqual(held);
    });

    test("a change names the state that was read, and is refused after any other change", async () => {
      const key = freshKey();
      const [a, b] = [open(), open()];
      const first = await created(a, leaseOf(key));
      const second = await b.write(leaseOf(key, { run: "r1" }), first);
      expect(second?.lease.run).toBe("r1");
      expect(await a.write(leaseOf(key, { stop: true }), first)).toBeUndefined();
      expect((await a.read(key))?.lease).toEqual(leaseOf(key, { run: "r1" }));
      expect(await a.write(leaseOf(key, { stop: true }), second)).toMatchObject({ lease: { stop: true } });
    });

    test("a lease is not created where one exists", async () => {
      const key = freshKey();
      await created(open(), leaseOf(key));
      expect(await open().write(leaseOf(key, { execution: "e2" }), undefined)).toBeUndefined();
      expect((await open().read(key))?.lease.execution).toBe("e1");
    });

    test.each([false, true])("exactly one of many concurrent writers wins; over an older lease: %s", async (older) => {
      const key = freshKey();
      const previous = older ? await created(open(), leaseOf(key)) : undefined;
      const outcomes = await Promise.all(
        Array.from({ length: 12 }, (_, index) => open().write(leaseOf(key, { execution: `writer ${index}` }), previous)),
      );
      const winners = outcomes.filter((held) => held !== undefined);
      expect(winners).toHaveLength(1);
      expect(await open().read(key)).toEqual(winners[0]);
    });

    test("a write that the same store repeats succeeds again", async () => {
      const key = freshKey();
      const store = open();
      const first = await created(store, leaseOf(key));
      expect(await store.write(leaseOf(key), undefined)).toEqual(first);
      const second = await store.write(leaseOf(key, { run: "r1" }), first);
      expect(await store.write(leaseOf(key, { run: "r1" }), first)).toEqual(second);
    });

    test("only the state that was read is removed, and the key is free afterwards", async () => {
      const key = freshKey();
      const [a, b] = [open(), open()];
      const first = await created(a, leaseOf(key));
      const second = await a.write(leaseOf(key, { run: "r1" }), first);
      await b.remove(first);
      expect(await b.read(key)).toEqual(second);
      await b.remove(second as HeldLease);
      expect(await a.read(key)).toBeUndefined();
      await b.remove(second as HeldLease);
      const third = await created(b, leaseOf(key, { execution: "e3" }));
      expect(await a.read(key)).toEqual(third);
      expect(await a.write(leaseOf(key), second)).toBeUndefined();
      await a.remove(second as HeldLease);
      expect(await b.read(key)).toEqual(third);
    });

    test("concurrent creates, changes and removals leave one history that all stores read", async () => {
      const key = freshKey();
      const writer = async (index: number) => {
        const store = open();
        let won = 0;
        for (let round = 0; round < 15; round++) {
          const held = await store.read(key);
          if (held !== undefined && (index + round) % 4 === 0) await store.remove(held);
          else if (
            await store.write(leaseOf(key, { execution: `${index}`, leaseUntilMs: (held?.lease.leaseUntilMs ?? 0) + 1 }), held)
          )
            won += 1;
        }
        return won;
      };
      const won = await Promise.all(Array.from({ length: 6 }, (_, index) => writer(index)));
      expect(won.reduce((sum, one) => sum + one, 0)).toBeGreaterThan(0);
      const last = await open().read(key);
      expect(await open().read(key)).toEqual(last);
    });
  });
}
