import { type MeasureOptions, measure, type Sample } from "../../../operator/probe/measure";
import { type Direction, planObjects } from "../../../operator/probe/plan";
import { openProbers } from "../../../operator/probe/probers";
import { BridgeError } from "../../../runtime/stores/errors";
import { VirtualTime } from "../../support/virtual-time";
import { type FakeOptions, fakeBridge } from "./fake-bridge";

const OPTIONS: MeasureOptions = { attempts: 20, intervalMs: 500, parallel: 1, pauseMs: 0 };
const FORTH: Direction[] = ["source->destination"];

function stage(fake: Omit<FakeOptions, "time"> = {}, changes: Partial<MeasureOptions> = {}) {
  const time = new VirtualTime();
  const stop = new AbortController();
  const staged = fakeBridge({ time, ...fake });
  const samples: Sample[] = [];
  const run = (plan: { sizes?: number[]; count: number; directions?: Direction[] }) =>
    time.during(
      measure(
        planObjects({ run: "r", sizes: plan.sizes ?? [1], count: plan.count, directions: plan.directions ?? FORTH }),
        { ...OPTIONS, ...changes },
        { probers: openProbers(staged.bridge), time, signal: stop.signal, onSample: (sample) => samples.push(sample) },
      ),
    );
  return { ...staged, time, stop, samples, run };
}

const durations = (samples: readonly Sample[]) =>
  samples.map(({ postedAtMs, seenAtMs }) => (seenAtMs === undefined ? undefined : seenAtMs - postedAtMs));

const looksAtClocks = (name: string) =>
  Array.from({ length: 5 }, () => [`source watch ${name}`, `destination watch ${name}`]).flat();

test("watches first, then puts, one object at a time, and cleans up the far side first", async () => {
  const { run, calls, visible } = stage();
  const { samples, leftBehind, late } = await run({ count: 2 });
  const [first, second] = ["r/from-source-1-1", "r/from-source-1-2"];
  expect(calls).toEqual([
    `source clean ${first}`,
    `destination clean ${first}`,
    `destination watch ${first}`,
    `source put ${first}`,
    ...looksAtClocks(first),
    `destination watch ${second}`,
    `source put ${second}`,
    `destination clean ${first},${second}`,
    `source clean ${first},${second}`,
  ]);
  expect(durations(samples)).toEqual([1000, 1000]);
  expect(samples.map(({ attempts }) => attempts)).toEqual([3, 3]);
  expect([leftBehind, late, visible("source"), visible("destination")]).toEqual([[], [], [], []]);
});

test("measures both directions, and reports each sample as soon as it is known", async () => {
  const { run, samples } = stage({ lagMs: ({ from, sizeBytes }) => (from === "source" ? 1000 : 2000) * sizeBytes });
  const measured = await run({ sizes: [1, 2], count: 1, directions: ["source->destination", "destination->source"] });
  expect(durations(measured.samples)).toEqual([1000, 2000, 2000, 4000]);
  expect(samples).toEqual(measured.samples);
});

test("a duration is too long by at most the time between two checks", async () => {
  const { run } = stage({ lagMs: ({ name }) => 700 + 37 * Number(name.split("-").at(-1)) });
  const { samples } = await run({ count: 12 });
  const errors = durations(samples).map((ms, index) => (ms ?? Number.NaN) - (700 + 37 * (index + 1)));
  expect(Math.min(...errors)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...errors)).toBeLessThan(OPTIONS.intervalMs);
  expect(Math.max(...errors)).toBeGreaterThan(0);
});

test("watches again for a pending object, with the remaining attempts", async () => {
  const asked: number[] = [];
  const { run } = stage({
    functionMs: 1600,
    lagMs: () => 4000,
    onRequest: (_, request) => {
      if (request.action === "watch" && request.attempts > 1) asked.push(request.attempts);
    },
  });
  const { samples } = await run({ count: 1 });
  expect(asked).toEqual([20, 16, 12]);
  expect(samples[0]?.attempts).toBe(11);
});

