import fc from "fast-check";
import { type CanaryConfig, isLate, oldestKept, slotOf, watchedUntil } from "../../../../runtime/roles/prober/canary";

const plan = (everyMinutes: number, giveUpAfterSeconds = 600): CanaryConfig => ({
  everyMinutes,
  giveUpAfterSeconds,
  sizeBytes: 1,
  puts: true,
  watches: true,
});
const plans = fc.tuple(fc.integer({ min: 1, max: 1440 }), fc.integer({ min: 1, max: 900 })).map((both) => plan(...both));
const time = fc.integer({ min: 1_700_000_000_000, max: 1_900_000_000_000 });
const at = (text: string) => Date.parse(`2026-03-01T${text}Z`);

test.each([
  ["00:05:00", "00:05:00"],
  ["00:05:59", "00:05:00"],
  ["00:09:54.999", "00:05:00"],
  // A schedule may run a little before its minute.
  ["00:09:55", "00:10:00"],
  ["00:04:55", "00:05:00"],
])("every five minutes: an event due at %s belongs to the slot of %s", (due, slot) => {
  expect(slotOf(plan(5), at(due))).toBe(at(slot));
});

test("two schedules that are due together have one slot, and the next events have the next slot", () => {
  fc.assert(
    fc.property(plans, time, fc.integer({ min: -5_000, max: 54_999 }), (config, dueMs, jitterMs) => {
      const lengthMs = config.everyMinutes * 60_000;
      const onTimeMs = Math.floor(dueMs / lengthMs) * lengthMs;
      expect(slotOf(config, onTimeMs + jitterMs)).toBe(onTimeMs);
      expect(slotOf(config, onTimeMs + lengthMs + jitterMs)).toBe(onTimeMs + lengthMs);
    }),
  );
});

test("the slot before the present one is kept, and every slot that may still be watched", () => {
  expect(oldestKept(plan(60), at("05:30:00"))).toBe(at("04:00:00"));
  // Eleven minutes of watching, and one slot more for clocks that differ.
  expect(oldestKept(plan(1), at("05:30:00"))).toBe(at("05:18:00"));
  fc.assert(
    fc.property(plans, time, fc.nat(), (config, dueMs, laterMs) => {
      const watchedMs = watchedUntil(config, dueMs) - dueMs;
      expect(slotOf(config, dueMs)).toBeGreaterThanOrEqual(oldestKept(config, dueMs + (laterMs % (watchedMs + 1))));
    }),
  );
});

test("every slot is removed in the end", () => {
  fc.assert(
    fc.property(plans, time, (config, dueMs) => {
      const laterMs = watchedUntil(config, dueMs) + 3 * config.everyMinutes * 60_000;
      expect(slotOf(config, dueMs)).toBeLessThan(oldestKept(config, laterMs));
    }),
  );
});

test("an event is late when it comes after its minute", () => {
  expect(isLate(at("00:05:00"), at("00:06:00"))).toBe(false);
  expect(isLate(at("00:05:00"), at("00:06:00.001"))).toBe(true);
});
