/** A large object as one stream: one GET into one put, where the link carries it in a short time. */
import { Readable } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { CompletionUnsettled, type CopyContext, CopyEnded } from "../../../runtime/replication/copy-context";
import { Pace } from "../../../runtime/replication/pace";
import type { BoundSource } from "../../../runtime/replication/source";
import { BridgeError, type BridgeErrorKind } from "../../../runtime/stores/errors";
import { attributes, CONTENT, type OpenOptions, open } from "./copy-object-fixture";

const MIB = 1024 ** 2;

async function openStream(options: OpenOptions = {}) {
  const all = await open(options);
  const stream = (changes: Partial<CopyContext> = {}) => all.copy({ mayStream: true, ...changes });
  return { ...all, stream };
}

type Opened = Awaited<ReturnType<typeof openStream>>;

const requests = ({ destination }: Opened) => ({
  put: destination.calls.put ?? 0,
  uploads: destination.calls.createUpload ?? 0,
});

test("one request writes the object, with everything that belongs to it", async () => {
  const all = await openStream();
  expect(await all.stream()).toBe("replicated");
  expect(all.text()).toBe(CONTENT);
  expect(all.destination.snapshotOf("to/k")).toMatchObject({ headers: attributes.headers, tags: attributes.tags });
  expect(requests(all)).toEqual({ put: 1, uploads: 0 });
  expect(all.source.bytesRead).toBe(CONTENT.length);
  expect(all.moved).toEqual([CONTENT.length]);
});

test("equal already: no byte moves", async () => {
  const all = await openStream();
  await all.stream();
  expect(await all.stream()).toBe("replicated");
  expect(requests(all)).toEqual({ put: 1, uploads: 0 });
});

test("a wrong byte never becomes visible: the destination compares the source's checksum first", async () => {
  const all = await openStream();
  all.snapshot.checksum = { algorithm: "CRC64NVME", value: Buffer.alloc(8).toString("base64") };
  await expect(all.stream()).rejects.toMatchObject({ kind: "Corrupted" });
  expect(all.text()).toBe("");
});

