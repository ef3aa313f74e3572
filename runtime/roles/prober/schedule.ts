/** When a canary is due, and how long somebody may still wait for it. Pure; both sides come to the same slots. */
import type { ProberConfig } from "../../protocol/env";

export type CanaryConfig = NonNullable<ProberConfig["canary"]>;

/** A schedule runs within its minute, not at its start. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html */
const SCHEDULE_MS = 60_000;
/** A schedule may also tell a time that lies just before its minute. */
const EARLY_MS = 5_000;

/** The start of the slot that an event scheduled for `scheduledMs` is of. */
export function slotOf({ everyMinutes }: CanaryConfig, scheduledMs: number): number {
  const lengthMs = everyMinutes * 60_000;
  return Math.floor((scheduledMs + EARLY_MS) / lengthMs) * lengthMs;
}

/** Whether the event came later than a schedule may be, such as one that is delivered again. */
export function isLate(scheduledMs: number, nowMs: number): boolean {
  return nowMs > scheduledMs + SCHEDULE_MS;
}

/** Until when a canary is watched for. The other side's schedule may be the later of the two. */
export function watchedUntil({ giveUpAfterSeconds }: CanaryConfig, scheduledMs: number): number {
  return scheduledMs + SCHEDULE_MS + giveUpAfterSeconds * 1000;
}

/** Slots that begin before this are nobody's any more: the one before the present one stays, and so does each that is watched still. */
export function oldestKept(config: CanaryConfig, nowMs: number): number {
  const lengthMs = config.everyMinutes * 60_000;
  const patienceMs = watchedUntil(config, 0);
  return Math.floor((nowMs - patienceMs) / lengthMs) * lengthMs - lengthMs;
}
