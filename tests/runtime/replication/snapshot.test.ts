import type { ObjectSnapshot } from "../../../runtime/protocol/snapshot";
import { sameState, snapshotId, statusTagOf, takeSnapshot, withoutStatusTags } from "../../../runtime/replication/snapshot";
import { MemoryStore } from "../../../runtime/stores/memory/store";
import { VirtualTime } from "../../support/virtual-time";
import { makeSnapshot } from "../support/make-snapshot";

const attributes = { headers: { contentType: "text/plain" }, metadata: { author: "someone" }, tags: { team: "red" } };
const body = Buffer.from("123456");

function open(options: { versioned?: boolean; checksums?: [] } = {}) {
  const { checksums, ...rest } = options;
  return new MemoryStore({
    clock: new VirtualTime(),
    name: "source",
    ...rest,
    ...(checksums === undefined ? {} : { capabilities: { checksums, multipartChecksums: [] } }),
  });
}

describe("takeSnapshot", () => {
  test("a snapshot holds everything about an object, and reads no bytes", async () => {
    const store = open({ versioned: true });
    const { etag, versionId } = await store.put("k", body, { attributes, sizeBytes: 6 });
    expect(await takeSnapshot(store, "k")).toEqual({
      versionId,
      etag,
      sizeBytes: 6,
      lastModified: "2026-03-01T00:00:00.000Z",
      ...attributes,
      checksum: { algorithm: "CRC64NVME", value: expect.any(String) },
    });
    expect(store.bytesRead).toBe(0);
  });

  test("leaves out values that the store does not have", async () => {
    const store = open({ checksums: [] });
    await store.put("k", body, { attributes, sizeBytes: 6 });
    const snapshot = await takeSnapshot(store, "k");
    expect(snapshot).not.toHaveProperty("versionId");
    expect(snapshot).not.toHaveProperty("checksum");
  });

  test("absent, never written or deleted: undefined", async () => {
    const store = open({ versioned: true });
    expect(await takeSnapshot(store, "k")).toBeUndefined();
    await store.put("k", body, { attributes, sizeBytes: 6 });
    await store.delete("k");
    expect(await takeSnapshot(store, "k")).toBeUndefined();
  });

  test("the status tags of all bridges, and the one of earlier versions, are no part of it", async () => {
    const store = open();
    const tags = {
      team: "red",
      [statusTagOf("one")]: "PENDING",
      [statusTagOf("two")]: "FAILED",
      "crossborderbridge-status": "COMPLETED",
    };
    await store.put("k", body, { attributes: { ...attributes, tags }, sizeBytes: 6 });
    expect((await takeSnapshot(store, "k"))?.tags).toEqual({ team: "red" });
  });

  test.each([
    ["crossborderbridge-status", false],
    ["crossborderbridge-status-", false],
    ["crossborderbridge-status-one", false],
    ["crossborderbridge-statuses", true],
    ["crossborderbridge", true],
    ["my-crossborderbridge-status", true],
  ])("the tag %s is kept: %s", (name, kept) => {
    expect(withoutStatusTags({ [name]: "x", team: "red" })).toEqual({ ...(kept ? { [name]: "x" } : {}), team: "red" });
  });

  test("an archived object says so, and is in the same state before, during and after its restore", async () => {
    const store = open();
    await store.put("k", body, { attributes, sizeBytes: 6 });
    const readable = await takeSnapshot(store, "k");
    expect(readable).not.toHaveProperty("archive");
    for (const restore of ["none", "ongoing"] as const) {
      store.setArchive("k", { storageClass: "GLACIER", restore });
      const archived = await takeSnapshot(store, "k");
      expect(archived?.archive).toEqual({ storageClass: "GLACIER", restore });
      expect(sameState(archived, readable)).toBe(true);
    }
    store.setArchive("k", { storageClass: "GLACIER", restore: "done" });
    expect(await takeSnapshot(store, "k")).toEqual(readable);
  });

  test("deleted between its two reads: it reads again", async () => {
    const store = open();
    await store.put("k", body, { attributes, sizeBytes: 6 });
    const head = store.head.bind(store);
    jest.spyOn(store, "head").mockImplementationOnce(async (key) => {
      const seen = await head(key);
      await store.delete("k");
      return seen;
    });
    expect(await takeSnapshot(store, "k")).toBeUndefined();
    expect(store.head).toHaveBeenCalledTimes(2);
  });

  test("an object that changes faster than it can be read is Unavailable, not absent", async () => {
    const store = open();
    await store.put("k", body, { attributes, sizeBytes: 6 });
    const head = await store.head("k");
    await store.delete("k");
    jest.spyOn(store, "head").mockResolvedValue(head);
    await expect(takeSnapshot(store, "k")).rejects.toMatchObject({ kind: "Unavailable", retryable: true });
  });

  test("an error of the store is passed on", async () => {
    const store = open();
    jest.spyOn(store, "head").mockRejectedValue(new Error("no right to HEAD"));
    await expect(takeSnapshot(store, "k")).rejects.toThrow("no right to HEAD");
  });

  test("it takes the preferred one of several checksums", async () => {
    const store = open();
    await store.put("k", body, { attributes, sizeBytes: 6 });
    const head = await store.head("k");
    jest.spyOn(store, "head").mockResolvedValue(
      head && {
        ...head,
        checksums: [
          { algorithm: "SHA1", value: "1" },
          { algorithm: "CRC64NVME", value: "2" },
          { algorithm: "SHA256", value: "3" },
        ],
      },
    );
    expect((await takeSnapshot(store, "k"))?.checksum).toEqual({ algorithm: "CRC64NVME", value: "2" });
  });
});

