/** The engines that list the source themselves: they handle every key once, also after a crash at any point. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import type { CheckpointFile } from "../../../operator/backfill/checkpoint";
import { noCounts } from "../../../operator/backfill/counts";
import { walk } from "../../../operator/backfill/walk";
import { createCopier, createEnqueuer } from "../../../operator/move";
import { presenceOf } from "../../../operator/presence";
import { scopesOf } from "../../../operator/scopes";
import { replicaMetadata } from "../../../runtime/replication/provenance";
import { BridgeError } from "../../../runtime/stores/errors";
import { makeSnapshot } from "../../runtime/support/make-snapshot";
import { FakeBridge, filled, keyOf, NO_ATTRIBUTES, nativeRaw, pullRaw, run, withFolder } from "./fixture";

const COUNT = 10_000;

const ALL = Array.from({ length: COUNT }, (_, index) => keyOf(index));

/** Simulates a killed process: after `after` calls of `enqueue`, nothing of the run works. */
function crashing(bridge: FakeBridge, after: number): AbortController {
  const controller = new AbortController();
  let left = after;
  const enqueue = bridge.enqueue.bind(bridge);
  bridge.enqueue = async (keys) => {
    if (left-- <= 0) {
      controller.abort(new Error("killed"));
      throw new Error("killed");
    }
    await enqueue(keys);
  };
  return controller;
}

test("enqueues 10,000 keys once each, in order, and removes the checkpoint", () =>
  withFolder(async (folder) => {
    const bridge = await filled(pullRaw(), COUNT);
    const checkpoint = join(folder, "checkpoint.json");
    const { exitCode, printed } = await run(bridge, { checkpoint, json: true });
    expect(exitCode).toBe(0);
    expect(bridge.enqueued).toEqual(ALL);
    // One more for the look at the bucket itself.
    expect(bridge.from.calls.list).toBe(COUNT / 1000 + 2);
    expect(bridge.from.calls.getTags).toBeUndefined();
    expect(existsSync(checkpoint)).toBe(false);
    expect(printed).toHaveLength(1);
    const result = JSON.parse(printed[0] ?? "") as { ended: string; counts: unknown };
    expect(result).toMatchObject({ ended: "complete", engine: "bridge", counts: { due: { objects: COUNT, bytes: COUNT } } });
  }));

test("a run that is killed anywhere resumes after its last page, and leaves no key out", () =>
  withFolder(async (folder) => {
    const checkpoint = join(folder, "checkpoint.json");
    const bridge = await filled(pullRaw(), COUNT);
    const { enqueue } = bridge;
    for (const crashAfter of [0, 1, 7, 19]) {
      bridge.enqueued.length = 0;
      const { signal } = crashing(bridge, crashAfter);
      await expect(run(bridge, { checkpoint, signal })).rejects.toThrow("killed");
      const before = bridge.enqueued.length;
      expect(before).toBe(crashAfter * 500);
      bridge.enqueue = enqueue;

      const listed = bridge.from.calls.list ?? 0;
      const { noted } = await run(bridge, { checkpoint });
      expect([...new Set(bridge.enqueued)].sort()).toEqual(ALL);
      // At most one page was handled twice.
      expect(bridge.enqueued.length - COUNT).toBeLessThan(1000);
      const pagesBefore = Math.floor(before / 1000);
      expect((bridge.from.calls.list ?? 0) - listed).toBe(COUNT / 1000 + 2 - pagesBefore);
      expect(noted.some((line) => line.startsWith("going on after"))).toBe(pagesBefore > 0);
      expect(existsSync(checkpoint)).toBe(false);
    }
  }));

test("the counts of a resumed run include those of the earlier run", () =>
  withFolder(async (folder) => {
    const checkpoint = join(folder, "checkpoint.json");
    const bridge = await filled(pullRaw(), 3000);
    const { enqueue } = bridge;
    await expect(run(bridge, { checkpoint, signal: crashing(bridge, 3).signal })).rejects.toThrow("killed");
    const saved = JSON.parse(await readFile(checkpoint, "utf8")) as object;
    expect(saved).toMatchObject({ lastKey: keyOf(999), counts: { due: { objects: 1000 } }, engine: "bridge" });
    bridge.enqueue = enqueue;
    const { printed } = await run(bridge, { checkpoint, json: true });
    expect(JSON.parse(printed[0] ?? "")).toMatchObject({ counts: { due: { objects: 3000 } } });
  }));

