/** When the two sides of the latency probe are woken. */
import { CANARY_MINUTES } from "../../components/config/schema";
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

/** The minutes of a day at which a schedule is due. */
function dueAt({ minutes, hours }: { minutes: string; hours: string }): number[] {
  const fits = (field: string, value: number) => field === "*" || value % Number(field.split("/")[1] ?? 60) === 0;
  const day = Array.from({ length: 1440 }, (_, index) => index);
  return day.filter((minute) => fits(minutes, minute % 60) && fits(hours, Math.floor(minute / 60)));
}

test.each(CANARY_MINUTES)(
  "every %i min, which the configuration takes: due when the prober counts its slots from midnight",
  (every) => {
    const slotsOfDay = Array.from({ length: 1440 / every }, (_, index) => index * every);
    expect(dueAt(slots(every, (n) => `0/${n}`))).toEqual(slotsOfDay);
  },
);
