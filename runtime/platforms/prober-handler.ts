/** The prober's handler, and the events of both platforms' schedules. */

import { isObject, textAt } from "../protocol/json";
import type { Deadline, Logger } from "../protocol/ports";
import { type ProbeRequest, probeRequestSchema } from "../protocol/probe";
import * as z from "../protocol/schema";
import type { ProbeAnswer, Prober } from "../roles/prober/prober";
import { logFailure, readEvent } from "./handlers";

/** Returns the time when the schedule was due; undefined for any other event. Throws an Error that names the wrong field. */
export type ScheduleReader = (event: unknown) => number | undefined;

/**
 * Handles a request of the probe command, or an event of the platform's schedule. A rejection is the caller's answer; the platform
 * delivers a schedule's event again.
 */
export function createProberHandler(prober: Pick<Prober, "handle" | "canary">, scheduledMs: ScheduleReader, logger: Logger) {
  return async (received: unknown, deadline: Deadline): Promise<ProbeAnswer | undefined> =>
    logFailure(logger, "the prober failed", async () => {
      const event = readEvent(received, "the prober's event");
      const dueMs = scheduledMs(event);
      if (dueMs === undefined) return await prober.handle(parseRequest(event), deadline);
      await prober.canary(dueMs, deadline);
      return undefined;
    });
}

function parseRequest(event: unknown): ProbeRequest {
  const parsed = probeRequestSchema.safeParse(event);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join(".") || "(root)"}: ${message}`);
  throw new Error(`the prober's request does not fit: ${problems.join("; ")}`);
}

/** A scheduled rule of EventBridge. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-run-lambda-schedule.html */
export function ruleTime(event: unknown): number | undefined {
  if (textAt(event, "detail-type") !== "Scheduled Event") return undefined;
  return timeOf(textAt(event, "time"), "the scheduled event has no time");
}

/** A time trigger of Function Compute. https://www.alibabacloud.com/help/en/fc/formats-of-event-for-different-triggers */
export function timerTime(event: unknown): number | undefined {
  if (!isObject(event) || !("triggerTime" in event) || textAt(event, "triggerName") === undefined) return undefined;
  return timeOf(textAt(event, "triggerTime"), "the time trigger's event has no triggerTime");
}

function timeOf(text: string | undefined, problem: string): number {
  const time = z.iso.datetime().safeParse(text);
  if (!time.success) throw new Error(`${problem} of the form 2026-03-01T00:05:00Z`);
  return Date.parse(time.data);
}
