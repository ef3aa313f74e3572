import { PassThrough, Readable } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { ObjectSnapshot } from "../../../runtime/protocol/snapshot";
import { lookAt } from "../../../runtime/replication/destination";
import { firstDifference } from "../../../runtime/replication/equality";
import { replicaMetadata, withoutProvenance } from "../../../runtime/replication/provenance";
import { takeSnapshot } from "../../../runtime/replication/snapshot";
import type { BoundSource } from "../../../runtime/replication/source";
import {
  deleteObject,
  SUPERSEDED,
  verifiedBody,
  type WriteContext,
  writeObject,
  writeTags,
} from "../../../runtime/replication/write";
import { checksumOf } from "../../../runtime/stores/checksums";
import { MemoryStore } from "../../../runtime/stores/memory/store";
import type { StoreCapabilities } from "../../../runtime/stores/object-store";
import { readAll } from "../../../runtime/stores/read-all";
import { VirtualTime } from "../../support/virtual-time";
import { BRIDGE } from "../support/make-snapshot";
import { memorySource } from "../support/memory-reader";

const text = { headers: { contentType: "text/plain" }, metadata: { author: "someone" }, tags: { team: "red" } };

async function open(options: { capabilities?: Partial<StoreCapabilities>; source?: Partial<StoreCapabilities> } = {}) {
  const clock = new VirtualTime();
  const source = new MemoryStore({ clock, name: "source", capabilities: options.source ?? {} });
  const destination = new MemoryStore({ clock, name: "destination", capabilities: options.capabilities ?? {} });
  const bound = memorySource(source, "k");
  const put = (content: string, attributes: Partial<typeof text> = {}) =>
    source.put("k", Buffer.from(content), { sizeBytes: content.length, attributes: { ...text, ...attributes } });
  const context = async (): Promise<WriteContext> => ({
    destination,
    source: bound,
    bridge: BRIDGE,
    key: "to/k",
    seen: await lookAt(destination, "to/k"),
    signal: new AbortController().signal,
  });
  const snapshotNow = async (): Promise<ObjectSnapshot> => {
    const snapshot = await takeSnapshot(source, "k");
    if (snapshot === undefined) throw new Error("write first");
    return snapshot;
  };
  return { source, bound, store: destination, put, context, snapshotNow };
}