describe("copied in parts instead", () => {
  test.each<[string, OpenOptions, (all: Opened) => Partial<CopyContext>]>([
    ["an upload has begun", {}, () => ({ upload: { uploadId: "gone", partSizeBytes: 4 } })],
    [
      "a run has begun before",
      {},
      ({ clock }) => ({ pace: new Pace({ clock, timeLeftMs: () => 1_000_000, of: "part", record: { hasBegun: true } }) }),
    ],
    ["a late put could not be refused", { destination: { conditionalWrites: false } }, () => ({})],
    ["too large for one put", { destination: { maxPutSizeBytes: CONTENT.length - 1 } }, () => ({})],
  ])("%s", async (_why, options, changes) => {
    const all = await openStream(options);
    expect(await all.stream(changes(all))).toBe("replicated");
    expect(requests(all)).toEqual({ put: 0, uploads: 1 });
    expect(all.text()).toBe(CONTENT);
  });

  test("the source takes long to answer: it is not waited for", async () => {
    const all = await openStream();
    let gaveUp = false;
    const far: BoundSource["open"] = (options) =>
      options.range === undefined
        ? new Promise((_resolve, reject) => {
            options.signal?.addEventListener("abort", () => {
              gaveUp = true;
              reject(new BridgeError("Unavailable", "read", "the read was aborted"));
            });
          })
        : all.bound.open(options);
    expect(await all.clock.during(all.stream({ source: { ...all.bound, open: far } }))).toBe("replicated");
    expect(gaveUp).toBe(true);
    expect(all.clock.now() - Date.parse("2026-03-01T00:00:00Z")).toBe(50);
    expect(all.text()).toBe(CONTENT);
  });

  test.each<[string, number, boolean]>([
    // Of 11 bytes.
    ["the rest takes 9 s: goes on", 1.1, false],
    ["the rest takes longer than 10 s", 0.8, true],
  ])("%s", async (_what, bytesPerSecond, inParts) => {
    const all = await openStream();
    const slow: BoundSource["open"] = async (options) => {
      const opened = await all.bound.open(options);
      if (options.range !== undefined) return opened;
      const { clock } = all;
      async function* pieces() {
        for await (const bytes of opened.body)
          for (const byte of bytes as Buffer) {
            await clock.sleep(1000 / bytesPerSecond);
            yield Buffer.from([byte]);
          }
      }
      return { ...opened, body: Readable.from(pieces(), { objectMode: false }) };
    };
    expect(await all.clock.during(all.stream({ source: { ...all.bound, open: slow } }))).toBe("replicated");
    expect(requests(all).uploads).toBe(inParts ? 1 : 0);
    expect(all.text()).toBe(CONTENT);
  });

  test("a destination that makes room for seconds before it reads is waited for", async () => {
    const all = await openStream();
    const stalled: BoundSource["open"] = async (options) => {
      const opened = await all.bound.open(options);
      const { clock } = all;
      async function* pieces() {
        let sent = 0;
        for await (const bytes of opened.body)
          for (const byte of bytes as Buffer) {
            await clock.sleep(sent++ === 1 ? 5_000 : 100);
            yield Buffer.from([byte]);
          }
      }
      return { ...opened, body: Readable.from(pieces(), { objectMode: false }) };
    };
    expect(await all.clock.during(all.stream({ source: { ...all.bound, open: stalled } }))).toBe("replicated");
    expect(requests(all).uploads).toBe(0);
    expect(all.text()).toBe(CONTENT);
  });

  test("a connection that fills a function's network goes on, as long as it takes a quarter of the time that is left", async () => {
    const all = await openStream();
    const sizeBytes = 6000 * MIB;
    const rateOf = (timeLeftMs: number) =>
      new Promise<string>((resolve) => {
        all.timeLeft.ms = timeLeftMs;
        const open: BoundSource["open"] = async (options) => {
          if (options.range !== undefined) {
            resolve("parts");
            throw new BridgeError("Invalid", "read", "enough");
          }
          async function* pieces() {
            for (let second = 0; second < 3; second++) {
              // The piece before has been seen.
              await nextTurn();
              all.clock.advance(1000);
              yield Buffer.alloc(64 * MIB);
            }
            resolve("stream");
            throw new BridgeError("Invalid", "read", "enough");
          }
          return { etag: "e", sizeBytes, body: Readable.from(pieces(), { objectMode: false }) };
        };
        const snapshot = { ...all.snapshot, sizeBytes };
        jest.spyOn(all.destination, "put").mockImplementation(async (_key, body) => {
          for await (const _piece of body as Readable);
          throw new BridgeError("Invalid", "put", "too short");
        });
        all.stream({ snapshot, source: { ...all.bound, open }, partSizeBytes: 16 * MIB }).catch(() => undefined);
      });
    // The rest takes 92 s.
    jest.replaceProperty(all.destination, "capabilities", { ...all.destination.capabilities, maxPutSizeBytes: 2 * sizeBytes });
    expect(await rateOf(400_000)).toBe("stream");
    expect(await rateOf(300_000)).toBe("parts");
  });

  test.each<BridgeErrorKind>(["RateLimited", "Unavailable"])("the stream breaks, %s at the source", async (kind) => {
    const all = await openStream();
    const breaks: BoundSource["open"] = async (options) => {
      const opened = await all.bound.open(options);
      if (options.range !== undefined) return opened;
      opened.body.destroy();
      async function* pieces() {
        yield Buffer.from("abc");
        throw new BridgeError(kind, "read", "broken");
      }
      return { ...opened, body: Readable.from(pieces(), { objectMode: false }) };
    };
    expect(await all.stream({ source: { ...all.bound, open: breaks } })).toBe("replicated");
    expect(requests(all).uploads).toBe(1);
    expect(all.text()).toBe(CONTENT);
  });

  test("the destination asks for fewer requests", async () => {
    const all = await openStream();
    jest.spyOn(all.destination, "put").mockRejectedValueOnce(new BridgeError("RateLimited", "put", "slow down"));
    expect(await all.stream()).toBe("replicated");
    expect(requests(all).uploads).toBe(1);
  });
});

