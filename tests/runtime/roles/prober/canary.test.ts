import type { ProberConfig } from "../../../../runtime/protocol/env";
import { replicaMetadata } from "../../../../runtime/replication/provenance";
import { takeSnapshot } from "../../../../runtime/replication/snapshot";
import { canaryName, probeKey } from "../../../../runtime/roles/prober/names";
import { BridgeError } from "../../../../runtime/stores/errors";
import { MemoryStore } from "../../../../runtime/stores/memory/store";
import { VirtualTime } from "../../../support/virtual-time";
import { AT_DESTINATION, instead, makeProber } from "./probe-fixture";

const CANARY = { everyMinutes: 5, sizeBytes: 64, puts: true, watches: false, giveUpAfterSeconds: 600 };
const DUE = Date.parse("2026-03-01T00:05:00Z");
const MINUTE = 60_000;

/** Both sides of a bridge with one clock. The test copies the objects itself. */
function twoSides(changes: Partial<ProberConfig> = {}) {
  const clock = new VirtualTime(DUE);
  const source = makeProber({ clock, config: { canary: CANARY, ...changes } });
  const destination = makeProber({
    clock,
    config: { canary: { ...CANARY, puts: false, watches: true }, ...AT_DESTINATION, ...changes },
  });
  const keyAt = (side: typeof source, slot: string, from: "source" | "destination" = "source", bridgeId = "bridge") =>
    probeKey(side.config, canaryName({ bridgeId, from, slotMs: Date.parse(`2026-03-01T${slot}:00Z`) }));

  async function carry(slot: string, metadata?: Record<string, string>): Promise<void> {
    const snapshot = await takeSnapshot(source.memory, keyAt(source, slot));
    if (snapshot === undefined) throw new Error("there is nothing to carry");
    const attributes = { headers: snapshot.headers, metadata: metadata ?? snapshot.metadata, tags: snapshot.tags };
    const { body } = await source.memory.get(keyAt(source, slot));
    await destination.memory.put(keyAt(destination, slot), body, { sizeBytes: snapshot.sizeBytes, attributes });
  }

  /** Copies the object as a bridge does, with its provenance. */
  async function carryAsBridge(slot: string): Promise<void> {
    const snapshot = await takeSnapshot(source.memory, keyAt(source, slot));
    if (snapshot === undefined) throw new Error("there is nothing to carry");
    const { bridgeId, sourceId } = source.config;
    await carry(slot, replicaMetadata(snapshot, { bridgeId, sourceId }, keyAt(destination, slot)));
  }

  const run = (side: typeof source, dueMs = DUE) => clock.during(side.prober.canary(dueMs, side.invocation()));
  return { clock, source, destination, keyAt, carry, carryAsBridge, run };
}

test("one side posts, the other side watches for the same name and measures the lag", async () => {
  const { clock, source, destination, carry, run, keyAt } = twoSides();
  await run(source);
  expect(source.memory.keys()).toEqual([keyAt(source, "00:05")]);
  expect(source.memory.snapshotOf(keyAt(source, "00:05"))).toMatchObject({ tags: { team: "red" } });
  const watching = run(destination);
  const carrying = clock.sleep(7_000).then(() => carry("00:05"));
  await Promise.all([watching, carrying]);
  const [gaveUp, lag, ...more] = destination.metrics;
  expect([gaveUp, lag?.[0], more]).toEqual([["ProbeGaveUp", 0], "ProbeLagMs", []]);
  // The interval is at most a twentieth of the time waited so far.
  expect(lag?.[1]).toBeGreaterThanOrEqual(7_000);
  expect(lag?.[1]).toBeLessThanOrEqual(7_000 * 1.05);
  expect(source.metrics).toEqual([]);
});

test("a canary that does not arrive is given up in time, after a bounded number of looks", async () => {
  const { clock, destination, run } = twoSides();
  await run(destination);
  expect(destination.metrics).toEqual([["ProbeGaveUp", 1]]);
  // The other schedule may be a minute late; the looks are at most five seconds apart.
  expect(clock.now()).toBeGreaterThan(DUE + 11 * MINUTE - 5_001);
  expect(clock.now()).toBeLessThan(DUE + 11 * MINUTE);
  expect(destination.memory.calls.head).toBeLessThan(250);
  expect(destination.logger.lines).toMatchObject([
    { level: "error", message: "the canary did not arrive", fields: { because: "it took longer than giveUpAfterSeconds" } },
  ]);
});

