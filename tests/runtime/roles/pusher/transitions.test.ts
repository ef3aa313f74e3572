import type { PushState } from "../../../../runtime/protocol/push";
import { createTransitions, lookOf, type Told, waitsOutside, wasTried } from "../../../../runtime/roles/pusher/transitions";

const HOUR_MS = 3_600_000;
const state: PushState = {
  version: 1,
  next: "copy",
  key: "k",
  execution: "x",
  firstSeenMs: 0,
  attempt: 0,
  rounds: 0,
  bytesMoved: 0,
};
const open = (options: Partial<Parameters<typeof createTransitions>[0]> = {}) =>
  createTransitions({
    ...{ maxAttempts: 4, giveUpAfterSeconds: 156 * 3600, inlineTimeoutSeconds: 20, sourceId: "s", destinationId: "d" },
    ...{ random: () => 0.5, now: () => 0 },
    ...options,
  });
const told = (reason: string, more: Partial<Told> = {}): Told => ({ reason, place: "destination", ...more });

describe("a failure", () => {
  test("waits longer each time, and the last one parks the key", () => {
    const { fail } = open();
    const first = fail(state, told("broke"), "v1");
    expect(first).toMatchObject({ next: "wait", attempt: 1, state: "v1", waits: 0, waitSeconds: 2, reason: "broke" });
    expect(fail({ ...first, attempt: 2 }, told("broke"), "v1").waitSeconds).toBe(6);
    expect(fail({ ...first, attempt: 3 }, told("broke"), "v1")).toMatchObject({
      next: "park",
      reason: "given up after 4 failed attempts: broke",
    });
  });

  test("counts for one state of the source: a new state begins anew", () => {
    const before = { ...state, attempt: 3, state: "v1", slow: true as const };
    expect(open().fail(before, told("broke"), "v2")).toMatchObject({ next: "wait", attempt: 1, state: "v2", slow: undefined });
    expect(open().fail(before, told("broke"), undefined).next).toBe("park");
  });

  test("with the same difference twice is permanent; another difference is not", () => {
    const { fail } = open();
    const difference = { what: "headers", name: "cache-control", wanted: "a", found: "b" } as const;
    const first = fail(state, told("cache-control differs", { difference }), "v1");
    expect(first).toMatchObject({ next: "wait", difference });
    expect(fail(first, told("cache-control differs", { difference }), "v1")).toMatchObject({
      next: "park",
      reason: "the destination does not keep the object as it was written: cache-control differs",
    });
    expect(fail(first, told("x", { difference: { ...difference, found: "c" } }), "v1").next).toBe("wait");
    expect(fail(first, told("x", { difference }), "v2").next).toBe("wait");
  });
});

describe("a wait", () => {
  test("counts as no failure, however often, and grows to the longest of its cause", () => {
    const { waitFor } = open({ maxAttempts: 1 });
    const delays = (cause: Parameters<typeof waitFor>[1]) => {
      let now = state;
      const waits: (number | undefined)[] = [];
      for (let times = 0; times < 12; times++) {
        now = waitFor(now, cause, told("later"));
        waits.push(now.waitSeconds);
      }
      expect(now).toMatchObject({ next: "wait", attempt: 0, waits: 12 });
      return waits;
    };
    expect(delays("store")).toEqual([4, 8, 15, 30, 60, 120, 240, 480, 675, 675, 675, 675]);
    expect(delays("copy").at(-1)).toBe(225);
    expect(delays("time").at(-1)).toBe(45);
  });

  test("ends by the age of the key, with the last reason", () => {
    const at = (hours: number) => open({ now: () => hours * HOUR_MS }).waitFor({ ...state, waits: 500 }, "store", told("down"));
    expect(at(155.9).next).toBe("wait");
    expect(at(156)).toMatchObject({
      next: "park",
      reason: "given up after 156 hours of waiting, the last reason at the destination: down",
    });
  });

  test("covers the hard end of a write that may still land, and what the store asked for", () => {
    const { waitFor } = open();
    expect(waitFor(state, "store", told("cut off", { unsettled: true })).waitSeconds).toBe(25);
    expect(waitFor(state, "throttling", told("slow down", { retryAfterSeconds: 70 })).waitSeconds).toBe(70);
    expect(waitFor(state, "throttling", told("slow down", { retryAfterSeconds: 5000 })).waitSeconds).toBe(900);
  });

  test("ends with the lease of the copy, and lasts at least a second", () => {
    const late = { ...state, waits: 5 };
    expect(open().waitFor(late, "copy", told("a copy runs", { atMostSeconds: 91 })).waitSeconds).toBe(91);
    expect(open().waitFor(late, "copy", told("a copy runs", { atMostSeconds: 0 })).waitSeconds).toBe(1);
  });

  test("is spent in a queue when it is long, or when it is one of many", () => {
    expect(waitsOutside({ ...state, waitSeconds: 60, waits: 6 })).toBe(false);
    expect(waitsOutside({ ...state, waitSeconds: 61, waits: 1 })).toBe(true);
    expect(waitsOutside({ ...state, waitSeconds: 5, waits: 7 })).toBe(true);
  });
});

