import * as z from "zod";

const isScheduled = z.object({ "detail-type": z.literal("Scheduled Event") });
const scheduled = z.object({ time: z.iso.datetime() });

/**
 * When a scheduled rule of EventBridge was due; undefined for any other event.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-run-lambda-schedule.html
 * @throws Error when the event does not say
 */
export function ruleTime(event: unknown): number | undefined {
  if (!isScheduled.safeParse(event).success) return undefined;
  const parsed = scheduled.safeParse(event);
  if (!parsed.success) throw new Error("the scheduled event has no time of the form 2026-03-01T00:05:00Z");
  return Date.parse(parsed.data.time);
}
