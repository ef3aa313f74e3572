/** The copier verifies a checksum that the destination cannot verify, over all runs of a copy. */
import { Readable } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { CopyEnded } from "../../../runtime/replication/copy-context";
import type { LeasedUpload } from "../../../runtime/replication/lease";
import type { BoundSource } from "../../../runtime/replication/source";
import { checksumOf } from "../../../runtime/stores/checksums";
import { BridgeError } from "../../../runtime/stores/errors";
import { CONTENT, open, refuseTheThirdPart } from "./copy-object-fixture";

const destination = { checksums: ["CRC64XZ"], multipartChecksums: ["CRC64XZ"] } as const;

/** Another byte in the second part. */
function lying(source: BoundSource): BoundSource {
  return {
    ...source,
    open: async (options) => {
      const found = await source.open(options);
      return options.range?.start === 4 ? { ...found, body: Readable.from([Buffer.from("eXgh")]) } : found;
    },
  };
}

type Opened = Awaited<ReturnType<typeof open>>;

/** A run that ends at its third part, before the upload has it or after. */
async function endsAtTheLastPart(all: Opened, source: BoundSource, uploaded: "before" | "after"): Promise<void> {
  const { restore } = refuseTheThirdPart(all.destination, uploaded);
  await expect(all.copy({ partsAtOnce: 1, source })).rejects.toThrow("no");
  restore();
  all.moved.length = 0;
}

/** The upload after a crashed run: without its checked ranges. */
function withoutRanges({ remembered }: Opened): LeasedUpload {
  const { uploadId = "", partSizeBytes = 0 } = remembered() ?? {};
  return { uploadId, partSizeBytes };
}

describe.each(["CRC64NVME", "CRC32C", "SHA256", "SHA1"] as const)("%s", (algorithm) => {
  const source = { checksums: [algorithm] };

  test("the bytes are verified as a whole before the upload is completed", async () => {
    const { copy, text } = await open({ source, destination });
    await copy();
    expect(text()).toBe(CONTENT);
  });

  test("a wrong byte in one part never becomes visible, and its upload is aborted", async () => {
    const { copy, bound, destination: store, text } = await open({ source, destination });
    await expect(copy({ source: lying(bound) })).rejects.toMatchObject({ kind: "Corrupted" });
    expect(store.snapshotOf("to/k")).toBeUndefined();
    expect(store.openUploads()).toEqual([]);
    await copy();
    expect(text()).toBe(CONTENT);
  });

  test("a wrong byte in a part of an earlier run never becomes visible", async () => {
    const all = await open({ source, destination });
    await endsAtTheLastPart(all, lying(all.bound), "before");
    await expect(all.copy()).rejects.toMatchObject({ kind: "Corrupted" });
    expect(all.destination.snapshotOf("to/k")).toBeUndefined();
    expect(all.destination.openUploads()).toEqual([]);
  });

  test("a run crashed between its last part and the check: the unchecked parts are moved again", async () => {
    const all = await open({ source, destination });
    await endsAtTheLastPart(all, lying(all.bound), "after");
    expect(all.destination.openUploads()).toMatchObject([{ parts: [{ partNumber: 1 }, { partNumber: 2 }, { partNumber: 3 }] }]);
    expect(await all.copy({ upload: withoutRanges(all) })).toBe("replicated");
    expect(all.text()).toBe(CONTENT);
    expect(all.moved.sort()).toEqual([3, 4, 4]);
  });

  test("the parts that an earlier run has read are not moved again", async () => {
    const all = await open({ source, destination });
    await endsAtTheLastPart(all, all.bound, "before");
    expect(await all.copy()).toBe("replicated");
    expect(all.moved).toEqual([3]);
    expect(all.text()).toBe(CONTENT);
  });

  test("checksums of another kind than the snapshot has are not used", async () => {
    const all = await open({ source, destination });
    await endsAtTheLastPart(all, all.bound, "before");
    all.snapshot.checksum = checksumOf("CRC32", Buffer.from(CONTENT));
    await all.copy();
    expect(all.moved.sort()).toEqual([3, 4, 4]);
    expect(all.text()).toBe(CONTENT);
  });

  test("after a crash, only the parts since the last stored ranges are moved again", async () => {
    const all = await open({ source, destination, content: "x".repeat(40) });
    const stored: LeasedUpload[] = [];
    const rememberUpload = async (upload: LeasedUpload) => void stored.push(upload);
    const fence = async () => {
      if (all.moved.length === 38) throw new CopyEnded({ result: "continue" });
    };
    await expect(all.copy({ partSizeBytes: 1, partsAtOnce: 1, rememberUpload, fence })).rejects.toBeInstanceOf(CopyEnded);
    all.moved.length = 0;
    // A run that ends stores its ranges once more. A run that crashes does not.
    await all.copy({ partSizeBytes: 1, upload: stored.at(-2) });
    expect(all.moved).toHaveLength(40 - 32);
    expect(all.text()).toBe("x".repeat(40));
  });

  test("a part was replaced in the upload: all parts that were checked together with it are moved again", async () => {
    const all = await open({ source, destination });
    await endsAtTheLastPart(all, all.bound, "before");
    const [upload] = all.destination.openUploads();
    const cut = Buffer.from("ab");
    await all.destination.uploadPart("to/k", { uploadId: upload?.uploadId ?? "", partNumber: 1 }, cut, {
      checksum: checksumOf("CRC64XZ", cut),
    });
    await all.copy();
    expect(all.moved.sort()).toEqual([3, 4, 4]);
    expect(all.text()).toBe(CONTENT);
  });

  test("a failure to store ranges does not hide why the run ended", async () => {
    const all = await open({ source, destination });
    let words = 0;
    const rememberUpload = async () => {
      if (++words > 1) throw new BridgeError("Unavailable", "writeLease", "no answer");
    };
    jest.spyOn(all.destination, "uploadPart").mockRejectedValueOnce(new BridgeError("PermissionDenied", "uploadPart", "no"));
    await expect(all.copy({ partsAtOnce: 1, rememberUpload })).rejects.toThrow("no");
  });

  test("parts that are read side by side arrive in any order", async () => {
    const all = await open({ source, destination, content: "0123456789".repeat(20) });
    const delayed: BoundSource = {
      ...all.bound,
      open: async (options) => {
        for (let turns = (options.range?.start ?? 0) % 7; turns > 0; turns--) await nextTurn();
        return all.bound.open(options);
      },
    };
    expect(await all.copy({ source: delayed, partSizeBytes: 3, partsAtOnce: 5 })).toBe("replicated");
    expect(all.text()).toBe("0123456789".repeat(20));
  });

  test("a completion that fails after the check leaves ranges with which the next run goes on", async () => {
    const all = await open({ source, destination });
    jest
      .spyOn(all.destination, "completeUpload")
      .mockRejectedValueOnce(new BridgeError("RateLimited", "completeUpload", "slow down"));
    await expect(all.copy()).rejects.toThrow("slow down");
    all.moved.length = 0;
    expect(await all.copy()).toBe("replicated");
    expect(all.moved).toEqual([]);
    expect(all.text()).toBe(CONTENT);
  });
});