describe("writeObject", () => {
  test("bytes, headers, metadata and tags arrive, with their provenance", async () => {
    const { store, put, context, snapshotNow } = await open();
    await put("123456");
    const asked = await snapshotNow();
    expect(await writeObject(await context(), asked)).toEqual({ result: "replicated", bytesMoved: 6 });
    expect(store.snapshotOf("to/k")).toMatchObject({
      bytes: Buffer.from("123456"),
      headers: text.headers,
      metadata: replicaMetadata(asked, BRIDGE, "to/k"),
      tags: text.tags,
      checksum: asked.checksum,
    });
  });

  describe("where the destination cannot verify the source's kind of checksum", () => {
    const otherKind = { capabilities: { checksums: ["CRC64XZ"], multipartChecksums: ["CRC64XZ"] } } as const;

    test.each(["", "x", "123456"])("the bytes %p are verified on the way", async (content) => {
      const { store, put, context, snapshotNow } = await open(otherKind);
      await put(content);
      const asked = await snapshotNow();
      expect(asked.checksum?.algorithm).not.toBe("CRC64XZ");
      expect(await writeObject(await context(), asked)).toEqual({ result: "replicated", bytesMoved: content.length });
      expect(Buffer.from(store.snapshotOf("to/k")?.bytes ?? []).toString()).toBe(content);
    });

    test.each([
      ["first", ["X23", "456"]],
      ["last", ["123", "45X"]],
      ["only", ["12345X"]],
    ])("another byte in the %s piece never becomes visible", async (_, pieces) => {
      const { bound, store, put, context, snapshotNow } = await open(otherKind);
      await put("123456");
      const asked = await snapshotNow();
      const lying: BoundSource = {
        ...bound,
        open: async (options) => ({
          ...(await bound.open(options)),
          body: Readable.from(pieces.map((piece) => Buffer.from(piece))),
        }),
      };
      await expect(writeObject({ ...(await context()), source: lying }, asked)).rejects.toMatchObject({ kind: "Corrupted" });
      expect(store.snapshotOf("to/k")).toBeUndefined();
    });
  });

  test("an empty object, too", async () => {
    const { store, put, context, snapshotNow } = await open();
    await put("");
    expect(await writeObject(await context(), await snapshotNow())).toEqual({ result: "replicated", bytesMoved: 0 });
    expect(store.snapshotOf("to/k")?.bytes).toHaveLength(0);
  });

  test.each(["overwritten", "deleted"])("%s since it was read: superseded, nothing is written", async (what) => {
    const { source, store, put, context, snapshotNow } = await open();
    await put("123456");
    const asked = await snapshotNow();
    if (what === "deleted") await source.delete("k");
    else await put("newer");
    expect(await writeObject(await context(), asked)).toEqual(SUPERSEDED);
    expect(store.bytesWritten).toBe(0);
  });

  test("a destination that has changed since it was read refuses", async () => {
    const { store, put, context, snapshotNow } = await open();
    await put("123456");
    const before = await context();
    await store.put("to/k", Buffer.from("else"), { sizeBytes: 4, attributes: text });
    await expect(writeObject(before, await snapshotNow())).rejects.toMatchObject({ kind: "PreconditionFailed" });
    expect(Buffer.from(store.snapshotOf("to/k")?.bytes ?? []).toString()).toBe("else");
  });

  test("a destination without conditional writes is overwritten", async () => {
    const { put, context, snapshotNow } = await open({ capabilities: { conditionalWrites: false, conditionalCreate: false } });
    await put("123456");
    expect(await writeObject(await context(), await snapshotNow())).toMatchObject({ result: "replicated" });
  });

  test("a checksum that the destination cannot verify does not make it refuse the object", async () => {
    const { put, context, snapshotNow } = await open({
      source: { checksums: ["CRC64XZ"] },
      capabilities: { checksums: ["CRC64NVME"] },
    });
    await put("123456");
    const asked = await snapshotNow();
    expect(asked.checksum?.algorithm).toBe("CRC64XZ");
    expect(await writeObject(await context(), asked)).toEqual({ result: "replicated", bytesMoved: 6 });
  });

  test("bytes that do not match the source's checksum are refused by the destination", async () => {
    const { put, context, snapshotNow, store } = await open();
    await put("123456");
    const asked = await snapshotNow();
    asked.checksum = { algorithm: "CRC64NVME", value: Buffer.alloc(8).toString("base64") };
    await expect(writeObject(await context(), asked)).rejects.toMatchObject({ kind: "Corrupted" });
    expect(store.keys()).toEqual([]);
  });

  test("an answer of another size is refused, and its body is destroyed", async () => {
    const { put, context, snapshotNow, store } = await open();
    await put("123456");
    const asked = await snapshotNow();
    asked.sizeBytes = 7;
    const before = await context();
    const { source } = before;
    let body: NodeJS.ReadableStream | undefined;
    const watched = {
      ...before,
      source: {
        ...source,
        open: async (options: Parameters<BoundSource["open"]>[0]) => {
          const opened = await source.open(options);
          body = opened.body;
          return opened;
        },
      },
    };
    await expect(writeObject(watched, asked)).rejects.toMatchObject({ kind: "Corrupted" });
    expect(body).toMatchObject({ destroyed: true });
    expect(store.keys()).toEqual([]);
  });

  describe("where no common checksum proves the bytes later", () => {
    const otherKind = { capabilities: { checksums: ["CRC64XZ"], multipartChecksums: ["CRC64XZ"] } } as const;
    const large = "x".repeat(1024 ** 2 + 1);

    async function written(content: string) {
      const all = await open(otherKind);
      await all.put(content);
      const snapshot = await all.snapshotNow();
      expect(await writeObject(await all.context(), snapshot)).toMatchObject({ result: "replicated" });
      const difference = async () => {
        const seen = await lookAt(all.store, "to/k");
        return seen && firstDifference(snapshot, seen, BRIDGE);
      };
      const replaceBytes = async () => {
        const { metadata = {}, headers = {}, tags = {} } = all.store.snapshotOf("to/k") ?? {};
        const attributes = { headers, metadata, tags };
        await all.store.put("to/k", Buffer.alloc(content.length, "y"), { sizeBytes: content.length, attributes });
      };
      return { ...all, snapshot, difference, replaceBytes };
    }

    test("a small replica has its checksum in the provenance, and costs no more requests", async () => {
      const { store, difference, replaceBytes } = await written("123456");
      expect(store.calls).toMatchObject({ put: 1, head: 2, getTags: 1 });
      expect(store.calls.get).toBeUndefined();
      expect(await difference()).toBeUndefined();
      await replaceBytes();
      expect(await difference()).toMatchObject({ what: "bytes", name: "CRC64XZ" });
    });

    test("a larger one has its etag in a record, which costs one request", async () => {
      const { store, difference, replaceBytes } = await written(large);
      expect(store.calls).toMatchObject({ put: 2, head: 2, getTags: 1 });
      expect(store.calls.get).toBeUndefined();
      expect(await difference()).toBeUndefined();
      await replaceBytes();
      expect(await difference()).toMatchObject({ what: "bytes", name: "etag" });
    });

    test("a record of the version before says nothing", async () => {
      const { store, put, context, snapshotNow } = await written(large);
      await put(large.replaceAll("x", "z"));
      const newer = await snapshotNow();
      const puts = store.put.bind(store);
      jest
        .spyOn(store, "put")
        .mockImplementation((key, ...rest) => (key === "to/k" ? puts(key, ...rest) : Promise.reject(new Error("crash"))));
      await expect(writeObject(await context(), newer)).rejects.toThrow("crash");
      const seen = await lookAt(store, "to/k");
      expect(seen && firstDifference(newer, seen, BRIDGE)).toBeUndefined();
    });
  });

  test.each([1_800, 2_048])("metadata of %d bytes arrives, and counts as equal from then on", async (bytes) => {
    const { store, put, context, snapshotNow } = await open();
    const metadata = { author: "someone", big: "m".repeat(bytes - 16) };
    await put("123456", { metadata });
    const asked = await snapshotNow();
    expect(await writeObject(await context(), asked)).toEqual({ result: "replicated", bytesMoved: 6 });
    expect(withoutProvenance(store.snapshotOf("to/k")?.metadata ?? {})).toEqual(metadata);
    const { seen } = await context();
    expect(seen && firstDifference(asked, seen, BRIDGE)).toBeUndefined();
  });

  test("a Content-Disposition in raw UTF-8 and a website's redirect arrive byte for byte", async () => {
    const { store, put, context, snapshotNow } = await open();
    const contentDisposition = Buffer.from('attachment; filename="报告 2024.pdf"').toString("latin1");
    const headers = { contentType: "text/html", contentDisposition, websiteRedirectLocation: "/web/new.html" };
    await put("", { headers });
    expect(await writeObject(await context(), await snapshotNow())).toMatchObject({ result: "replicated" });
    expect(store.snapshotOf("to/k")?.headers).toEqual(headers);
  });

  test.each(["", "aws-chunked", "aws-chunked,gzip"])("Content-Encoding %j arrives once", async (contentEncoding) => {
    const { store, put, context, snapshotNow } = await open();
    await put("123456", { headers: { contentType: "text/plain", contentEncoding } as typeof text.headers });
    const asked = await snapshotNow();
    expect(await writeObject(await context(), asked)).toMatchObject({ result: "replicated" });
    const { contentEncoding: kept } = store.snapshotOf("to/k")?.headers ?? {};
    expect(kept).toBe(contentEncoding.endsWith("gzip") ? "gzip" : undefined);
  });

  test("the written object is read again: dropped tags are a failure", async () => {
    const { put, context, snapshotNow, store } = await open();
    await put("123456");
    jest.spyOn(store, "getTags").mockResolvedValue({});
    expect(await writeObject(await context(), await snapshotNow())).toEqual({
      result: "retry",
      reason: "after the write the destination's tag team is absent, the source's is \"red\"",
      difference: { what: "tags", name: "team", wanted: "red" },
      bytesMoved: 6,
    });
  });

  test("an object that is gone right after the write is a failure", async () => {
    const { put, context, snapshotNow, store } = await open();
    await put("123456");
    const before = await context();
    jest.spyOn(store, "head").mockResolvedValue(undefined);
    expect(await writeObject(before, await snapshotNow())).toMatchObject({
      result: "retry",
      reason: "after the write the destination's object differs from the source's",
    });
  });
});

