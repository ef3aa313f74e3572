import { storeSource } from "../../../runtime/replication/source";
import { MemoryStore } from "../../../runtime/stores/memory/store";
import { readAll } from "../../../runtime/stores/read-all";
import { VirtualTime } from "../../support/virtual-time";
import { plain } from "../roles/push-fixture";

// Keys that a URL would change.
const KEYS = ["k", "a/../b", "ü ?#%2F+", "https://source.example/k"];

async function open(key: string) {
  const store = new MemoryStore({ clock: new VirtualTime() });
  const { etag } = await store.put(key, Buffer.from("hello"), { sizeBytes: 5, attributes: plain });
  return { store, etag, source: storeSource(store, key) };
}

test.each(KEYS)("%j is read, whole and by range, pinned to its etag", async (key) => {
  const { etag, source } = await open(key);
  const whole = await source.open({ etag });
  expect({ sizeBytes: whole.sizeBytes, etag: whole.etag }).toEqual({ sizeBytes: 5, etag });
  expect((await readAll(whole.body, 100)).toString()).toBe("hello");
  const part = await source.open({ etag, range: { start: 1, end: 3 } });
  expect((await readAll(part.body, 100)).toString()).toBe("ell");
  await expect(source.isCurrent({ etag })).resolves.toBe(true);
  await expect(source.isAbsent()).resolves.toBe(false);
});

test("an object that has changed fails its pin, and is not current", async () => {
  const { store, etag, source } = await open("k");
  await store.put("k", Buffer.from("other"), { sizeBytes: 5, attributes: plain });
  await expect(source.open({ etag })).rejects.toMatchObject({ kind: "PreconditionFailed" });
  await expect(source.isCurrent({ etag })).resolves.toBe(false);
});

test("an object that is gone", async () => {
  const { store, etag, source } = await open("k");
  await store.delete("k");
  await expect(source.open({ etag })).rejects.toMatchObject({ kind: "NotFound" });
  await expect(source.isCurrent({ etag })).resolves.toBe(false);
  await expect(source.isAbsent()).resolves.toBe(true);
});

test.each(["open", "isCurrent", "isAbsent"] as const)("%s ends with its signal", async (call) => {
  const { store, etag, source } = await open("k");
  const { signal } = new AbortController();
  const spied = jest.spyOn(store, call === "open" ? "get" : "head");
  await source[call]({ etag, signal });
  expect(spied).toHaveBeenCalledWith("k", expect.objectContaining({ signal }));
});
