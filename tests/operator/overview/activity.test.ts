import type { LogLine } from "../../../operator/operated-bridge";
import { flowOf, recentOf } from "../../../operator/overview/activity";

const NOW = Date.parse("2026-11-21T10:00:30Z");
const MINUTE = 60_000;

const line = (message: string, fields: Record<string, unknown>, atMs = NOW - 1_000): LogLine => ({
  level: "info",
  ...{ message, fields, atMs },
});
const metrics = (values: Record<string, unknown>, atMs?: number) => line("metrics", { metrics: values }, atMs);
const flow = (lines: LogLine[], complete = true) => flowOf(lines, { nowMs: NOW, complete });

describe("the flow", () => {
  test("sums values and lists of values, and takes the percentiles of all lags", () => {
    const lags = Array.from({ length: 100 }, (_, index) => index + 1);
    const { lag, ...sums } = flow([
      metrics({ LagMs: lags, Replicated: Array(100).fill(1), BytesMoved: [10, 20] }),
      metrics({ Replicated: 2, Unchanged: 3, Deleted: 1, Retried: 4, BytesMoved: 5 }),
    ]);
    expect(sums).toMatchObject({ replicated: 102, unchanged: 3, deleted: 1, retried: 4, bytes: 35, complete: true });
    expect(lag).toMatchObject({ count: 100, maxMs: 100 });
    expect(lag?.p50Ms).toBeCloseTo(50.5);
    expect(lag?.p95Ms).toBeCloseTo(95.05);
    expect(lag?.p99Ms).toBeCloseTo(99.01);
  });

  test("has every minute of the time, also those without work", () => {
    const { minutes } = flow([
      metrics({ LagMs: 5, Replicated: 1, BytesMoved: 7 }, NOW - 3 * MINUTE),
      metrics({ Deleted: 2 }, NOW),
      metrics({ Replicated: 9 }, NOW - 21 * MINUTE),
    ]);
    expect(minutes).toHaveLength(20);
    expect(minutes.at(-1)).toMatchObject({ startMs: Date.parse("2026-11-21T10:00:00Z"), objects: 2, bytes: 0, p50Ms: undefined });
    expect(minutes.at(-4)).toMatchObject({ objects: 1, bytes: 7, p50Ms: 5, p95Ms: 5 });
    expect(minutes.filter(({ objects }) => objects > 0)).toHaveLength(2);
  });

  test("without work there is no lag, and a value of another type counts for nothing", () => {
    expect(flow([metrics({ LagMs: "soon", Replicated: null })])).toMatchObject({ lag: undefined, replicated: 0 });
    expect(flow([], false).complete).toBe(false);
  });
});

describe("the recent keys", () => {
  const at = (seconds: number) => NOW - 60_000 + seconds * 1000;

  test("the newest result of each key, from receiver, copier and pusher", () => {
    const found = recentOf(
      [
        line("notice", { key: "a", result: "retry", reason: "S3 answered put with AccessDenied" }, at(1)),
        line("notice", { key: "b", result: "replicated", bytesMoved: 9 }, at(2)),
        line("notice", { key: "large", result: "in-progress" }, at(3)),
        line("copy begins", { key: "large", sizeBytes: 77 }, at(3)),
        line("copy ends", { key: "large", result: "replicated", bytesMoved: 77 }, at(4)),
        line("notice", { key: "large", result: "unchanged" }, at(5)),
        line("step done", { key: "pushed", result: "waiting", next: "wait" }, at(6)),
        line("step done", { key: "pushed", result: "replicated", next: "done" }, at(7)),
        line("notice", { key: "a", result: "replicated", bytesMoved: 3 }, at(8)),
        line("notice", { result: "replicated" }, at(9)),
      ],
      10,
    );
    expect(found).toEqual([
      { key: "a", atMs: at(8), result: "replicated", bytes: 3, reason: undefined },
      { key: "pushed", atMs: at(7), result: "replicated", bytes: undefined, reason: undefined },
      { key: "large", atMs: at(4), result: "replicated", bytes: 77, reason: undefined },
      { key: "b", atMs: at(2), result: "replicated", bytes: 9, reason: undefined },
    ]);
  });

  test("at most as many as asked for", () => {
    const lines = Array.from({ length: 9 }, (_, index) => line("notice", { key: `k${index}`, result: "replicated" }, at(index)));
    expect(recentOf(lines, 2).map(({ key }) => key)).toEqual(["k8", "k7"]);
  });
});
