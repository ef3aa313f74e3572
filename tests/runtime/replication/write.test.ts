import { Readable } from "node:stream";
import type { Notice } from "../../../runtime/protocol/messages";
import type { SourceReader } from "../../../runtime/protocol/ports";
import type { PresentNotice } from "../../../runtime/replication/decide";
import { lookAt } from "../../../runtime/replication/destination";
import { replicaMetadata } from "../../../runtime/replication/provenance";
import { takeSnapshot } from "../../../runtime/replication/snapshot";
import { deleteObject, type WriteContext, writeObject, writeTags } from "../../../runtime/replication/write";
import { MemoryStore } from "../../../runtime/stores/memory/store";
import type { StoreCapabilities } from "../../../runtime/stores/object-store";
import { ManualClock } from "../support/clock";
import { BRIDGE } from "../support/make-snapshot";
import { memoryReader } from "../support/memory-reader";

const text = { headers: { contentType: "text/plain" }, metadata: { author: "someone" }, tags: { team: "red" } };

async function open(
  options: {
    capabilities?: Partial<StoreCapabilities>;
    source?: Partial<StoreCapabilities>;
    reader?: Partial<SourceReader>;
  } = {},
) {
  const clock = new ManualClock();
  const source = new MemoryStore({ clock, name: "source", capabilities: options.source ?? {} });
  const store = new MemoryStore({ clock, name: "destination", capabilities: options.capabilities ?? {} });
  const url = await source.presignGet("k", { expiresInSeconds: 60 });
  const put = (content: string, attributes: Partial<typeof text> = {}) =>
    source.put("k", Buffer.from(content), { sizeBytes: content.length, attributes: { ...text, ...attributes } });
  const context = async (): Promise<WriteContext> => ({
    store,
    reader: { ...memoryReader(source), ...options.reader },
    bridge: BRIDGE,
    key: "to/k",
    seen: await lookAt(store, "to/k"),
    signal: new AbortController().signal,
  });
  const notice = async (): Promise<PresentNotice> => {
    const snapshot = await takeSnapshot(source, "k");
    if (snapshot === undefined) throw new Error("write first");
    return { key: "k", url, state: "present", snapshot };
  };
  return { source, store, url, put, context, notice };
}

describe("writeObject", () => {
  test("bytes, headers, metadata and tags arrive, with their provenance", async () => {
    const { store, put, context, notice } = await open();
    await put("123456");
    const asked = await notice();
    expect(await writeObject(await context(), asked)).toEqual({ result: "replicated", bytesMoved: 6 });
    expect(store.snapshotOf("to/k")).toMatchObject({
      bytes: Buffer.from("123456"),
      headers: text.headers,
      metadata: replicaMetadata(asked.snapshot, BRIDGE, "to/k"),
      tags: text.tags,
      checksum: asked.snapshot.checksum,
    });
  });

  describe("where the destination cannot verify the source's kind of checksum", () => {
    const otherKind = { capabilities: { checksums: ["CRC64XZ"], multipartChecksums: ["CRC64XZ"] } } as const;

    test.each(["", "x", "123456"])("the bytes %p are verified on the way", async (content) => {
      const { store, put, context, notice } = await open(otherKind);
      await put(content);
      const asked = await notice();
      expect(asked.snapshot.checksum?.algorithm).not.toBe("CRC64XZ");
      expect(await writeObject(await context(), asked)).toEqual({ result: "replicated", bytesMoved: content.length });
      expect(store.snapshotOf("to/k")?.bytes.toString()).toBe(content);
    });

    test.each([
      ["first", ["X23", "456"]],
      ["last", ["123", "45X"]],
      ["only", ["12345X"]],
    ])("another byte in the %s piece never becomes visible", async (_, pieces) => {
      const { source, store, put, context, notice } = await open(otherKind);
      await put("123456");
      const asked = await notice();
      const reader = memoryReader(source);
      const lying: SourceReader = {
        ...reader,
        open: async (url, options) => ({
          ...(await reader.open(url, options)),
          body: Readable.from(pieces.map((piece) => Buffer.from(piece))),
        }),
      };
      await expect(writeObject({ ...(await context()), reader: lying }, asked)).rejects.toMatchObject({ kind: "Corrupted" });
      expect(store.snapshotOf("to/k")).toBeUndefined();
    });
  });

  test("an empty object, too", async () => {
    const { store, put, context, notice } = await open();
    await put("");
    expect(await writeObject(await context(), await notice())).toEqual({ result: "replicated", bytesMoved: 0 });
    expect(store.snapshotOf("to/k")?.bytes).toHaveLength(0);
  });

  test.each(["overwritten", "deleted"])("%s since it was looked at: superseded, nothing is written", async (what) => {
    const { source, store, put, context, notice } = await open();
    await put("123456");
    const asked = await notice();
    if (what === "deleted") await source.delete("k");
    else await put("newer");
    expect(await writeObject(await context(), asked)).toEqual({ result: "superseded" });
    expect(store.bytesWritten).toBe(0);
  });

  test("a destination that has changed since it was looked at refuses", async () => {
    const { store, put, context, notice } = await open();
    await put("123456");
    const before = await context();
    await store.put("to/k", Buffer.from("else"), { sizeBytes: 4, attributes: text });
    await expect(writeObject(before, await notice())).rejects.toMatchObject({ kind: "PreconditionFailed" });
    expect(Buffer.from(store.snapshotOf("to/k")?.bytes ?? []).toString()).toBe("else");
  });

  test("a destination that cannot tell is overwritten", async () => {
    const { put, context, notice } = await open({ capabilities: { conditionalWrites: false, conditionalCreate: false } });
    await put("123456");
    expect(await writeObject(await context(), await notice())).toMatchObject({ result: "replicated" });
  });

  test("a checksum that the destination cannot verify does not make it refuse the object", async () => {
    const { put, context, notice } = await open({
      source: { checksums: ["CRC64XZ"] },
      capabilities: { checksums: ["CRC64NVME"] },
    });
    await put("123456");
    const asked = await notice();
    expect(asked.snapshot.checksum?.algorithm).toBe("CRC64XZ");
    expect(await writeObject(await context(), asked)).toEqual({ result: "replicated", bytesMoved: 6 });
  });

  test("bytes that do not match the source's checksum are refused by the destination", async () => {
    const { put, context, notice, store } = await open();
    await put("123456");
    const asked = await notice();
    asked.snapshot.checksum = { algorithm: "CRC64NVME", value: Buffer.alloc(8).toString("base64") };
    await expect(writeObject(await context(), asked)).rejects.toMatchObject({ kind: "Corrupted" });
    expect(store.keys()).toEqual([]);
  });

  test("an answer of another size is not taken for the object, and is let go of", async () => {
    const { put, context, notice, store } = await open();
    await put("123456");
    const asked = await notice();
    asked.snapshot.sizeBytes = 7;
    const before = await context();
    const { reader } = before;
    let body: NodeJS.ReadableStream | undefined;
    const watched = {
      ...before,
      reader: {
        ...reader,
        open: async (...args: Parameters<SourceReader["open"]>) => {
          const opened = await reader.open(...args);
          body = opened.body;
          return opened;
        },
      },
    };
    await expect(writeObject(watched, asked)).rejects.toMatchObject({ kind: "Corrupted" });
    expect(body).toMatchObject({ destroyed: true });
    expect(store.keys()).toEqual([]);
  });

  test("what the destination made of it is looked at: tags that it drops are no success", async () => {
    const { put, context, notice, store } = await open();
    await put("123456");
    jest.spyOn(store, "getTags").mockResolvedValue({});
    expect(await writeObject(await context(), await notice())).toEqual({
      result: "retry",
      reason: "after the write the destination's tags differs from the source's",
      bytesMoved: 6,
    });
  });

  test("gone right after it was written is no success", async () => {
    const { put, context, notice, store } = await open();
    await put("123456");
    const before = await context();
    jest.spyOn(store, "head").mockResolvedValue(undefined);
    expect(await writeObject(before, await notice())).toMatchObject({
      result: "retry",
      reason: "after the write the destination's object differs from the source's",
    });
  });
});