test("an object that never arrives is given up after its attempts, removed twice from the far side, and named", async () => {
  const { run, calls } = stage({ functionMs: 1600, lagMs: ({ name }) => (name.endsWith("-1") ? undefined : 1000) });
  const { samples, late } = await run({ count: 2 });
  expect(durations(samples)).toEqual([undefined, 1000]);
  expect(samples[0]?.attempts).toBe(20);
  expect(calls.filter((call) => call.includes("clean")).slice(2)).toEqual([
    "destination clean r/from-source-1-1,r/from-source-1-2",
    "source clean r/from-source-1-1,r/from-source-1-2",
    "destination clean r/from-source-1-1",
  ]);
  expect(late).toEqual([{ side: "destination", name: "r/from-source-1-1" }]);
});

test("an answer without an attempt still counts as one attempt", async () => {
  const { run } = stage(
    {
      onAnswer: (_, { action }, answer) =>
        action === "watch" ? { seen: [], missing: [], pending: [{ name: "r/from-source-1-1", attempts: 0 }] } : answer,
    },
    { attempts: 3 },
  );
  expect((await run({ count: 1 })).samples).toEqual([expect.objectContaining({ attempts: 3 })]);
});

test("compares the clocks with the first object that is on both sides", async () => {
  const { run } = stage({ clockAheadMs: { source: -250, destination: 4000 }, roundTripMs: { source: 20, destination: 300 } });
  const { clocks, samples } = await run({ count: 2 });
  expect(clocks).toEqual({ ms: 4250, uncertaintyMs: 162 });
  expect(durations(samples)).toEqual([5250, 5250].map((ms) => expect.closeTo(ms, -3)));
});

test("compares no clocks if nothing arrived", async () => {
  const { run } = stage({ lagMs: () => undefined });
  expect((await run({ count: 1 })).clocks).toBeUndefined();
});

test("sends several objects at once with --parallel", async () => {
  const timed = async (parallel: number) => {
    const { run, time } = stage({}, { parallel });
    const startedMs = time.now();
    expect((await run({ count: 8 })).samples).toHaveLength(8);
    return time.now() - startedMs;
  };
  expect(await timed(4)).toBeLessThan((await timed(1)) / 2);
});

test("pauses between objects, but not after the last one", async () => {
  const timed = async (pauseMs: number) => {
    const { run, time } = stage({}, { pauseMs });
    const startedMs = time.now();
    await run({ count: 3 });
    return time.now() - startedMs;
  };
  expect((await timed(10_000)) - (await timed(0))).toBe(20_000);
});