test("a source that changes is inspected at once, and after 20 rounds it is waited for; it is never parked for it", () => {
  const { startOver } = open();
  expect(startOver({ ...state, waitSeconds: 40, reason: "old", result: "replicated" }, "changed")).toEqual({
    ...state,
    next: "inspect",
    rounds: 1,
  });
  let now = state;
  const steps = Array.from({ length: 200 }, () => {
    now = startOver(now, "changed");
    return now;
  });
  expect(steps.slice(0, 19).every(({ next }) => next === "inspect")).toBe(true);
  expect(steps.slice(19).every(({ next, attempt }) => next === "wait" && attempt === 0)).toBe(true);
  expect(waitsOutside(steps[30] as PushState)).toBe(true);
});

describe("a key that is held while the destination is down", () => {
  test("ends its execution, and keeps the cause that was seen", () => {
    const seen = { reason: "no answer", place: "destination", store: "d", atMs: 5 } as const;
    expect(open().hold({ ...state, released: true, last: seen }, told("down"))).toMatchObject({
      ...{ next: "record", result: "waiting", reason: "down", last: seen, released: undefined, attempt: 0 },
    });
    expect(open().hold(state, told("down")).last).toEqual({ reason: "down", place: "destination", store: "d", atMs: 0 });
  });

  test("is parked when it is too old", () => {
    expect(open({ now: () => 156 * HOUR_MS }).hold(state, told("down")).next).toBe("park");
  });
});

test("the message of a key that leaves its execution holds all that is known of it", () => {
  const difference = { what: "tags", name: "a", wanted: "1", found: undefined } as const;
  const last = { reason: "r", place: "source", atMs: 3 } as const;
  const rest = { attempt: 2, waits: 4, state: "v1", slow: true, difference, last, waitSeconds: 90 } as const;
  expect(lookOf({ ...state, firstSeenMs: 7, ...rest }, 1000)).toEqual({
    ...{ key: "k", firstSeenMs: 7, failures: 2, waits: 4, state: "v1", slow: true, last },
    ...{ difference: '{"what":"tags","name":"a","wanted":"1"}', nextTryMs: 91_000 },
  });
});

test("a reason is cut to the state's limit", () => {
  expect(open().park(state, "x".repeat(5000)).reason).toHaveLength(1024);
  expect(open().waitFor(state, "store", told("x".repeat(5000))).last?.reason).toHaveLength(1024);
});

test.each<[string, Partial<PushState>, number, boolean]>([
  ["the first call of an execution", {}, 0, false],
  ["a call that comes late", {}, 20_000, true],
  ["a later call", { askedBefore: true }, 0, true],
  ["a key that has waited", { waits: 0 }, 0, true],
  ["a key that has failed", { attempt: 1 }, 0, true],
  ["a key whose source has changed", { rounds: 1 }, 0, true],
  ["a key from a queue", { last: { reason: "no", place: "source", atMs: 1 } }, 0, true],
  ["a key from the outage queue", { released: true }, 0, true],
])("%s: whether an attempt may have been made before", (_, change, nowMs, expected) => {
  expect(wasTried({ ...state, ...change }, { nowMs, hardEndMs: 20_000 })).toBe(expected);
});
