import type { Clock } from "../../../runtime/protocol/ports";

/** A clock that moves only by hand. */
export class ManualClock implements Clock {
  constructor(public nowMs = Date.parse("2026-03-01T00:00:00Z")) {}

  now(): number {
    return this.nowMs;
  }

  after(ms: number): AbortSignal {
    return AbortSignal.timeout(Math.max(0, ms));
  }

  advance(ms: number): void {
    this.nowMs += ms;
  }
}
