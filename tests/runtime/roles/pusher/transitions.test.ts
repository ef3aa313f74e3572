import type { PushState } from "../../../../runtime/protocol/push";
import { createTransitions } from "../../../../runtime/roles/pusher/transitions";

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
  createTransitions({ maxAttempts: 4, inlineTimeoutSeconds: 20, random: () => 0.5, now: () => 0, ...options });

test("a temporary failure waits longer each time, and is parked in the end", () => {
  const { retry } = open();
  const first = retry(state, "down", false);
  expect(first).toEqual({ ...state, next: "wait", attempt: 1, waitSeconds: 2, reason: "down" });
  expect(retry({ ...state, attempt: 2 }, "down", false).waitSeconds).toBe(6);
  expect(retry({ ...state, attempt: 3 }, "down", false)).toEqual({
    ...state,
    next: "park",
    attempt: 3,
    reason: "given up after 4 attempts: down",
  });
});

test("when a write may still land, the wait covers its hard end, but never more than 300 seconds", () => {
  expect(open().retry(state, "cut off", true).waitSeconds).toBe(25);
  expect(open({ inlineTimeoutSeconds: 3600 }).retry(state, "cut off", true).waitSeconds).toBe(300);
});

test("a source that changes is inspected at once, then after longer and longer waits, and parked in the end", () => {
  const { startOver } = open();
  expect(startOver({ ...state, waitSeconds: 40, reason: "old", result: "replicated" }, "changed")).toEqual({
    ...state,
    next: "inspect",
    rounds: 1,
  });
  const steps = Array.from({ length: 110 }, (_, rounds) => startOver({ ...state, rounds }, "changed"));
  expect(steps.slice(0, 19).every(({ next, rounds }, index) => next === "inspect" && rounds === index + 1)).toBe(true);
  expect(steps.slice(19, 33).map(({ waitSeconds }) => waitSeconds)).toEqual([
    5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60, 60, 60,
  ]);
  expect(steps.at(-1)).toMatchObject({ next: "park", reason: "given up after 110 rounds: changed" });
});

test("another execution's copy is checked less and less often, and counts as no attempt", () => {
  const { waitForCopy } = open();
  const waits: (number | undefined)[] = [];
  let now = state;
  for (let times = 0; times < 9; times++) {
    now = waitForCopy(now, "a copy runs", 3_600_000);
    waits.push(now.waitSeconds);
    now = { ...now, next: "copy" };
  }
  expect(waits).toEqual([5, 10, 20, 40, 80, 160, 300, 300, 300]);
  expect(now.attempt).toBe(0);
});

test("the wait ends with the lease of the copy, and lasts at least a second", () => {
  const { waitForCopy } = open();
  const late = { ...state, waitSeconds: 160 };
  expect(waitForCopy(late, "a copy runs", 90_500).waitSeconds).toBe(91);
  expect(waitForCopy(late, "a copy runs", -5).waitSeconds).toBe(1);
});

test("a copy that holds the key for half a day is given up", () => {
  const busySinceMs = 5;
  const hours = (passed: number) =>
    open({ now: () => busySinceMs + passed * 3_600_000 }).waitForCopy({ ...state, busySinceMs }, "a copy runs", 3_600_000);
  expect(hours(12).next).toBe("wait");
  expect(hours(12.01)).toMatchObject({ next: "park", reason: "given up after 12 hours: a copy runs" });
});

test("a redriven key, first seen long ago, waits as long as any other", () => {
  const { waitForCopy, retry } = open({ now: () => state.firstSeenMs + 90 * 3_600_000 });
  const waiting = waitForCopy(state, "a copy runs", 1000);
  expect(waiting.next).toBe("wait");
  expect(retry({ ...waiting, next: "copy" }, "broke", false).busySinceMs).toBeUndefined();
});

test("a reason is cut to the state's limit", () => {
  expect(open().park(state, "x".repeat(5000)).reason).toHaveLength(1024);
});