test("property: with any keys, scope and crashes, hands over every key in scope, and none twice without a crash", async () => {
  const key = fc.stringMatching(/^[ab/é😀￿.-]{1,6}$/u);
  const story = fc.record({
    keys: fc.uniqueArray(key, { maxLength: 40 }),
    prefixes: fc.uniqueArray(fc.stringMatching(/^[ab/]{1,2}$/), { maxLength: 3 }),
    prefix: fc.constantFrom("", "a", "ab", "b/"),
    pageSize: fc.integer({ min: 1, max: 7 }),
    concurrency: fc.integer({ min: 1, max: 5 }),
    /** One entry per run that crashes: the calls of the engine that succeed before. */
    crashes: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }),
    engine: fc.constantFrom("copy" as const, "bridge" as const),
  });
  await fc.assert(
    fc.asyncProperty(story, async ({ keys, prefixes, prefix, pageSize, concurrency, crashes, engine }) => {
      const bridge = new FakeBridge(engine === "copy" ? nativeRaw({ scope: { prefixes } }) : pullRaw({ scope: { prefixes } }));
      for (const name of keys) await bridge.put(name);
      let saved: Parameters<CheckpointFile["write"]>[0] = {};
      const attempt = async (calls: number) => {
        let left = calls;
        const signal = new AbortController().signal;
        const deps = { bridge, presence: presenceOf(bridge), concurrency, signal, sleep: async () => undefined, random: () => 0 };
        const moving = engine === "copy" ? createCopier(deps) : createEnqueuer(deps);
        await walk(
          {
            ...deps,
            source: bridge.source,
            scopes: scopesOf(bridge.config),
            mover: async (objects) => {
              if (left-- <= 0) throw new Error("killed");
              return moving(objects);
            },
            checkpoint: {
              write: async (progress) => {
                saved = structuredClone(progress);
              },
            },
            onProgress: () => undefined,
          },
          { prefix, pageSize, concurrency, lastKey: saved.lastKey, counts: saved.counts ?? noCounts() },
        );
      };
      for (const calls of crashes) await attempt(calls).catch((error: Error) => expect(error.message).toBe("killed"));
      await attempt(Number.POSITIVE_INFINITY);
      const wanted = keys.filter(
        (name) => name.startsWith(prefix) && (prefixes.length === 0 || prefixes.some((own) => name.startsWith(own))),
      );
      const worked = engine === "copy" ? bridge.touched : bridge.enqueued;
      expect([...new Set(worked)].sort()).toEqual([...wanted].sort());
      // The source shows that a copy was made. An enqueued key may come again after a crash.
      if (engine === "copy" || crashes.length === 0) expect(worked).toHaveLength(wanted.length);
    }),
    { numRuns: 200 },
  );
});

test("copies objects that failed or were never replicated, leaves the others alone, and a second run copies nothing", () =>
  withFolder(async (folder) => {
    const bridge = new FakeBridge(nativeRaw());
    const statuses = { completed: "COMPLETED", pending: "PENDING", replica: "REPLICA", failed: "FAILED" } as const;
    for (const [key, status] of Object.entries(statuses)) {
      await bridge.put(key);
      bridge.from.setReplication(key, status);
    }
    await bridge.put("never");
    const checkpoint = join(folder, "checkpoint.json");
    expect((await run(bridge, { checkpoint })).exitCode).toBe(0);
    expect(bridge.touched.sort()).toEqual(["failed", "never"]);
    const second = await run(bridge, { checkpoint, json: true });
    expect(bridge.touched).toHaveLength(2);
    expect(JSON.parse(second.printed[0] ?? "")).toMatchObject({ counts: { due: { objects: 0 }, present: { objects: 5 } } });
  }));

test("does not repeat a copy whose answer was lost", async () => {
  const bridge = new FakeBridge(nativeRaw());
  await bridge.put("a");
  const { touch } = bridge.from;
  let lost = true;
  bridge.from.touch = async (key, options) => {
    const result = await touch(key, options);
    if (!lost) return result;
    lost = false;
    throw new BridgeError("Unavailable", "touch", "the answer got lost");
  };
  await withFolder(async (folder) => {
    const { exitCode } = await run(bridge, { checkpoint: join(folder, "c.json") });
    expect(exitCode).toBe(0);
  });
  expect(bridge.touched).toEqual(["a"]);
});

