import fc from "fast-check";
import type { ProbeWatch, ProbeWatchAnswer } from "../../../../runtime/protocol/probe";
import { BridgeError } from "../../../../runtime/stores/errors";
import { MemoryStore } from "../../../../runtime/stores/memory/store";
import type { ObjectHead } from "../../../../runtime/stores/object-store";
import { VirtualTime } from "../../../support/virtual-time";
import { makeHead } from "../../support/make-snapshot";
import { AT_DESTINATION, instead, makeProber, type ProberUnderTestOptions } from "./probe-fixture";

const KEY = /^to\/in\/crossborderbridge-probe\/(.*)\.jpg$/;

/** A prober of the destination whose store answers with `head`, and its recorded looks. */
function watcher(head: (name: string, look: number) => Promise<ObjectHead | undefined>, options: ProberUnderTestOptions = {}) {
  const clock = new VirtualTime();
  const beganMs = clock.now();
  const looks: Record<string, number[]> = {};
  const store = instead(new MemoryStore({ clock }), {
    head: async (key) => {
      const name = KEY.exec(key)?.[1] ?? key;
      const before = looks[name] ?? [];
      looks[name] = [...before, clock.now() - beganMs];
      return await head(name, before.length + 1);
    },
  });
  const under = makeProber({ clock, store, ...options, config: { ...AT_DESTINATION, ...options.config } });
  const watch = (request: Omit<ProbeWatch, "action">, seconds?: number) =>
    clock.during(
      under.prober.handle({ action: "watch", ...request }, under.invocation(seconds)),
    ) as Promise<unknown> as Promise<ProbeWatchAnswer>;
  return { ...under, looks, beganMs, watch };
}

const unavailable = () => new BridgeError("Unavailable", "head", "the store is away");

test("an object is seen when it is there, with the number of looks it took", async () => {
  const { watch, looks, beganMs } = watcher(async (name, look) =>
    look < (name === "a" ? 1 : 3) ? undefined : makeHead({ sizeBytes: 7 }),
  );
  expect(await watch({ names: ["b", "a"], attempts: 5, intervalMs: 200 })).toEqual({
    seen: [
      { name: "b", sizeBytes: 7, seenAtMs: beganMs + 400, attempts: 3 },
      { name: "a", sizeBytes: 7, seenAtMs: beganMs, attempts: 1 },
    ],
    missing: [],
    pending: [],
  });
  expect(looks).toEqual({ a: [0], b: [0, 200, 400] });
});

test("it is missing after so many looks", async () => {
  const { watch, looks } = watcher(async () => undefined);
  expect(await watch({ names: ["a"], attempts: 3, intervalMs: 1000 })).toEqual({
    seen: [],
    missing: [{ name: "a", attempts: 3 }],
    pending: [],
  });
  expect(looks).toEqual({ a: [0, 1000, 2000] });
});

test("objects that the function has no time for are pending, and no look comes after its time", async () => {
  const { watch, looks } = watcher(async () => undefined);
  // Two seconds are kept for the answer.
  expect(await watch({ names: ["a", "b"], attempts: 1_000_000, intervalMs: 1000 }, 5)).toEqual({
    seen: [],
    missing: [],
    pending: ["a", "b"].map((name) => ({ name, attempts: 3 })),
  });
  expect(looks).toEqual({ a: [0, 1000, 2000], b: [0, 1000, 2000] });
  const none = watcher(async () => undefined);
  expect(await none.watch({ names: ["a"], attempts: 1, intervalMs: 10 }, 1)).toMatchObject({
    pending: [{ name: "a", attempts: 0 }],
  });
  expect(none.looks).toEqual({});
});

test("a look that fails temporarily counts as one", async () => {
  const { watch, logger } = watcher(async (_name, look) => {
    if (look < 3) throw unavailable();
    return makeHead();
  });
  expect(await watch({ names: ["a"], attempts: 3, intervalMs: 10 })).toMatchObject({ seen: [{ name: "a", attempts: 3 }] });
  expect(logger.lines).toMatchObject([1, 2].map(() => ({ level: "warn", message: "a look failed", fields: { name: "a" } })));
  const { watch: never } = watcher(async () => Promise.reject(unavailable()));
  expect(await never({ names: ["a"], attempts: 2, intervalMs: 10 })).toMatchObject({ missing: [{ name: "a", attempts: 2 }] });
});