describe("the objects are always removed", () => {
  test("when a put fails: the watch ends, and the samples so far are kept", async () => {
    const failure = new BridgeError("PermissionDenied", "put", "no");
    const { run, calls, visible } = stage({
      onRequest: (_, request) => {
        if (request.action === "put" && request.objects[0]?.name.endsWith("-2")) throw failure;
      },
    });
    const measured = await run({ count: 3 });
    expect(measured.failure).toBe(failure);
    expect(measured.samples.map(({ object }) => object.number)).toEqual([1]);
    expect(measured.clocks).toBeDefined();
    expect(calls.filter((call) => call.includes("put"))).toHaveLength(2);
    expect(calls.slice(-3)).toEqual([
      "destination clean r/from-source-1-1,r/from-source-1-2",
      "source clean r/from-source-1-1,r/from-source-1-2",
      "destination clean r/from-source-1-2",
    ]);
    expect([visible("source"), visible("destination")]).toEqual([[], []]);
  });

  test("when the watch fails: the clean-up waits for the put", async () => {
    const failure = new BridgeError("Unavailable", "watch", "no");
    const { run, calls, visible } = stage({
      roundTripMs: { source: 2000, destination: 20 },
      onRequest: (_, request) => {
        if (request.action === "watch") throw failure;
      },
    });
    expect((await run({ count: 3 })).failure).toBe(failure);
    expect(calls.filter((call) => !call.includes("clean")).slice(0, 2)).toEqual([
      "destination watch r/from-source-1-1",
      "source put r/from-source-1-1",
    ]);
    expect([visible("source"), visible("destination")]).toEqual([[], []]);
  });

  test("when the probe is interrupted: it sends no further object and waits for the put in progress", async () => {
    const staged = stage({
      lagMs: () => undefined,
      roundTripMs: { source: 3000, destination: 20 },
      onRequest: (_, request) => {
        if (request.action === "watch") staged.stop.abort();
      },
    });
    const measured = await staged.run({ count: 5 });
    expect(measured.failure).toBe(staged.stop.signal.reason);
    expect(staged.calls.slice(2)).toEqual([
      "destination watch r/from-source-1-1",
      "source put r/from-source-1-1",
      "destination clean r/from-source-1-1",
      "source clean r/from-source-1-1",
      "destination clean r/from-source-1-1",
    ]);
    expect(staged.visible("source")).toEqual([]);
    expect(measured.late).toEqual([{ side: "destination", name: "r/from-source-1-1" }]);
  });

  test("puts nothing if a side does not answer", async () => {
    const failure = new BridgeError("NotFound", "invoke", "no function");
    const { run, calls } = stage({
      onRequest: (side) => {
        if (side === "destination") throw failure;
      },
    });
    const measured = await run({ count: 1 });
    expect(measured).toMatchObject({ samples: [], leftBehind: [], late: [], failure });
    expect(calls.some((call) => call.includes("put"))).toBe(false);
  });

  test("a side that removes nothing is named with its reason, and the other side still removes its objects", async () => {
    let isOver = false;
    const { run, calls, visible } = stage({
      onRequest: (side, request) => {
        if (request.action === "put") isOver = true;
        if (isOver && side === "destination" && request.action === "clean")
          throw new BridgeError("RateLimited", "clean", "slow down");
      },
    });
    const measured = await run({ count: 1 });
    expect(measured).not.toHaveProperty("failure");
    expect(measured.leftBehind).toEqual([{ side: "destination", name: "r/from-source-1-1", reason: "slow down" }]);
    expect(calls.slice(-3)).toEqual([
      "destination clean r/from-source-1-1",
      "destination clean r/from-source-1-1",
      "source clean r/from-source-1-1",
    ]);
    expect([visible("source"), visible("destination")]).toEqual([[], ["r/from-source-1-1"]]);
  });

  test("a side that removes the objects at the second try leaves nothing", async () => {
    let fails = 1;
    const { run, visible } = stage({
      onRequest: (side, request) => {
        const isLast = request.action === "clean" && request.names.length === 2;
        if (side === "source" && isLast && fails-- > 0) throw new BridgeError("Unavailable", "clean", "no");
      },
    });
    expect((await run({ count: 2 })).leftBehind).toEqual([]);
    expect(visible("source")).toEqual([]);
  });

  test("hundreds of objects are removed in several calls, each within a function's time", async () => {
    const { run, calls } = stage({}, { parallel: 64 });
    await run({ count: 450 });
    const counts = calls.filter((call) => call.startsWith("source clean")).map((call) => call.split(",").length);
    expect(counts).toEqual([1, 200, 200, 50]);
  });
});

test("an object that arrives with another size ends the run", async () => {
  const { run } = stage({
    onAnswer: (_, { action }, answer) =>
      action === "watch" ? JSON.parse(JSON.stringify(answer).replace('"sizeBytes":7', '"sizeBytes":6')) : answer,
  });
  const { failure, samples } = await run({ sizes: [7], count: 1 });
  expect(failure).toEqual(new Error("r/from-source-7-1 was put with 7 bytes and arrived with 6"));
  expect(samples).toEqual([]);
});
