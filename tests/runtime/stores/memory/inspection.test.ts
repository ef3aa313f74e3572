import { checksumOf } from "../../../../runtime/stores/checksums";
import { MemoryStore, memoryUrlKey, parseMemoryUrl } from "../../../../runtime/stores/memory/store";
import { readAll } from "../../../../runtime/stores/read-all";
import { expectKind, NO_ATTRIBUTES, textBytes } from "../../../conformance/object-store/context";

const START = Date.UTC(2026, 0, 1, 0, 0, 0, 900);

function setUp(options: Partial<ConstructorParameters<typeof MemoryStore>[0]> = {}) {
  const clock = { ms: START, now: () => clock.ms };
  const store = new MemoryStore({ clock, ...options });
  const put = (key: string, text: string) =>
    store.put(key, textBytes(text), { attributes: NO_ATTRIBUTES, sizeBytes: textBytes(text).length });
  return { clock, store, put };
}

test("lastModified is cut to whole seconds of the clock", async () => {
  const { clock, store, put } = setUp();
  await put("k", "a");
  expect((await store.head("k"))?.lastModified).toEqual(new Date("2026-01-01T00:00:00.000Z"));
  clock.ms += 99;
  await put("k", "b");
  expect((await store.head("k"))?.lastModified).toEqual(new Date("2026-01-01T00:00:00.000Z"));
  clock.ms += 1;
  await put("k", "c");
  expect((await store.head("k"))?.lastModified).toEqual(new Date("2026-01-01T00:00:01.000Z"));
});

test("etags are those of S3", async () => {
  const { store, put } = setUp();
  expect((await put("k", "hello")).etag).toBe("5d41402abc4b2a76b9719d911017c592");
  const { uploadId } = await store.createUpload("k", { attributes: NO_ATTRIBUTES });
  const part = await store.uploadPart("k", { uploadId, partNumber: 1 }, textBytes("hello"));
  expect(part.etag).toBe("5d41402abc4b2a76b9719d911017c592");
  expect((await store.completeUpload("k", uploadId, [part])).etag).toMatch(/^[0-9a-f]{32}-1$/);
  expect((await store.head("k"))?.checksums).toEqual([checksumOf("CRC64NVME", textBytes("hello"))]);
});

test("an archived object has its attributes, and its bytes after the restore", async () => {
  const { store, put } = setUp();
  await put("k", "hello");
  for (const restore of ["none", "ongoing"] as const) {
    store.setArchive("k", { storageClass: "COLD", restore });
    expect(await store.head("k")).toMatchObject({ sizeBytes: 5, archive: { storageClass: "COLD", restore } });
    await expectKind(store.get("k"), "Unsupported");
    await expectKind(store.touch("k"), "Unsupported");
  }
  store.setArchive("k", { storageClass: "COLD", restore: "done" });
  expect(String(await readAll((await store.get("k")).body, 100))).toBe("hello");
  await put("k", "new");
  expect((await store.head("k"))?.archive).toBeUndefined();
});

test("a delete marker hides the object; removing versions brings older ones back with their lastModified", async () => {
  const { clock, store, put } = setUp({ versioned: true });
  const first = await put("k", "first");
  clock.ms += 10_000;
  const second = await put("k", "second");
  await store.delete("k");
  expect(await store.head("k")).toBeUndefined();
  const [v1, v2, marker] = store.versionIds("k");
  expect([first.versionId, second.versionId]).toEqual([v1, v2]);
  store.deleteVersion("k", marker as string);
  expect((await store.head("k"))?.versionId).toBe(v2);
  store.deleteVersion("k", v2 as string);
  expect(await store.head("k")).toMatchObject({ versionId: v1, lastModified: new Date("2026-01-01T00:00:00.000Z") });
  expect(() => store.deleteVersion("k", "none")).toThrow("no version none");
  expect(store.history("k").map(({ state }) => state && Buffer.from(state.bytes).toString())).toEqual([
    "first",
    "second",
    undefined,
    "second",
    "first",
  ]);
});

test("putTags of a version leaves the current one alone", async () => {
  const { store, put } = setUp({ versioned: true });
  const { versionId } = await put("k", "first");
  await put("k", "second");
  await store.putTags("k", { a: "1" }, { versionId: versionId as string });
  expect(await store.getTags("k")).toEqual({});
  await expectKind(store.putTags("k", {}, { versionId: "none" }), "NotFound");
});