test("a look that hangs costs one attempt and does not end the watch", async () => {
  const clock = new VirtualTime();
  const beganMs = clock.now();
  let asked = 0;
  const store = instead(new MemoryStore({ clock }), {
    head: (_key, options) => {
      asked += 1;
      if (asked > 1) return Promise.resolve(makeHead());
      return new Promise((_resolve, reject) => options?.signal?.addEventListener("abort", () => reject(unavailable())));
    },
  });
  const { prober, invocation } = makeProber({ clock, store });
  const answer = await clock.during(prober.handle({ action: "watch", names: ["a"], attempts: 2, intervalMs: 100 }, invocation()));
  expect(answer).toMatchObject({ seen: [{ attempts: 2, seenAtMs: beganMs + 5_100 }] });
});

test("a permanent failure ends the watch, and its error names the object", async () => {
  const { watch, looks, clock } = watcher(async (name) => {
    if (name === "b") throw new BridgeError("PermissionDenied", "head", "the store refused");
    return undefined;
  });
  await expect(watch({ names: ["a", "b"], attempts: 9, intervalMs: 1000 })).rejects.toMatchObject({
    kind: "PermissionDenied",
    message:
      'the prober of the destination cannot look for "to/in/crossborderbridge-probe/b.jpg": the store refused; a role that may not list the bucket is answered so for an object that is not there',
  });
  await clock.during(clock.sleep(10_000));
  expect(looks).toEqual({ a: [0], b: [0] });
});

test("a programming error does not count as a look", async () => {
  const { watch } = watcher(async () => Promise.reject(new TypeError("broken")));
  await expect(watch({ names: ["a"], attempts: 9, intervalMs: 1000 })).rejects.toThrow(TypeError);
});

test("sixteen looks at once, and every object has its turn", async () => {
  const clock = new VirtualTime();
  let [now, most] = [0, 0];
  const store = instead(new MemoryStore({ clock }), {
    head: async () => {
      now += 1;
      most = Math.max(most, now);
      await clock.sleep(50);
      now -= 1;
      return undefined;
    },
  });
  const { prober, invocation } = makeProber({ clock, store });
  const names = Array.from({ length: 40 }, (_, index) => `n${index}`);
  const answer = await clock.during(prober.handle({ action: "watch", names, attempts: 2, intervalMs: 10 }, invocation()));
  expect(answer).toMatchObject({ missing: names.map((name) => ({ name, attempts: 2 })) });
  expect(most).toBe(16);
});

test("for any arrivals and failed looks: every name is reported once, in order, within its attempts, and by the first look that shows it", async () => {
  const object = fc.record({ arrivesAtMs: fc.integer({ min: 0, max: 12_000 }), fails: fc.array(fc.integer({ min: 1, max: 8 })) });
  await fc.assert(
    fc.asyncProperty(
      fc.array(object, { minLength: 1, maxLength: 20 }),
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 100, max: 3_000 }),
      async (objects, attempts, intervalMs) => {
        const { watch, looks, clock, beganMs } = watcher(async (name, look) => {
          const { arrivesAtMs, fails } = objects[Number(name)] ?? { arrivesAtMs: 0, fails: [] };
          if (fails.includes(look)) throw unavailable();
          return clock.now() - beganMs < arrivesAtMs ? undefined : makeHead();
        });
        const names = objects.map((_, index) => String(index));
        const { seen, missing, pending } = await watch({ names, attempts, intervalMs }, 10);
        expect([...seen, ...missing, ...pending].map(({ name }) => name).sort()).toEqual([...names].sort());
        for (const { name, attempts: made, seenAtMs } of seen) {
          const { arrivesAtMs, fails } = objects[Number(name)] ?? { arrivesAtMs: 0, fails: [] };
          const first = (looks[name] ?? []).findIndex((atMs, index) => atMs >= arrivesAtMs && !fails.includes(index + 1));
          expect([made, seenAtMs - beganMs]).toEqual([first + 1, looks[name]?.[first]]);
        }
        for (const { attempts: made } of missing) expect(made).toBe(attempts);
        for (const { attempts: made } of pending) expect(made).toBeLessThan(attempts);
        for (const [name, times] of Object.entries(looks)) {
          const lookCount = [...seen, ...missing, ...pending].find((entry) => entry.name === name)?.attempts;
          expect(times).toEqual(Array.from({ length: lookCount ?? 0 }, (_, index) => index * intervalMs));
        }
      },
    ),
    { numRuns: 50 },
  );
});