describe("writeTags", () => {
  test("the tags change, no bytes move", async () => {
    const { source, put, context, notice, store } = await open();
    await put("123456");
    await writeObject(await context(), await notice());
    const moved = source.bytesRead;
    await source.putTags("k", { team: "blue" });
    expect(await writeTags(await context(), await notice())).toEqual({ result: "replicated", bytesMoved: 0 });
    expect(await store.getTags("to/k")).toEqual({ team: "blue" });
    expect(source.bytesRead).toBe(moved);
  });

  test("overwritten since: superseded, the tags stay", async () => {
    const { put, context, notice, store } = await open();
    await put("123456");
    await writeObject(await context(), await notice());
    const asked = await notice();
    asked.snapshot.tags = { team: "blue" };
    await put("newer");
    expect(await writeTags(await context(), asked)).toEqual({ result: "superseded" });
    expect(await store.getTags("to/k")).toEqual({ team: "red" });
  });
});

describe("deleteObject", () => {
  const absent = (url: string): Notice => ({ key: "k", url, state: "absent" });

  test("gone at the source: gone at the destination", async () => {
    const { source, put, context, notice, store, url } = await open();
    await put("123456");
    await writeObject(await context(), await notice());
    await source.delete("k");
    expect(await deleteObject(await context(), absent(url))).toEqual({ result: "replicated", bytesMoved: 0 });
    expect(store.keys()).toEqual([]);
  });

  test("back at the source: superseded, the replica stays", async () => {
    const { put, context, notice, store, url } = await open();
    await put("123456");
    await writeObject(await context(), await notice());
    expect(await deleteObject(await context(), absent(url))).toEqual({ result: "superseded" });
    expect(store.keys()).toEqual(["to/k"]);
  });

  test("overwritten at the destination since it was looked at: refused", async () => {
    const { source, put, context, notice, store, url } = await open();
    await put("123456");
    await writeObject(await context(), await notice());
    await source.delete("k");
    const before = await context();
    await store.put("to/k", Buffer.from("else"), { sizeBytes: 4, attributes: text });
    await expect(deleteObject(before, absent(url))).rejects.toMatchObject({ kind: "PreconditionFailed" });
  });

  test("back at the destination right after: no success", async () => {
    const { source, put, context, notice, store, url } = await open();
    await put("123456");
    await writeObject(await context(), await notice());
    await source.delete("k");
    const before = await context();
    jest.spyOn(store, "delete").mockResolvedValue();
    expect(await deleteObject(before, absent(url))).toEqual({
      result: "retry",
      reason: "the destination object is back after its delete",
    });
  });
});