describe("the last piece waits", () => {
  /** Bytes that the destination got before the source was compared for the last time. */
  async function watched(changes: (got: () => number) => { fence?: CopyContext["fence"]; isCurrent?: BoundSource["isCurrent"] }) {
    const all = await openStream();
    let bytes = 0;
    const put = all.destination.put.bind(all.destination);
    jest.spyOn(all.destination, "put").mockImplementation(async (key, body, options) => {
      const pieces: Buffer[] = [];
      for await (const piece of body as Readable) {
        bytes += (piece as Buffer).length;
        pieces.push(piece);
      }
      return await put(key, Buffer.concat(pieces), options);
    });
    const source: BoundSource = {
      ...all.bound,
      open: async (options) => {
        const opened = await all.bound.open(options);
        opened.body.destroy();
        return {
          ...opened,
          body: Readable.from([Buffer.from(CONTENT.slice(0, 6)), Buffer.from(CONTENT.slice(6))], { objectMode: false }),
        };
      },
    };
    const { fence = async () => undefined, isCurrent = source.isCurrent } = changes(() => bytes);
    const copied = all.stream({ fence, source: { ...source, isCurrent } });
    return { all, copied };
  }

  test("until the source is compared and the lease is read, in this order", async () => {
    const order: string[] = [];
    const { all, copied } = await watched((got) => ({
      fence: async (isLast) => void order.push(`${isLast ? "last fence" : "fence"} after ${got()}`),
      isCurrent: async () => {
        for (let turn = 0; turn < 20; turn++) await nextTurn();
        order.push(`check after ${got()}`);
        return true;
      },
    }));
    expect(await copied).toBe("replicated");
    expect(order).toEqual(["fence after 0", "check after 6", "last fence after 6"]);
    expect(all.text()).toBe(CONTENT);
  });

  test("the source has changed: superseded, nothing becomes visible", async () => {
    const { all, copied } = await watched(() => ({ isCurrent: async () => false }));
    await expect(copied).rejects.toMatchObject({ outcome: { result: "superseded" } });
    expect(all.text()).toBe("");
    expect(requests(all).uploads).toBe(0);
  });

  test("the lease is lost: superseded, nothing becomes visible", async () => {
    const { all, copied } = await watched(() => ({
      fence: async (isLast) => {
        if (isLast) throw new CopyEnded({ result: "superseded", reason: "a newer notice took the key" });
      },
    }));
    await expect(copied).rejects.toMatchObject({ outcome: { result: "superseded" } });
    expect(all.text()).toBe("");
  });
});

describe("ends", () => {
  test.each(["overwritten", "deleted"])("%s at the source: superseded", async (what) => {
    const all = await openStream();
    if (what === "deleted") await all.source.delete("k");
    else await all.source.put("k", Buffer.from("newer"), { sizeBytes: 5, attributes });
    await expect(all.stream()).rejects.toMatchObject({ outcome: { result: "superseded" } });
    expect(all.text()).toBe("");
  });

  test("the URL has expired: a later run goes on", async () => {
    const all = await openStream();
    const open = () => Promise.reject(new BridgeError("PermissionDenied", "read", "the presigned URL has expired"));
    await expect(all.stream({ source: { ...all.bound, open } })).rejects.toMatchObject({
      outcome: { result: "continue", place: "source" },
    });
  });

  test("the time is over: a later run goes on, and no smaller parts are asked for", async () => {
    const all = await openStream();
    const outOfTime = new AbortController();
    const open: BoundSource["open"] = async (options) => {
      outOfTime.abort();
      return await all.bound.open(options);
    };
    await expect(all.stream({ source: { ...all.bound, open }, outOfTime: outOfTime.signal })).rejects.toMatchObject({
      outcome: { result: "continue", reason: "the copier's time ran out" },
    });
    expect(all.shrunk).toEqual([]);
    expect(requests(all).uploads).toBe(0);
  });

  test("another object was written to the destination: refused, and it stays", async () => {
    const all = await openStream();
    const put = all.destination.put.bind(all.destination);
    jest.spyOn(all.destination, "put").mockImplementationOnce(async (...of) => {
      await put("to/k", Buffer.from("else"), { sizeBytes: 4, attributes });
      return await put(...of);
    });
    await expect(all.stream()).rejects.toMatchObject({ kind: "PreconditionFailed" });
    expect(all.text()).toBe("else");
  });
});

describe("a put that was not answered", () => {
  async function unanswered(landsAfterMs: number | undefined) {
    const all = await openStream();
    const put = all.destination.put.bind(all.destination);
    let land: (() => Promise<unknown>) | undefined;
    jest.spyOn(all.destination, "put").mockImplementation(async (key, body, options) => {
      const pieces: Buffer[] = [];
      for await (const piece of body as Readable) pieces.push(piece);
      land = () => put(key, Buffer.concat(pieces), options);
      throw new BridgeError("Unavailable", "put", "no answer");
    });
    let waitedMs = 0;
    const sleep = async (ms: number) => {
      waitedMs += ms;
      if (landsAfterMs !== undefined && waitedMs >= landsAfterMs) await land?.();
      if (landsAfterMs !== undefined && waitedMs >= landsAfterMs) land = undefined;
    };
    return { all, copied: all.stream({ sleep }) };
  }

  test("is looked for, and lands a minute later: replicated, and no byte moves again", async () => {
    const { all, copied } = await unanswered(20_000);
    expect(await copied).toBe("replicated");
    expect(all.text()).toBe(CONTENT);
    expect(all.source.bytesRead).toBe(CONTENT.length);
    expect(requests(all).uploads).toBe(0);
  });

  test("may still land: unsettled, and nothing else is tried", async () => {
    const { all, copied } = await unanswered(undefined);
    await expect(copied).rejects.toBeInstanceOf(CompletionUnsettled);
    expect(requests(all).uploads).toBe(0);
  });
});
