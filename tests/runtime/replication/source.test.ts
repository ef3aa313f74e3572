import { takeSnapshot } from "../../../runtime/replication/snapshot";
import { storeSource } from "../../../runtime/replication/source";
import { MemoryStore } from "../../../runtime/stores/memory/store";
import { readAll } from "../../../runtime/stores/read-all";
import { VirtualTime } from "../../support/virtual-time";
import { plain } from "../roles/push-fixture";

// Keys that a URL would change.
const KEYS = ["k", "a/../b", "ü ?#%2F+", "https://source.example/k"];

async function open(key: string) {
  const clock = new VirtualTime();
  const store = new MemoryStore({ clock });
  await store.put(key, Buffer.from("hello"), { sizeBytes: 5, attributes: plain });
  const pin = await takeSnapshot(store, key);
  if (pin === undefined) throw new Error("the object is gone");
  return { store, clock, pin, source: storeSource(store, key) };
}

test.each(KEYS)("%j is read, whole and by range, pinned to its etag", async (key) => {
  const { pin, source } = await open(key);
  const whole = await source.open({ pin });
  expect({ sizeBytes: whole.sizeBytes, etag: whole.etag }).toEqual({ sizeBytes: 5, etag: pin.etag });
  expect((await readAll(whole.body, 100)).toString()).toBe("hello");
  const part = await source.open({ pin, range: { start: 1, end: 3 } });
  expect((await readAll(part.body, 100)).toString()).toBe("ell");
  await expect(source.isCurrent({ pin })).resolves.toBe(true);
  await expect(source.isAbsent()).resolves.toBe(false);
});

test("an object that has changed fails its pin, and is not current", async () => {
  const { store, pin, source } = await open("k");
  await store.put("k", Buffer.from("other"), { sizeBytes: 5, attributes: plain });
  await expect(source.open({ pin })).rejects.toMatchObject({ kind: "PreconditionFailed" });
  await expect(source.isCurrent({ pin })).resolves.toBe(false);
});

test("equal bytes that were written again are another state", async () => {
  const { store, clock, pin, source } = await open("k");
  clock.advance(1_000);
  await store.put("k", Buffer.from("hello"), { sizeBytes: 5, attributes: { ...plain, metadata: { by: "new" } } });
  await expect(source.open({ pin })).rejects.toMatchObject({ kind: "PreconditionFailed" });
  await expect(source.isCurrent({ pin })).resolves.toBe(false);
});

test("another version with equal bytes of the same second is another state", async () => {
  const store = new MemoryStore({ clock: new VirtualTime(), versioned: true });
  const put = () => store.put("k", Buffer.from("hello"), { sizeBytes: 5, attributes: plain });
  await put();
  const pin = await takeSnapshot(store, "k");
  if (pin === undefined) throw new Error("the object is gone");
  await expect(storeSource(store, "k").isCurrent({ pin })).resolves.toBe(true);
  await put();
  await expect(storeSource(store, "k").open({ pin })).rejects.toMatchObject({ kind: "PreconditionFailed" });
  await expect(storeSource(store, "k").isCurrent({ pin })).resolves.toBe(false);
});

test("an object that is gone", async () => {
  const { store, pin, source } = await open("k");
  await store.delete("k");
  await expect(source.open({ pin })).rejects.toMatchObject({ kind: "NotFound" });
  await expect(source.isCurrent({ pin })).resolves.toBe(false);
  await expect(source.isAbsent()).resolves.toBe(true);
});

test.each(["open", "isCurrent", "isAbsent"] as const)("%s ends with its signal", async (call) => {
  const { store, pin, source } = await open("k");
  const { signal } = new AbortController();
  const spied = jest.spyOn(store, call === "open" ? "get" : "head");
  await source[call]({ pin, signal });
  expect(spied).toHaveBeenCalledWith("k", expect.objectContaining({ signal }));
});
