import { Readable } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { ChecksumAlgorithm, ObjectSnapshot } from "../../../runtime/protocol/snapshot";
import { CopyEnded } from "../../../runtime/replication/copy-context";
import { lookAt } from "../../../runtime/replication/destination";
import { firstDifference } from "../../../runtime/replication/equality";
import { replicaMetadata } from "../../../runtime/replication/provenance";
import { takeSnapshot } from "../../../runtime/replication/snapshot";
import type { BoundSource } from "../../../runtime/replication/source";
import { checksumOf } from "../../../runtime/stores/checksums";
import { BridgeError } from "../../../runtime/stores/errors";
import type { StoreCapabilities } from "../../../runtime/stores/object-store";
import { BRIDGE } from "../support/make-snapshot";
import { attributes, CONTENT, open, refuseTheThirdPart } from "./copy-object-fixture";

describe("a whole copy", () => {
  test("bytes, headers, metadata and tags arrive, each byte moved once", async () => {
    const all = await open();
    expect(await all.copy()).toBe("replicated");
    expect(all.text()).toBe(CONTENT);
    expect(all.destination.snapshotOf("to/k")).toMatchObject({
      headers: attributes.headers,
      metadata: replicaMetadata(all.snapshot, BRIDGE, "to/k"),
      tags: attributes.tags,
    });
    expect(all.moved.sort()).toEqual([3, 4, 4]);
    expect(all.source.bytesRead).toBe(CONTENT.length);
    expect(all.destination.openUploads()).toEqual([]);
  });

  test("the upload and its part size are recorded before the first part is sent", async () => {
    const all = await open();
    await all.copy({
      rememberUpload: async (upload) => {
        expect(upload.partSizeBytes).toBe(4);
        expect(all.destination.openUploads()).toMatchObject([{ uploadId: upload.uploadId, parts: [] }]);
        expect(all.source.bytesRead).toBe(0);
      },
    });
    expect.assertions(3);
  });

  test("a part goes to the destination while it is read: no part is in memory as a whole", async () => {
    const all = await open();
    const upload = all.destination.uploadPart.bind(all.destination);
    const seen: boolean[] = [];
    jest.spyOn(all.destination, "uploadPart").mockImplementation(async (key, part, body, options) => {
      seen.push(body instanceof Readable && !body.readableEnded);
      return await upload(key, part, body, options);
    });
    await all.copy();
    expect(seen).toEqual([true, true, true]);
  });

  test("never more bodies at once than asked for, and the next one is asked for while the destination confirms the last one", async () => {
    const all = await open();
    let reading = 0;
    let most = 0;
    const source: BoundSource = {
      ...all.bound,
      open: async (options) => {
        const opened = await all.bound.open(options);
        most = Math.max(most, ++reading);
        opened.body.once("end", () => reading--);
        return opened;
      },
    };
    const answers: (() => void)[] = [];
    const upload = all.destination.uploadPart.bind(all.destination);
    jest.spyOn(all.destination, "uploadPart").mockImplementation(async (...args) => {
      const uploaded = await upload(...args);
      await new Promise<void>((resolve) => answers.push(resolve));
      return uploaded;
    });
    const copied = all.copy({ source, partSizeBytes: 1, partsAtOnce: 1 });
    while (answers.length < 2) await nextTurn();
    // Two bodies wait for their answers: no third one begins.
    for (let turn = 0; turn < 20; turn++) await nextTurn();
    expect(all.destination.calls.uploadPart).toBe(2);
    const answering = setInterval(() => answers.shift()?.(), 0);
    expect(await copied).toBe("replicated");
    clearInterval(answering);
    expect(most).toBe(1);
  });

  test("parts that do not add up to the source's checksum are never completed, even where the store does not compare", async () => {
    const all = await open();
    all.snapshot.checksum = { algorithm: "CRC64NVME", value: Buffer.alloc(8).toString("base64") };
    const complete = jest.spyOn(all.destination, "completeUpload");
    await expect(all.copy()).rejects.toMatchObject({ kind: "Corrupted", message: expect.stringMatching(/CRC64NVME/) });
    expect(complete).not.toHaveBeenCalled();
  });

  test.each<[string, Partial<StoreCapabilities>, Partial<StoreCapabilities>, ChecksumAlgorithm | undefined]>([
    ["the source's own where the destination knows the kind", { checksums: ["CRC32"] }, {}, "CRC32"],
    ["else of the bytes that were sent, of the destination's first kind", { checksums: ["SHA1"] }, {}, "CRC64NVME"],
    ["also where the source has none", { checksums: [] }, {}, "CRC64NVME"],
    [
      "none where the destination confirms each part, and the copier compares the source's",
      {},
      { multipartChecksums: ["CRC64XZ"], confirmsParts: true },
      undefined,
    ],
    ["none where the destination has none", {}, { multipartChecksums: [] }, undefined],
  ])("the checksum that the destination compares over the whole: %s", async (_what, source, destination, algorithm) => {
    const all = await open({ source, destination });
    const parts = jest.spyOn(all.destination, "uploadPart");
    const complete = jest.spyOn(all.destination, "completeUpload");
    await all.copy();
    for (const [, , , options] of parts.mock.calls) expect(options).not.toHaveProperty("checksum");
    expect(parts).toHaveBeenCalledTimes(3);
    const value = algorithm && checksumOf(algorithm, Buffer.from(CONTENT));
    expect(complete.mock.calls[0]?.[3]?.checksum).toEqual(value);
  });

  test("the source's checksum is verified by the destination over the whole", async () => {
    const all = await open();
    all.snapshot.checksum = { algorithm: "CRC64NVME", value: Buffer.alloc(8).toString("base64") };
    await expect(all.copy()).rejects.toMatchObject({ kind: "Corrupted" });
    expect(all.text()).toBe("");
    // No part is kept.
    expect(all.destination.openUploads()).toEqual([]);
  });

  test("equal already: nothing is completed, the upload is aborted", async () => {
    const all = await open();
    await all.copy();
    const before = all.destination.calls.completeUpload;
    expect(await all.copy()).toBe("replicated");
    expect(all.destination.calls.completeUpload).toBe(before);
    expect(all.destination.openUploads()).toEqual([]);
  });

  describe("the etag of the replica is recorded where no common checksum proves the bytes", () => {
    const otherKind = { source: { checksums: ["SHA256"] } } as const;
    const replaced = async ({ destination, snapshot }: Awaited<ReturnType<typeof open>>) => {
      const { metadata = {}, headers = {}, tags = {} } = destination.snapshotOf("to/k") ?? {};
      await destination.put("to/k", Buffer.from("ABCDEFGHIJK"), { sizeBytes: 11, attributes: { headers, metadata, tags } });
      const seen = await lookAt(destination, "to/k");
      return seen && firstDifference(snapshot, seen, BRIDGE);
    };

    test("a tool that replaces the bytes and keeps the metadata is seen", async () => {
      const all = await open(otherKind);
      await all.copy();
      expect(all.destination.calls.put).toBe(1);
      const seen = await lookAt(all.destination, "to/k");
      expect(seen && firstDifference(all.snapshot, seen, BRIDGE)).toBeUndefined();
      expect(await replaced(all)).toMatchObject({ what: "bytes", name: "etag" });
    });

    test("with a common checksum nothing is recorded, and the checksum shows it", async () => {
      const all = await open();
      await all.copy();
      expect(all.destination.calls.put).toBeUndefined();
      expect(await replaced(all)).toMatchObject({ what: "bytes", name: "CRC64NVME" });
    });

    test("a completion whose answer was lost is recorded too", async () => {
      const all = await open(otherKind);
      const complete = all.destination.completeUpload.bind(all.destination);
      jest.spyOn(all.destination, "completeUpload").mockImplementation(async (...args) => {
        await complete(...args);
        throw new BridgeError("Unavailable", "completeUpload", "the answer was lost");
      });
      expect(await all.copy()).toBe("replicated");
      expect(await replaced(all)).toMatchObject({ what: "bytes", name: "etag" });
    });

    test("a copier that ends before the record has still copied the object", async () => {
      const all = await open(otherKind);
      jest.spyOn(all.destination, "put").mockRejectedValueOnce(new BridgeError("Unavailable", "put", "no answer"));
      await expect(all.copy()).rejects.toThrow("no answer");
      const seen = await lookAt(all.destination, "to/k");
      expect(seen && firstDifference(all.snapshot, seen, BRIDGE)).toBeUndefined();
    });
  });

  test("metadata of S3's full 2 KB arrives, and the provenance is in a record", async () => {
    const all = await open();
    const metadata = { big: "m".repeat(2045) };
    await all.source.put("k", Buffer.from(CONTENT), { sizeBytes: 11, attributes: { ...attributes, metadata } });
    const snapshot = (await takeSnapshot(all.source, "k")) as ObjectSnapshot;
    expect(await all.copy({ snapshot })).toBe("replicated");
    expect(all.destination.snapshotOf("to/k")?.metadata).toEqual(metadata);
    const seen = await lookAt(all.destination, "to/k");
    expect(seen && firstDifference(snapshot, seen, BRIDGE)).toBeUndefined();
  });

  test("tags that the destination dropped are set afterwards", async () => {
    const all = await open();
    const create = all.destination.createUpload.bind(all.destination);
    jest
      .spyOn(all.destination, "createUpload")
      .mockImplementation((key, options) => create(key, { ...options, attributes: { ...options.attributes, tags: {} } }));
    expect(await all.copy()).toBe("replicated");
    expect(await all.destination.getTags("to/k")).toEqual({ team: "red" });
  });

  test("any other attribute that the destination dropped is a failure", async () => {
    const all = await open();
    const create = all.destination.createUpload.bind(all.destination);
    jest
      .spyOn(all.destination, "createUpload")
      .mockImplementation((key, options) => create(key, { ...options, attributes: { ...options.attributes, headers: {} } }));
    const reason = "after the copy the destination's header content-type is absent, the source's is \"text/plain\"";
    await expect(all.copy()).rejects.toMatchObject({
      outcome: {
        result: "retry",
        reason,
        difference: { what: "headers", name: "content-type", wanted: "text/plain", found: undefined },
      },
    });
  });
});