test("a function whose time ends first gives up as well, and says so", async () => {
  const { clock, destination } = twoSides();
  await clock.during(destination.prober.canary(DUE, destination.invocation(30)));
  expect(clock.now()).toBeLessThanOrEqual(DUE + 28_000);
  expect(destination.metrics).toEqual([["ProbeGaveUp", 1]]);
  expect(destination.logger.lines).toMatchObject([{ fields: { because: "the function's time ended first" } }]);
});

describe("a watching side that comes second", () => {
  test("uses the store's Last-Modified of a replica that the bridge wrote", async () => {
    const { clock, source, destination, carryAsBridge, run } = twoSides();
    await run(source);
    clock.nowMs += 2_500;
    await carryAsBridge("00:05");
    clock.nowMs += 40_000;
    await run(destination);
    // The end of the second that Last-Modified names.
    expect(destination.metrics).toEqual([
      ["ProbeGaveUp", 0],
      ["ProbeLagMs", 2_999],
    ]);
  });

  test("measures until its first look where Last-Modified is the source's, as with a store's own replication", async () => {
    const { clock, source, destination, carry, run } = twoSides();
    await run(source);
    await carry("00:05");
    clock.nowMs += 20_000;
    await run(destination);
    expect(destination.metrics).toEqual([
      ["ProbeGaveUp", 0],
      ["ProbeLagMs", 20_000],
    ]);
  });

  test("measures no lag when it is late itself, and raises no alarm", async () => {
    const { clock, source, destination, carry, run } = twoSides();
    await run(source);
    await carry("00:05");
    clock.nowMs += 7 * MINUTE;
    await run(destination);
    expect(destination.metrics).toEqual([["ProbeGaveUp", 0]]);
    expect(destination.logger.lines).toMatchObject([{ level: "warn", fields: { because: "this side came too late to tell" } }]);
  });
});

test("an event of the slot before, delivered in the next one, still finds its object on both sides", async () => {
  const { clock, source, destination, carryAsBridge, run } = twoSides();
  await run(source);
  await carryAsBridge("00:05");
  clock.nowMs = DUE + 5 * MINUTE;
  await run(source, DUE + 5 * MINUTE);
  await carryAsBridge("00:10");
  await run(destination, DUE + 5 * MINUTE);
  await run(destination, DUE);
  expect(destination.metrics.filter(([name]) => name === "ProbeGaveUp")).toEqual([1, 2].map(() => ["ProbeGaveUp", 0]));
});

test("an event that is delivered twice finds the object twice", async () => {
  const { source, destination, carry, run } = twoSides();
  await run(source);
  await carry("00:05");
  await run(destination);
  await run(destination);
  expect(destination.metrics.filter(([name]) => name === "ProbeGaveUp")).toEqual([1, 2].map(() => ["ProbeGaveUp", 0]));
});

test("an event that comes after the watch only cleans up", async () => {
  const { clock, source, destination, run } = twoSides();
  clock.nowMs = DUE + 11 * MINUTE + 1;
  await run(source);
  await run(destination);
  expect(source.memory.keys()).toEqual([]);
  expect(destination.metrics).toEqual([]);
  for (const { logger } of [source, destination])
    expect(logger.lines).toMatchObject([{ level: "warn", fields: { lateMs: 11 * MINUTE + 1 } }]);
});

test("a clock that is ahead at the putting side makes no negative lag, and is logged", async () => {
  const { source, destination, carry, run, clock } = twoSides();
  await run(source);
  clock.nowMs -= 300;
  await carry("00:05");
  await run(destination);
  expect(destination.metrics).toEqual([
    ["ProbeGaveUp", 0],
    ["ProbeLagMs", 0],
  ]);
  expect(destination.logger.lines[0]).toMatchObject({ level: "warn", fields: { lagMs: -300 } });
});

test("an object without the time of its posting has arrived, and has no lag", async () => {
  const { source, destination, carry, run } = twoSides();
  await run(source);
  await carry("00:05", { "probe-posted-at": "yesterday" });
  await run(destination);
  expect(destination.metrics).toEqual([["ProbeGaveUp", 0]]);
  expect(destination.logger.lines).toMatchObject([{ level: "warn", fields: { because: "it does not say when it was posted" } }]);
});

