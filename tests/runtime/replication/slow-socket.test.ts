/** The real reader over a socket that is throttled by the server: 64 KiB at 16 KiB/s, where a request has 2 s for its bytes. */
import { setTimeout as delay } from "node:timers/promises";
import { systemClock } from "../../../runtime/protocol/ports";
import { copyUnderLease } from "../../../runtime/replication/copy-under-lease";
import { createLeaseStore } from "../../../runtime/replication/lease";
import { attempt, replicate } from "../../../runtime/replication/replicate";
import { createSlots } from "../../../runtime/replication/slots";
import { MemoryStore } from "../../../runtime/stores/memory/store";
import { BRIDGE } from "../support/make-snapshot";
import { recordingLogger } from "../support/recording-logger";
import { bound, ETAG, MODIFIED, PIN, peer, useSource } from "./source-reader-fixture";

useSource();

const CONTENT = Buffer.alloc(64 * 1024, "x");
const BYTES_PER_SECOND = 16 * 1024;

/** Answers as S3 does, 20 pieces a second. Counts the bytes that it sent. */
function throttled(sent: { bytes: number }): typeof peer.answer {
  return async (request, response) => {
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
    const [start, end] = range === null ? [0, CONTENT.length - 1] : [Number(range[1]), Number(range[2])];
    response.writeHead(range === null ? 200 : 206, {
      etag: `"${ETAG}"`,
      "last-modified": MODIFIED,
      "content-length": end - start + 1,
      ...(range !== null && { "content-range": `bytes ${start}-${end}/${CONTENT.length}` }),
    });
    const piece = Math.ceil(BYTES_PER_SECOND / 20);
    for (let at = start; at <= end && !response.destroyed; at += piece) {
      const bytes = CONTENT.subarray(at, Math.min(at + piece, end + 1));
      sent.bytes += bytes.length;
      await delay(50);
      if (at + piece > end) response.end(bytes);
      else response.write(bytes);
    }
  };
}

const source = () => ({ ...bound(), tags: async () => ({}) });

const within = (ms: number) => {
  const endMs = Date.now() + ms;
  return { remainingMs: () => endMs - Date.now() };
};

test("a write is given up early, and the copy takes it up: at most 1.2 times the bytes leave the source", async () => {
  const sent = { bytes: 0 };
  peer.answer = throttled(sent);
  const destination = new MemoryStore({ clock: systemClock, capabilities: { minPartSizeBytes: 5 * 1024 } });
  const control = new MemoryStore({ clock: systemClock, name: "control" });
  const deps = {
    config: {
      ...BRIDGE,
      destinationPrefix: "",
      inlineLimitBytes: CONTENT.length,
      copiesAtOnce: 1,
      partSizeBytes: 16 * 1024,
      partsAtOnce: 2,
      timeoutSeconds: 30,
    },
    destination,
    leases: createLeaseStore(control, BRIDGE.bridgeId),
    slots: createSlots(control, { bridgeId: BRIDGE.bridgeId, clock: systemClock }),
    clock: systemClock,
    logger: recordingLogger(),
    newId: () => "x",
    random: () => 0.5,
    sleep: async (ms: number) => void (await delay(ms)),
  };
  const snapshot = { ...PIN, sizeBytes: CONTENT.length, headers: {}, metadata: {}, tags: {} };
  const ask = (slow: boolean) =>
    attempt((signal, time) => replicate("key", snapshot, source(), { ...deps, ...time, signal, slow }), {
      deadline: within(3_600),
      clock: systemClock,
      role: "receiver",
      onFailure: () => undefined,
    });

  const first = await ask(false);
  expect(first).toMatchObject({ result: "waiting", waitsFor: "time", slow: true });
  expect(first).not.toHaveProperty("unsettled");
  expect(destination.keys()).toEqual([]);

  const second = await ask(true);
  if (second.result !== "copy-leased") throw new Error(`no copy was leased: ${JSON.stringify(second)}`);
  expect(await copyUnderLease(second.copy, source, deps, within(30_000))).toMatchObject({ result: "replicated" });
  expect(CONTENT.equals(destination.snapshotOf("key")?.bytes ?? Buffer.alloc(0))).toBe(true);
  expect(sent.bytes).toBeLessThanOrEqual(1.2 * CONTENT.length);
}, 30_000);