describe("snapshotId and sameState", () => {
  test.each<[string, Partial<ObjectSnapshot>]>([
    ["versionId", { versionId: "v2" }],
    ["etag", { etag: "e2" }],
    ["size", { sizeBytes: 7 }],
    ["a header", { headers: { contentType: "text/html" } }],
    ["metadata", { metadata: { author: "else" } }],
    ["metadata gone", { metadata: {} }],
    ["a tag", { tags: { team: "blue" } }],
  ])("another %s is another state", (_what, change) => {
    expect(snapshotId(makeSnapshot(change))).not.toBe(snapshotId(makeSnapshot()));
    expect(sameState(makeSnapshot(change), makeSnapshot())).toBe(false);
  });

  test.each<[string, Partial<ObjectSnapshot>]>([
    ["lastModified", { lastModified: "2026-03-01T00:00:01.000Z" }],
    ["a checksum computed since", { checksum: { algorithm: "CRC64NVME", value: "x" } }],
  ])("%s makes no other state", (_what, change) => {
    expect(snapshotId(makeSnapshot(change))).toBe(snapshotId(makeSnapshot()));
  });

  test("the order of names does not matter, but each name's value does", () => {
    expect(snapshotId(makeSnapshot({ tags: { a: "1", b: "2" } }))).toBe(snapshotId(makeSnapshot({ tags: { b: "2", a: "1" } })));
    expect(snapshotId(makeSnapshot({ tags: { a: "2", b: "1" } }))).not.toBe(
      snapshotId(makeSnapshot({ tags: { a: "1", b: "2" } })),
    );
    expect(snapshotId(makeSnapshot({ tags: { x: "1" }, metadata: {} }))).not.toBe(
      snapshotId(makeSnapshot({ tags: {}, metadata: { x: "1" } })),
    );
  });

  test("64 hex digits, to be used in names", () => {
    expect(snapshotId(makeSnapshot())).toMatch(/^[0-9a-f]{64}$/);
  });

  test("absent equals only absent", () => {
    expect(sameState(undefined, undefined)).toBe(true);
    expect(sameState(undefined, makeSnapshot())).toBe(false);
    expect(sameState(makeSnapshot(), undefined)).toBe(false);
  });
});