describe("writeTags", () => {
  test("the tags change, no bytes move", async () => {
    const { source, put, context, snapshotNow, store } = await open();
    await put("123456");
    await writeObject(await context(), await snapshotNow());
    const moved = source.bytesRead;
    await source.putTags("k", { team: "blue" });
    expect(await writeTags(await context(), await snapshotNow())).toEqual({ result: "replicated", bytesMoved: 0 });
    expect(await store.getTags("to/k")).toEqual({ team: "blue" });
    expect(source.bytesRead).toBe(moved);
  });

  test("overwritten since: superseded, the tags stay", async () => {
    const { put, context, snapshotNow, store } = await open();
    await put("123456");
    await writeObject(await context(), await snapshotNow());
    const asked = await snapshotNow();
    asked.tags = { team: "blue" };
    await put("newer");
    expect(await writeTags(await context(), asked)).toEqual(SUPERSEDED);
    expect(await store.getTags("to/k")).toEqual({ team: "red" });
  });
});

describe("deleteObject", () => {
  test("gone at the source: gone at the destination", async () => {
    const { source, put, context, snapshotNow, store } = await open();
    await put("123456");
    await writeObject(await context(), await snapshotNow());
    await source.delete("k");
    expect(await deleteObject(await context())).toEqual({ result: "replicated", bytesMoved: 0 });
    expect(store.keys()).toEqual([]);
  });

  test("back at the source: superseded, the replica stays", async () => {
    const { put, context, snapshotNow, store } = await open();
    await put("123456");
    await writeObject(await context(), await snapshotNow());
    expect(await deleteObject(await context())).toEqual(SUPERSEDED);
    expect(store.keys()).toEqual(["to/k"]);
  });

  test("overwritten at the destination since it was read: refused", async () => {
    const { source, put, context, snapshotNow, store } = await open();
    await put("123456");
    await writeObject(await context(), await snapshotNow());
    await source.delete("k");
    const before = await context();
    await store.put("to/k", Buffer.from("else"), { sizeBytes: 4, attributes: text });
    await expect(deleteObject(before)).rejects.toMatchObject({ kind: "PreconditionFailed" });
  });
});

describe("verifiedBody", () => {
  const bytes = Buffer.from("hello");
  const checksum = checksumOf("CRC64XZ", bytes);

  test("passes on the bytes that match the checksum", async () => {
    expect(await readAll(verifiedBody(Readable.from([bytes.subarray(0, 2), bytes.subarray(2)]), checksum), 100)).toEqual(bytes);
  });

  test("other bytes fail before their last piece", async () => {
    const seen: Buffer[] = [];
    const body = verifiedBody(Readable.from([Buffer.from("hel"), Buffer.from("LO")]), checksum);
    body.on("data", (piece: Buffer) => seen.push(piece));
    await expect(new Promise((_, reject) => body.once("error", reject))).rejects.toMatchObject({ kind: "Corrupted" });
    expect(String(Buffer.concat(seen))).toBe("hel");
  });

  test("a body that breaks before it is read does not end the process: its reader gets the error", async () => {
    const from = new PassThrough();
    const body = verifiedBody(from, checksum);
    const cause = new Error("socket hang up");
    from.destroy(cause);
    await nextTurn();
    await expect(readAll(body, 100)).rejects.toBe(cause);
  });
});