describe("resumption", () => {
  async function interrupted() {
    const all = await open();
    const { restore } = refuseTheThirdPart(all.destination);
    await expect(all.copy({ partsAtOnce: 1 })).rejects.toThrow("no");
    restore();
    return all;
  }

  test("continues from the parts that are there", async () => {
    const all = await interrupted();
    all.moved.length = 0;
    expect(await all.copy()).toBe("replicated");
    expect(all.moved).toEqual([3]);
    expect(all.destination.calls.createUpload).toBe(1);
    expect(all.text()).toBe(CONTENT);
  });

  test("another part size is configured: the upload goes on with its own, and no part is read again", async () => {
    const all = await interrupted();
    all.moved.length = 0;
    expect(await all.copy({ partSizeBytes: 3 })).toBe("replicated");
    expect(all.moved).toEqual([3]);
    expect(all.text()).toBe(CONTENT);
    expect(all.destination.openUploads()).toEqual([]);
    expect(all.remembered()?.partSizeBytes).toBe(4);
  });

  test("a part that is too short is replaced", async () => {
    const all = await interrupted();
    const [upload] = all.destination.openUploads();
    const cut = Buffer.from("ab");
    await all.destination.uploadPart("to/k", { uploadId: upload?.uploadId ?? "", partNumber: 1 }, cut, {
      checksum: checksumOf("CRC64NVME", cut),
    });
    all.moved.length = 0;
    await all.copy();
    expect(all.moved.sort()).toEqual([3, 4]);
    expect(all.text()).toBe(CONTENT);
  });

  test("an upload that is gone: a new one is started", async () => {
    const all = await interrupted();
    await all.destination.abortUpload("to/k", all.remembered()?.uploadId ?? "");
    expect(await all.copy()).toBe("replicated");
    expect(all.destination.calls.createUpload).toBe(2);
  });

  test("an upload whose parts cannot be listed: no new one is started", async () => {
    const all = await interrupted();
    jest.spyOn(all.destination, "listParts").mockRejectedValue(new BridgeError("Unavailable", "listParts", "no answer"));
    await expect(all.copy()).rejects.toThrow("no answer");
    expect(all.destination.calls.createUpload).toBe(1);
  });

  test("an upload that no later run would find is aborted", async () => {
    const all = await open();
    const rememberUpload = () => Promise.reject(new CopyEnded({ result: "superseded" }));
    await expect(all.copy({ rememberUpload })).rejects.toBeInstanceOf(CopyEnded);
    expect(all.destination.openUploads()).toEqual([]);
  });
});
