/** When the two sides of the latency probe are woken. */
import { ConfigInvalid } from "../../components/config";
import { slots } from "../../components/prober";

test.each([
  [1, "*", "*"],
  [5, "0/5", "*"],
  [30, "0/30", "*"],
  [60, "0", "*"],
  [120, "0", "0/2"],
  [720, "0", "0/12"],
  [1440, "0", "0"],
])("every %i min: minutes %s of hours %s", (everyMinutes, minutes, hours) => {
  expect(slots(everyMinutes, (n) => `0/${n}`)).toEqual({ minutes, hours });
});

test("a length that no cron expression can say is refused", () => {
  const step = (n: number) => `0/${n}`;
  for (const everyMinutes of [7, 45, 90, 61, 300]) expect(() => slots(everyMinutes, step)).toThrow(ConfigInvalid);
  expect(() => slots(7, step)).toThrow(/probe\.everyMinutes = 7: no schedule repeats at such times; allowed:/);
});

test("slots begin where the prober counts them from: every one divides the day", () => {
  const served = Array.from({ length: 1440 }, (_, index) => index + 1).filter((everyMinutes) => {
    try {
      return slots(everyMinutes, String) !== undefined;
    } catch {
      return false;
    }
  });
  expect(served).toEqual([1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60, 120, 180, 240, 360, 480, 720, 1440]);
  expect(served.filter((everyMinutes) => 1440 % everyMinutes !== 0)).toEqual([]);
});
