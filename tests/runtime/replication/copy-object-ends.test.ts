/** Copies that end without success: superseded, stopped, expired, failed, unsettled. */
import { Readable } from "node:stream";
import { CompletionUnsettled, CopyEnded } from "../../../runtime/replication/copy-context";
import type { BoundSource } from "../../../runtime/replication/source";
import { BridgeError, type BridgeErrorKind } from "../../../runtime/stores/errors";
import { attributes, CONTENT, open } from "./copy-object-fixture";

const failsOnce = <A extends unknown[], R>(real: (...args: A) => Promise<R>, error: Error) => {
  let failed = false;
  return (...args: A): Promise<R> => {
    if (failed) return real(...args);
    failed = true;
    return Promise.reject(error);
  };
};

test("a completion is not started when it may not end: the run is continued", async () => {
  const all = await open();
  all.timeLeft.ms = 99;
  const ended = await all.copy().catch((error: unknown) => error);
  expect(ended).toMatchObject({ outcome: { result: "continue", reason: "the copier's time ran out before the completion" } });
  expect(all.text()).toBe("");
  all.timeLeft.ms = 100;
  all.moved.length = 0;
  expect(await all.copy()).toBe("replicated");
  expect(all.moved).toEqual([]);
});

test("a completion that is not answered and lands a minute later: replicated", async () => {
  const all = await open();
  const complete = all.destination.completeUpload.bind(all.destination);
  let land: (() => Promise<unknown>) | undefined;
  jest.spyOn(all.destination, "completeUpload").mockImplementation(async (...of) => {
    land = () => complete(...of);
    throw new BridgeError("Unavailable", "completeUpload", "no answer");
  });
  let waitedMs = 0;
  const sleep = async (ms: number) => {
    waitedMs += ms;
    if (waitedMs < 20_000) return;
    await land?.();
    land = undefined;
  };
  expect(await all.copy({ sleep })).toBe("replicated");
  expect(all.text()).toBe(CONTENT);
  expect(waitedMs).toBeLessThan(60_000);
});

describe("a copy ends", () => {
  test.each(["overwritten", "deleted"])("%s at the source: superseded, the upload is aborted", async (what) => {
    const all = await open();
    if (what === "deleted") await all.source.delete("k");
    else await all.source.put("k", Buffer.from("newer"), { sizeBytes: 5, attributes });
    await expect(all.copy()).rejects.toMatchObject({ outcome: { result: "superseded" } });
    expect(all.text()).toBe("");
    expect(all.destination.openUploads()).toEqual([]);
  });

  test("a failure to clear the upload in the lease does not hide the cause, and the upload is aborted", async () => {
    const all = await open();
    await all.source.delete("k");
    const forgetUpload = () => Promise.reject(new BridgeError("Unavailable", "put", "no answer"));
    await expect(all.copy({ forgetUpload })).rejects.toMatchObject({ outcome: { result: "superseded" } });
    expect(all.destination.openUploads()).toEqual([]);
  });

  test("overwritten after its last part was read: superseded", async () => {
    const all = await open();
    await expect(
      all.copy({
        source: { ...all.bound, isCurrent: async () => false },
      }),
    ).rejects.toMatchObject({ outcome: { result: "superseded" } });
    expect(all.text()).toBe("");
  });

  test("the fence is checked before every part and right before the completion", async () => {
    const all = await open();
    const order: string[] = [];
    const complete = all.destination.completeUpload.bind(all.destination);
    jest.spyOn(all.destination, "completeUpload").mockImplementation((...args) => {
      order.push("complete");
      return complete(...args);
    });
    await all.copy({
      partsAtOnce: 1,
      fence: async (isLast) => void order.push(isLast ? "last fence" : "fence"),
      source: {
        open: (...args) => {
          order.push("read");
          return all.bound.open(...args);
        },
        isCurrent: (...args) => {
          order.push("check");
          return all.bound.isCurrent(...args);
        },
        tags: all.bound.tags,
        isAbsent: all.bound.isAbsent,
      },
    });
    expect(order).toEqual(["fence", "read", "fence", "read", "fence", "read", "check", "last fence", "complete"]);
  });

  test("stopped by the fence: nothing is completed, and the parts are kept unless superseded", async () => {
    const all = await open();
    let asked = 0;
    const fence = (result: "continue" | "superseded") => async () => {
      if (++asked > 3) throw new CopyEnded({ result });
    };
    await expect(all.copy({ partsAtOnce: 1, fence: fence("continue") })).rejects.toMatchObject({
      outcome: { result: "continue" },
    });
    expect(all.destination.openUploads()).toMatchObject([{ parts: [{ partNumber: 1 }, { partNumber: 2 }, { partNumber: 3 }] }]);
    await expect(all.copy({ fence: fence("superseded") })).rejects.toMatchObject({ outcome: { result: "superseded" } });
    expect(all.destination.openUploads()).toEqual([]);
    expect(all.text()).toBe("");
  });

  test("the URL expired: unfinished, and the parts are kept", async () => {
    const all = await open();
    let reads = 0;
    const expired: BoundSource["open"] = (...args) =>
      ++reads > 2
        ? Promise.reject(new BridgeError("PermissionDenied", "read", "the presigned URL has expired"))
        : all.bound.open(...args);
    await expect(all.copy({ partsAtOnce: 1, source: { ...all.bound, open: expired } })).rejects.toMatchObject({
      outcome: { result: "continue", reason: "the presigned URL has expired" },
    });
    expect(all.destination.openUploads()).toMatchObject([{ parts: [{ partNumber: 1 }, { partNumber: 2 }] }]);
  });

  test("the first failed part is the cause, not the parts that it stopped", async () => {
    const all = await open();
    // The first part is still being read when the second one is refused.
    const slow: BoundSource["open"] = (options) =>
      options.range?.start === 0
        ? new Promise((_resolve, reject) => {
            options.signal?.addEventListener("abort", () => reject(new BridgeError("Unavailable", "read", "given up")));
          })
        : Promise.reject(new BridgeError("Invalid", "read", "no such range"));
    await expect(all.copy({ source: { ...all.bound, open: slow } })).rejects.toThrow("no such range");
  });

  test("no part is started after a part has failed", async () => {
    const all = await open();
    let reads = 0;
    const fails: BoundSource["open"] = () => {
      reads++;
      return Promise.reject(new BridgeError("Invalid", "read", "no"));
    };
    await expect(all.copy({ partSizeBytes: 1, partsAtOnce: 1, source: { ...all.bound, open: fails } })).rejects.toThrow("no");
    expect(reads).toBe(1);
  });
});

