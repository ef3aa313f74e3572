/** Copies over links that are slower than a run, in virtual time. Sizes are a thousandth: 1 KiB stands for 1 MiB. */
import { Readable } from "node:stream";
import { copyUnderLease } from "../../../runtime/replication/copy-under-lease";
import { createLeaseStore } from "../../../runtime/replication/lease";
import { attempt, replicate } from "../../../runtime/replication/replicate";
import { createSlots } from "../../../runtime/replication/slots";
import { takeSnapshot } from "../../../runtime/replication/snapshot";
import type { BoundSource } from "../../../runtime/replication/source";
import { MemoryStore } from "../../../runtime/stores/memory/store";
import { VirtualTime } from "../../support/virtual-time";
import { memorySource } from "../support/memory-reader";
import { recordingLogger } from "../support/recording-logger";

const KIB = 1024;
const plain = { headers: {}, metadata: {}, tags: {} };

interface Link {
  /** Of one connection. Returns the rate at this moment. */
  bytesPerSecond(): number;
}

/** A source behind the link: every connection gets its own rate, and bytes arrive once to ten times a second. Counts the bytes that left the source. */
function behindLink(source: BoundSource, link: Link, clock: VirtualTime, moved: { bytes: number }): BoundSource {
  return {
    ...source,
    async open(options) {
      const opened = await source.open(options);
      const bytes = Buffer.concat((await opened.body.toArray()) as Buffer[]);
      const { signal } = options;
      async function* arriving() {
        for (let sent = 0; sent < bytes.length; ) {
          const rate = link.bytesPerSecond();
          const pieces = rate < 10 ? 1 : 10;
          await clock.sleep(1000 / pieces, signal);
          const piece = bytes.subarray(sent, sent + Math.round(rate / pieces));
          moved.bytes += piece.length;
          sent += piece.length;
          yield piece;
        }
      }
      return { ...opened, body: Readable.from(arriving(), { objectMode: false, highWaterMark: 1 }) };
    },
  };
}

interface Setting {
  sizeBytes: number;
  bytesPerSecond: number | (() => number);
  partSizeBytes?: number;
  partsAtOnce?: number;
  minPartSizeBytes?: number;
  inlineLimitBytes?: number;
  mayStream?: boolean;
}

async function open(setting: Setting) {
  const {
    sizeBytes,
    partSizeBytes = 16 * KIB,
    partsAtOnce = 8,
    minPartSizeBytes = 5 * KIB,
    inlineLimitBytes = 8 * KIB,
    mayStream = true,
  } = setting;
  const clock = new VirtualTime();
  const store = new MemoryStore({ clock, name: "source" });
  const destination = new MemoryStore({ clock, capabilities: { minPartSizeBytes } });
  const control = new MemoryStore({ clock, name: "control" });
  const of = { bridgeId: "bridge", clock };
  await store.put("k", Buffer.alloc(sizeBytes, "x"), { sizeBytes, attributes: plain });
  const moved = { bytes: 0 };
  const rate = setting.bytesPerSecond;
  const link: Link = { bytesPerSecond: () => (typeof rate === "number" ? rate : rate()) };
  const source = behindLink(memorySource(store, "k"), link, clock, moved);
  const deadline = (ms: number) => {
    const endMs = clock.now() + ms;
    return { remainingMs: () => endMs - clock.now() };
  };
  let ids = 0;
  const deps = {
    config: {
      bridgeId: "bridge",
      sourceId: "aws:source",
      destinationPrefix: "",
      inlineLimitBytes,
      copiesAtOnce: 3,
      partSizeBytes,
      partsAtOnce,
      timeoutSeconds: 900,
    },
    destination,
    leases: createLeaseStore(control, "bridge"),
    slots: createSlots(control, of),
    clock,
    logger: recordingLogger(),
    newId: () => `x${++ids}`,
    random: () => 0.5,
    sleep: clock.sleep,
    mayStream,
  };
  let slow = false;
  /** One request of the sender, and the run of the copier that it starts. */
  const ask = async () => {
    const snapshot = await takeSnapshot(store, "k");
    const result = await attempt((signal, time) => replicate("k", snapshot, source, { ...deps, ...time, signal, slow }), {
      deadline: deadline(29_000),
      clock,
      role: "receiver",
      onFailure: () => undefined,
    });
    if (result.result !== "copy-leased") {
      slow ||= result.slow === true;
      return result;
    }
    return await copyUnderLease(result.copy, () => source, deps, deadline(900_000));
  };
  /** Asks until it is over, as the sender does. */
  const finish = async (delayMs = 60_000) => {
    const results = [];
    for (let round = 0; round < 60; round++) {
      const { result, reason }: { result: string; reason?: string | undefined } = await clock.during(ask());
      results.push(reason === undefined ? result : `${result}: ${reason}`);
      if (["unchanged", "replicated", "retry"].includes(result)) return results;
      // The sender asks again later.
      clock.advance(delayMs);
    }
    throw new Error(`not over after 60 requests: ${results.slice(-3).join("; ")}`);
  };
  const lease = async () => (await deps.leases.read("k"))?.lease;
  return { clock, destination, moved, finish, lease, sizeBytes };
}

