import { createLeaseStore, isLive, type Lease } from "../../../runtime/replication/lease";
import { BridgeError } from "../../../runtime/stores/errors";
import { MemoryStore } from "../../../runtime/stores/memory/store";
import { VirtualTime } from "../../support/virtual-time";

const lease = (changes: Partial<Lease> = {}): Lease => ({
  version: 1,
  key: "dir/k",
  execution: "x1",
  snapshotId: "s1",
  leaseUntilMs: 5_000,
  stop: false,
  reported: false,
  ...changes,
});

function open() {
  const store = new MemoryStore({ clock: new VirtualTime() });
  return { store, leases: createLeaseStore(store, "bridge") };
}

test.each<[string, Partial<Lease>, number, boolean]>([
  ["before its end", {}, 4_999, true],
  ["at its end", {}, 5_000, false],
  ["with an outcome", { outcome: { result: "superseded" } }, 0, false],
  ["marked", { stop: true }, 0, true],
])("live %s: %j at %s is %s", (_what, changes, nowMs, live) => {
  expect(isLive(lease(changes), nowMs)).toBe(live);
});

test("a lease is written, read back, changed and removed", async () => {
  const { store, leases } = open();
  expect(await leases.read("dir/k")).toBeUndefined();
  const first = await leases.write(lease(), undefined);
  expect(await leases.read("dir/k")).toEqual(first);
  const full = lease({
    run: "r1",
    stop: true,
    upload: {
      uploadId: "u",
      partSizeBytes: 8,
      checked: { algorithm: "CRC64NVME", ranges: [{ start: 0, end: 7, value: "AAA=" }] },
    },
    outcome: { result: "retry", reason: "why", bytesMoved: 3 },
    reported: true,
  });
  const second = await leases.write(full, first);
  expect((await leases.read("dir/k"))?.lease).toEqual(full);
  if (second) await leases.remove(second);
  expect(await leases.read("dir/k")).toBeUndefined();
  expect(store.keys()).toEqual([]);
});

test("records of any key lie under the bridge's control prefix", async () => {
  const { store, leases } = open();
  await leases.write(lease({ key: "../../etc/passwd" }), undefined);
  expect(store.keys()).toEqual([expect.stringMatching(/^\.crossborderbridge\/bridge\/leases\/[0-9a-f]{64}$/)]);
});

describe("compare-and-swap", () => {
  test("where a lease exists, none is created", async () => {
    const { leases } = open();
    const first = await leases.write(lease(), undefined);
    expect(await leases.write(lease({ execution: "x2" }), undefined)).toBeUndefined();
    expect(await leases.read("dir/k")).toEqual(first);
  });

  test("exactly one of two changes of one state wins", async () => {
    const { leases } = open();
    const first = await leases.write(lease(), undefined);
    const [a, b] = await Promise.all([leases.write(lease({ run: "a" }), first), leases.write(lease({ run: "b" }), first)]);
    expect([a, b].filter((one) => one !== undefined)).toHaveLength(1);
    expect(await leases.read("dir/k")).toEqual(a ?? b);
  });

  test("a change of a lease that is gone is refused", async () => {
    const { leases } = open();
    const first = await leases.write(lease(), undefined);
    if (first) await leases.remove(first);
    expect(await leases.write(lease({ stop: true }), first)).toBeUndefined();
    expect(await leases.read("dir/k")).toBeUndefined();
  });

  test("a lease that has changed is not removed", async () => {
    const { leases } = open();
    const first = await leases.write(lease(), undefined);
    const second = await leases.write(lease({ stop: true }), first);
    if (first) await leases.remove(first);
    expect(await leases.read("dir/k")).toEqual(second);
    if (second) await leases.remove(second);
    if (second) await leases.remove(second);
    expect(await leases.read("dir/k")).toBeUndefined();
  });

  test("a write whose answer was lost succeeds when it is sent again", async () => {
    const { leases } = open();
    const first = await leases.write(lease(), undefined);
    expect(await leases.write(lease(), undefined)).toEqual(first);
    const second = await leases.write(lease({ stop: true }), first);
    expect(await leases.write(lease({ stop: true }), first)).toEqual(second);
  });

  test("a write whose answer was lost is recognised by the stored record", async () => {
    const { store, leases } = open();
    const put = store.put.bind(store);
    const lost = new BridgeError("Unavailable", "put", "no answer");
    const answers = jest.spyOn(store, "put").mockImplementation(async (...args) => {
      await put(...args);
      throw lost;
    });
    const first = await leases.write(lease(), undefined);
    expect(first).toEqual(await leases.read("dir/k"));
    expect(await leases.write(lease({ stop: true }), first)).toMatchObject({ lease: { stop: true } });
    // It has not landed, but may still do so.
    answers.mockRejectedValue(lost);
    await expect(leases.write(lease(), first)).rejects.toBe(lost);
  });
});

test.each([
  ["no JSON", "{"],
  ["another shape", JSON.stringify({ version: 2 })],
  ["another key's lease", JSON.stringify(lease({ key: "other" }))],
])("a record that holds %s does not count as no lease", async (_what, text) => {
  const { store, leases } = open();
  await leases.write(lease(), undefined);
  const [name = ""] = store.keys();
  const body = Buffer.from(text);
  await store.put(name, body, { sizeBytes: body.length, attributes: { headers: {}, metadata: {}, tags: {} } });
  await expect(leases.read("dir/k")).rejects.toThrow(`the control record ${name} is not a lease of this key: remove it`);
});

test("a failure of the store is passed on", async () => {
  const { store, leases } = open();
  jest.spyOn(store, "get").mockRejectedValue(new BridgeError("Unavailable", "get", "no answer"));
  jest.spyOn(store, "put").mockRejectedValue(new BridgeError("Unavailable", "put", "no answer"));
  await expect(leases.read("dir/k")).rejects.toMatchObject({ kind: "Unavailable" });
  await expect(leases.write(lease(), undefined)).rejects.toMatchObject({ kind: "Unavailable" });
});
