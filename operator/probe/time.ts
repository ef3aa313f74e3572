/** What the probe needs of the machine's time, passed in so that a test can stand in for it. */
import { setTimeout } from "node:timers/promises";

export interface Time {
  now(): number;
  /** Rejects when the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export const systemTime: Time = {
  now: Date.now,
  sleep: (ms, signal) => setTimeout(ms, undefined, { signal }),
};
