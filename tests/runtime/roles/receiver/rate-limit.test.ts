import * as fc from "fast-check";
import { createRateLimiter } from "../../../../runtime/roles/receiver/rate-limit";
import { ManualClock } from "../../support/clock";

function setUp(requestsPerSecond: number, burst: number) {
  const clock = new ManualClock();
  const take = createRateLimiter({ requestsPerSecond, burst }, clock);
  return { clock, take, passed: (count: number) => Array.from({ length: count }, () => take() === undefined) };
}

test("the burst passes at once, then one request each interval", () => {
  const { clock, take, passed } = setUp(4, 3);
  expect(passed(4)).toEqual([true, true, true, false]);
  expect(take()).toBeCloseTo(250);
  clock.advance(100);
  expect(take()).toBeCloseTo(150);
  clock.advance(150);
  expect(passed(2)).toEqual([true, false]);
});

test("a pause fills it to the burst and no further", () => {
  const { clock, passed } = setUp(10, 2);
  passed(2);
  clock.advance(3_600_000);
  expect(passed(3)).toEqual([true, true, false]);
});

test("a clock that is set back neither opens nor closes it for good", () => {
  const { clock, passed } = setUp(1, 1);
  expect(passed(1)).toEqual([true]);
  clock.advance(-60_000);
  expect(passed(1)).toEqual([false]);
  clock.advance(1_000);
  expect(passed(2)).toEqual([true, false]);
});

test("less than one request of burst still lets one pass", () => {
  expect(setUp(0.5, 0.2).passed(2)).toEqual([true, false]);
});

test("never more than the burst and what the time allows, and a request that waits as told passes", () => {
  return fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 1, max: 20 }),
      fc.array(fc.nat(400), { maxLength: 80 }),
      (rate, burst, gaps) => {
        const { clock, take } = setUp(rate, burst);
        const begin = clock.now();
        let count = 0;
        for (const gap of gaps) {
          clock.advance(gap);
          const waitMs = take();
          if (waitMs === undefined) {
            count += 1;
          } else {
            clock.advance(Math.ceil(waitMs) + 1);
            expect(take()).toBeUndefined();
            count += 1;
          }
          expect(count).toBeLessThanOrEqual(burst + ((clock.now() - begin) / 1000) * rate + 1e-6);
        }
      },
    ),
  );
});