describe("tries", () => {
  test.each<BridgeErrorKind>(["Unavailable", "RateLimited", "Corrupted", "Unexpected"])(
    "%s: once more, after a wait",
    async (kind) => {
      const all = await open();
      expect(
        await all.copy({ source: { ...all.bound, open: failsOnce(all.bound.open, new BridgeError(kind, "read", "oh")) } }),
      ).toBe("replicated");
      expect(all.sleeps).toEqual([150]);
      expect(all.text()).toBe(CONTENT);
    },
  );

  test.each<BridgeErrorKind>(["Invalid", "Unsupported", "ConfigInvalid"])("%s: not retried", async (kind) => {
    const all = await open();
    await expect(
      all.copy({ source: { ...all.bound, open: failsOnce(all.bound.open, new BridgeError(kind, "read", "oh")) } }),
    ).rejects.toMatchObject({ kind });
    expect(all.sleeps).toEqual([]);
  });

  test("at most the given number of tries, each wait longer", async () => {
    const all = await open();
    const error = new BridgeError("Unavailable", "uploadPart", "no answer");
    jest.spyOn(all.destination, "uploadPart").mockRejectedValue(error);
    await expect(all.copy({ partSizeBytes: 11 })).rejects.toBe(error);
    expect(all.sleeps).toEqual([150, 300]);
  });

  test("a range that ends early is read again", async () => {
    const all = await open();
    let cut = false;
    expect(
      await all.copy({
        source: {
          ...all.bound,
          open: async (...args) => {
            const opened = await all.bound.open(...args);
            if (cut) return opened;
            cut = true;
            opened.body.destroy();
            return { ...opened, body: Readable.from([Buffer.from("a")]) };
          },
        },
      }),
    ).toBe("replicated");
    expect(all.text()).toBe(CONTENT);
  });
});

describe("the completion", () => {
  test("is refused when the destination has changed since it was read", async () => {
    const all = await open();
    const complete = all.destination.completeUpload.bind(all.destination);
    jest.spyOn(all.destination, "completeUpload").mockImplementation(async (...args) => {
      await all.destination.put("to/k", Buffer.from("else"), { sizeBytes: 4, attributes });
      return await complete(...args);
    });
    await expect(all.copy()).rejects.toMatchObject({ kind: "PreconditionFailed" });
    expect(all.text()).toBe("else");
  });

  test.each<BridgeErrorKind>(["Unavailable", "Unexpected"])(
    "%s: its outcome is unknown, and nothing is aborted",
    async (kind) => {
      const all = await open();
      jest.spyOn(all.destination, "completeUpload").mockRejectedValue(new BridgeError(kind, "completeUpload", "no answer"));
      await expect(all.copy()).rejects.toBeInstanceOf(CompletionUnsettled);
      expect(all.destination.openUploads()).toHaveLength(1);
    },
  );

  test.each<BridgeErrorKind>(["Unavailable", "Unexpected"])("%s, and it has landed: replicated", async (kind) => {
    const all = await open();
    const complete = all.destination.completeUpload.bind(all.destination);
    jest.spyOn(all.destination, "completeUpload").mockImplementation(async (...args) => {
      await complete(...args);
      throw new BridgeError(kind, "completeUpload", "no answer");
    });
    expect(await all.copy()).toBe("replicated");
    expect(all.text()).toBe(CONTENT);
  });

  test("refused permanently: the reason is the destination's", async () => {
    const all = await open();
    jest
      .spyOn(all.destination, "completeUpload")
      .mockRejectedValue(new BridgeError("Invalid", "completeUpload", "too many parts"));
    await expect(all.copy()).rejects.toMatchObject({ kind: "Invalid", message: "too many parts" });
  });
});
