import { once } from "node:events";
import { systemClock } from "../../../runtime/protocol/ports";

test.each([-1, 0, 0.25, 12.5])("a signal ends after %d ms", async (ms) => {
  const signal = systemClock.after(ms);
  if (!signal.aborted) await once(signal, "abort");
  expect(signal.aborted).toBe(true);
});