const arrived = ({ destination, sizeBytes }: Awaited<ReturnType<typeof open>>) =>
  destination.snapshotOf("k")?.bytes.length === sizeBytes;

test("8 MiB at 150 KiB/s, more than a request can take: given up early, then copied, with at most 1.2 times its bytes", async () => {
  const all = await open({ sizeBytes: 8 * KIB, bytesPerSecond: 150 });
  const results = await all.finish();
  expect(results[0]).toMatch(/^waiting: .*at 150 bytes\/s this write cannot end in time/);
  expect(results.at(-1)).toBe("replicated");
  expect(results).toHaveLength(2);
  expect(arrived(all)).toBe(true);
  expect(all.moved.bytes).toBeLessThanOrEqual(1.2 * 8 * KIB);
});

test("8 MiB at 400 KiB/s: written in one request", async () => {
  const all = await open({ sizeBytes: 8 * KIB, bytesPerSecond: 400 });
  expect(await all.finish()).toEqual(["replicated"]);
  expect(all.moved.bytes).toBe(8 * KIB);
});

test.each([1, 8])(
  "1 GiB at 300 KiB/s per connection, %s at once: resumed until it is there, with at most 1.2 times its bytes",
  async (partsAtOnce) => {
    const all = await open({ sizeBytes: 1024 * KIB, bytesPerSecond: 300, partsAtOnce });
    const results = await all.finish();
    expect(results.at(-1)).toBe("replicated");
    expect(results.slice(0, -1).filter((one) => !one.startsWith("continue"))).toEqual([]);
    expect(arrived(all)).toBe(true);
    expect(all.moved.bytes).toBeLessThanOrEqual(1.2 * 1024 * KIB);
  },
);

test("parts that one run is too short for: the next runs take smaller ones", async () => {
  // A part of 64 MiB needs 22 minutes.
  const all = await open({ sizeBytes: 128 * KIB, bytesPerSecond: 50, partSizeBytes: 64 * KIB, partsAtOnce: 2, mayStream: false });
  const results = await all.finish();
  expect(results[0]).toMatch(/^continue: no part of 65536 bytes got through in 890 s: smaller parts follow/);
  expect(results.at(-1)).toBe("replicated");
  expect(arrived(all)).toBe(true);
  expect(all.destination.openUploads()).toEqual([]);
  expect(all.moved.bytes).toBeLessThanOrEqual(1.2 * 128 * KIB);
});

test("a part of the smallest size does not get through in a run: a failure, and the reason says so", async () => {
  const all = await open({ sizeBytes: 64 * KIB, bytesPerSecond: 5, partSizeBytes: 16 * KIB });
  const results = await all.finish();
  expect(results.at(-1)).toBe(
    "retry: no part of 5120 bytes, the smallest that the destination takes, got through in a run of 890 s",
  );
  expect(results.slice(0, -1).every((one) => one.startsWith("continue"))).toBe(true);
});

test("a link that becomes slow while a copy runs: the parts that are there are kept, and go on when it is fast again", async () => {
  let beganMs: number | undefined;
  const all: Awaited<ReturnType<typeof open>> = await open({
    sizeBytes: 512 * KIB,
    partsAtOnce: 2,
    // Fast for 5 minutes, almost dead for 30, then fast again.
    bytesPerSecond: () => {
      beganMs ??= all.clock.now();
      const minutes = (all.clock.now() - beganMs) / 60_000;
      return minutes > 5 && minutes < 35 ? 3 : 400;
    },
  });
  const results = await all.finish();
  expect(results.at(-1)).toBe("replicated");
  expect(results.slice(0, -1).filter((one) => !one.startsWith("continue"))).toEqual([]);
  expect(all.moved.bytes).toBeLessThanOrEqual(1.2 * 512 * KIB);
});

test("a link that stays slower: after a day without a part the upload is begun again with smaller ones", async () => {
  let beganMs: number | undefined;
  const all: Awaited<ReturnType<typeof open>> = await open({
    sizeBytes: 128 * KIB,
    partsAtOnce: 1,
    partSizeBytes: 32 * KIB,
    bytesPerSecond: () => {
      beganMs ??= all.clock.now();
      return all.clock.now() - beganMs < 120_000 ? 400 : 20;
    },
  });
  const results = await all.finish(3_600_000);
  expect(results.at(-1)).toBe("replicated");
  expect(results.filter((one) => one.includes("smaller parts follow"))).toHaveLength(1);
});

test("the rate is remembered for the next run", async () => {
  const all = await open({ sizeBytes: 512 * KIB, bytesPerSecond: 100, partsAtOnce: 1 });
  await all.finish();
  expect((await all.lease())?.pace?.bytesPerSecond).toBeCloseTo(100, -1);
});