test("a replication status that a test sets belongs to the version, until the object is written again", async () => {
  const { store, put } = setUp({ versioned: true });
  const { versionId } = await put("k", "first");
  expect(await store.head("k")).not.toHaveProperty("replication");
  store.setReplication("k", "FAILED");
  expect(await store.head("k")).toMatchObject({ versionId, replication: "FAILED" });
  await store.touch("k");
  expect(await store.head("k")).not.toHaveProperty("replication");
  await store.delete("k", { versionId: store.versionIds("k").at(-1) as string });
  expect(await store.head("k")).toMatchObject({ versionId, replication: "FAILED" });
});

test("a touch writes one piece, as S3 does: an etag of parts becomes the digest of the bytes", async () => {
  const { store } = setUp();
  const { uploadId } = await store.createUpload("k", { attributes: NO_ATTRIBUTES });
  await store.completeUpload("k", uploadId, [await store.uploadPart("k", { uploadId, partNumber: 1 }, textBytes("hello"))]);
  expect(await store.touch("k")).toEqual({ etag: "5d41402abc4b2a76b9719d911017c592" });
  expect(store.history("k")).toHaveLength(2);
});

test("history holds every state that was visible, once, with its time", async () => {
  const { clock, store, put } = setUp();
  await put("k", "a");
  clock.ms += 5;
  await store.putTags("k", { t: "1" });
  await store.delete("k");
  await store.delete("k");
  const { uploadId } = await store.createUpload("k", { attributes: NO_ATTRIBUTES });
  await store.uploadPart("k", { uploadId, partNumber: 1 }, textBytes("never visible"));
  await store.abortUpload("k", uploadId);
  expect(store.history("k").map(({ atMs, state }) => [atMs - START, state?.tags])).toEqual([
    [0, {}],
    [5, { t: "1" }],
    [5, undefined],
  ]);
  expect(store.history("other")).toEqual([]);
});

test("counters: calls by method, bytes read as they are read, bytes written with parts", async () => {
  const { store, put } = setUp();
  await put("k", "12345");
  const { body } = await store.get("k");
  expect(store.bytesRead).toBe(0);
  await readAll(body, 10);
  expect(store.bytesRead).toBe(5);
  const { uploadId } = await store.createUpload("k", { attributes: NO_ATTRIBUTES });
  const part = await store.uploadPart("k", { uploadId, partNumber: 1 }, textBytes("123"));
  expect(store.openUploads()).toEqual([{ uploadId, key: "k", parts: [part] }]);
  await store.completeUpload("k", uploadId, [part]);
  expect(store.openUploads()).toEqual([]);
  expect(store.bytesWritten).toBe(8);
  expect(store.calls).toEqual({ put: 1, get: 1, createUpload: 1, uploadPart: 1, completeUpload: 1 });
  expect(store.keys()).toEqual(["k"]);
  expect(Buffer.from(store.snapshotOf("k")?.bytes ?? []).toString()).toBe("123");
});

test("an upload created for a checksum computes it of a part that is sent without, and takes no other kind", async () => {
  const { store } = setUp();
  const { uploadId } = await store.createUpload("k", { attributes: NO_ATTRIBUTES, checksumAlgorithm: "CRC32" });
  const part = await store.uploadPart("k", { uploadId, partNumber: 1 }, textBytes("x"));
  expect(part.checksum).toEqual(checksumOf("CRC32", textBytes("x")));
  const other = checksumOf("CRC64NVME", textBytes("x"));
  await expectKind(store.uploadPart("k", { uploadId, partNumber: 1 }, textBytes("x"), { checksum: other }), "Invalid");
});

test("URLs carry name, key and expiry", async () => {
  const { store } = setUp({ name: "source" });
  const url = await store.presignGet("a b/中?&", { expiresInSeconds: 60 });
  expect(url).toBe(`memory://source/${encodeURIComponent("a b/中?&")}?expires=${START + 60_000}`);
  expect(parseMemoryUrl(url)).toEqual({ name: "source", key: "a b/中?&", reads: "object", expiresMs: START + 60_000 });
  expect(memoryUrlKey(url)).toBe("a b/中?&");
  expect(() => memoryUrlKey("https://source/a")).toThrow("not a URL of a memory store");
});