test("both ways: a side puts its own and waits for the other one's", async () => {
  const { clock, source, destination, keyAt } = twoSides({ canary: { ...CANARY, watches: true } });
  const attributes = { headers: {}, metadata: { "probe-posted-at": new Date(DUE).toISOString() }, tags: {} };
  const body = Buffer.from("x");
  const [there, back] = [keyAt(destination, "00:05"), keyAt(source, "00:05", "destination")];
  const running = [source, destination].map(({ prober, invocation }) => prober.canary(DUE, invocation()));
  const carrying = clock.sleep(1_000).then(async () => {
    await destination.memory.put(there, body, { sizeBytes: 1, attributes });
    await source.memory.put(back, body, { sizeBytes: 1, attributes });
  });
  await clock.during(Promise.all([...running, carrying]));
  expect(source.memory.keys()).toEqual([back, keyAt(source, "00:05")].sort());
  expect(destination.memory.keys()).toEqual([keyAt(destination, "00:05", "destination"), there].sort());
  for (const { metrics } of [source, destination]) {
    expect(metrics).toEqual([
      ["ProbeGaveUp", 0],
      ["ProbeLagMs", 1_000],
    ]);
  }
});

describe("an old canary", () => {
  const attributes = { headers: {}, metadata: {}, tags: {} };

  async function withLeftovers() {
    const sides = twoSides();
    const { source, keyAt, clock } = sides;
    const longAgo = probeKey(source.config, canaryName({ bridgeId: "other", from: "source", slotMs: DUE - 4 * 1440 * MINUTE }));
    const keys = {
      old: keyAt(source, "00:05"),
      oldReplica: keyAt(source, "00:05", "destination"),
      kept: keyAt(source, "00:45"),
      ofAnother: keyAt(source, "00:05", "source", "other"),
      longAgo,
      onDemand: probeKey(source.config, "run/1"),
      unrelated: probeKey(source.config, "canary/notes"),
    };
    for (const key of Object.values(keys)) await source.memory.put(key, Buffer.from("x"), { sizeBytes: 1, attributes });
    clock.nowMs = DUE + 60 * MINUTE;
    return { ...sides, keys };
  }

  test("is removed when it is not watched any more, version by version, and nothing else is touched", async () => {
    const { source, keys, run, keyAt } = await withLeftovers();
    await run(source, DUE + 60 * MINUTE);
    const { kept, ofAnother, onDemand, unrelated } = keys;
    expect(source.memory.keys()).toEqual([keyAt(source, "01:05"), kept, ofAnother, onDemand, unrelated].sort());
    for (const key of [keys.old, keys.oldReplica, keys.longAgo]) expect(source.memory.versionIds(key)).toEqual([]);
  });

  test("that cannot be removed fails nothing", async () => {
    const { source, keys, clock } = await withLeftovers();
    const store = instead(source.memory, {
      delete: async () => Promise.reject(new BridgeError("PermissionDenied", "delete", "the store refused")),
    });
    const { prober, logger, invocation } = makeProber({ clock, store, config: source.config });
    await clock.during(prober.canary(DUE + 60 * MINUTE, invocation()));
    expect(source.memory.keys()).toContain(keys.old);
    expect(logger.lines).toContainEqual(expect.objectContaining({ level: "warn", message: "old canaries are left behind" }));
  });
});

describe("a failure", () => {
  test("of a put fails the invocation, after the rest was done", async () => {
    const clock = new VirtualTime(DUE);
    const store = instead(new MemoryStore({ clock }), {
      put: async () => Promise.reject(new BridgeError("Unavailable", "put", "the store is away")),
    });
    const canary = { ...CANARY, watches: true };
    const { prober, metrics, invocation } = makeProber({ clock, store, config: { canary } });
    await expect(clock.during(prober.canary(DUE, invocation()))).rejects.toThrow(/cannot put .*the store is away/);
    expect(metrics).toEqual([["ProbeGaveUp", 1]]);
  });

  test("of a look counts as given up, so that the alarm is raised", async () => {
    const clock = new VirtualTime(DUE);
    const store = instead(new MemoryStore({ clock }), {
      head: async () => Promise.reject(new BridgeError("PermissionDenied", "head", "the store refused")),
    });
    const canary = { ...CANARY, puts: false, watches: true };
    const { prober, metrics, invocation } = makeProber({ clock, store, config: { ...AT_DESTINATION, canary } });
    await expect(clock.during(prober.canary(DUE, invocation()))).rejects.toMatchObject({ kind: "PermissionDenied" });
    expect(metrics).toEqual([["ProbeGaveUp", 1]]);
  });

  test("of the configuration: a schedule without a canary", async () => {
    const { prober, memory, invocation } = makeProber();
    await expect(prober.canary(DUE, invocation())).rejects.toMatchObject({ kind: "ConfigInvalid" });
    expect(memory.calls).toEqual({});
  });
});
