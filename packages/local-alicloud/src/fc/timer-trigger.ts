/** Time triggers. https://www.alibabacloud.com/help/en/functioncompute/fc/user-guide/time-triggers */
import * as z from "zod";
import type { TriggerSpec } from "../contracts";
import { invalidArgument } from "./names";
import { parseJson } from "./oss-trigger";

/** https://www.alibabacloud.com/help/en/functioncompute/api-fc-2023-03-30-struct-timertriggerconfig */
const configSchema = z.strictObject({ cronExpression: z.string(), enable: z.boolean(), payload: z.string().default("") });

const MINUTE_MS = 60_000;
const DAY_MINUTES = 24 * 60;
/** In minutes. */
const UNITS: Readonly<Record<string, number>> = { m: 1, h: 60 };

export interface TimerTrigger {
  enabled: boolean;
  payload: string;
  /** The next due time, strictly after `afterMs`. An interval counts from `sinceMs`. */
  next(afterMs: number, sinceMs: number): number;
}

/**
 * @param minuteMs the real length of a minute of `@every`
 * @throws ApiError `InvalidArgument`, also for expressions that are not served here
 */
export function parseTimerTrigger(spec: TriggerSpec, minuteMs = MINUTE_MS): TimerTrigger {
  const refuse = (message: string) => invalidArgument(`trigger '${spec.triggerName}': ${message}`);
  const parsed = configSchema.safeParse(parseJson(spec.triggerConfig, refuse));
  if (!parsed.success) throw refuse(`triggerConfig: ${z.prettifyError(parsed.error)}`);
  const { cronExpression, enable: enabled, payload } = parsed.data;
  const next = intervalOf(cronExpression, minuteMs) ?? cronOf(cronExpression);
  if (next === undefined)
    throw refuse(
      `cronExpression '${cronExpression}' is not served here: @every <whole number>m or h is, and [CRON_TZ=UTC] <second> <minute> <hour> * * * with minutes and hours as *, */n or one number`,
    );
  return { enabled, payload, next };
}

function intervalOf(expression: string, minuteMs: number): TimerTrigger["next"] | undefined {
  const [, count, unit = ""] = /^@every ([1-9]\d{0,5})([mh])$/.exec(expression) ?? [];
  const unitMinutes = UNITS[unit];
  if (count === undefined || unitMinutes === undefined) return undefined;
  const lengthMs = Number(count) * unitMinutes * minuteMs;
  return (afterMs, sinceMs) => sinceMs + (Math.floor((afterMs - sinceMs) / lengthMs) + 1) * lengthMs;
}

/** UTC, which is also the default zone. */
function cronOf(expression: string): TimerTrigger["next"] | undefined {
  const [, second = "", minute = "", hour = ""] = /^(?:CRON_TZ=UTC )?(\d{1,2}) (\S+) (\S+) \* \* \*$/.exec(expression) ?? [];
  const [minutes, hours] = [fieldOf(minute, 60), fieldOf(hour, 24)];
  if (second === "" || Number(second) > 59 || minutes === undefined || hours === undefined) return undefined;
  return (afterMs) => {
    let dueMs = Math.floor(afterMs / MINUTE_MS) * MINUTE_MS + Number(second) * 1000;
    for (let minutesOn = 0; minutesOn <= DAY_MINUTES; minutesOn++, dueMs += MINUTE_MS) {
      const due = new Date(dueMs);
      if (dueMs > afterMs && minutes.has(due.getUTCMinutes()) && hours.has(due.getUTCHours())) return dueMs;
    }
    throw new Error(`${expression} is not due within a day`);
  };
}

/** The values that a cron field selects from 0 to `length - 1`. */
function fieldOf(text: string, length: number): ReadonlySet<number> | undefined {
  if (/^\d{1,2}$/.test(text)) return Number(text) < length ? new Set([Number(text)]) : undefined;
  const by = text === "*" ? 1 : Number(/^\*\/(\d{1,2})$/.exec(text)?.[1] ?? "0");
  if (by === 0 || by >= length) return undefined;
  return new Set(Array.from({ length: Math.ceil(length / by) }, (_, index) => index * by));
}

/** The event of a time trigger. https://www.alibabacloud.com/help/en/fc/formats-of-event-for-different-triggers */
export const timerEvent = (triggerName: string, payload: string, dueMs: number): Buffer =>
  Buffer.from(JSON.stringify({ triggerTime: new Date(dueMs).toISOString().replace(".000Z", "Z"), triggerName, payload }));
