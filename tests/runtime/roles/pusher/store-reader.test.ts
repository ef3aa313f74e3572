import { createStoreReader, storeAddress } from "../../../../runtime/roles/pusher/store-reader";
import { MemoryStore } from "../../../../runtime/stores/memory/store";
import { readAll } from "../../../../runtime/stores/read-all";
import { ManualClock } from "../../support/clock";
import { plain } from "../push-fixture";

// Keys that would not survive a URL unharmed.
const KEYS = ["k", "a/../b", "ü ?#%2F+", "source-object:k"];

async function open(key: string) {
  const store = new MemoryStore({ clock: new ManualClock() });
  const { etag } = await store.put(key, Buffer.from("hello"), { sizeBytes: 5, attributes: plain });
  return { store, etag, reader: createStoreReader(store), address: storeAddress(key) };
}

test.each(KEYS)("%j is read, whole and by range, pinned to its etag", async (key) => {
  const { etag, reader, address } = await open(key);
  const whole = await reader.open(address, { etag });
  expect({ sizeBytes: whole.sizeBytes, etag: whole.etag }).toEqual({ sizeBytes: 5, etag });
  expect((await readAll(whole.body, 100)).toString()).toBe("hello");
  const part = await reader.open(address, { etag, range: { start: 1, end: 3 } });
  expect((await readAll(part.body, 100)).toString()).toBe("ell");
  await expect(reader.isCurrent(address, { etag })).resolves.toBe(true);
  await expect(reader.isAbsent(address)).resolves.toBe(false);
});

test("an object that moved on fails its pin, and is not current", async () => {
  const { store, etag, reader, address } = await open("k");
  await store.put("k", Buffer.from("other"), { sizeBytes: 5, attributes: plain });
  await expect(reader.open(address, { etag })).rejects.toMatchObject({ kind: "PreconditionFailed" });
  await expect(reader.isCurrent(address, { etag })).resolves.toBe(false);
});

test("an object that is gone", async () => {
  const { store, etag, reader, address } = await open("k");
  await store.delete("k");
  await expect(reader.open(address, { etag })).rejects.toMatchObject({ kind: "NotFound" });
  await expect(reader.isCurrent(address, { etag })).resolves.toBe(false);
  await expect(reader.isAbsent(address)).resolves.toBe(true);
});

test("nothing but its own addresses", async () => {
  const { etag, reader } = await open("k");
  expect(() => reader.assertAllowed("https://source.example/k")).toThrow("not one of the source store");
  await expect(reader.open("k", { etag })).rejects.toMatchObject({ kind: "Invalid" });
});
