import * as z from "zod";

const isTimer = z.object({ triggerTime: z.unknown(), triggerName: z.string() });
const timer = z.object({ triggerTime: z.iso.datetime() });

/**
 * When a time trigger went off; undefined for any other event.
 * https://www.alibabacloud.com/help/en/fc/formats-of-event-for-different-triggers
 * @throws Error when the event does not say
 */
export function timerTime(event: unknown): number | undefined {
  if (!isTimer.safeParse(event).success) return undefined;
  const parsed = timer.safeParse(event);
  if (!parsed.success) throw new Error("the time trigger's event has no triggerTime of the form 2026-03-01T00:05:00Z");
  return Date.parse(parsed.data.triggerTime);
}
