import fc from "fast-check";
import { compareClocks, isSignificant } from "../../../operator/probe/clocks";

const reading = (askedAtMs: number, remoteMs: number, answeredAtMs: number) => ({ askedAtMs, remoteMs, answeredAtMs });

test("uses the shortest round trip of each side", () => {
  const difference = compareClocks({
    source: [reading(0, 450, 900), reading(1000, 1010, 1020)],
    destination: [reading(2000, 5060, 2100), reading(3000, 6600, 4000)],
  });
  // The destination is 3,010 ms ahead of the command, the source 0 ms. Uncertainty: half of 100 ms and of 20 ms, and 1 ms for each.
  expect(difference).toEqual({ ms: 3010, uncertaintyMs: 62 });
});

test("has no difference if one clock was not read", () => {
  expect(compareClocks({ source: [reading(0, 0, 1)], destination: [] })).toBeUndefined();
  expect(compareClocks({ source: [], destination: [reading(0, 0, 1)] })).toBeUndefined();
});

test("the true difference is within the uncertainty, even if request and answer take different times", () => {
  const trips = fc.array(fc.tuple(fc.integer({ min: 0, max: 2000 }), fc.integer({ min: 0, max: 2000 })), {
    minLength: 1,
    maxLength: 5,
  });
  const ahead = fc.integer({ min: -100_000, max: 100_000 });
  fc.assert(
    fc.property(trips, trips, ahead, ahead, (toSource, toDestination, sourceAheadMs, destinationAheadMs) => {
      const readings = (ways: [number, number][], aheadMs: number) =>
        ways.map(([there, back], index) => reading(index * 9999, index * 9999 + there + aheadMs, index * 9999 + there + back));
      const found = compareClocks({
        source: readings(toSource, sourceAheadMs),
        destination: readings(toDestination, destinationAheadMs),
      });
      expect(Math.abs((found?.ms ?? Number.NaN) - (destinationAheadMs - sourceAheadMs))).toBeLessThanOrEqual(
        found?.uncertaintyMs ?? -1,
      );
    }),
  );
});

test.each([
  [{ ms: 501, uncertaintyMs: 100 }, true],
  [{ ms: -501, uncertaintyMs: 100 }, true],
  [{ ms: 500, uncertaintyMs: 100 }, false],
  [{ ms: 700, uncertaintyMs: 700 }, false],
  [{ ms: 701, uncertaintyMs: 700 }, true],
])("%j corrects durations at a resolution of 500 ms: %s", (difference, corrects) => {
  expect(isSignificant(difference, 500)).toBe(corrects);
});