test("checks an object again that changes between check and copy", async () => {
  const bridge = new FakeBridge(nativeRaw());
  await bridge.put("changing");
  const { touch } = bridge.from;
  let changes = 2;
  bridge.from.touch = async (key, options) => {
    if (changes-- > 0) await bridge.put(key, `newer ${changes}`);
    return touch(key, options);
  };
  await withFolder(async (folder) => {
    expect((await run(bridge, { checkpoint: join(folder, "c.json") })).exitCode).toBe(0);
  });
  expect(bridge.touched).toEqual(["changing"]);
});

test("--max-bytes stops before it is exceeded, keeps the checkpoint, and the next run resumes there", () =>
  withFolder(async (folder) => {
    const checkpoint = join(folder, "c.json");
    const bridge = new FakeBridge(pullRaw());
    for (const key of ["a", "b", "c", "d"]) await bridge.put(key, "xxxx");
    await bridge.replicate("c");
    const first = await run(bridge, { checkpoint, maxBytes: 9, json: true });
    expect(first.exitCode).toBe(1);
    expect(bridge.enqueued).toEqual(["a", "b"]);
    expect(JSON.parse(first.printed[0] ?? "")).toMatchObject({ ended: "budget", lastKey: "c", counts: { due: { bytes: 8 } } });
    expect(first.noted.at(-1)).toContain("stopped before d (4 bytes)");
    const second = await run(bridge, { checkpoint, maxBytes: 4 });
    expect(second.exitCode).toBe(0);
    expect(bridge.enqueued).toEqual(["a", "b", "d"]);
    expect(existsSync(checkpoint)).toBe(false);
  }));

test("never hands over an object that is larger than the whole budget", () =>
  withFolder(async (folder) => {
    const checkpoint = join(folder, "c.json");
    const bridge = new FakeBridge(pullRaw());
    await bridge.put("big", "xxxxxxxx");
    expect((await run(bridge, { checkpoint, maxBytes: 7 })).exitCode).toBe(1);
    expect(bridge.enqueued).toEqual([]);
  }));

test("reads tags only if the scope asks for tags, and decides by them", async () => {
  const bridge = new FakeBridge(pullRaw({ scope: { tags: { keep: "yes" }, prefixes: ["in/"] } }));
  await bridge.put("in/tagged", "x", { ...NO_ATTRIBUTES, tags: { keep: "yes" } });
  await bridge.put("in/untagged");
  await bridge.put("out/tagged", "x", { ...NO_ATTRIBUTES, tags: { keep: "yes" } });
  await withFolder(async (folder) => {
    const { printed } = await run(bridge, { checkpoint: join(folder, "c.json"), json: true });
    expect(JSON.parse(printed[0] ?? "")).toMatchObject({ counts: { due: { objects: 1 }, outOfScope: { objects: 1 } } });
  });
  expect(bridge.enqueued).toEqual(["in/tagged"]);
  expect(bridge.from.calls.getTags).toBe(2);
});

test("recognizes a bridge's own replicas, also under a destination prefix", async () => {
  const bridge = new FakeBridge(pullRaw(), { destinationPrefix: "copies/" });
  for (const key of ["changed", "same", "missing"]) await bridge.put(key, "one");
  await bridge.replicate("same");
  await bridge.replicate("changed");
  await bridge.put("changed", "two");
  // It came from the destination's own store.
  const { name, destination } = bridge.config;
  const origin = `${destination.cloud}:${destination.bucket}`;
  const metadata = replicaMetadata(makeSnapshot(), { bridgeId: name, sourceId: origin }, "theirs");
  await bridge.put("theirs", "x", { ...NO_ATTRIBUTES, metadata });
  await withFolder(async (folder) => {
    const { printed } = await run(bridge, { checkpoint: join(folder, "c.json"), json: true });
    expect(JSON.parse(printed[0] ?? "")).toMatchObject({ counts: { present: { objects: 1 }, outOfScope: { objects: 1 } } });
  });
  expect(bridge.enqueued).toEqual(["changed", "missing"]);
});
